"""How long a breaker stays open."""

from __future__ import annotations

import pytest

from bellhop.ledger.breaker import (
    FIRST_OPEN_SECONDS,
    LONGEST_OPEN_SECONDS,
    LONGEST_REFUSED_SECONDS,
    TRIES_AT_FIRST,
    open_seconds,
)
from bellhop.ledger.records.accounts import Ended


def test_a_vendor_that_is_away_is_tried_every_few_seconds_for_an_hour() -> None:
    """Whatever waits for it goes on as soon as it is back."""
    lengths = [open_seconds(opened, Ended.AWAY) for opened in range(TRIES_AT_FIRST + 1)]
    assert set(lengths) == {FIRST_OPEN_SECONDS}
    assert sum(lengths) >= 3600


@pytest.mark.parametrize(
    ("ended", "first", "longest"),
    [(Ended.AWAY, TRIES_AT_FIRST, LONGEST_OPEN_SECONDS), (Ended.REFUSED, 0, LONGEST_REFUSED_SECONDS)],
)
def test_a_breaker_then_opens_for_twice_as_long_each_time_up_to_a_limit_that_holds_for_weeks(
    ended: Ended, first: int, longest: float
) -> None:
    lengths = [open_seconds(opened, ended) for opened in range(first, 5000)]
    assert lengths[:3] == [5.0, 10.0, 20.0]
    assert lengths == sorted(lengths)
    assert lengths[-1] == longest
