"""How the parts tell what they do: one hook, made once by the command and passed in.

`telemetry.logs` turns each call into a structured log line and its metrics; tests collect them.
Names are `noun.verb` (`webhook.accepted`, `event.settled`); fields are plain values and hold neither
secrets nor personal data.
"""

from __future__ import annotations

from typing import Protocol


class Observe(Protocol):
    """Called with an event's name and its fields. Must not raise: telling must never break doing."""

    def __call__(self, event: str, /, **fields: object) -> None: ...


def where(error: BaseException) -> str:
    """Folder, file and line of an unexpected error. Its text is never told: it may hold personal data."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return "" if trace is None else f"{'/'.join(trace.tb_frame.f_code.co_filename.split('/')[-2:])}:{trace.tb_lineno}"


def silent(event: str, /, **fields: object) -> None:
    """The observer that tells nobody."""
