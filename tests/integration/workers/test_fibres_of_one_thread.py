"""What events wait for each other with, where they share a thread: the one that is waited for must go on meanwhile."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import pytest

from bellhop.ledger.store import Ledger
from bellhop.ledger.writer import GroupWriter
from bellhop.schemas.fibres import Fibres, pause
from bellhop.vendors.kept_answers import KeptAnswers, side_by_side
from tests.support.ledger import sqlite_ledger


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    made = Ledger.open(sqlite_ledger(tmp_path), keep_seconds=86400)
    yield made
    made.close()


def together(works: Sequence[Callable[[], object]]) -> list[object]:
    """What each came to, on one thread."""
    found: list[object] = [None] * len(works)

    def run(number: int) -> None:
        found[number] = works[number]()

    with Fibres() as fibres:
        fibres.start(*(partial(run, number) for number in range(len(works))))
        while fibres.count:
            fibres.turn(math.inf)
    return found


def slowly(answer: str, asked: list[str]) -> str:
    asked.append(answer)
    pause(0.05)
    return answer


def test_a_token_that_another_logs_in_for_is_waited_for_and_shared(ledger: Ledger) -> None:
    asked: list[str] = []
    works = [lambda: ledger.replace_token("salon", None, lambda: slowly("token", asked)) for _ in range(5)]
    assert together(works) == ["token"] * 5
    assert asked == ["token"]


def test_a_question_that_another_asks_is_waited_for(ledger: Ledger) -> None:
    asked: list[str] = []
    answers = KeptAnswers(lambda question: slowly(question, asked), 10, share=partial(share, ledger))
    assert together([partial(answers.get, ("rules",)) for _ in range(5)]) == ["rules"] * 5
    assert asked == ["rules"]


def share(ledger: Ledger, question: tuple[str, ...], ask: Callable[[], object]) -> tuple[object, float]:
    return ledger.vendor_answers.get("salon", str(question), 300, ask)


def test_an_answer_that_another_process_is_asking_for_is_waited_for(ledger: Ledger) -> None:
    asked: list[str] = []
    works = [partial(share, ledger, ("rules",), lambda: slowly("rules", asked)) for _ in range(3)]
    assert [found[0] for found in together(works) if isinstance(found, tuple)] == ["rules"] * 3
    assert asked == ["rules"]


def test_what_is_asked_side_by_side_may_need_what_one_of_the_thread_is_asking() -> None:
    asked: list[str] = []
    answers = KeptAnswers(lambda question: slowly(question, asked), 10)
    works = [partial(answers.get, ("rules",)), lambda: side_by_side([partial(answers.get, ("rules",))] * 2)]
    together(works)
    assert asked == ["rules"]


def test_what_they_commit_is_committed_together() -> None:
    groups: list[int] = []

    def commit(items: Sequence[int]) -> Sequence[int]:
        groups.append(len(items))
        return items

    writer: GroupWriter[int, int] = GroupWriter(commit)
    assert together([partial(writer.submit, number) for number in range(8)]) == list(range(8))
    assert groups == [8]
