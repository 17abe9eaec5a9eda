"""SimplyBook.me's list of bookings, where a user may see it, shows what a call made whose end nobody was told."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import urllib3

from bellhop.ledger.records import Booking, Claimed, Entry, EntryState, VendorCall
from bellhop.ledger.store import Ledger
from bellhop.sandbox.server import Sandbox
from bellhop.schemas.envelope import Envelope, content_hash
from bellhop.schemas.redact import Redactor
from bellhop.schemas.settings import Settings
from bellhop.vendors.handler import Handler
from bellhop.vendors.held import OpenGate
from bellhop.vendors.http import HttpClient
from bellhop.vendors.outcome import Dead, Shown
from bellhop.vendors.registry import vendor_of
from bellhop.vendors.settings import load
from bellhop.vendors.simplybook.admin import Administration
from bellhop.vendors.vendor import HandlerContext
from tests.integration.letters.test_words import GUEST, SETTINGS, STARTS, asked, booked_there
from tests.support.ledger import sqlite_ledger

ADMIN = 'admin_user = "admin"\nadmin_password = "{password}"\n[venues.salon]'
DAY, TIME = STARTS[0].split("T")
CALL = VendorCall(
    "sb", "book", {"event_id": "7", "unit_id": "1", "date": DAY, "time": TIME, "count": 1}, repeatable=False
)


class House:
    """A ledger beside a sandbox: the call of event e-1 that books the first start is in doubt."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder, self.url = folder, url
        self.ledger = Ledger.open(sqlite_ledger(folder), keep_seconds=90 * 86400)
        self.event = asked()
        self.event.data["services"] = self.event.data["services"][:1]
        self.begin(self.event)

    def begin(self, event: Envelope, call: VendorCall = CALL, known: Sequence[Entry] = ()) -> None:
        (claimed,) = self.ledger.claim([event], "w-1", 60)
        assert isinstance(claimed, Claimed)
        self.ledger.calling(claimed, call, Booking(event.source, event.subject, "sb", tuple(known)), 60)

    def another(self) -> Envelope:
        """An event of another booking that asks for the same."""
        one = self.event
        data = {**one.data, "booking_id": "R-2"}
        hash_ = content_hash(one.type, one.time, data)
        return replace(one, id="e-2", subject="R-2", data=data, content_hash=hash_)

    def settings(self, password: str = "sandbox-password") -> Settings:
        file = self.folder / "bellhop.toml"
        text = SETTINGS.format(url=self.url).replace("[venues.salon]", ADMIN.format(password=password))
        file.write_text(text)
        return load(file, {})

    def handler(self, password: str = "sandbox-password") -> Handler:
        settings = self.settings(password)
        account = settings.accounts["sb"]
        context: HandlerContext[Any] = HandlerContext(
            {"sb": account},
            settings,
            HttpClient(pool_size=1, redactor=Redactor(settings.secrets)),
            OpenGate(),
            self.ledger,
            lambda *_a, **_k: None,
            lambda: self.event.received,
        )
        return vendor_of(account).bookings(context)

    def resolve(self, password: str = "sandbox-password") -> object:
        return self.handler(password).resolve(CALL, self.event)

    def methods(self) -> list[str]:
        calls = urllib3.request("GET", f"{self.url}/_sandbox/calls").json()["calls"]
        return [one["method"] for one in calls]

    def switch(self, **values: object) -> None:
        urllib3.request("POST", f"{self.url}/_sandbox/switches", json=values)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with Sandbox() as sandbox:
        made = House(tmp_path, sandbox.url)
        yield made
        made.ledger.close()


def test_a_booking_that_the_list_shows_with_our_service_provider_start_and_guest_is_the_calls(house: House) -> None:
    made = booked_there(house.url, STARTS[0])
    shown = house.resolve()
    assert isinstance(shown, Shown)
    (entry,) = shown.entries
    assert (entry.vendor_id, entry.secret_hash) == (made.vendor_id, made.secret_hash)
    assert (entry.state, entry.slot) == (EntryState.CONFIRMED, f"7/1/{DAY}/{TIME}/1")


def test_without_a_hash_it_is_the_calls_all_the_same(house: House) -> None:
    house.switch(simplybook_admin_tells_hash=False)
    made = booked_there(house.url, STARTS[0])
    shown = house.resolve()
    assert isinstance(shown, Shown)
    assert [(one.vendor_id, one.secret_hash) for one in shown.entries] == [(made.vendor_id, "")]


def test_another_guests_booking_proves_nothing(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(GUEST, "email", "ben@example.test")
    booked_there(house.url, STARTS[0])
    assert isinstance(house.resolve(), Dead)


def test_what_the_ledger_knows_already_is_no_proof_of_another_call(house: House) -> None:
    made = booked_there(house.url, STARTS[0])
    known = Entry(made.vendor_id, 0, "e-2", EntryState.CONFIRMED, slot="7/1/x/y/1", account="sb")
    house.begin(house.another(), replace(CALL, method="confirmBooking", repeatable=True), [known])
    assert not isinstance(house.resolve(), Shown)


def test_two_calls_that_may_have_made_it_leave_it_open(house: House) -> None:
    house.begin(house.another())
    booked_there(house.url, STARTS[0])
    assert not isinstance(house.resolve(), Shown)


def test_what_was_under_way_while_the_list_was_asked_may_have_made_it(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    asking = Administration.bookings

    def ask(self: Administration, day: str, event_id: str) -> list[dict[str, Any]]:
        rows = asking(self, day, event_id)
        house.begin(house.another())
        return rows

    monkeypatch.setattr(Administration, "bookings", ask)
    booked_there(house.url, STARTS[0])
    assert not isinstance(house.resolve(), Shown)


def test_a_list_that_cannot_be_had_leaves_all_as_it_was(house: House) -> None:
    booked_there(house.url, STARTS[0])
    assert isinstance(house.resolve("wrong"), Dead)
    assert "getBookings" not in house.methods()


def test_a_users_login_is_kept_and_the_companys_own_token_with_it(house: House) -> None:
    house.ledger.renew_token("sb", lambda: "4d3c2b1a")
    handler = house.handler()
    for _ in range(2):
        handler.resolve(CALL, house.event)
    assert house.methods().count("getUserToken") == 1
    assert set(house.ledger.token_times()) == {"sb", "sb/admin"}


def test_a_token_that_has_run_out_is_worth_one_new_login(house: House) -> None:
    made = booked_there(house.url, STARTS[0])
    house.ledger.renew_token("sb/admin", lambda: "0f1e2d3c")
    shown = house.resolve()
    assert isinstance(shown, Shown)
    assert [one.vendor_id for one in shown.entries] == [made.vendor_id]
    assert house.methods().count("getUserToken") == 1


def test_the_password_is_a_secret(house: House) -> None:
    account = house.settings().accounts["sb"]
    assert "sandbox-password" in account.secrets
    assert "sandbox-password" not in repr(account)
