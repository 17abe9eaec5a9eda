"""Two routes' workers in one process, over each broker: of an account that may have one call at once, what starts soon
begins first, other bookings next, and member syncs last."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from bellhop.broker.messages import work_message
from bellhop.broker.port import Broker, Publisher
from bellhop.broker.topology import Topology, work, work_queue
from bellhop.ledger.records import Booking, VendorCall
from bellhop.ledger.store import Ledger
from bellhop.schemas.clock import utc_now
from bellhop.schemas.envelope import Envelope
from bellhop.vendors.outcome import Dead, Done, InDoubt, Outcome
from bellhop.vendors.registry import ROUTES
from bellhop.workers.executor import Executor
from bellhop.workers.lanes import Lanes
from bellhop.workers.pool import capacity_of
from bellhop.workers.ports import AccountLeave, NoTurns
from bellhop.workers.precedence import Precedence, Rank
from bellhop.workers.worker import Worker
from tests.support.harness import BrokerHarness
from tests.support.ledger import event, sqlite_ledger
from tests.support.service import wait_for

MEMBERS, BOOKINGS = "members", "bookings.peoplevine"
LANES = {MEMBERS: ("pv",), BOOKINGS: ("pv",)}
TOPOLOGY = Topology(ROUTES, ladder=(0.2, 0.5), lanes=LANES, soon=(BOOKINGS,))
THREADS = 2


class OneAtOnce(NoTurns):
    def leave(self, account: str) -> AccountLeave:
        return AccountLeave(at_once=1)


class Vendor:
    """Keeps in which order it is called. The first call has no answer until `go` is set."""

    def __init__(self) -> None:
        self.called: list[str] = []
        self.go = threading.Event()

    def translate(self, event: Envelope, booking: Booking) -> VendorCall | Outcome:
        return VendorCall("pv", "sync", {}, repeatable=True)

    def prepare(self, call: VendorCall, event: Envelope, booking: Booking) -> VendorCall | Outcome:
        return call

    def perform(self, call: VendorCall, event: Envelope, booking: Booking) -> Booking | Outcome:
        self.called.append(event.id)
        self.go.wait(30)
        time.sleep(0.05)  # as long as it takes to have the next one in hand
        return Done("done")

    def resolve(self, call: VendorCall, event: Envelope) -> Dead | InDoubt | None:
        return None


@contextmanager
def workers(broker: Broker, ledger: Ledger, vendor: Vendor) -> Iterator[dict[str, Worker]]:
    precedence, stop, publisher = Precedence(), threading.Event(), broker.publisher()
    made = {}
    for route, rank in ((MEMBERS, Rank.OTHER), (BOOKINGS, Rank.BOOKING)):
        lanes = Lanes(THREADS, OneAtOnce(), rank=rank, precedence=precedence)
        executor = Executor(vendor, ledger, worker="w", claim_seconds=60, ladder=TOPOLOGY.ladder, turns=OneAtOnce())
        consumer = broker.consumer(work_queue(route), capacity_of(THREADS), lanes)
        made[route] = Worker(
            route, executor, consumer, publisher, ledger, threads=THREADS, drain_seconds=2, lanes=lanes
        )
    threads = [threading.Thread(target=worker.run, args=(stop,)) for worker in made.values()]
    for thread in threads:
        thread.start()
    try:
        yield made
    finally:
        vendor.go.set()
        stop.set()
        for thread in threads:
            thread.join()


def put(publisher: Publisher, name: str, count: int, route: str, kind: str, starts: timedelta | None = None) -> None:
    sent = []
    for number in range(count):
        not_after = None if starts is None else utc_now() + starts
        one = event(f"{name}-{number}", kind, subject=f"{name}-{number}", not_after=not_after)
        one = replace(one, account="pv", route=route)
        sent.append(publisher.publish(work_message(one, utc_now()), work(route)))
    for confirmed in sent:
        confirmed.result(30)


def test_bookings_go_before_member_syncs_and_what_starts_soon_before_all(
    harness: BrokerHarness, tmp_path: Path
) -> None:
    broker, vendor = harness.open(TOPOLOGY), Vendor()
    broker.declare()
    publisher = broker.publisher()
    ledger = Ledger.open(sqlite_ledger(tmp_path), keep_seconds=86_400)
    put(publisher, "member", 6, MEMBERS, "member.updated")
    with workers(broker, ledger, vendor) as at_work:
        wait_for(lambda: vendor.called == ["member-0"], "the first is on its way", 30)
        put(publisher, "later", 6, BOOKINGS, "booking.requested", timedelta(days=30))
        wait_for(lambda: at_work[BOOKINGS].in_flight == 2, "as many as an account may have in hand", 30)
        put(publisher, "soon", 2, BOOKINGS, "booking.requested", timedelta(minutes=45))
        wait_for(lambda: at_work[BOOKINGS].in_flight == 4, "and as many of what starts soon", 30)
        vendor.go.set()
        wait_for(lambda: len(vendor.called) == 14, "all were called", 30)
    assert vendor.called[:3] == ["member-0", "soon-0", "soon-1"]
    for name, count in (("member", 6), ("later", 6)):
        own = [id_ for id_ in vendor.called if id_.startswith(name)]
        assert own == [f"{name}-{number}" for number in range(count)], "first in, first out"
    between = vendor.called[3 : vendor.called.index("later-5")]
    assert len([id_ for id_ in between if id_.startswith("member")]) <= 1
    assert broker.stats()[BOOKINGS].ready == broker.stats()["retry"].ready == 0
    ledger.close()
