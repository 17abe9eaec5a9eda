"""A worker on a real broker and a real ledger: what it holds is settled, or comes again."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from bellhop.broker.embedded.broker import EmbeddedBroker
from bellhop.broker.messages import work_message
from bellhop.broker.port import Address, Message, Publisher
from bellhop.broker.topology import Topology, work, work_queue
from bellhop.ledger.records import Booking, Claim, Claimed, Settlement, State, VendorCall
from bellhop.ledger.records.accounts import LeaveAsked
from bellhop.ledger.store import Ledger
from bellhop.schemas.clock import SYSTEM_CLOCK, Clock, utc_now
from bellhop.schemas.envelope import Envelope, decode
from bellhop.schemas.errors import LedgerUnavailable, PublishUnconfirmed
from bellhop.vendors.failure import Kind, VendorFailure
from bellhop.vendors.outcome import Dead, Done, InDoubt, Outcome
from bellhop.workers.executor import Executor
from bellhop.workers.results import Results
from bellhop.workers.worker import ThreadEnded, Worker
from tests.support.ledger import event, sqlite_ledger
from tests.support.service import wait_for

ROUTE = "members"
NEXT = "pulls"
RESULTS = "results"
TOPOLOGY = Topology((ROUTE, NEXT, RESULTS), (0.1, 0.2))
SYNC = VendorCall("pv", "sync_member", {}, repeatable=True)


class Vendor:
    """Answers as told; counts its calls."""

    def __init__(self, failure: Exception | None = None, forward: tuple[Envelope, ...] = ()) -> None:
        self.calls = 0
        self.failure = failure
        self.forward = forward

    def translate(self, event: Envelope, booking: Booking) -> VendorCall | Outcome:
        return SYNC

    def prepare(self, call: VendorCall, event: Envelope, booking: Booking) -> VendorCall | Outcome:
        return call

    def perform(self, call: VendorCall, event: Envelope, booking: Booking) -> Booking | Outcome:
        self.calls += 1
        if self.failure is not None:
            raise self.failure
        return Done("synchronised", forward=self.forward)

    def resolve(self, call: VendorCall, event: Envelope) -> Dead | InDoubt | None:
        return None


class Troubled:
    """A ledger whose next acts fail with the given errors."""

    def __init__(self, ledger: Ledger, **errors: list[Exception]) -> None:
        self._ledger = ledger
        self._errors = errors

    def _fail(self, act: str) -> None:
        if self._errors.get(act):
            raise self._errors[act].pop(0)

    def claim(self, envelopes: Sequence[Envelope], worker: str, lease_seconds: float) -> list[Claim]:
        self._fail("claim")
        return self._ledger.claim(envelopes, worker, lease_seconds)

    def calling(
        self,
        claimed: Claimed,
        call: VendorCall,
        booking: Booking | None,
        lease_seconds: float,
        leave: LeaveAsked | None = None,
    ) -> Claimed:
        return self._ledger.calling(claimed, call, booking, lease_seconds, leave)

    def settle(self, settlements: Sequence[Settlement]) -> list[int]:
        self._fail("settle")
        return self._ledger.settle(settlements)


class NeverConfirms:
    def publish(self, message: Message, to: Address) -> Future[None]:
        failed: Future[None] = Future()
        failed.set_exception(PublishUnconfirmed("no confirm"))
        return failed

    def close(self, timeout: float = 5.0) -> None: ...


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[EmbeddedBroker]:
    made = EmbeddedBroker(f"sqlite:///{tmp_path}/broker.db", TOPOLOGY, lease_seconds=5, confirm_seconds=5)
    made.declare()
    yield made
    made.close()


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    made = Ledger.open(sqlite_ledger(tmp_path), keep_seconds=90 * 86400)
    yield made
    made.close()


class Running:
    """A worker in a thread, with one member event in its queue."""

    def __init__(
        self,
        broker: EmbeddedBroker,
        ledger: Troubled,
        vendor: Vendor,
        publisher: Publisher | None = None,
        *,
        results: Results | None = None,
        sends: bool = True,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self.event = event("e-1", "member.updated")
        self.publisher = broker.publisher()
        if sends:
            self.publisher.publish(work_message(self.event, utc_now()), work(ROUTE)).result(5)
        self.stop = threading.Event()
        self.error: Exception | None = None
        steady = replace(clock, chance=lambda: 1.0)
        executor = Executor(vendor, ledger, worker="w", claim_seconds=60, ladder=TOPOLOGY.ladder, clock=steady)
        self.worker = Worker(
            ROUTE,
            executor,
            broker.consumer(work_queue(ROUTE), 4),
            publisher or self.publisher,
            ledger,
            threads=2,
            drain_seconds=1,
            results=results,
            clock=clock,
        )
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        try:
            self.worker.run(self.stop)
        except ThreadEnded as error:
            self.error = error

    def __enter__(self) -> Running:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        self._thread.join(10)
        assert not self._thread.is_alive()

    def ended(self) -> bool:
        return not self._thread.is_alive()


def state(ledger: Ledger) -> State | None:
    view = ledger.event("crm", "e-1")
    return view.state if view else None


def waiting(broker: EmbeddedBroker) -> int:
    stats = broker.stats()
    return stats[ROUTE].ready + (stats[ROUTE].in_flight or 0) + stats["retry"].ready


def test_a_delivery_is_called_settled_and_acked(broker: EmbeddedBroker, ledger: Ledger) -> None:
    vendor = Vendor()
    with Running(broker, Troubled(ledger), vendor):
        wait_for(lambda: waiting(broker) == 0, "it is acked", 10)
    assert state(ledger) is State.DONE
    assert vendor.calls == 1


def test_a_ledger_that_is_away_is_waited_for_and_nothing_is_called_twice(
    broker: EmbeddedBroker, ledger: Ledger
) -> None:
    vendor = Vendor()
    away = [LedgerUnavailable("away"), LedgerUnavailable("away")]
    with Running(broker, Troubled(ledger, claim=list(away), settle=list(away)), vendor):
        wait_for(lambda: waiting(broker) == 0, "it is acked", 10)
    assert state(ledger) is State.DONE
    assert vendor.calls == 1


def test_a_retry_that_is_not_confirmed_leaves_its_delivery_unacked(broker: EmbeddedBroker, ledger: Ledger) -> None:
    vendor = Vendor(VendorFailure(Kind.TRANSIENT, vendor="pv", method="sync_member", message="away"))
    with Running(broker, Troubled(ledger), vendor, NeverConfirms()):
        wait_for(lambda: state(ledger) is State.RETRYING, "its try is recorded", 10)
    # Given back when the worker closed.
    assert broker.stats()[ROUTE].ready == 1


def test_a_thread_of_the_pool_that_dies_ends_its_worker_and_the_delivery_comes_again(
    broker: EmbeddedBroker, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threading, "excepthook", lambda _: None)
    running = Running(broker, Troubled(ledger), Vendor())
    monkeypatch.setattr(running.worker.lanes, "finish", lambda _: {}["nobody foresaw this"])
    with running:
        wait_for(running.ended, "the worker ended", 10)
        running.worker.consumer.close()
        assert running.error is not None
    assert broker.stats()[ROUTE].ready == 1


def test_a_settler_that_dies_ends_its_worker_and_the_delivery_comes_again(
    broker: EmbeddedBroker, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threading, "excepthook", lambda _args: None)
    with Running(broker, Troubled(ledger, settle=[KeyError("nobody foresaw this")]), Vendor()) as running:
        wait_for(running.ended, "the worker ended", 10)
        running.worker.consumer.close()
        assert running.error is not None
    assert broker.stats()[ROUTE].ready == 1


def test_every_retry_goes_through_the_ladder_until_a_person_gets_it(broker: EmbeddedBroker, ledger: Ledger) -> None:
    vendor = Vendor(VendorFailure(Kind.TRANSIENT, vendor="pv", method="sync_member", message="away"))
    with Running(broker, Troubled(ledger), vendor):
        wait_for(lambda: broker.stats()["dead"].ready == 1, "it is a dead letter", 10)
    assert vendor.calls == 3
    view = ledger.event("crm", "e-1")
    assert view is not None
    assert (view.state, view.reason, view.attempt_count) == (State.DEAD, "exhausted", 3)


def test_what_follows_from_an_event_is_queued_before_its_end_is_recorded(
    broker: EmbeddedBroker, ledger: Ledger
) -> None:
    """A worker that dies in between finds the event unfinished, and tells again; the other way round it would never."""
    following = replace(event("e-2", "member.updated", subject="M-2"), route=NEXT)
    with Running(broker, Troubled(ledger), Vendor(forward=(following,)), NeverConfirms()) as running:
        wait_for(lambda: running.worker.in_flight == 1, "it is at work", 10)
        assert state(ledger) in (None, State.WORKING)
    assert state(ledger) is not State.DONE
    assert broker.stats()[ROUTE].ready == 1


def test_what_follows_arrives_in_its_own_queue(broker: EmbeddedBroker, ledger: Ledger) -> None:
    following = replace(event("e-2", "member.updated", subject="M-2"), route=NEXT)
    with Running(broker, Troubled(ledger), Vendor(forward=(following,))):
        wait_for(lambda: state(ledger) is State.DONE, "it is done", 10)
    assert broker.stats()[NEXT].ready == 1


@pytest.mark.parametrize(
    ("failure", "ended", "told"),
    [
        (None, State.DONE, b"member.synchronised"),
        (VendorFailure(Kind.REJECTED, vendor="pv", method="sync_member", message="no"), State.DEAD, b"member.failed"),
    ],
)
def test_an_end_that_was_recorded_but_not_told_is_told_when_the_delivery_comes_again(
    broker: EmbeddedBroker, ledger: Ledger, failure: Exception | None, ended: State, told: bytes
) -> None:
    """As after a worker's death between the record and the result's confirm; the vendor is not called again."""
    vendor, results = Vendor(failure), Results(["crm"], ledger, utc_now)
    with Running(broker, Troubled(ledger), vendor, NeverConfirms(), results=results):
        wait_for(lambda: state(ledger) is ended, "its end is recorded", 10)
    assert broker.stats()[RESULTS].ready == 0
    assert broker.stats()[ROUTE].ready == 1
    later = utc_now()

    with Running(broker, Troubled(ledger), vendor, results=results, sends=False):
        wait_for(lambda: waiting(broker) == 0, "it is acked", 10)
    assert vendor.calls == 1
    consumer = broker.consumer(work_queue(RESULTS), 2)
    (result,) = consumer.take(2, 5)
    consumer.close()
    assert result.message.id == "crm/e-1/0/result"
    assert told in result.message.body
    # Not newer than what ended meanwhile: the later time is what counts.
    assert datetime.fromisoformat(decode(result.message.body).data["timestamp"]) < later


def test_a_death_is_told_before_its_letter_is_out(broker: EmbeddedBroker, ledger: Ledger) -> None:
    """A person might close the letter at once, and what is closed is not told any more."""
    sent: list[str] = []

    class Noted(NeverConfirms):
        def publish(self, message: Message, to: Address) -> Future[None]:
            sent.append(to.exchange)
            confirmed: Future[None] = Future()
            confirmed.set_result(None)
            return confirmed

    vendor = Vendor(VendorFailure(Kind.REJECTED, vendor="pv", method="sync_member", message="no"))
    with Running(broker, Troubled(ledger), vendor, Noted(), results=Results(["crm"], ledger, utc_now)):
        wait_for(lambda: waiting(broker) == 0, "it is acked", 10)
    assert sent == ["bellhop.work", "bellhop.dead"]


def test_an_end_is_told_only_once_it_is_recorded(broker: EmbeddedBroker, ledger: Ledger) -> None:
    away: list[Exception] = [LedgerUnavailable("away")] * 1000
    results = Results(["crm"], ledger, utc_now)
    with Running(broker, Troubled(ledger, settle=away), Vendor(), results=results) as running:
        wait_for(lambda: running.worker.in_flight == 1 and len(away) < 1000, "the ledger was asked", 10)
    assert broker.stats()[RESULTS].ready == 0
    assert broker.stats()[ROUTE].ready == 1


def test_a_worker_of_a_route_that_is_held_takes_nothing_and_gives_back_what_was_fetched_ahead(
    broker: EmbeddedBroker, ledger: Ledger
) -> None:
    held, rested, vendor = threading.Event(), threading.Event(), Vendor()
    held.set()
    running = Running(broker, Troubled(ledger), vendor)
    running.worker.paused = held.is_set
    rest = running.worker.consumer.rest
    running.worker.consumer.rest = lambda: (rest(), rested.set())  # type: ignore[method-assign,assign]
    with running:
        wait_for(rested.is_set, "it rests", 10)
        assert (vendor.calls, running.worker.taken) == (0, 0)
        assert broker.stats()[ROUTE].ready == 1
        held.clear()
        wait_for(lambda: state(ledger) is State.DONE, "it is worked", 10)


def test_what_ends_soon_after_a_commit_of_ends_is_committed_together(broker: EmbeddedBroker, ledger: Ledger) -> None:
    commits, is_time = list[int](), threading.Event()

    class Counting(Troubled):
        def settle(self, settlements: Sequence[Settlement]) -> list[int]:
            commits.append(len(settlements))
            return super().settle(settlements)

    clock = Clock(monotonic=lambda: 7.0, sleep=lambda _: is_time.wait(10) and None)
    with Running(broker, Counting(ledger), Vendor(), clock=clock) as running:
        wait_for(lambda: commits == [1], "the first is committed at once")
        for number in (2, 3):
            message = work_message(event(f"e-{number}", "member.updated", subject=f"M-{number}"), utc_now())
            running.publisher.publish(message, work(ROUTE)).result(5)
        wait_for(lambda: running.worker._ended.qsize() == 1, "one waits behind the second")
        is_time.set()
        wait_for(lambda: commits == [1, 2], "both are committed together")
