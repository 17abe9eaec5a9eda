"""Who is busy when: the occupied times of technicians and providers, in the venue's wall-clock time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta


class Diary:
    """Not safe between threads: its owner holds a lock."""

    def __init__(self) -> None:
        self._days: dict[tuple[str, date], set[tuple[datetime, datetime, str]]] = {}

    def fits(self, who: str, start: datetime, end: datetime, *, holds: int = 1, seats: int = 1) -> bool:
        """Whether `seats` more bookings fit at every moment from start to before end, where `holds` fit at a time."""
        met = {
            entry
            for day in _days(start, end)
            for entry in self._days.get((who, day), ())
            if entry[0] < end and start < entry[1]
        }
        if not met:
            return seats <= holds
        # The number at once only rises where a booking starts, so these moments are enough.
        moments = {max(start, entry[0]) for entry in met}
        busiest = max(sum(1 for entry in met if entry[0] <= moment < entry[1]) for moment in moments)
        return busiest + seats <= holds

    def occupy(self, who: str, start: datetime, end: datetime, holder: str) -> None:
        """`holder` is the booking's id: it tells bookings of the same time apart."""
        for day in _days(start, end):
            self._days.setdefault((who, day), set()).add((start, end, holder))

    def release(self, who: str, start: datetime, end: datetime, holder: str) -> None:
        for day in _days(start, end):
            self._days[who, day].remove((start, end, holder))


def _days(start: datetime, end: datetime) -> Iterator[date]:
    """Every date that the time from start to before end touches."""
    day = start.date()
    last = (end - timedelta(microseconds=1)).date()
    while day <= last:
        yield day
        day += timedelta(days=1)
