"""The names a log line's fields go by: Bellhop's own, or those of a standard that a log store knows already.

ECS: https://www.elastic.co/guide/en/ecs/current/, with the dots of its logging specification.
OpenTelemetry: https://opentelemetry.io/docs/specs/otel/logs/data-model/, attributes by its semantic conventions.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

Told = Mapping[str, Any]
"""A line as it is by default: `ts`, `level`, `event`, `process`, then what is told of the event. Masked by then."""
Naming = Callable[[Told], Mapping[str, Any]]

_HEAD: Final = ("ts", "level", "event", "process", "trace")
_ECS_VERSION: Final = "8.17.0"
_IN_ECS: Final = {
    "id": "event.id",
    "reason": "event.reason",
    "logger": "log.logger",
    "error": "error.type",
    "where": "log.origin.file.name",
    "status": "http.response.status_code",
    "thread": "process.thread.name",
}
_IN_OTEL: Final = {
    "error": "error.type",
    "where": "code.file.path",
    "status": "http.response.status_code",
    "thread": "thread.name",
}
SEVERITIES: Final[Mapping[str, int]] = {"debug": 5, "info": 9, "warning": 13, "error": 17, "critical": 21}
"""OpenTelemetry's numbers."""
_PLACE: Final = re.compile(r"([0-9a-f]{32})-([0-9a-f]{16})")


def message(told: Told) -> str:
    """A line in words: a library's text, or the event's name."""
    return str(told.get("text") or told["event"])


def place(told: Told) -> tuple[str, str] | None:
    """The ids of trace and span that it belongs to, where that is known."""
    found = _PLACE.fullmatch(str(told.get("trace") or ""))
    return (found[1], found[2]) if found else None


def otel_attributes(told: Told) -> dict[str, Any]:
    return _by_name(told, _IN_OTEL)


def ecs(told: Told) -> Mapping[str, Any]:
    line = {"@timestamp": told["ts"], "log.level": told["level"], "message": message(told), "ecs.version": _ECS_VERSION}
    line |= {"event.dataset": "bellhop", "event.action": told["event"], "service.name": service_name(told)}
    if at := place(told):
        line |= {"trace.id": at[0], "span.id": at[1]}
    if isinstance(seconds := told.get("seconds"), int | float):
        line["event.duration"] = round(seconds * 1e9)  # nanoseconds, by ECS
    return line | _by_name(told, _IN_ECS)


def otel(told: Told) -> Mapping[str, Any]:
    level = str(told["level"])
    line = {"Timestamp": told["ts"], "SeverityText": level.upper(), "SeverityNumber": SEVERITIES.get(level, 9)}
    line |= {"Body": message(told), "EventName": told["event"], "Resource": {"service.name": service_name(told)}}
    if at := place(told):
        line |= {"TraceId": at[0], "SpanId": at[1]}
    return line | {"Attributes": otel_attributes(told)}


def service_name(told: Told) -> str:
    """As Prometheus' jobs and OpenTelemetry's `service.name` have it."""
    return f"bellhop-{told['process']}"


def _by_name(told: Told, names: Mapping[str, str]) -> dict[str, Any]:
    """What is told of the event: by the standard's name where it has one, else as `bellhop.…`."""
    return {names.get(name, f"bellhop.{name}"): value for name, value in told.items() if name not in _HEAD}


NAMINGS: Final[Mapping[str, Naming]] = {"bellhop": lambda told: told, "ecs": ecs, "otel": otel}
"""By what `fields` of `[log]` says."""
