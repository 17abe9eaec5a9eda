"""The histogram of deaths: its spans and bars."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from bellhop.console.histogram import BARS, death_histogram
from bellhop.ledger.records import LetterFilter
from tests.support.ledger import NOON


class Died:
    """Those who died so many minutes before noon."""

    def __init__(self, *minutes: float) -> None:
        self.times = [NOON - timedelta(minutes=one) for one in minutes]

    def first_death(self, which: LetterFilter) -> datetime | None:
        return min(self.times, default=None)

    def deaths(self, which: LetterFilter, start: datetime, width: timedelta, bins: int) -> list[int]:
        places = [(one - start) // width for one in self.times if which.since is None or one >= which.since]
        return [places.count(one) for one in range(bins)]


def test_nothing_is_drawn_where_nothing_died() -> None:
    assert death_histogram(Died(), LetterFilter(), NOON) is None


@pytest.mark.parametrize("minutes", [0.1, 1, 59, 60, 61, 600, 1440, 10_000, 500_000])
def test_whatever_the_span_every_death_has_a_bar_and_bars_are_few(minutes: float) -> None:
    drawn = death_histogram(Died(minutes, 0), LetterFilter(), NOON)
    assert drawn is not None
    assert sum(drawn.counts) == 2
    assert len(drawn.counts) <= BARS
    assert drawn.start <= NOON - timedelta(minutes=minutes)
    assert drawn.end > NOON
    assert f"{sum(drawn.counts)} died from " in drawn.words
    assert drawn.bars.count("<rect") == sum(1 for count in drawn.counts if count)


def test_a_filter_of_time_is_what_is_drawn() -> None:
    since, until = NOON - timedelta(minutes=30), NOON - timedelta(minutes=10)
    drawn = death_histogram(Died(600, 29, 20, 11), LetterFilter(since=since, until=until), NOON)
    assert drawn is not None
    assert (drawn.start, drawn.width, sum(drawn.counts)) == (since, timedelta(minutes=1), 3)
