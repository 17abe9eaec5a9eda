"""The headers that travel beside an envelope: facts of its way, which change from hop to hop."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

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

TRACES: Final = ("traceparent", "sentry-trace", "baggage")


def trace_headers(headers: Mapping[str, str | int | float]) -> dict[str, str]:
    """Of a message's headers those of its trace."""
    return {name: str(headers[name]) for name in TRACES if name in headers}
