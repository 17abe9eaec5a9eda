"""The clock, as a value: what reads the time, waits, or rolls dice is given one, and a test gives its own.

What needs the time alone takes `now` alone. A host's clock that is set while a process runs does not move its `now` at
once: leases and delays are spans, and a jump would end or stretch them all.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from bellhop.schemas.fibres import pause

JUMP_SECONDS: Final = 1.0
PATIENCE_SECONDS: Final = 600.0
"""So long a host's clock that was set must stand by it before it is believed."""

CLOCKS_DIFFER: Final = timedelta(seconds=2)
"""More than two hosts' clocks do when all is well."""


def _since_boot() -> float:
    """Seconds that nobody sets; where the system tells them, those of a suspended host count too."""
    boottime = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if boottime is None else time.clock_gettime(boottime)


class SteadyTime:
    """Seconds since 1970, as the host's clock has them, but for its jumps: those count only once they have lasted.
    Safe from any thread."""

    def __init__(self, wall: Callable[[], float] = time.time, steady: Callable[[], float] = _since_boot) -> None:
        self._wall = wall
        self._steady = steady
        self._offset = wall() - steady()
        self._apart_since: float | None = None

    def __call__(self) -> float:
        steady = self._steady()
        offset = self._wall() - steady
        since = self._apart_since
        if abs(offset - self._offset) < JUMP_SECONDS:  # drift, and its slow correction
            self._offset, self._apart_since = offset, None
        elif since is None:
            self._apart_since = steady
        elif steady - since >= PATIENCE_SECONDS:
            self._offset, self._apart_since = offset, None
        return steady + self._offset


steady_time: Final = SteadyTime()


def utc_now() -> datetime:
    """Now, aware UTC, by `steady_time`."""
    return datetime.fromtimestamp(steady_time(), UTC)


@dataclass(frozen=True, slots=True)
class Clock:
    """now: aware UTC, for what is stored and shown. monotonic: seconds, for spans of time. sleep: for so many seconds.
    chance: a random number from 0 to 1, for what must not come all at once."""

    now: Callable[[], datetime] = utc_now
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = pause
    chance: Callable[[], float] = random.random


SYSTEM_CLOCK: Final = Clock()


def iso(moment: datetime | None) -> str | None:
    """A time as JSON has it: ISO 8601, in UTC."""
    return None if moment is None else moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
