"""How much a vendor lets one company call: so many a second, so many at once, so many a day."""

from __future__ import annotations

import math
import threading
from collections import deque
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

_SECOND: Final = timedelta(milliseconds=950)
"""A little less than a second: calls sent a second apart may arrive a little closer together."""


@dataclass(frozen=True, slots=True)
class Limit:
    """What is allowed; 0 is without limit."""

    per_second: int = 0
    at_once: int = 0
    per_day: int = 0


@dataclass(frozen=True, slots=True)
class LimitRefusal:
    """why: for the diary of calls. retry_after: whole seconds until it is worth trying again."""

    why: str
    retry_after: int


class CallLimiter:
    """Counts calls that are let in; one that is refused counts for nothing. Safe between threads.

    A day is a day of UTC. The counting goes on while no limit is set, so one that is set later knows what came before.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._recent: deque[datetime] = deque()
        self._day: date | None = None
        self._today = 0
        self._now = 0

    def enter(self, now: datetime, limit: Limit) -> LimitRefusal | None:
        """Lets a call in, which must `leave` when it is answered, or refuses it. now: aware UTC."""
        with self._lock:
            self._forget(now)
            if limit.per_day and self._today >= limit.per_day:
                midnight = datetime.combine(now.date() + timedelta(days=1), datetime.min.time(), now.tzinfo)
                return LimitRefusal(f"more than {limit.per_day} a day", math.ceil((midnight - now).total_seconds()))
            if limit.per_second and len(self._recent) >= limit.per_second:
                return LimitRefusal(f"more than {limit.per_second} a second", 1)
            if limit.at_once and self._now >= limit.at_once:
                return LimitRefusal(f"more than {limit.at_once} at once", 1)
            self._recent.append(now)
            self._today += 1
            self._now += 1
            return None

    def leave(self) -> None:
        with self._lock:
            self._now -= 1

    def counts(self) -> dict[str, int]:
        """How many calls are in progress, and how many were let in today."""
        with self._lock:
            return {"now": self._now, "today": self._today}

    def _forget(self, now: datetime) -> None:
        while self._recent and self._recent[0] <= now - _SECOND:
            self._recent.popleft()
        if self._day != now.date():
            self._day, self._today = now.date(), 0
