"""What Bellhop tells of itself: one JSON object a line on stderr, and the metrics and alarms made from it.

Every text goes through the redactor. Libraries' own logging comes out as the same JSON.
"""

from __future__ import annotations

import errno
import json
import logging
import sys
import threading
from collections.abc import Callable, Mapping
from datetime import datetime
from types import TracebackType
from typing import Final, TextIO

from bellhop.schemas.clock import utc_now
from bellhop.schemas.observe import Observe, silent, where
from bellhop.schemas.redact import Redactor
from bellhop.schemas.trace import UNTRACED, Tracer
from bellhop.telemetry.log_names import NAMINGS, Naming, Told

NOISY: Final = ("pika", "kombu", "amqp", "gunicorn", "urllib3", "sqlalchemy", "alembic", "werkzeug", "sentry_sdk")
"""Told from WARNING on, whatever the level: below, urllib3 prints URLs with their queries."""

_LEVELS: Final[Mapping[str, int]] = {"debug": 10, "info": 20, "warning": 30, "error": 40}
_LEVEL_OF: Final[Mapping[str, str]] = {
    "vendor.called": "debug",
    "queue.measured": "debug",
    "letters.counted": "debug",
    "letters.waiting": "debug",
    "events.unfinished": "debug",
    "events.forgotten": "debug",
    "event.forgotten": "error",
    "event.missing": "error",
    "routes.paused": "debug",
    "parts.measured": "debug",
    "silence.measured": "debug",
    "console.answered": "debug",
    "console.refused": "warning",
    "console.crashed": "error",
    "worker.measured": "debug",
    "publish.settled": "debug",
    "account.measured": "debug",
    "pull.measured": "debug",
    "alerts.measured": "debug",
    "floods.measured": "debug",
    "audit.measured": "debug",
    "audit.broken": "error",
    "alert.failed": "warning",
    "settings.refused": "error",
    "account.held": "debug",
    "account.unfreed": "warning",
    "account.unrecorded": "warning",
    "tzdata.differs": "warning",
    "webhook.refused": "warning",
    "broker.lost": "warning",
    "broker.unproven": "warning",
    "broker.degraded": "warning",
    "publish.failed": "warning",
    "ledger.unavailable": "warning",
    "delivery.reclaimed": "warning",
    "telemetry.unexported": "warning",
    "worker.short_of_threads": "warning",
    "worker.stalled": "error",
    "worker.crashed": "error",
    "webhook.crashed": "error",
    "api.refused": "warning",
    "api.crashed": "error",
    "thread.crashed": "error",
}
_LEVEL_OF_OUTCOME: Final[Mapping[object, str]] = {"dead": "error", "in_doubt": "warning"}


class JsonLines(logging.Handler):
    """Writes one JSON object a line. A logging.Handler for its lock, which survives a fork."""

    def __init__(
        self,
        process: str,
        redactor: Redactor,
        stream: TextIO,
        now: Callable[[], datetime] = utc_now,
        naming: Naming = NAMINGS["bellhop"],
    ) -> None:
        super().__init__()
        self._process = process
        self._redactor = redactor
        self._stream = stream
        self._now = now
        self._naming = naming
        self.export: Callable[[Told], None] | None = None
        """Is given each line too. It must not wait for anybody."""

    def tell(self, level: str, event: str, fields: Mapping[str, object]) -> None:
        """Never raises: a full disk or a closed pipe behind stderr must not keep a delivery from being settled."""
        try:
            line = {"ts": self._now().isoformat(timespec="milliseconds").replace("+00:00", "Z"), "level": level}
            line |= {"event": event, "process": self._process}
            shown = {name: value for name, value in fields.items() if name not in line}
            told = line | self._redactor.value(json.loads(json.dumps(shown, default=str)))
            with self.lock or threading.Lock():
                self._stream.write(json.dumps(self._naming(told), ensure_ascii=False, separators=(",", ":")) + "\n")
                self._stream.flush()
            if self.export is not None:
                self.export(told)
        except Exception:  # noqa: BLE001, S110  # see above; there is nowhere left to tell it
            pass

    def emit(self, record: logging.LogRecord) -> None:
        """A library's line. Of an exception only its type and place: its text may quote personal data."""
        fields: dict[str, object] = {"logger": record.name}
        try:
            fields["text"] = record.getMessage()
        except Exception:  # noqa: BLE001  # a library's broken format string must not end the thread that logs
            fields["text"] = str(record.msg)
        if record.exc_info and record.exc_info[1] is not None:
            fields |= describe_error(record.exc_info[1])
        self.tell(record.levelname.lower(), "log.written", fields)


class Telemetry:
    """The Observe of a process.

    process: what it is, for the log. level: from which on lines are written; metrics count everything.
    count: the metrics, see `telemetry.metrics`. alarm: is told events of level error, see `telemetry.sentry`.
    naming: of the lines' fields, see `telemetry.log_names`.
    """

    def __init__(
        self,
        process: str,
        redactor: Redactor,
        *,
        level: str = "info",
        stream: TextIO | None = None,
        count: Callable[[str, Mapping[str, object]], None] | None = None,
        alarm: Observe = silent,
        now: Callable[[], datetime] = utc_now,
        naming: Naming = NAMINGS["bellhop"],
    ) -> None:
        self.lines = JsonLines(process, redactor, stream or sys.stderr, now, naming)
        self._from = level
        self._count = count
        self._alarm = alarm
        self.tracer: Tracer = UNTRACED
        self.letters_tracer: Tracer = UNTRACED
        """OpenTelemetry's alone: in Sentry a trace ends with its event's last try."""
        self.close: Callable[[], None] = lambda: None
        """Sends what is left of it; takes seconds at most."""

    def __call__(self, event: str, /, **fields: object) -> None:
        """Never raises: telling must never break doing. What cannot be told is dropped."""
        try:
            level = _LEVEL_OF_OUTCOME.get(fields.get("outcome")) if event == "event.settled" else None
            level = level or _LEVEL_OF.get(event, "info")
            if _LEVELS[level] >= _LEVELS[self._from]:
                self.lines.tell(level, event, fields)
            if self._count is not None:
                self._count(event, fields)
            if level == "error":
                self._alarm(event, **fields)
        except Exception:  # noqa: BLE001, S110  # see above
            pass

    def install(self) -> None:
        """Makes libraries' logging, warnings and uncaught exceptions come out here, as JSON and without their texts'
        secrets. To be called once by a process that serves, not by a command that a person waits for."""
        root = logging.getLogger()
        root.handlers[:] = [self.lines]
        root.setLevel(max(_LEVELS[self._from], logging.INFO))
        for name in NOISY:
            logging.getLogger(name).setLevel(max(_LEVELS[self._from], logging.WARNING))
        logging.captureWarnings(True)
        logging.raiseExceptions = False
        threading.excepthook = self._thread_ended
        sys.excepthook = self._process_ended

    def _thread_ended(self, args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None:
            self("thread.crashed", thread=args.thread.name if args.thread else "", **describe_error(args.exc_value))

    def _process_ended(self, _type: type[BaseException], error: BaseException, _trace: TracebackType | None) -> None:
        self("thread.crashed", thread="main", **describe_error(error))


def describe_error(error: BaseException) -> dict[str, object]:
    """An unexpected error's type and place: file and line."""
    told: dict[str, object] = {"error": type(error).__name__, "where": where(error)}
    if isinstance(error, OSError) and error.errno:
        told["errno"] = errno.errorcode.get(error.errno, error.errno)
    return told
