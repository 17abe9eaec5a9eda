"""While the broker does not confirm, one publish at a time finds out whether it does again."""

from __future__ import annotations

import pytest

from bellhop.broker.reach import Reach
from bellhop.schemas.errors import BrokerUnavailable


def test_while_all_is_well_everything_may_go() -> None:
    assert Reach().refusal(is_probed=True) is None


def test_once_it_is_lost_one_may_go_and_the_others_are_refused_at_once_with_the_reason() -> None:
    reach = Reach()
    reach.lose("it did not confirm in time")
    assert reach.refusal(is_probed=False) is None
    refused = reach.refusal(is_probed=True)
    assert refused is not None
    with pytest.raises(BrokerUnavailable, match="did not confirm in time"):
        refused.result(0)


def test_once_it_answers_everything_may_go() -> None:
    reach = Reach()
    reach.lose("it is not reached")
    reach.regain()
    assert not reach.is_lost
    assert reach.refusal(is_probed=True) is None
