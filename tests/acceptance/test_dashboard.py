"""The dashboard's queries and the alerts, asked of a real Prometheus that scrapes a real Bellhop."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.support.facts import cancel, salon_booking, spa_booking
from tests.support.prometheus import DEPLOY, Prometheus
from tests.support.service import Service, free_port, wait_for

DASHBOARD = json.loads((DEPLOY / "grafana" / "bellhop.json").read_text())
CHOSEN = {"$__rate_interval": "30s", "$route": ".*", "$account": ".*"}

LETTERS = 3
ONLY_WHEN_IT_HAPPENS = {
    "Age of the first message",
    "Work held by limits or breaker",
    "Stalls (1 h)",
    "Webhooks refused, by reason",
    "Alerts sent, failed and waiting",
    "Held as a flood",
    "Sources silent beyond their habit",
}
"""Panels that are empty until it does."""


def expressions() -> Iterator[tuple[str, str]]:
    """Each panel's title with each of its queries, as Grafana would send them."""
    for panel in DASHBOARD["panels"]:
        for target in panel.get("targets", ()):
            yield panel["title"], filled(target["expr"])


def filled(expression: str) -> str:
    for variable, value in CHOSEN.items():
        expression = expression.replace(variable, value)
    assert "$" not in expression
    return expression


def empty(prometheus: Prometheus) -> set[str]:
    """The panels of which a query finds nothing. Fails where one is not understood."""
    return {title for title, expression in expressions() if not prometheus.query(expression)}


@pytest.fixture
def bellhop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Service, Prometheus]]:
    """All parts at work, and a Prometheus that scrapes them."""
    ports = {name: free_port() for name in ("WORK", "ARCHIVE", "CONSOLE")}
    for name, port in ports.items():
        monkeypatch.setenv(f"BELLHOP_{name}__PORT", str(port))
    monkeypatch.setenv("BELLHOP_ACCOUNTS__PV__PULL_PROFILES", "* * * * *")
    folder = tmp_path / "bellhop"
    folder.mkdir()
    with Service(folder, limits=(50, 4, 5000)) as service:
        jobs = {
            "bellhop-ingest": [f"127.0.0.1:{service.ingest_port}"],
            "bellhop-work": [f"127.0.0.1:{ports['WORK']}"],
            "bellhop-archive": [f"127.0.0.1:{ports['ARCHIVE']}"],
            "bellhop-console": [f"127.0.0.1:{ports['CONSOLE']}"],
        }
        with Prometheus(tmp_path / "prometheus", jobs) as prometheus:
            service.start_all()
            service.start("console")
            wait_for(lambda: prometheus.value('sum(up{job=~"bellhop-.+"})') == 4, "all parts are scraped")
            yield service, prometheus


def work(service: Service) -> None:
    """One of each: done, done after a doubt, rejected (a member, a slot), and what only a person can do."""
    service.sandbox("POST", "faults", method="book", kind="reset", times=1, when="before")
    spa = spa_booking("PV-1", 0)
    posts: Mapping[str, tuple[str, Mapping[str, Any]]] = {
        "member": ("member.updated", {"member_id": "3125141"}),
        "nobody": ("member.updated", {"member_id": "9999999"}),
        "salon": ("booking.requested", salon_booking("SB-1", 0)),
        "spa": ("booking.requested", spa),
    }
    for id_, (type_, data) in posts.items():
        assert service.post(id_, type_, data) == 202
    for id_, state in (("member", "done"), ("nobody", "dead"), ("salon", "done"), ("spa", "done")):
        service.wait_for_state(id_, state)
    later: Mapping[str, tuple[str, Mapping[str, Any]]] = {
        "spa-cancel": ("booking.cancelled", cancel(spa)),
        "spa-taken": ("booking.requested", spa_booking("PV-2", 0)),
    }
    for id_, (type_, data) in later.items():
        assert service.post(id_, type_, data) == 202
        service.wait_for_state(id_, "dead")


@pytest.mark.timeout(240)
def test_every_query_of_the_dashboard_is_answered_and_what_happened_is_shown(
    bellhop: tuple[Service, Prometheus],
) -> None:
    service, prometheus = bellhop
    work(service)
    wait_for(lambda: prometheus.value("sum(bellhop_letters_waiting)") == LETTERS, "the letters are measured")
    wait_for(lambda: bool(prometheus.query("bellhop_pull_age_seconds")), "the pull has been measured", 90)
    with contextlib.suppress(AssertionError):
        wait_for(lambda: empty(prometheus) <= ONLY_WHEN_IT_HAPPENS, "every other panel has data", 60)
    assert empty(prometheus) - ONLY_WHEN_IT_HAPPENS == set()

    def shown(title: str) -> dict[str, float]:
        (expression,) = [expression for name, expression in expressions() if name == title]
        found = prometheus.query(expression)
        return {"/".join(sorted(one["metric"].values())): float(one["value"][1]) for one in found}

    assert shown("Waiting for a person") == {
        "members/pv/rejected": 1,
        "bookings.peoplevine/pv/rejected": 1,
        "bookings.peoplevine/pv/unsupported": 1,
    }
    assert shown("Dead letters waiting") == {"": LETTERS}
    assert shown("Parts that do not answer") == {"": 0}
    assert shown("Until the soonest start")["bookings.peoplevine/pv/rejected"] > 0
    assert shown("Breaker open") == {"pv": 0, "sb": 0}
    assert 0 < shown("Calls of the day, of those allowed")["sb"] < 0.01
    assert sorted(set(shown("Versions").values())) == [1.0]
    assert len(shown("Memory")) == len(shown("Versions")) == 4
    assert prometheus.value('sum(bellhop_retries_total{route="bookings.simplybook",outcome="in_doubt"})') == 1
    assert (prometheus.value('bellhop_publishes_total{job="bellhop-ingest",outcome="confirmed"}') or 0) >= 5
    assert prometheus.value('sum(bellhop_publishes_total{outcome!="confirmed"})') == 0

    at = datetime.now(UTC)
    for _ in range(2):
        assert service.post("twice", "member.updated", {"member_id": "3125141"}, at=at) == 202
    ended = 'bellhop_events_settled_total{route="members",outcome="%s"}'
    wait_for(lambda: prometheus.value(ended % "known") == 1, "what came twice is known the second time")
    assert prometheus.value(ended % "done") == 2
    assert service.run("routes", "pause", "pulls", "--why", "the club moves").returncode == 0
    wait_for(lambda: shown("Paused routes")["pulls"] > 0, "the pause is measured")
    assert shown("Paused routes")["members"] == 0

    service.kill("work-1")
    assert service.post("waits", "member.updated", {"member_id": "3125141"}) == 202
    wait_for(lambda: shown("Age of the first message").get("members", 0) > 0, "what waits has an age")
    assert shown("Messages waiting")["members"] == 1


@pytest.mark.timeout(240)
def test_the_variables_find_routes_and_accounts_and_the_alerts_are_evaluated(
    bellhop: tuple[Service, Prometheus],
) -> None:
    service, prometheus = bellhop
    work(service)
    wait_for(lambda: prometheus.value("sum(bellhop_letters_waiting)") == LETTERS, "the letters are measured")
    choices = {}
    for variable in DASHBOARD["templating"]["list"]:
        if variable["type"] == "query":
            found = re.fullmatch(r"label_values\((\w+), (\w+)\)", variable["definition"])
            assert found
            choices[variable["name"]] = set(prometheus.label_values(found[1], found[2]))
    assert choices["account"] == {"pv", "sb"}
    assert {"members", "bookings.peoplevine", "bookings.simplybook", "pulls"} <= choices["route"]

    def states() -> dict[str, str]:
        return {rule["name"]: rule["state"] for rule in prometheus.rules() if rule["health"] == "ok"}

    wait_for(lambda: len(states()) == len(prometheus.rules()), "every rule is evaluated without an error")
    wait_for(lambda: states()["BellhopDeadLettersWaiting"] == "pending", "the dead letters are seen")
    # The salon's booking was in doubt for a moment: a look of the archive that fell into it stands until its next one.
    wait_for(
        lambda: {name for name, state in states().items() if state != "inactive"} == {"BellhopDeadLettersWaiting"},
        "no other alert is left",
    )

    service.kill("archive")
    wait_for(lambda: states()["BellhopNoArchive"] == "pending", "it is seen that no archive runs")
    assert states()["BellhopPartDown"] == "pending"


# A worker as Prometheus sees one that dies of an event as soon as it is there, and one that lives.
DYING = """
import os, sys, time
from bellhop.telemetry.health import Health
from bellhop.telemetry.metrics import Metrics
metrics = Metrics(part="work")
Health(metrics.exposition).serve("127.0.0.1", int(sys.argv[1]))
if len(sys.argv) > 2:
    time.sleep(600)
time.sleep(0.15)
metrics("worker.crashed", {})
os._exit(1)
"""
DEATHS = 13


def test_a_part_that_dies_again_and_again_is_an_alert_though_its_counter_is_never_seen(tmp_path: Path) -> None:
    port = free_port()
    command = [sys.executable, "-c", DYING, str(port)]
    environ = {**os.environ, "PYTHONPATH": str(DEPLOY.parent)}

    def crash() -> str:
        (rule,) = [rule for rule in prometheus.rules() if rule["name"] == "BellhopCrash"]
        return str(rule["state"])

    with Prometheus(tmp_path / "prometheus", {"bellhop-work": [f"127.0.0.1:{port}"]}) as prometheus:
        for end in ("the first", "the last"):
            with subprocess.Popen([*command, "lives"], env=environ) as living:
                try:
                    wait_for(lambda: prometheus.value("up") == 1, f"{end} is scraped")
                    if end == "the last":
                        wait_for(lambda: crash() == "firing", "the deaths are seen")
                    else:
                        assert crash() == "inactive"
                finally:
                    living.kill()
            for _ in range(DEATHS if end == "the first" else 0):
                assert subprocess.run(command, env=environ, timeout=60, check=False).returncode == 1
