from __future__ import annotations

import threading
from concurrent.futures import Future

import pytest

from bellhop.broker.port import Address, Message
from bellhop.broker.topology import NOWHERE, PULSE, QUESTIONS, work
from bellhop.ingest.standby import Declaring, StandbyLedger, WatchedPublisher
from bellhop.ledger.records import EventView
from bellhop.schemas.errors import (
    BrokerError,
    BrokerUnavailable,
    LedgerError,
    LedgerUnavailable,
    PublishRefused,
    PublishUnconfirmed,
    Unroutable,
)


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


class Publisher:
    """Answers questions with `answers`, those to the pulse with `confirms`, and every other publish with `ends`: None
    confirms, "late" leaves it open."""

    def __init__(self) -> None:
        self.answers: BrokerError | str | None = Unroutable("no queue")
        self.confirms: BrokerError | str | None = None
        self.ends: BrokerError | str | None = None
        self.asked: list[Address] = []

    def publish(self, message: Message, to: Address) -> Future[None]:
        self.asked += [to] if to in QUESTIONS else []
        future: Future[None] = Future()
        end = {NOWHERE: self.answers, PULSE: self.confirms}.get(to, self.ends)
        if isinstance(end, BrokerError):
            future.set_exception(end)
        elif end is None:
            future.set_result(None)
        return future

    def close(self, timeout: float = 5.0) -> None: ...


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


def test_while_one_caller_waits_for_the_ledger_no_other_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bellhop.ingest.standby._FIRST_SECONDS", 0.05)
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
    declaring = Declaring(Broker(), lambda event, **_: told.append(event), lambda _: None)  # type: ignore[arg-type]
    assert declaring.problem() == "the queues are not declared yet"
    declaring.run()
    assert told == ["broker.lost"] * 3
    assert declaring.problem() == ""


MESSAGE = Message("m", b"", {})


def test_a_publisher_has_no_problem_while_the_broker_answers_its_questions() -> None:
    real, clock = Publisher(), Clock()
    publisher = WatchedPublisher(real, clock)
    assert publisher.problem() == ""
    real.answers = BrokerUnavailable("no connection to the broker")
    assert publisher.problem() == "no connection to the broker"
    real.answers = Unroutable("no queue")
    assert publisher.problem() == ""
    assert real.asked == [NOWHERE, PULSE] + 2 * [NOWHERE, NOWHERE]


def test_a_broker_that_only_gives_back_what_is_for_no_queue_is_no_more_believed_than_three_seconds() -> None:
    real, clock = Publisher(), Clock()
    publisher = WatchedPublisher(real, clock)
    assert publisher.problem() == ""
    real.confirms = PublishUnconfirmed("no majority")
    clock.now += 2.5
    assert publisher.problem() == ""
    clock.now += 1
    assert [publisher.problem(), publisher.problem()] == ["no majority"] * 2
    real.confirms = None
    assert publisher.problem() == ""


def test_while_events_are_confirmed_no_majority_is_asked_for() -> None:
    real, clock = Publisher(), Clock()
    publisher = WatchedPublisher(real, clock)
    for _ in range(5):
        clock.now += 2.5
        publisher.publish(MESSAGE, work("members"))
        assert publisher.problem() == ""
    assert set(real.asked) == {NOWHERE}


def test_queues_of_an_older_version_have_no_pulse_and_are_asked_what_can_be_asked() -> None:
    real = Publisher()
    real.confirms = Unroutable("no pulse")
    assert WatchedPublisher(real).problem() == ""


@pytest.mark.parametrize("error", [PublishUnconfirmed("no majority"), BrokerUnavailable("no majority")])
def test_a_publish_that_nobody_confirmed_counts_for_ten_seconds_or_until_the_next_is_confirmed(
    error: BrokerError,
) -> None:
    real, clock = Publisher(), Clock()
    publisher = WatchedPublisher(real, clock)
    for after in ("a while", "a confirm"):
        real.ends = error
        publisher.publish(MESSAGE, work("members"))
        clock.now += 9.5
        assert publisher.problem() == "no majority"
        real.ends = None
        if after == "a while":
            clock.now += 1
        else:
            publisher.publish(MESSAGE, work("members"))
        assert publisher.problem() == ""


@pytest.mark.parametrize("error", [PublishRefused("the queue is full"), Unroutable("no queue")])
def test_what_one_route_is_refused_does_not_close_the_door_to_others(error: BrokerError) -> None:
    real = Publisher()
    real.ends = error
    publisher = WatchedPublisher(real)
    publisher.publish(MESSAGE, work("members"))
    assert publisher.problem() == ""


def test_a_publish_that_its_caller_gave_up_counts_as_unconfirmed() -> None:
    real = Publisher()
    real.ends = "late"
    publisher = WatchedPublisher(real)
    publisher.publish(MESSAGE, work("members")).cancel()
    assert publisher.problem() == "the broker did not confirm in time"


def test_who_asks_while_the_ledger_is_opened_for_the_first_time_waits_for_it() -> None:
    opening, opened = threading.Event(), threading.Event()
    ledger = Ledger()

    def slow() -> Ledger:
        opening.set()
        opened.wait(5)
        return ledger

    standby = StandbyLedger(slow)
    first = threading.Thread(target=standby.problem)
    first.start()
    opening.wait(5)
    told: list[str] = []
    second = threading.Thread(target=lambda: told.append(standby.problem()))
    second.start()
    opened.set()
    first.join(5)
    second.join(5)
    assert told == [""]
