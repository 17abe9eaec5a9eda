"""How long a breaker stays open."""

from __future__ import annotations

import pytest

from bellhop.ledger.accounts import LONGEST_OPEN_SECONDS, LONGEST_REFUSED_SECONDS, Ended, open_seconds


@pytest.mark.parametrize(
    ("ended", "longest"), [(Ended.AWAY, LONGEST_OPEN_SECONDS), (Ended.REFUSED, LONGEST_REFUSED_SECONDS)]
)
def test_a_breaker_opens_for_twice_as_long_each_time_up_to_a_limit_that_holds_for_weeks(
    ended: Ended, longest: float
) -> None:
    lengths = [open_seconds(opened, ended) for opened in range(5000)]
    assert lengths[:3] == [5.0, 10.0, 20.0]
    assert lengths == sorted(lengths)
    assert lengths[-1] == longest
