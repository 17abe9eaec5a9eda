"""The clock, as a value: what reads the time, waits, or rolls dice is given one, and a test gives its own.

What needs the time alone takes `now` alone.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Final

utc_now: Final[Callable[[], datetime]] = partial(datetime.now, UTC)
"""Now, aware UTC."""


@dataclass(frozen=True, slots=True)
class Clock:
    """now: aware UTC, for what is stored and shown. monotonic: seconds, for spans of time. sleep: for so many seconds.
    chance: a random number from 0 to 1, for what must not come all at once."""

    now: Callable[[], datetime] = utc_now
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    chance: Callable[[], float] = random.random


SYSTEM_CLOCK: Final = Clock()


def iso(moment: datetime | None) -> str | None:
    """A time as JSON has it: ISO 8601, in UTC."""
    return None if moment is None else moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
