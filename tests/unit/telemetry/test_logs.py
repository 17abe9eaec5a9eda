from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from bellhop.schemas.redact import Redactor
from bellhop.telemetry.logs import NOISY, JsonLines, Telemetry, describe_error

_NOW = datetime(2026, 11, 1, 10, 0, 0, 123456, tzinfo=UTC)


def _made(**more: Any) -> tuple[Telemetry, io.StringIO]:
    stream = io.StringIO()
    return Telemetry("work", Redactor(["top-secret"]), stream=stream, now=lambda: _NOW, **more), stream


def _lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


@pytest.fixture
def _logging_left_as_it_was() -> Iterator[None]:
    import sys
    import threading

    root = logging.getLogger()
    before = root.handlers[:], root.level, logging.raiseExceptions, sys.excepthook, threading.excepthook
    levels = {name: logging.getLogger(name).level for name in NOISY}
    yield
    root.handlers[:], root.level, logging.raiseExceptions = before[:3]
    sys.excepthook, threading.excepthook = before[3:]
    logging.captureWarnings(False)
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


def test_an_event_is_one_line_of_json() -> None:
    telemetry, stream = _made()
    telemetry("event.settled", route="members", outcome="done", seconds=0.5, text="two\nlines")
    assert stream.getvalue().count("\n") == 1
    assert _lines(stream) == [
        {
            "ts": "2026-11-01T10:00:00.123Z",
            "level": "info",
            "event": "event.settled",
            "process": "work",
            "route": "members",
            "outcome": "done",
            "seconds": 0.5,
            "text": "two\nlines",
        }
    ]


def test_no_secret_gets_out_not_even_inside_a_text_or_a_list() -> None:
    telemetry, stream = _made()
    telemetry(
        "broker.lost",
        error="amqp://user:pw@host refused top-secret",
        password="anything",
        nested=[{"x": "top-secret"}],
        url="http://v/res/x?auth_id=12345&member_id=1",
    )
    text = stream.getvalue()
    for secret in ("top-secret", "pw@", "anything", "12345"):
        assert secret not in text


def test_a_field_cannot_take_the_place_of_the_lines_own() -> None:
    telemetry, stream = _made()
    telemetry("worker.started", level="forged", ts=1)
    assert _lines(stream)[0]["level"] == "info"
    assert _lines(stream)[0]["ts"] == "2026-11-01T10:00:00.123Z"


class _Full(io.StringIO):
    def write(self, text: str, /) -> int:
        raise OSError(28, "No space left on device")


def test_a_full_disk_behind_stderr_stops_nobody() -> None:
    counted: list[str] = []
    telemetry = Telemetry("work", Redactor(), stream=_Full(), count=lambda event, _fields: counted.append(event))
    telemetry("event.settled")
    assert counted == ["event.settled"]


class _Unprintable:
    def __str__(self) -> str:
        raise RuntimeError("no text")


def test_neither_an_odd_value_nor_a_broken_metric_nor_a_broken_alarm_raises() -> None:
    def broken(event: str, *_: object, **__: object) -> None:
        raise RuntimeError("broken")

    telemetry, stream = _made()
    telemetry("a.b", value=_Unprintable())
    telemetry("a.b", value=object(), moment=_NOW)
    assert len(_lines(stream)) == 1
    for hook in ("count", "alarm"):
        broken_one, _ = _made(**{hook: broken})
        broken_one("worker.crashed")


def test_what_is_below_the_level_is_counted_but_not_written() -> None:
    counted: list[str] = []
    telemetry, stream = _made(level="warning", count=lambda event, _fields: counted.append(event))
    telemetry("event.settled", outcome="done")
    telemetry("event.settled", outcome="dead")
    assert [line["outcome"] for line in _lines(stream)] == ["dead"]
    assert len(counted) == 2


def test_what_needs_a_person_raises_the_alarm_and_nothing_else_does() -> None:
    alarms: list[str] = []
    telemetry, _ = _made(alarm=lambda event, **_fields: alarms.append(event))
    for outcome in ("done", "retry", "in_doubt", "dead"):
        telemetry("event.settled", outcome=outcome)
    telemetry("worker.crashed", error="KeyError")
    assert alarms == ["event.settled", "worker.crashed"]


def test_a_librarys_exception_is_told_without_its_text() -> None:
    stream = io.StringIO()
    logger = logging.Logger("some.library")
    logger.addHandler(JsonLines("work", Redactor(["top-secret"]), stream, lambda: _NOW))
    try:
        raise ValueError("Ada Lee, ada@example.com")
    except ValueError:
        logger.exception("it failed with %s", "top-secret")
    (line,) = _lines(stream)
    assert (line["event"], line["logger"], line["error"], line["text"]) == (
        "log.written",
        "some.library",
        "ValueError",
        "it failed with ***",
    )
    assert "test_logs.py:" in line["where"]
    assert "Ada" not in stream.getvalue()


def test_a_librarys_broken_format_string_is_told_all_the_same() -> None:
    stream = io.StringIO()
    logger = logging.Logger("some.library")
    logger.addHandler(JsonLines("work", Redactor(), stream))
    logger.warning("%d items", "no number")
    assert _lines(stream)[0]["text"] == "%d items"


@pytest.mark.usefixtures("_logging_left_as_it_was")
def test_urllib3s_debug_lines_with_their_urls_are_off_at_every_level() -> None:
    telemetry, stream = _made(level="debug")
    telemetry.install()
    logging.getLogger("urllib3.connectionpool").debug('"GET /res/sync_member?auth_id=12345 HTTP/1.1" 200')
    logging.getLogger("pika.connection").info("Connecting")
    logging.getLogger("pika.connection").warning("lost")
    assert [line["text"] for line in _lines(stream)] == ["lost"]


@pytest.mark.usefixtures("_logging_left_as_it_was")
def test_an_uncaught_error_of_a_thread_is_one_line_without_its_text() -> None:
    import threading

    telemetry, stream = _made()
    telemetry.install()

    def fails() -> None:
        raise KeyError("Ada Lee")

    thread = threading.Thread(target=fails, name="pool-1")
    thread.start()
    thread.join()
    (line,) = _lines(stream)
    assert (line["event"], line["thread"], line["error"]) == ("thread.crashed", "pool-1", "KeyError")
    assert "Ada" not in stream.getvalue()


def test_an_errors_place_is_where_it_was_raised() -> None:
    try:
        int("x")
    except ValueError as error:
        told = describe_error(error)
    assert told["error"] == "ValueError"
    assert str(told["where"]).startswith("telemetry/test_logs.py:")
    assert describe_error(ConnectionRefusedError(111, "refused"))["errno"] == "ECONNREFUSED"
