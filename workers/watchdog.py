"""Tells a worker that is alive but no longer works: the commonest complaint about systems of this kind.

A process that answers its health check while its consumer hangs (celery#3201, celery#9512) lets a queue grow
unseen. So readiness asks what matters: does the loop turn, does the broker count us as a consumer, and does what
waits get taken?
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sight:
    """What is seen of a worker at one moment. Times are monotonic seconds.

    ready: messages waiting in its queue; None where the broker could not be asked.
    """

    last_loop: float
    connected: bool
    taken: int
    in_flight: int
    capacity: int
    oldest_started: float | None
    ready: int | None


class Watchdog:
    """Looks at one worker again and again. stall_seconds: how long it may stand still; job_seconds: how long one job
    may take at most."""

    def __init__(self, stall_seconds: float, job_seconds: float, monotonic: Callable[[], float]) -> None:
        self._stall_seconds = stall_seconds
        self._job_seconds = job_seconds
        self._monotonic = monotonic
        self._taken = -1
        self._moved = monotonic()
        self._connected = monotonic()
        self.problem: str | None = None

    def look(self, sight: Sight) -> str | None:
        """The problem as one sentence, or None. Call it every few seconds."""
        now = self._monotonic()
        idle = sight.ready == 0 or sight.ready is None or sight.in_flight >= sight.capacity
        if sight.taken != self._taken or idle:
            self._taken, self._moved = sight.taken, now
        if sight.connected:
            self._connected = now
        self.problem = self._judge(sight, now)
        return self.problem

    def _judge(self, sight: Sight, now: float) -> str | None:
        if (still := now - sight.last_loop) > self._stall_seconds:
            return f"its loop has not turned for {still:.0f} s"
        if (away := now - self._connected) > self._stall_seconds:
            return f"it has not been a consumer at the broker for {away:.0f} s"
        if (still := now - self._moved) > self._stall_seconds:
            return f"{sight.ready} messages wait and it has taken none for {still:.0f} s"
        if sight.oldest_started is not None and (old := now - sight.oldest_started) > self._job_seconds:
            return f"a job has not ended for {old:.0f} s"
        return None
