"""Everything that may happen to a booking, followed to its end: nothing is booked twice, lost or told wrongly.

The decisions are the code's own (`tests/support/model`). MODEL=long follows more of it, as `make drill` does.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest

from bellhop.workers.executor import Executor
from bellhop.workers.marker import Marker
from tests.support.model import worker
from tests.support.model.explore import explore
from tests.support.model.world import Budget, World, begin

CASES: list[tuple[str, World, int]] = [
    ("killed and overtaken", begin(Budget(kills=1, losses=1, ticks=2)), 2_000),
    ("two at work on late calls", begin(Budget(silences=1, ticks=3)), 1_000),
    ("calls without an answer, twice", begin(Budget(silences=2, refusals=1, ticks=3), workers=1), 200),
    ("a cancel", begin(Budget(silences=1, kills=1, ticks=1), workers=1, cancel=True), 2_000),
    ("two services", begin(Budget(silences=1, kills=1, ticks=2), workers=1, lines=2), 2_000),
    ("a person", begin(Budget(silences=1, replays=1, ticks=2), workers=1), 200),
    ("a ledger put back", begin(Budget(restores=1, kills=1, ticks=1), workers=1), 1_000),
    ("two services, a ledger put back", begin(Budget(restores=1, replays=1), workers=1, lines=2), 500),
]
LONG: list[tuple[str, World, int]] = [
    ("all at once", begin(Budget(kills=1, losses=1, silences=1, ticks=3)), 50_000),
    ("a person amid kills", begin(Budget(kills=1, silences=1, replays=1, ticks=3)), 15_000),
    ("a cancel on two workers", begin(Budget(silences=1, kills=1, ticks=2), cancel=True), 20_000),
    ("a ledger put back amid late calls", begin(Budget(silences=1, restores=1, ticks=2), workers=1), 10_000),
    (
        "calls without an answer, posted again",
        begin(Budget(silences=2, posts=1, refusals=1, ticks=3), workers=1),
        5_000,
    ),
    ("two services, later", begin(Budget(silences=1, kills=1, ticks=3), workers=1, lines=2), 5_000),
    ("a ledger put back, and replays", begin(Budget(silences=1, restores=1, replays=1, ticks=3), workers=1), 40_000),
    ("a ledger put back after a cancel", begin(Budget(kills=1, restores=1, ticks=1), workers=1, cancel=True), 50_000),
    ("two services, ledgers put back", begin(Budget(restores=2, replays=1), workers=1, lines=2), 30_000),
    (
        "two services, a ledger put back amid late calls",
        begin(Budget(silences=1, restores=1, ticks=1), workers=1, lines=2),
        5_000,
    ),
    ("two services on two workers", begin(Budget(silences=1, losses=1, ticks=2), lines=2), 20_000),
]


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    worker.next_request.cache_clear()
    yield
    worker.next_request.cache_clear()


def follow(name: str, first: World, least: int) -> None:
    explored = explore(first)
    print(f"{name}: {explored.states} states")
    assert explored.broken == (), f"{explored.broken} after\n{explored.way}"
    assert explored.states > least


@pytest.mark.parametrize(("name", "first", "least"), CASES, ids=[case[0] for case in CASES])
def test_whatever_happens_nothing_is_booked_twice_and_nothing_is_lost(name: str, first: World, least: int) -> None:
    follow(name, first, least)


@pytest.mark.timeout(1800)
@pytest.mark.skipif(os.environ.get("MODEL") != "long", reason="MODEL=long follows these, too: minutes of computing")
@pytest.mark.parametrize(("name", "first", "least"), LONG, ids=[case[0] for case in LONG])
def test_whatever_else_happens_nothing_is_booked_twice_and_nothing_is_lost(name: str, first: World, least: int) -> None:
    follow(name, first, least)


# --- the model sees what it is there to see -------------------------------------------------------------------------


def test_without_late_after_a_late_call_books_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "LATE_AFTER", 0)
    explored = explore(begin(Budget(silences=1, ticks=1), workers=1))
    assert explored.broken == ("line 0 stands 2 times",)
    assert "the vendor books line 0 late" in explored.way


def test_a_process_that_stood_still_after_its_mark_would_book_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Marker, "_stood_still", lambda *_args: False)
    assert explore(begin(Budget(losses=1, ticks=2))).broken == ("line 0 stands 2 times",)


def test_a_doubt_that_is_not_asked_about_would_book_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Executor, "_resolve", lambda _self, claimed, _doubt: claimed)
    assert explore(begin(Budget(kills=1, ticks=1), workers=1)).broken == ("line 0 stands 2 times",)


def test_a_dead_letter_that_is_not_published_would_be_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    def unsent(*_args: Any) -> None:
        return None

    monkeypatch.setattr(worker, "_sent", unsent)
    explored = explore(begin(Budget(silences=1, ticks=1), workers=1))
    assert "request is lost" in explored.broken
