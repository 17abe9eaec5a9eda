"""What a vendor says of a company, asked once by all processes and kept for minutes."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from bellhop.ledger.store import Ledger
from bellhop.schemas.errors import LedgerUnavailable
from tests.support.ledger import Clock, OpenLedger

MINUTES = 300.0
FIELDS = [{"name": "a1", "title": "Notes \u0105", "is_null": None}]


class Company:
    def __init__(self, answer: Any = 15) -> None:
        self.asked = 0
        self.answer = answer

    def ask(self) -> Any:
        self.asked += 1
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def get(ledger: Ledger, ask: Callable[[], Any], question: str = "[]", company: str = "u c") -> tuple[Any, float]:
    return ledger.vendor_answers.get(company, question, MINUTES, ask)


def test_what_one_process_asked_another_knows_with_its_age(open_ledger: OpenLedger, clock: Clock) -> None:
    company = Company(FIELDS)
    assert get(open_ledger(), company.ask) == (FIELDS, 0.0)
    clock.advance(seconds=60)
    assert get(open_ledger(), company.ask) == (FIELDS, 60.0)
    assert company.asked == 1
    assert get(open_ledger(), company.ask, question="[1]")[1] == 0.0
    assert get(open_ledger(), company.ask, company="u d")[1] == 0.0
    assert company.asked == 3


def test_what_is_too_old_or_of_a_clock_far_ahead_is_asked_anew(ledger: Ledger, clock: Clock) -> None:
    company = Company()
    get(ledger, company.ask)
    clock.advance(seconds=MINUTES + 1)
    assert get(ledger, company.ask) == (15, 0.0)
    clock.advance(seconds=-2 * MINUTES)
    assert get(ledger, company.ask) == (15, 0.0)
    assert company.asked == 3


def test_processes_that_start_together_ask_once(open_ledger: OpenLedger) -> None:
    company, ledgers = Company("x"), [open_ledger() for _ in range(3)]
    with ThreadPoolExecutor(6) as pool:
        told = list(pool.map(lambda number: get(ledgers[number % 3], company.ask)[0], range(6)))
    assert (told, company.asked) == (["x"] * 6, 1)


def test_no_answer_and_a_failure_are_kept_for_nobody(ledger: Ledger) -> None:
    failing = Company(ValueError("away"))
    for _ in range(2):
        with pytest.raises(ValueError, match="away"):
            get(ledger, failing.ask)
    nothing = Company(None)
    assert [get(ledger, nothing.ask)[0] for _ in range(2)] == [None, None]
    assert (failing.asked, nothing.asked) == (2, 2)


def test_one_that_died_while_it_asked_is_not_waited_for_for_ever(ledger: Ledger, clock: Clock) -> None:
    assert ledger.vendor_answers._begin("u c", "[]", MINUTES)
    clock.advance(seconds=31)
    assert get(ledger, Company().ask) == (15, 0.0)


def test_a_ledger_that_is_away_keeps_nobody_from_asking(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object, **__: object) -> None:
        raise LedgerUnavailable("away")

    monkeypatch.setattr(ledger.vendor_answers._database, "read", away)
    assert get(ledger, Company().ask) == (15, 0.0)
