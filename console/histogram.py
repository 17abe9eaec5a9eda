"""When letters died: a histogram of a filter's, as many bars as fit a screen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

from markupsafe import Markup

from bellhop.ledger.records import LetterFilter

BARS: Final = 60
_MINUTES: Final = (1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440, 2880, 10080)
_LONGEST: Final = timedelta(days=400)
_HEIGHT: Final = 40.0
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class DeathCounts(Protocol):
    """Of the ledger; both methods raise LedgerUnavailable."""

    def first_death(self, which: LetterFilter) -> datetime | None: ...

    def deaths(self, which: LetterFilter, start: datetime, width: timedelta, bins: int) -> list[int]: ...


@dataclass(frozen=True, slots=True)
class Histogram:
    """Bars of `width` each, the first from `start` on. UTC."""

    start: datetime
    width: timedelta
    counts: Sequence[int]

    @property
    def end(self) -> datetime:
        return self.start + self.width * len(self.counts)

    @property
    def seconds(self) -> int:
        return int(self.width.total_seconds())

    @property
    def words(self) -> str:
        """What it shows, for who does not see it."""
        most = max(self.counts)
        peak = self.start + self.width * self.counts.index(most)
        span = f"from {_minute(self.start)} to {_minute(self.end)} UTC"
        return f"{sum(self.counts)} died {span}; most, {most}, from {_minute(peak)}"

    @property
    def bars(self) -> Markup:
        most = max(self.counts)
        shape = Markup('<rect x="{}" y="{:.1f}" width="0.9" height="{:.1f}"><title>{} from {} UTC</title></rect>')
        return Markup("").join(
            shape.format(place, _HEIGHT - height, height, count, _minute(self.start + self.width * place))
            for place, count in enumerate(self.counts)
            if count and (height := max(3.0, count / most * _HEIGHT))
        )


def death_histogram(letters: DeathCounts, which: LetterFilter, now: datetime) -> Histogram | None:
    """Of the filter's time, or from its first death until now; None where nothing died."""
    first = letters.first_death(which)
    if first is None:
        return None
    start, end = max(which.since or first, now - _LONGEST), min(which.until or now, now)
    span = max(end - start, timedelta(minutes=1))
    fitting = (timedelta(minutes=one) for one in _MINUTES if span <= timedelta(minutes=one) * (BARS - 1))
    width = next(fitting, timedelta(minutes=_MINUTES[-1]))
    start -= (start - _EPOCH) % width
    bins = min(BARS, (end - start) // width + 1)
    counts = letters.deaths(replace(which, since=max(which.since or start, start)), start, width, bins)
    return Histogram(start, width, counts) if any(counts) else None


def _minute(moment: datetime) -> str:
    return moment.strftime("%d %b %H:%M")
