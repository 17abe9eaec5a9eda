"""A worker that is alive but no longer consumes says so, and says when it is well again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import urllib3

from tests.support.rabbitmq import RabbitNode
from tests.support.service import Service, wait_for

MEMBER = {"member_id": "3125141"}


def test_a_worker_that_lost_its_broker_is_not_ready_until_it_consumes_again(
    rabbitmq_node: RabbitNode, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BELLHOP_WORK__STALL", "3s")
    with Service(tmp_path, [rabbitmq_node.vhost()]) as service:
        service.start_all("members")
        ready = f"http://127.0.0.1:{_health_port(service)}/readyz"
        wait_for(lambda: _status(ready) == 200, "the worker is ready")
        rabbitmq_node.stop()
        try:
            wait_for(lambda: _status(ready) == 503, "the worker says that it is not ready", 40)
            assert "consumer at the broker" in _body(ready)
            assert service.alive("work-1")
        finally:
            rabbitmq_node.start_again()
        wait_for(lambda: _status(ready) == 200, "the worker is ready again", 40)
        service.wait_for_ingest()
        assert service.post("after", "member.updated", {"member_id": "3125141"}) == 202
        service.wait_for_state("after", "done")
        told = [line["event"] for line in _log(service)]
        assert told.index("worker.stalled") < told.index("worker.recovered")


def test_an_ingress_whose_broker_is_under_an_alarm_says_so_before_a_post_and_until_it_is_over(
    rabbitmq_node: RabbitNode, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BELLHOP_BROKER__CONFIRM", "2s")
    with Service(tmp_path, [rabbitmq_node.vhost()]) as service:
        service.start("ingest")
        service.wait_for_ingest()
        ready = f"{service.url}/readyz"
        with rabbitmq_node.alarm():
            wait_for(lambda: _status(ready) == 503, "the ingress says that it is not ready")
            for number in range(3):
                assert (_status(ready), service.post(f"refused-{number}", "member.updated", MEMBER)) == (503, 503)
            assert "publish" in json.loads(_body(ready))["problems"]["broker"]
        service.wait_for_ingest()
        assert service.post("taken", "member.updated", MEMBER) == 202


def test_what_waits_untaken_is_told_by_the_figures(service: Service) -> None:
    service.start("ingest")
    service.wait_for_ingest()
    for number in range(3):
        assert service.post(f"waits-{number}", "member.updated", {"member_id": "3125141"}) == 202
    shown = service.run("queues", "--json")
    assert shown.returncode == 0, shown.stderr
    assert '"members"' in shown.stdout
    rows = json.loads(shown.stdout)
    (members,) = [row for row in rows["routes"] if row["route"] == "members"]
    assert members["ready"] == 3


def _log(service: Service) -> list[dict[str, object]]:
    lines = (service.folder / "work-1.log").read_text().splitlines()
    return [json.loads(line) for line in lines if line.startswith("{")]


def _health_port(service: Service) -> object:
    wait_for(lambda: any(line["event"] == "health.listening" for line in _log(service)), "the worker listens")
    return next(line["port"] for line in _log(service) if line["event"] == "health.listening")


def _status(url: str) -> int:
    return urllib3.request("GET", url, retries=False, timeout=5).status


def _body(url: str) -> str:
    return urllib3.request("GET", url, retries=False, timeout=5).data.decode()
