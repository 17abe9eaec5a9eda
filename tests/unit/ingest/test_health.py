from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from bellhop.ingest.app import create_app
from bellhop.ingest.health import HealthProbe
from bellhop.schemas import zones
from bellhop.schemas.clock import Clock
from tests.support.ingress import MemoryEvents, MemoryPublisher, Told, settings


def client(problems: dict[str, str]) -> FlaskClient:
    return create_app(settings(), MemoryPublisher(), MemoryEvents(), ready=lambda: problems).test_client()


@pytest.mark.parametrize(
    ("problems", "code", "status"),
    [
        ({}, 200, "ready"),
        ({"broker": "", "ledger": ""}, 200, "ready"),
        ({"broker": "", "ledger": "cannot be reached"}, 200, "degraded"),
        ({"broker": "cannot be reached", "ledger": ""}, 503, "unready"),
    ],
)
def test_it_is_ready_while_the_broker_can_confirm(problems: dict[str, str], code: int, status: str) -> None:
    answer = client(problems).get("/readyz")
    assert (answer.status_code, answer.get_json()["status"]) == (code, status)
    assert answer.get_json()["tzdata"] == zones.VERSION
    assert answer.get_json()["problems"] == {part: problem for part, problem in problems.items() if problem}


def test_it_is_alive_whatever_is_away() -> None:
    assert client({"broker": "cannot be reached"}).get("/healthz").get_json() == {"status": "ok"}


def test_a_readiness_that_fails_itself_is_not_ready() -> None:
    def ready() -> dict[str, str]:
        raise OSError("amqp://user:password@host")

    told = Told()
    app = create_app(settings(), MemoryPublisher(), MemoryEvents(), ready=ready, observe=told)
    answer = app.test_client().get("/readyz")
    assert answer.status_code == 500
    assert "password" not in answer.text + repr(told.calls)


def test_metrics_are_there_when_they_are_given() -> None:
    app = create_app(settings(), MemoryPublisher(), MemoryEvents(), metrics=lambda: (b"up 1\n", "text/plain; x=1"))
    answer = app.test_client().get("/metrics")
    assert (answer.data, answer.content_type) == (b"up 1\n", "text/plain; x=1")
    assert client({}).get("/metrics").status_code == 404


def test_a_part_that_was_not_looked_at_yet_is_a_problem() -> None:
    assert HealthProbe(lambda: "").problem() == "it has not been looked at yet"


def test_what_was_seen_last_is_told_without_looking_again() -> None:
    seen = ["away", ""]
    probe = HealthProbe(lambda: seen.pop(0))
    probe.look()
    assert [probe.problem(), probe.problem()] == ["away", "away"]
    probe.look()
    assert probe.problem() == ""


def test_a_look_that_raises_is_a_problem_and_tells_its_kind() -> None:
    def look() -> str:
        raise ValueError("secret")

    probe = HealthProbe(look)
    probe.look()
    assert probe.problem() == "cannot be told: ValueError"


def test_a_look_that_does_not_end_is_a_problem_after_a_while() -> None:
    now = [0.0]
    probe = HealthProbe(lambda: "", Clock(monotonic=lambda: now[0]))
    probe.look()
    now[0] = 9.0
    assert probe.problem() == ""
    now[0] = 30.0
    assert probe.problem() == "it has not answered for 30 s"
