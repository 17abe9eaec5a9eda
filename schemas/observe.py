"""How the parts tell what they do: one hook, made once by the command and passed in.

`ops.telemetry` turns each call into a structured log line and its metrics; tests collect them.
Names are `noun.verb` (`webhook.accepted`, `event.settled`); fields are plain values and hold neither
secrets nor personal data.
"""

from __future__ import annotations

from typing import Protocol


class Observe(Protocol):
    """Called with an event's name and its fields. Must not raise: telling must never break doing."""

    def __call__(self, event: str, /, **fields: object) -> None: ...


def silent(event: str, /, **fields: object) -> None:
    """The observer that tells nobody."""
