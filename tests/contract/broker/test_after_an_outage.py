"""A vendor was away. The tries put nothing on the ladder, and what failed before them waits there for an hour: over
each broker it goes on once the vendor is back, and nothing of an account whose vendor still is away."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from bellhop.broker.messages import work_message
from bellhop.broker.topology import Topology, work, work_queue
from bellhop.ledger import breaker
from bellhop.ledger.records import Booking, VendorCall
from bellhop.ledger.store import Ledger
from bellhop.schemas.clock import Clock, utc_now
from bellhop.schemas.envelope import Envelope
from bellhop.schemas.observe import silent
from bellhop.vendors.failure import Kind, VendorFailure
from bellhop.vendors.outcome import Dead, Done, InDoubt, Outcome
from bellhop.vendors.registry import ROUTES
from bellhop.vendors.settings import build
from bellhop.workers import held_accounts
from bellhop.workers.executor import Executor
from bellhop.workers.gate import AccountGate
from bellhop.workers.lanes import Lanes
from bellhop.workers.pool import capacity_of
from bellhop.workers.worker import Worker
from tests.support.harness import BrokerHarness
from tests.support.ledger import event, sqlite_ledger
from tests.support.service import wait_for

ROUTE, THREADS, EVENTS = "members", 2, 12
NAMES = ("back", "away")
TOPOLOGY = Topology(ROUTES, ladder=(3600.0,), lanes={ROUTE: NAMES})


class Vendor:
    """Keeps who was asked for, and who was told of. away: the accounts whose vendor is."""

    def __init__(self, gate: AccountGate) -> None:
        self.away = set(NAMES)
        self.asked: Counter[str] = Counter()
        self.done: Counter[str] = Counter()
        self._gate = gate

    def translate(self, event: Envelope, booking: Booking) -> VendorCall | Outcome:
        return VendorCall(event.account, "sync", {}, repeatable=True)

    def prepare(self, call: VendorCall, event: Envelope, booking: Booking) -> VendorCall | Outcome:
        return call

    def perform(self, call: VendorCall, event: Envelope, booking: Booking) -> Booking | Outcome:
        with self._gate.turn(call.account):
            self.asked[event.id] += 1
            if event.account in self.away:
                raise VendorFailure(Kind.TRANSIENT, vendor="v", method="sync", message="HTTP 503", status=503)
            self.done[event.id] += 1
        return Done("synchronised")

    def resolve(self, call: VendorCall, event: Envelope) -> Dead | InDoubt | None:
        return None


def test_what_waits_goes_on_once_the_vendor_is_back_and_for_no_other_account(
    harness: BrokerHarness, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(breaker, "FIRST_OPEN_SECONDS", 0.2)
    monkeypatch.setattr(held_accounts, "WELL_SECONDS", 0.2)
    one = {"kind": "peoplevine", "auth_id": "a", "company": "4711", "user": "u", "password": "invented-password"}
    settings = build({"accounts": {name: {**one, "base_url": "http://127.0.0.1:1"} for name in NAMES}})
    broker = harness.open(TOPOLOGY)
    broker.declare()
    ledger = Ledger.open(sqlite_ledger(tmp_path), keep_seconds=86_400)
    gate = AccountGate(ledger.accounts, settings.accounts, last=True)
    vendor, stop, publisher = Vendor(gate), threading.Event(), broker.publisher()
    for number in range(EVENTS):
        for name in NAMES:
            new = event(f"{name}-{number}", "member.updated", subject=f"{name}-{number}")
            new = replace(new, account=name, route=ROUTE, received=utc_now())
            publisher.publish(work_message(new, utc_now()), work(ROUTE)).result(30)
    lanes = Lanes(THREADS, gate)
    clock = Clock(chance=lambda: 1.0)
    executor = Executor(vendor, ledger, worker="w", claim_seconds=60, ladder=TOPOLOGY.ladder, turns=gate, clock=clock)
    consumer = broker.consumer(work_queue(ROUTE), capacity_of(THREADS), lanes)
    worker = Worker(ROUTE, executor, consumer, publisher, ledger, threads=THREADS, drain_seconds=2, lanes=lanes)
    held = held_accounts.held_accounts(settings, ledger, broker.hasten, silent, frozenset([ROUTE]))
    threads = [threading.Thread(target=act, args=(stop,)) for act in (worker.run, held.run)]
    for thread in threads:
        thread.start()
    try:
        wait_for(lambda: vendor.asked.total() >= 20, "both are tried now and then", 60)
        assert broker.stats()["retry"].ready < EVENTS, "the tries put none on the ladder"
        vendor.away.discard("back")
        wait_for(lambda: vendor.done.total() == EVENTS, "all of the one that is back were told", 60)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert set(vendor.done.values()) == {1}
    assert broker.stats()["retry"].ready >= breaker.FAILURES - 1, "what failed of the other waits out its hour"
    ledger.close()
