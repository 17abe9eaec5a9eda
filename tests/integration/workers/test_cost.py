"""What one event costs, as counts that no noise of a machine changes: SQL statements, and calls of Python functions.

A count above its limit is no fault of a test. Either the event costs more than it has to, or it does more than before:
then the limit is written anew, in a commit that says what for. The counts are those of Python 3.11; newer ones make
fewer calls.
"""

from __future__ import annotations

import io
import json
import sys
import tomllib
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import pytest
import urllib3
from standardwebhooks import Webhook

from bellhop.broker.messages import work_message
from bellhop.broker.port import Address, Delivery, Message
from bellhop.cli.demo.folder import template
from bellhop.cli.demo.samples import Slots, booking
from bellhop.ingest.app import create_app
from bellhop.ledger.records import State
from bellhop.ledger.store import Ledger
from bellhop.sandbox.server import Sandbox
from bellhop.schemas.clock import SYSTEM_CLOCK, utc_now
from bellhop.schemas.envelope import Envelope, content_hash, decode
from bellhop.schemas.routes import MEMBERS_ROUTE, bookings_route
from bellhop.schemas.trace import UNTRACED
from bellhop.telemetry.tracing import both
from bellhop.telemetry.tracing import tracer as sentry_tracer
from bellhop.vendors.settings import build
from bellhop.workers import gate
from bellhop.workers.delivery import ClaimedDelivery, EndedDelivery, ReceivedDelivery
from bellhop.workers.executor import Executor
from bellhop.workers.run import posts
from tests.support.ingress import MemoryEvents
from tests.support.ledger import sqlite_ledger
from tests.support.statements import statements

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

EVENTS = 100
AT_ONCE = 50
"""So many are claimed and settled together."""
SALONS = bookings_route("simplybook")
LIMITS = {
    # per event: SQL statements, calls of Python functions
    "accept": (0.0, 270),
    MEMBERS_ROUTE: (0.2, 283),
    SALONS: (10.7, 1157),
}


class Counts:
    def __init__(self) -> None:
        self.statements = 0
        self.calls = 0

    @contextmanager
    def of(self) -> Iterator[None]:
        """Counts what this thread does meanwhile."""

        def count_call(_frame: FrameType, event: str, _: object) -> None:
            self.calls += event == "call"

        with statements() as run:
            sys.setprofile(count_call)
            try:
                yield
            finally:
                sys.setprofile(None)
                self.statements += len(run)

    def hold(self, what: str) -> None:
        statements, calls = LIMITS[what]
        found = (self.statements / EVENTS, self.calls / EVENTS)
        is_cheap = found[0] <= 1.1 * statements and found[1] <= 1.1 * calls
        assert is_cheap, f"{what}: {found}, limits {LIMITS[what]}"


class Confirming:
    """A publisher that confirms at once."""

    def __init__(self) -> None:
        self.published: list[Message] = []

    def publish(self, message: Message, _to: Address) -> Future[None]:
        self.published.append(message)
        confirmed: Future[None] = Future()
        confirmed.set_result(None)
        return confirmed

    def close(self, timeout: float = 5.0) -> None: ...


def document(folder: Path, vendor: str) -> dict[str, Any]:
    made: dict[str, Any] = tomllib.loads(template())
    made["broker"]["url"] = [f"sqlite:///{folder}/broker.db"]
    made["ledger"]["url"] = sqlite_ledger(folder)
    for account in made["accounts"].values():
        account["base_url"] = vendor
    return made


def test_accepting_a_webhook_costs_no_more_than_it_did(tmp_path: Path) -> None:
    settings = build(document(tmp_path, "http://127.0.0.1:9"))
    publisher, counts = Confirming(), Counts()
    app = create_app(settings, publisher, MemoryEvents())
    assert (settings.sentry.dsn, settings.otel.endpoint) == ("", "")
    tracer = both(sentry_tracer(settings.sentry), UNTRACED)
    served = tracer.ingress(create_app(settings, publisher, MemoryEvents(), tracer=tracer))
    source = settings.sources["demo"]
    webhook, now = Webhook(source.secrets[0]), utc_now()

    def post(number: int, app: WSGIApplication = app) -> None:
        data = {"member_id": str(number), "profile": {"first_name": "Ada"}, "attributes": {"tier": "gold"}}
        body = json.dumps({"type": "member.updated", "timestamp": now.isoformat(), "data": data})
        environ = {
            "REQUEST_METHOD": "POST",
            "PATH_INFO": "/webhooks/demo",
            "SERVER_NAME": "localhost",
            "SERVER_PORT": "80",
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(body.encode()),
            "CONTENT_TYPE": "application/json",
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_WEBHOOK_ID": f"m-{number}",
            "HTTP_WEBHOOK_TIMESTAMP": str(int(now.timestamp())),
            "HTTP_WEBHOOK_SIGNATURE": webhook.sign(f"m-{number}", now, body),
        }
        told: list[str] = []
        with counts.of():
            b"".join(app(environ, lambda status, *_: told.append(status)))
        assert told == ["202 ACCEPTED"]

    post(EVENTS)  # loads what all later ones find loaded
    counts.calls = 0
    for number in range(EVENTS):
        post(number)
    assert len(publisher.published) == EVENTS + 1
    counts.hold("accept")

    # As the ingress is served, where neither Sentry nor OpenTelemetry is asked for: no call more.
    bare, counts.calls = counts.calls, 0
    post(0, served)
    counts.calls = 0
    for number in range(EVENTS):
        post(number, served)
    assert counts.calls - bare < EVENTS / 2


def envelope(number: int, route: str, settings: Any, slots: Slots) -> Envelope:
    now = utc_now()
    venue = settings.venues["salon"]
    if route == MEMBERS_ROUTE:
        subject, type_, account = str(number), "member.updated", settings.sources["demo"].member_account
        data = {"member_id": subject, "attributes": {"newsletter": True}}
    else:
        subject, type_, account = f"R-{number}", "booking.requested", venue.account
        data = booking(subject, venue, slots)
        data["services"] = [{"count": 1, **one} for one in data["services"]]
    return Envelope(
        id=f"e-{number}",
        source="demo",
        type=type_,
        subject=subject,
        route=route,
        account=account,
        time=now,
        received=now,
        data=data,
        content_hash=content_hash(type_, now, data),
        not_after=None if route == MEMBERS_ROUTE else now + timedelta(days=1),
    )


@pytest.mark.parametrize("route", [MEMBERS_ROUTE, SALONS])
def test_finishing_an_event_costs_no_more_than_it_did(
    route: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gate, "_FRESH_SECONDS", 3600.0)  # its look at the accounts counts seconds, not events
    counts = Counts()
    with Sandbox() as sandbox:
        settings = build(document(tmp_path, sandbox.url))
        ledger = Ledger.open(settings.ledger.url, keep_seconds=86400)
        post, slots = posts(settings, ledger)[route], Slots()
        executor = Executor(post.handler, ledger, worker="w", claim_seconds=60, ladder=(5.0,), turns=post.gate)

        for number in range(10 + EVENTS):
            urllib3.request("POST", f"{sandbox.url}/_sandbox/members", json={"id": str(number)})

        def finish(numbers: range) -> None:
            events = [envelope(number, route, settings, slots) for number in numbers]
            deliveries = [Delivery(work_message(event, event.received), tag=event.id) for event in events]
            assert decode(deliveries[0].message.body) == events[0]
            with counts.of():
                received = [executor.receive(delivery) for delivery in deliveries]
                claimed = executor.claim([one for one in received if isinstance(one, ReceivedDelivery)])
                ended = [executor.work(one) for one in claimed if isinstance(one, ClaimedDelivery)]
                planned: list[EndedDelivery] = [executor.plan(one) for one in ended]
                settlements = [one for end in planned if (one := end.settlement(SYSTEM_CLOCK)) is not None]
                ledger.settle(settlements)
            assert [(one.state, one.detail) for one in settlements if one.state != State.DONE] == []

        finish(range(10))  # logs in, asks the company's rules, compiles the statements
        counts.statements = counts.calls = 0
        for first in range(10, 10 + EVENTS, AT_ONCE):
            finish(range(first, first + AT_ONCE))
        ledger.close()
    counts.hold(route)
