"""Who is busy when: the occupied times of technicians and providers, in the venue's wall-clock time."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import defaultdict
from datetime import datetime, timedelta


class Diary:
    """Not safe between threads: its owner holds a lock."""

    def __init__(self) -> None:
        self._entries: dict[str, list[tuple[datetime, datetime, str]]] = defaultdict(list)
        self._longest = timedelta()

    def fits(self, who: str, start: datetime, end: datetime, *, holds: int = 1, seats: int = 1) -> bool:
        """Whether `seats` more bookings fit at every moment from start to before end, where `holds` fit at a time."""
        met = self._beside(who, start, end)
        if not met:
            return seats <= holds
        # The number at once only rises where a booking starts, so these moments are enough.
        moments = {max(start, entry[0]) for entry in met}
        busiest = max(sum(1 for entry in met if entry[0] <= moment < entry[1]) for moment in moments)
        return busiest + seats <= holds

    def _beside(self, who: str, start: datetime, end: datetime) -> list[tuple[datetime, datetime, str]]:
        """Those that share a moment with the time from start to before end. By bisection and not by the dates between:
        a caller's mistake may last for eight thousand years."""
        entries = self._entries[who]
        first = bisect_left(entries, -self._longest, key=lambda entry: entry[0] - start)
        near = entries[first : bisect_left(entries, (end,))]
        return [entry for entry in near if start < entry[1]]

    def occupy(self, who: str, start: datetime, end: datetime, holder: str) -> None:
        """`holder` is the booking's id: it tells bookings of the same time apart."""
        insort(self._entries[who], (start, end, holder))
        self._longest = max(self._longest, end - start)

    def release(self, who: str, start: datetime, end: datetime, holder: str) -> None:
        self._entries[who].remove((start, end, holder))
