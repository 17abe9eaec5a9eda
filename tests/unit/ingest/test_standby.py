from __future__ import annotations

import threading

import pytest

from bellhop.ingest.standby import Declaring, StandbyLedger
from bellhop.ledger.records import EventView
from bellhop.schemas.errors import BrokerUnavailable, LedgerError, LedgerUnavailable


class Ledger:
    def __init__(self) -> None:
        self.away = False
        self.asked = 0

    def event(self, source: str, id_: str, /) -> EventView | None:
        self.ping()
        return None

    def ping(self) -> None:
        self.asked += 1
        if self.away:
            raise LedgerUnavailable("connection refused")


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_the_ledger_is_opened_when_it_is_first_asked_and_once() -> None:
    opened: list[Ledger] = []

    def open_() -> Ledger:
        opened.append(Ledger())
        return opened[-1]

    ledger = StandbyLedger(open_)
    assert opened == []
    assert ledger.event("crm", "e1") is None
    assert ledger.problem() == ""
    assert len(opened) == 1


def test_a_ledger_that_is_away_is_not_asked_again_at_once() -> None:
    real, clock = Ledger(), Clock()
    ledger = StandbyLedger(lambda: real, clock)
    real.away = True
    for _ in range(5):
        with pytest.raises(LedgerUnavailable):
            ledger.event("crm", "e1")
    assert real.asked == 1
    assert ledger.problem() == "the ledger is away"
    clock.now, real.away = 2.5, False
    assert ledger.event("crm", "e1") is None
    assert ledger.problem() == ""


def test_a_ledger_that_cannot_be_opened_at_all_is_away_too() -> None:
    def open_() -> Ledger:
        raise LedgerError("made by a newer Bellhop")

    with pytest.raises(LedgerUnavailable, match="newer Bellhop"):
        StandbyLedger(open_).event("crm", "e1")


def test_while_one_caller_waits_for_the_ledger_no_other_does() -> None:
    entered, go_on = threading.Event(), threading.Event()

    def open_() -> Ledger:
        entered.set()
        assert go_on.wait(10)
        return Ledger()

    ledger = StandbyLedger(open_)
    waiting = threading.Thread(target=ledger.problem)
    waiting.start()
    assert entered.wait(10)
    with pytest.raises(LedgerUnavailable):
        ledger.event("crm", "e1")
    go_on.set()
    waiting.join()
    assert ledger.event("crm", "e1") is None


def test_the_queues_are_declared_again_and_again_until_it_holds() -> None:
    class Broker:
        left = 3

        def declare(self) -> None:
            self.left -= 1
            if self.left >= 0:
                raise BrokerUnavailable("connection refused")

        def stats(self) -> dict[str, object]:
            return {}

    told: list[str] = []
    declaring = Declaring(Broker(), lambda event, **_: told.append(event), lambda _seconds: None)  # type: ignore[arg-type]
    assert declaring.problem() == "the queues are not declared yet"
    declaring.run()
    assert told == ["broker.lost"] * 3
    assert declaring.problem() == ""
