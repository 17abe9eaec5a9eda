"""Which faults a drill does is decided by its seed."""

from __future__ import annotations

from collections import Counter

from bellhop.drill.backends import Backends
from bellhop.drill.faults.table import possible
from bellhop.drill.run import choose_faults

HAS = Backends().has()


def test_a_seed_chooses_the_same_faults_again() -> None:
    assert choose_faults(7, 5, HAS) == choose_faults(7, 5, HAS)
    assert choose_faults(7, 5, HAS) != choose_faults(8, 5, HAS)


def test_each_is_chosen_once_by_minus_one_and_none_again_before_all_were() -> None:
    every = possible(HAS)
    assert Counter(choose_faults(7, -1, HAS)) == Counter(every)
    more = Counter(choose_faults(7, 2 * len(every) + 3, HAS))
    assert set(more) == set(every)
    assert set(more.values()) == {2, 3}
