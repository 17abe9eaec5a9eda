"""Group commit, with a commit that only records."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from bellhop.ledger.writer import GroupWriter


class Boom(Exception):
    """A commit that failed."""


def test_each_gets_its_own_answer_or_error() -> None:
    writer = GroupWriter[int, int](lambda items: [Boom(str(n)) if n % 2 else n * 10 for n in items])
    assert writer.submit(4) == 40
    with pytest.raises(Boom, match="3"):
        writer.submit(3)
    assert writer.submit(2) == 20


def test_what_waits_during_a_commit_is_committed_together() -> None:
    groups: list[list[int]] = []
    entered, go_on = threading.Event(), threading.Event()

    def commit(items: Sequence[int]) -> list[int]:
        groups.append(list(items))
        if len(groups) == 1:
            entered.set()
            assert go_on.wait(30)
        return list(items)

    writer = GroupWriter[int, int](commit)
    with ThreadPoolExecutor(4) as pool:
        first = pool.submit(writer.submit, 0)
        assert entered.wait(30)
        others = [pool.submit(writer.submit, number) for number in (1, 2, 3)]
        while len(writer._waiting) < 3:  # all have come; there is nothing else that tells it
            pass
        go_on.set()
        assert [first.result(), *(other.result() for other in others)] == [0, 1, 2, 3]
    assert [sorted(group) for group in groups] == [[0], [1, 2, 3]]


def test_a_commit_that_fails_fails_for_all_of_its_group_and_the_next_works() -> None:
    answers: list[list[int] | Exception] = [Boom("down"), [7]]

    def commit(items: Sequence[int]) -> list[int]:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    writer = GroupWriter[int, int](commit)
    with pytest.raises(Boom):
        writer.submit(1)
    assert writer.submit(2) == 7


def test_an_interrupt_reaches_the_thread_it_hit() -> None:
    def commit(items: Sequence[int]) -> list[int]:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        GroupWriter[int, int](commit).submit(1)
