"""No account waits for another: one with a long line behind its rate, one whose vendor hangs, some that left the
settings before the start and while it runs, and in front of them all what an older version had queued.
"""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest

from bellhop.broker.headers import LANE
from bellhop.broker.messages import work_message
from bellhop.broker.port import Broker, Publisher
from bellhop.broker.topology import work
from bellhop.ledger.records import LetterFilter
from bellhop.vendors.registry import connect_broker
from bellhop.vendors.settings import load
from tests.support.ledger import event
from tests.support.service import Service, wait_for

ROUTE = "members"
BUSY, HANGING, GONE, EARLIER = 300, 40, 5, 20
ACCOUNT = """
[accounts.{name}]
kind = "peoplevine"
base_url = "{url}/{name}"
auth_id = "sandbox"
company = "4711"
user = "bellhop"
password = "sandbox-password"
limit_per_second = {rate}
"""


class Vendor:
    """Answers sync_member and keeps, of each account, whom it was called for. The account `hanging` has no answer until
    it is `released`."""

    def __init__(self) -> None:
        self.called: dict[str, list[int]] = {name: [] for name in ("busy", "idle", "hanging", "gone")}
        self.released = threading.Event()
        vendor = self

        class Answers(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                url = urlsplit(self.path)
                account = url.path.split("/")[1]
                vendor.called[account].append(int(parse_qs(url.query)["member_id"][0].partition("-")[2]))
                if account == "hanging":
                    vendor.released.wait(100)
                content = json.dumps({"success": True, "success_count": 1, "error_count": 0}).encode()
                self.send_response(200)
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                with suppress(OSError):  # the worker was killed meanwhile
                    self.wfile.write(content)

            do_POST = do_GET

            def log_message(self, *_: object) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.released.set()
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def vendor() -> Iterator[Vendor]:
    made = Vendor()
    yield made
    made.close()


def settle_in(service: Service, vendor: Vendor, **rates: float) -> None:
    """The settings with these accounts; a hanging vendor is waited for."""
    text = service.settings.read_text().partition("[accounts.busy]")[0].rstrip()
    text = text.replace('claim = "6s"', 'claim = "400s"')
    more = "".join(ACCOUNT.format(name=name, url=vendor.url, rate=rate) for name, rate in rates.items())
    service.settings.write_text(f"{text}\n{more}")


def broker_of(service: Service) -> Broker:
    settings = load(service.settings, {})
    broker = connect_broker(settings)
    broker.declare()
    return broker


def put(publisher: Publisher, account: str, count: int, *, first: int = 0, as_before: bool = False) -> None:
    """Events of an account; as_before: as a version without lanes queued them."""
    sent = []
    for number in range(first, first + count):
        one = replace(
            event(f"{account}-{number}", "member.updated", subject=f"{account}-{number}"), account=account, route=ROUTE
        )
        message = work_message(one, datetime.now(UTC))
        if as_before:
            message = replace(message, headers={k: v for k, v in message.headers.items() if k != LANE})
        sent.append(publisher.publish(message, work(ROUTE)))
    for confirmed in sent:
        confirmed.result(30)


def test_no_account_waits_for_another_and_nothing_that_waits_goes_round_the_ladder(
    service: Service, vendor: Vendor
) -> None:
    settle_in(service, vendor, busy=5, hanging=0, gone=0, idle=5)
    before = broker_of(service)
    publisher = before.publisher()
    put(publisher, "busy", EARLIER, first=1000, as_before=True)
    put(publisher, "idle", 1, first=1000, as_before=True)
    put(publisher, "hanging", HANGING)
    put(publisher, "gone", GONE)
    put(publisher, "busy", BUSY)
    before.close()

    settle_in(service, vendor, busy=5, hanging=0, idle=5)
    broker = broker_of(service)
    publisher = broker.publisher()
    service.start("archive")
    service.start("work-1", ROUTE)
    wait_for(lambda: len(vendor.called["hanging"]) >= 8, "the hanging vendor has all the calls it may have", 60)
    wait_for(lambda: len(vendor.called["idle"]) == 1, "what waited before the upgrade is worked", 60)
    for number in range(5):
        put(publisher, "idle", 1, first=number)
        wait_for(lambda n=number: len(vendor.called["idle"]) == n + 2, "the idle account's event is worked", 30)  # type: ignore[misc]

    assert len(vendor.called["busy"]) < BUSY / 2, "the busy account's events were not all in front of them"
    assert len(vendor.called["hanging"]) == 8, "as many as the settings name threads"
    stats = broker.stats()
    assert stats["retry"].ready == 0
    assert stats[ROUTE].lanes["busy"] > BUSY / 2
    ledger = service.ledger()
    wait_for(lambda: ledger.letters.count(LetterFilter()) == GONE, "what is of no account any more is a person's", 60)
    assert {letter.new.reason for letter in ledger.letters.find(LetterFilter(), limit=10)} == {"misconfigured"}

    vendor.released.set()
    wait_for(lambda: len(vendor.called["hanging"]) == HANGING, "what hung is worked to its end", 60)
    wait_for(lambda: len([n for n in vendor.called["busy"] if n < 1000]) >= 10, "the busy one goes on", 60)
    own = [number for number in vendor.called["busy"] if number < 1000]
    # Eight may be at work at once, and which of those the ledger lets through first is the disk's to say.
    assert all(abs(number - place) < 8 for place, number in enumerate(own)), f"first in, first out within a lane: {own}"
    assert len(set(vendor.called["busy"])) == len(vendor.called["busy"])

    settle_in(service, vendor, hanging=0, idle=5)
    os.kill(service._processes["work-1"].pid, signal.SIGHUP)
    wait_for(lambda: broker.stats()[ROUTE].ready == 0, "a line whose account leaves by SIGHUP is read", 60)
    put(publisher, "idle", 1, first=99)
    wait_for(lambda: 99 in vendor.called["idle"], "who stays goes on", 60)
    not_called = BUSY + EARLIER - len(vendor.called["busy"])
    wait_for(lambda: ledger.letters.count(LetterFilter()) == GONE + not_called, "and is a person's", 60)
    assert {group.reason for group in ledger.letters.waiting()} == {"misconfigured"}
    ledger.close()
    broker.close()
