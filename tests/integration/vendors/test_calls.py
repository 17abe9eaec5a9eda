"""How many calls a booking costs, logins and questions too, over real sockets."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bellhop.ledger.records import Booking, VendorCall
from bellhop.ledger.store import Ledger
from bellhop.sandbox.server import Sandbox
from bellhop.schemas.clock import utc_now
from bellhop.schemas.envelope import Envelope
from bellhop.schemas.observe import silent
from bellhop.schemas.redact import Redactor
from bellhop.vendors.handler import AsksAhead, Handler
from bellhop.vendors.handlers import handlers
from bellhop.vendors.held import OpenGate
from bellhop.vendors.http import HttpClient
from bellhop.vendors.settings import build
from tests.support.ledger import sqlite_ledger

BOOKINGS = 500
THREADS = 30
ROUTE = "bookings.simplybook"
MOST_A_BOOKING = 1.02


def handler(sandbox: Sandbox, ledger: Ledger) -> Handler:
    salon = {"kind": "simplybook", "base_url": sandbox.url, "company": "sandbox", "api_key": "sandbox-api-key"}
    settings = build(
        {
            "accounts": {"salon": {**salon, "secret_key": "sandbox-secret-key"}},
            "venues": {"salon": {"account": "salon", "timezone": "Europe/London"}},
        }
    )
    http = HttpClient(pool_size=THREADS, redactor=Redactor())
    made = handlers(settings, http=http, gates=lambda _: OpenGate(), ledger=ledger, observe=silent, now=utc_now)
    return made[ROUTE]


def event(number: int) -> Envelope:
    """Another slot for each: the 64 providers, hour by hour of a Monday."""
    today = datetime.now(UTC).replace(hour=9, minute=0, second=0, microsecond=0)
    day = today + timedelta(days=7 - today.weekday(), hours=number // 64)
    service = {"service_id": "1", "provider_id": str(1 + number % 64), "start": day.isoformat(), "count": 1}
    client = {"name": "Ada Lee", "email": "ada@example.test", "phone": "+442071234567"}
    data = {"booking_id": f"R-{number}", "venue": "salon", "client": client, "services": [service]}
    at = datetime.now(UTC)
    return Envelope(f"e-{number}", "crm", "booking.requested", f"R-{number}", ROUTE, "salon", at, at, data, "hash")


def book(worker: Handler, event: Envelope) -> str:
    """Its first call, as the executor makes it; what became of it."""
    nothing = Booking(event.source, event.subject, event.account)
    call = worker.translate(event, nothing)
    assert isinstance(call, VendorCall)
    ready = worker.prepare(call, event, nothing)
    assert isinstance(ready, VendorCall), ready
    made = worker.perform(ready, event, nothing)
    assert isinstance(made, Booking)
    return made.entries[0].vendor_id


def test_a_booking_costs_one_call_and_hardly_more(tmp_path: Path) -> None:
    ledger = Ledger.open(sqlite_ledger(tmp_path), keep_seconds=86_400)
    with Sandbox() as sandbox, ThreadPoolExecutor(THREADS) as pool:
        worker = handler(sandbox, ledger)
        assert isinstance(worker, AsksAhead)
        worker.ask_ahead()
        ids = set(pool.map(lambda number: book(worker, event(number)), range(BOOKINGS)))
        calls = Counter(call["method"] for call in sandbox.calls())
    ledger.close()
    assert (len(ids), calls["book"]) == (BOOKINGS, BOOKINGS)
    assert calls.total() <= MOST_A_BOOKING * BOOKINGS, calls


def test_a_burst_that_nothing_was_asked_ahead_for_asks_everything_once(tmp_path: Path) -> None:
    ledger = Ledger.open(sqlite_ledger(tmp_path), keep_seconds=86_400)
    with Sandbox() as sandbox, ThreadPoolExecutor(THREADS) as pool:
        worker = handler(sandbox, ledger)
        list(pool.map(lambda number: book(worker, event(number)), range(THREADS)))
        calls = Counter(call["method"] for call in sandbox.calls())
    ledger.close()
    assert calls == {
        "book": THREADS,
        **dict.fromkeys(("getToken", "getTimeframe", "getCompanyParam", "isPaymentRequired"), 1),
    } | {"getAdditionalFields": 1}
