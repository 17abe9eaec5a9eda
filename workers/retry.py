"""When to try again: a pure function of the ladder, the attempts so far and the booking's start."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from bellhop.schemas.reasons import Reason

JITTER_SHARE: Final = 0.2
"""The share of retries that take the next step up, so that events that failed together do not return together."""

PERSON_SECONDS: Final = 900.0
"""How long before a booking's start a person should have it at the latest."""


def next_delay(
    ladder: Sequence[float],
    attempts: int,
    *,
    now: datetime,
    not_after: datetime | None,
    chance: float,
    at_least: float = 0.0,
) -> float | Reason:
    """The step of `ladder` (seconds) to wait after `attempts` failed attempts, or the reason there is none.

    chance: a random number from 0 to 1. at_least: the vendor's Retry-After in seconds; beyond the ladder's end
    its last step is taken. No retry is planned past `not_after`, the booking's start, and the last ones leave a
    person time to act: PERSON_SECONDS, or half of what is left where that is less.
    """
    if attempts > len(ladder):
        return Reason.EXHAUSTED
    index = min(max(attempts - 1, 0) + (chance < JITTER_SHARE), len(ladder) - 1)
    long_enough = next((i for i, step in enumerate(ladder) if step >= at_least), len(ladder) - 1)
    index = max(index, long_enough)
    if not_after is None:
        return ladder[index]
    left = (not_after - now).total_seconds()
    room = left - min(PERSON_SECONDS, left / 2)
    if at_least > room:
        return Reason.TOO_LATE
    while index >= long_enough and ladder[index] > room:
        index -= 1
    return ladder[index] if index >= long_enough else Reason.TOO_LATE
