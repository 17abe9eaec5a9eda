"""A process with the workers of two routes, which dies over the events named `killer…`, each time another in its
place: `python -m tests.support.mortal_worker URL LEDGER WHERE`, WHERE being `claim` or `call`. A line tells of each."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Sequence

import bellhop.broker.embedded.broker
import bellhop.broker.rabbitmq.broker  # noqa: F401  # both here, so that each process begins with everything loaded
from bellhop.broker.connect import connect
from bellhop.broker.topology import Topology, work_queue
from bellhop.ledger.records import Booking, Claim, Claimed, Settlement, VendorCall
from bellhop.ledger.records.accounts import LeaveAsked
from bellhop.ledger.store import Ledger
from bellhop.schemas.envelope import Envelope
from bellhop.schemas.settings import BrokerSettings
from bellhop.vendors.outcome import Dead, Done, InDoubt, Outcome
from bellhop.workers.executor import Executor
from bellhop.workers.pool import capacity_of
from bellhop.workers.suspects import Room
from bellhop.workers.worker import Worker

ROUTES = ("members", "pulls")
SYNC = VendorCall("pv", "sync_member", {}, repeatable=True)
THREADS = 2
LADDER = (1.0, 2.0)


def topology(url: str) -> Topology:
    broker = settings(url)
    return Topology(ROUTES, broker.ladder, broker.delivery_limit)


def settings(url: str) -> BrokerSettings:
    return BrokerSettings(
        urls=(url,),
        ladder=LADDER,
        delivery_limit=20,
        confirm_seconds=10.0,
        heartbeat_seconds=10.0,
        lease_seconds=3600.0,
    )


def is_deadly(event: Envelope) -> bool:
    return event.id.startswith("killer")


class DeadlyVendor:
    def __init__(self, *, deadly: bool) -> None:
        self._deadly = deadly

    def translate(self, event: Envelope, booking: Booking | None) -> VendorCall | Outcome:
        return SYNC

    def prepare(self, call: VendorCall, event: Envelope, booking: Booking | None) -> VendorCall | Outcome:
        return call

    def perform(self, call: VendorCall, event: Envelope, booking: Booking | None) -> Booking | Outcome:
        if self._deadly and is_deadly(event):
            os._exit(9)
        time.sleep(0.05)
        return Done("synchronised")

    def resolve(self, call: VendorCall, event: Envelope) -> Dead | InDoubt | None:
        return None


class DeadlyLedger:
    def __init__(self, ledger: Ledger, *, deadly: bool) -> None:
        self._ledger = ledger
        self._deadly = deadly

    def claim(self, envelopes: Sequence[Envelope], worker: str, lease_seconds: float) -> list[Claim]:
        if self._deadly and any(map(is_deadly, envelopes)):
            os._exit(9)
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
        return self._ledger.settle(settlements)


def main(url: str, ledger_url: str, where: str) -> None:
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    ledger = DeadlyLedger(Ledger.open(ledger_url, keep_seconds=90 * 86400), deadly=where == "claim")
    vendor = DeadlyVendor(deadly=where == "call")
    broker = connect(settings(url), topology(url))
    room = Room(20, in_company=3, quiet_seconds=0.1)
    workers = [
        Worker(
            route,
            Executor(vendor, ledger, worker=f"w{os.getpid()}", claim_seconds=1.0, ladder=LADDER),
            broker.consumer(work_queue(route), capacity_of(THREADS)),
            broker.publisher(),
            ledger,
            threads=THREADS,
            drain_seconds=2,
            room=room,
        )
        for route in ROUTES
    ]
    threads = [threading.Thread(target=worker.run, args=(stop,)) for worker in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    while True:
        print("started", flush=True)
        if not (child := os.fork()):
            main(*sys.argv[1:])
            os._exit(0)
        os.waitpid(child, 0)
