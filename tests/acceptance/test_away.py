"""While the broker is away, under an alarm or does not confirm, posts are turned away at once and health is told."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
import urllib3

from bellhop.schemas.sqlite_library import sqlite
from tests.support.rabbitmq import RabbitNode
from tests.support.service import SOURCE, Service, wait_for

MEMBER = {"member_id": "3125141"}
CLIENTS = 48  # more than the ingress' threads
PATHS = ("/healthz", "/readyz", "/metrics")


@contextmanager
def file_locked(service: Service) -> Iterator[None]:
    lock = sqlite.connect(service.folder / "broker.db", isolation_level=None, timeout=10)
    lock.execute("BEGIN EXCLUSIVE")
    try:
        yield
    finally:
        lock.close()


@contextmanager
def stopped(node: RabbitNode) -> Iterator[None]:
    node.stop()
    try:
        yield
    finally:
        node.start_again()


class Load:
    """Clients that post one webhook after the other, and what they were answered, when, and how long it took."""

    def __init__(self, service: Service) -> None:
        self.answers: list[tuple[float, int, float, str]] = []
        self._service = service
        self._stop = threading.Event()
        self._http = urllib3.PoolManager(retries=False, timeout=20, maxsize=CLIENTS)
        self._threads = [threading.Thread(target=self._post, args=(number,)) for number in range(CLIENTS)]

    def _post(self, client: int) -> None:
        number = 0
        while not self._stop.is_set():
            number += 1
            body = json.dumps({"type": "member.updated", "timestamp": datetime.now(UTC).isoformat(), "data": MEMBER})
            headers = self._service.signed(f"c{client}-{number}", body)
            began = time.monotonic()
            answer = self._http.request(
                "POST", f"{self._service.url}/webhooks/{SOURCE}", body=body.encode(), headers=headers
            )
            retry = answer.headers.get("Retry-After", "")
            self.answers.append((began, answer.status, time.monotonic() - began, retry))
            self._stop.wait(0.2)

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(30)
        self._http.clear()


def health(service: Service, path: str) -> tuple[int, float]:
    began = time.monotonic()
    status = urllib3.request("GET", f"{service.url}{path}", retries=False, timeout=4).status
    return status, time.monotonic() - began


@pytest.mark.timeout(200)
@pytest.mark.parametrize("how", ["alarm", "stopped", "locked"])
def test_while_the_broker_is_away_a_flood_of_posts_is_turned_away_at_once_and_health_is_told(
    how: str, tmp_path: Path, request: pytest.FixtureRequest, record_property: pytest.RecordProperty
) -> None:
    node: RabbitNode | None = None if how == "locked" else request.getfixturevalue("rabbitmq_node")
    with Service(tmp_path, [node.vhost()] if node else None) as service:
        service.start("ingest")
        service.wait_for_ingest()
        trouble = {"alarm": lambda: node and node.alarm(), "stopped": lambda: node and stopped(node)}.get(how)
        away = trouble() if trouble else file_locked(service)
        assert away is not None
        with Load(service) as load:
            wait_for(lambda: any(status == 202 for _, status, _, _ in load.answers), "posts are accepted")
            with away:
                # What was on its way when the broker went may wait for the confirm time, and one publish finds out.
                wait_for(lambda: _turned_away(load.answers) >= CLIENTS, "posts are turned away")
                wait_for(lambda: health(service, "/readyz")[0] == 503, "the ingress says that it is not ready")
                began = time.monotonic()
                asked = [(path, *health(service, path)) for _ in range(20) for path in PATHS]
                # Each post that waited for a confirm would hold its thread for five seconds.
                wait_for(
                    lambda: _turned_away(load.answers, began) >= 10 * CLIENTS, "every client is told ten times", 20
                )
                known = [answer for answer in list(load.answers) if answer[0] >= began]
            assert {status for _, status, _, _ in known} == {503}
            assert all(retry for _, _, _, retry in known)
            assert {status for path, status, _ in asked if path != "/readyz"} == {200}
            assert {status for path, status, _ in asked if path == "/readyz"} == {503}
            wait_for(lambda: load.answers[-1][1] == 202, "posts are accepted again", 40)
    posts, looks = sorted(answer[2] for answer in known), sorted(seconds for _, _, seconds in asked)
    figures = f"{len(posts)} posts, median {posts[len(posts) // 2]:.3f} s, p99 {posts[len(posts) * 99 // 100]:.3f} s; "
    figures += f"health median {looks[len(looks) // 2]:.3f} s, longest {looks[-1]:.3f} s"
    record_property("figures", figures)
    print(how, figures)


def _turned_away(answers: list[tuple[float, int, float, str]], since: float = 0.0) -> int:
    return sum(status == 503 and began >= since for began, status, _, _ in list(answers))


@pytest.mark.timeout(120)
def test_health_is_told_while_silent_clients_and_slow_posts_hold_every_thread(tmp_path: Path) -> None:
    with Service(tmp_path) as service:
        service.start("ingest")
        service.wait_for_ingest()
        sockets = [urllib3.util.connection.create_connection(("127.0.0.1", service.ingest_port)) for _ in range(80)]
        for number, client in enumerate(sockets):
            if number % 2:
                client.sendall(b"POST /webhooks/crm HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n{")
        with ThreadPoolExecutor(3) as pool:
            answered = list(pool.map(lambda path: health(service, path), PATHS * 10))
        assert {status for status, _ in answered} == {200}
        for client in sockets:
            client.close()
