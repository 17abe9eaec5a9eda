"""The headers that travel beside an envelope: facts of its way, which change from hop to hop."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from typing import Any, Final

ATTEMPT: Final = "bellhop-attempt"
"""int: how many attempts were made before this delivery."""

ENQUEUED: Final = "bellhop-enqueued"
"""float: seconds since the epoch when it was put on its work queue; quorum queues keep no such time."""

ROUTE: Final = "bellhop-route"
"""str: the route, so that even what cannot be decoded can be listed by it."""

REASON: Final = "bellhop-reason"
"""str: why it is dead, one of `schemas.reasons`. Absent where the broker itself buried it."""

ERROR: Final = "bellhop-error"
"""str: the last error, without secrets."""

EVIDENCE: Final = "bellhop-evidence"
"""str: JSON of the attempts and the vendor's answers, without secrets, at most 16 KiB."""

DIED: Final = "bellhop-died"
"""float: seconds since the epoch when it died."""

DEATHS: Final = "bellhop-deaths"
"""int: how often it was delivered and not worked to an end before it was sent on; see `workers.suspects`."""

LANE: Final = "bellhop-lane"
"""str: the lane in which it waits, its account's or that for what starts soon; absent where it waits in none. See
`broker.topology`."""

SWEPT: Final = "bellhop-swept"
"""float: seconds since the epoch when it was last looked at while its account was held."""

TRACES: Final = ("traceparent", "sentry-trace", "baggage")


_BEYOND: Final = 2**63


def trace_headers(headers: Mapping[str, str | int | float]) -> dict[str, str]:
    """Of a message's headers those of its trace."""
    return {name: str(headers[name]) for name in TRACES if name in headers}


def clean_headers(found: Any) -> dict[str, str | int | float]:
    """Of what stood beside a message, what may have been ours: whoever may publish may write anything there, and a
    number beyond all bounds or half a character would fail only later, in the midst of a batch."""
    if not isinstance(found, Mapping):
        return {}
    # Thousands of messages are held while they wait for room: one text for a name, in all of them.
    plain = {sys.intern(_readable(str(name))): value for name, value in found.items()}
    return {
        name: _readable(value) if isinstance(value, str) else value
        for name, value in plain.items()
        if isinstance(value, str) or _is_number(value)
    }


def _is_number(value: Any) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < _BEYOND


def _readable(text: str) -> str:
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()
