"""Log lines as OpenTelemetry's records: those of stderr, masked by then, without what others wrote. A vendor's words
and a library's text may name the guest: they stay on the host, as they do where Sentry is told."""

from __future__ import annotations

import time
from typing import Final

from opentelemetry import trace
from opentelemetry._logs import Logger, LogRecord, SeverityNumber
from opentelemetry.context import Context

from bellhop.telemetry.log_names import SEVERITIES, Told, otel_attributes, place
from bellhop.telemetry.sentry import FIELDS

_TEXTS: Final = frozenset((*FIELDS, "to", "queue", "what", "logger", "status", "state", "host", "by", "kind"))
"""The texts that are ours, or were chosen by who runs us. Numbers may always be told."""


class LogRecords:
    """Call it with a line. It goes into a bounded queue; nobody waits."""

    def __init__(self, logger: Logger) -> None:
        self._logger = logger

    def __call__(self, told: Told) -> None:
        level = str(told["level"])
        self._logger.emit(
            LogRecord(
                timestamp=time.time_ns(),
                context=_context(told),
                severity_text=level.upper(),
                severity_number=SeverityNumber(SEVERITIES.get(level, SEVERITIES["info"])),
                body=str(told["event"]),
                attributes=otel_attributes({name: value for name, value in told.items() if _may_leave(name, value)}),
                event_name=str(told["event"]),
            )
        )


def _context(told: Told) -> Context | None:
    """Of the event it is about; None: what this thread is at."""
    if (at := place(told)) is None:
        return None
    span = trace.SpanContext(int(at[0], 16), int(at[1], 16), is_remote=True)
    return trace.set_span_in_context(trace.NonRecordingSpan(span), Context())


def _may_leave(name: str, value: object) -> bool:
    return isinstance(value, bool | int | float) or (name in _TEXTS and isinstance(value, str))
