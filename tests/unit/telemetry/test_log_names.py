from __future__ import annotations

import io
import json
from datetime import UTC, datetime

import pytest

from bellhop.schemas.redact import Redactor
from bellhop.telemetry.log_names import NAMINGS
from bellhop.telemetry.logs import Telemetry

_AT = datetime(2026, 11, 20, 12, tzinfo=UTC)
_PLACE = f"{'a' * 32}-{'b' * 16}"


def line(fields: str, event: str, **told: object) -> dict[str, object]:
    stream = io.StringIO()
    telemetry = Telemetry("work", Redactor(["hunter22"]), stream=stream, now=lambda: _AT, naming=NAMINGS[fields])
    telemetry(event, **told)
    made: dict[str, object] = json.loads(stream.getvalue())
    return made


def test_a_line_has_the_names_of_ecs_where_they_are_asked_for() -> None:
    told = line("ecs", "event.settled", outcome="dead", id="e-1", seconds=0.25, trace=_PLACE, password="hunter22")
    assert list(told)[:4] == ["@timestamp", "log.level", "message", "ecs.version"]  # as ECS logging orders them
    assert told["@timestamp"] == "2026-11-20T12:00:00.000Z"
    assert (told["log.level"], told["event.action"], told["service.name"]) == ("error", "event.settled", "bellhop-work")
    assert (told["event.id"], told["event.duration"]) == ("e-1", 250_000_000)
    assert (told["trace.id"], told["span.id"]) == ("a" * 32, "b" * 16)
    assert (told["bellhop.outcome"], told["bellhop.password"]) == ("dead", "***")


def test_a_line_has_the_names_of_opentelemetrys_data_model_where_they_are_asked_for() -> None:
    told = line("otel", "thread.crashed", thread="jobs", error="KeyError", trace=_PLACE)
    assert told == {
        "Timestamp": "2026-11-20T12:00:00.000Z",
        "SeverityText": "ERROR",
        "SeverityNumber": 17,
        "Body": "thread.crashed",
        "EventName": "thread.crashed",
        "Resource": {"service.name": "bellhop-work"},
        "TraceId": "a" * 32,
        "SpanId": "b" * 16,
        "Attributes": {"thread.name": "jobs", "error.type": "KeyError"},
    }


def test_a_line_keeps_bellhops_own_names_unless_others_are_asked_for() -> None:
    told = line("bellhop", "worker.started", route="members")
    assert list(told) == ["ts", "level", "event", "process", "route"]


@pytest.mark.parametrize("fields", ["ecs", "otel"])
def test_a_librarys_line_is_its_text_and_an_unknown_level_is_no_error(fields: str) -> None:
    told = line(fields, "log.written", text="pool is full", logger="urllib3", trace="no trace at all")
    assert told["message" if fields == "ecs" else "Body"] == "pool is full"
    assert not {"trace.id", "TraceId"} & told.keys()
