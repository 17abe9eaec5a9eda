"""A person's word on what a ledger that was put back may have forgotten, held against a vendor."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NoReturn

import pytest
import urllib3

from bellhop.ledger.proofs import WordRefused
from bellhop.ledger.records import Booking, Claimed, Entry, EntryState, Refused
from bellhop.ledger.store import Ledger
from bellhop.letters.doubts import Words
from bellhop.sandbox.server import Sandbox
from bellhop.schemas.envelope import Envelope, content_hash
from bellhop.schemas.errors import BrokerError
from bellhop.schemas.reasons import Reason
from bellhop.vendors.settings import load
from bellhop.vendors.vendor import Said
from tests.support.ledger import BOOK, letter, sqlite_ledger

SETTINGS = """
[accounts.sb]
kind = "simplybook"
base_url = "{url}"
company = "sandbox"
api_key = "sandbox-api-key"
secret_key = "sandbox-secret-key"
[venues.salon]
account = "sb"
timezone = "Europe/London"
"""
GUEST = {"name": "Ada Lee", "email": "ada@example.test", "phone": "+442071234567"}
STARTS = ("2027-03-01T09:15:00", "2027-03-01T09:30:00")


def booked_there(url: str, start: str) -> Said:
    """Made at the vendor without Bellhop: id and hash."""

    def call(path: str, method: str, *params: Any, **headers: str) -> Any:
        body = {"jsonrpc": "2.0", "method": method, "params": params, "id": 1}
        return urllib3.request("POST", url + path, json=body, headers=headers).json()["result"]

    headers = {"X-Token": call("/login", "getToken", "sandbox", "sandbox-api-key"), "X-Company-Login": "sandbox"}
    made = call("/", "book", 7, 1, *start.split("T"), GUEST, **headers)["bookings"][0]
    return Said(made["id"], made["hash"])


def away() -> NoReturn:
    raise BrokerError("the broker is away")


def asked() -> Envelope:
    services = [{"service_id": "7", "provider_id": "1", "start": f"{start}+00:00", "count": 1} for start in STARTS]
    data = {"booking_id": "R-1", "venue": "salon", "client": GUEST, "services": services}
    at = datetime.now(UTC) - timedelta(minutes=1)
    hash_ = content_hash("booking.requested", at, data)
    return Envelope("e-1", "crm", "booking.requested", "R-1", "bookings.simplybook", "sb", at, at, data, hash_)


def test_of_a_booking_that_was_half_made_before_a_restore_the_rest_is_booked(tmp_path: Path) -> None:
    file = tmp_path / "bellhop.toml"
    with Sandbox() as sandbox:
        file.write_text(SETTINGS.format(url=sandbox.url))
        ledger = Ledger.open(sqlite_ledger(tmp_path), keep_seconds=90 * 86400)
        try:
            ledger.restores.say(datetime.now(UTC) - timedelta(minutes=2), "ann", "the disk was lost")
            event = asked()
            (refused,) = ledger.claim([event], "w-1", 60)
            assert isinstance(refused, Refused)
            ledger.letters.archive([letter(event, Reason.IN_DOUBT)])
            words, first = Words(ledger, load(file, {}), away), booked_there(sandbox.url, STARTS[0])
            with pytest.raises(WordRefused, match="no booking's id"):
                words.there(1, [replace(first, vendor_id="ab12")], who="ann", why="its code", rest_absent=True)
            with pytest.raises(WordRefused, match="wants more bookings than these"):
                words.there(1, [first], who="ann", why="seen in the calendar")
            assert words.there(1, [first], who="ann", why="seen", rest_absent=True).letters == (1,)
            held = ledger.booking("crm", "R-1")
            assert held is not None
            assert [(entry.vendor_id, entry.line) for entry in held.entries] == [(first.vendor_id, 0)]
            (going_on,) = ledger.claim([event.next_generation()], "w-1", 60)
            assert isinstance(going_on, Claimed)
            assert going_on.in_doubt is None
        finally:
            ledger.close()


def test_of_what_the_copy_of_the_ledger_knew_a_person_says_only_the_rest(tmp_path: Path) -> None:
    """Its first service was booked and its second under way when the copy was made."""
    file = tmp_path / "bellhop.toml"
    with Sandbox() as sandbox:
        file.write_text(SETTINGS.format(url=sandbox.url))
        ledger = Ledger.open(sqlite_ledger(tmp_path), keep_seconds=90 * 86400)
        try:
            event, first, second = asked(), *(booked_there(sandbox.url, start) for start in STARTS)
            (claimed,) = ledger.claim([event], "w-1", 60)
            assert isinstance(claimed, Claimed)
            known = Entry(first.vendor_id, 0, "e-1", EntryState.CONFIRMED, slot="7/1/2027-03-01/09:15:00/1")
            ledger.calling(claimed, replace(BOOK, line=1), Booking("crm", "R-1", "sb", (known,)), 60)
            ledger.restores.say(datetime.now(UTC), "ann", "the disk was lost")
            (refused,) = ledger.claim([event], "w-1", 60)
            assert isinstance(refused, Refused)
            ledger.letters.archive([letter(event, Reason.IN_DOUBT)])
            words = Words(ledger, load(file, {}), away)
            with pytest.raises(WordRefused, match=f"{first.vendor_id} is known already.*say only what"):
                words.there(1, [first, second], who="ann", why="seen")
            words.there(1, [second], who="ann", why="seen in the calendar")
            held = ledger.booking("crm", "R-1")
            assert held is not None
            assert sorted((entry.vendor_id, entry.line) for entry in held.entries) == [
                (first.vendor_id, 0),
                (second.vendor_id, 1),
            ]
        finally:
            ledger.close()
