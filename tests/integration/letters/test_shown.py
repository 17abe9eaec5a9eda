"""What a vendor's own list shows of a dead letter in doubt ends the doubt, and its event goes on by itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bellhop.ledger.records import Booking, Claimed, EntryState, Refused
from bellhop.letters.looks import Contradicted
from bellhop.letters.shown import Lists, ListWatch
from bellhop.letters.vendor_access import VendorAccess
from bellhop.sandbox.server import Sandbox
from bellhop.schemas.envelope import Envelope
from bellhop.schemas.reasons import Reason
from bellhop.vendors.settings import load
from bellhop.vendors.vendor import Said
from tests.integration.letters.test_looks import House
from tests.integration.letters.test_words import GUEST, STARTS, asked, booked_there
from tests.support.ledger import letter


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with Sandbox() as sandbox:
        made = House(tmp_path, sandbox)
        text = made.file.read_text()
        user = 'admin_user = "admin"\nadmin_password = "sandbox-password"\n'
        made.file.write_text(text.replace("[venues.salon]", f"{user}[venues.salon]"))
        yield made
        made.ledger.close()


def watch(house: House) -> ListWatch:
    return ListWatch(house.ledger, Lists(VendorAccess(house.ledger, load(house.file, {}))))


def booked(house: House) -> Booking:
    found = house.ledger.booking("crm", "R-1")
    assert found is not None
    return found


def test_what_the_list_shows_stands_and_the_letter_goes_on(house: House) -> None:
    house.die()
    made = booked_there(house.url, STARTS[0])
    assert watch(house).step() == 1
    assert [(one.vendor_id, one.secret_hash) for one in booked(house).entries] == [(made.vendor_id, made.secret_hash)]
    assert house.state.value == "replaying"


def test_a_letter_that_the_list_does_not_show_stays(house: House) -> None:
    house.die()
    asking = watch(house)
    assert asking.step() == 0
    booked_there(house.url, STARTS[0])
    assert asking.step() == 0, "it is asked again only after a while"
    assert watch(house).step() == 1


def restored(house: House) -> Envelope:
    house.ledger.restores.say(datetime.now(UTC) - timedelta(minutes=2), "ann", "the disk was lost")
    event = asked()
    (refused,) = house.ledger.claim([event], "w-1", 60)
    assert isinstance(refused, Refused)
    house.ledger.letters.archive([letter(event, Reason.IN_DOUBT)])
    return event


def test_after_a_restore_all_that_an_event_wants_is_found_in_the_list(house: House) -> None:
    event = restored(house)
    made = [booked_there(house.url, start) for start in STARTS]
    assert watch(house).step() == 1
    entries = booked(house).entries
    assert [(one.vendor_id, one.line) for one in entries] == [(one.vendor_id, line) for line, one in enumerate(made)]
    assert {one.state for one in entries} == {EntryState.CONFIRMED}
    (going_on,) = house.ledger.claim([event.next_generation()], "w-1", 60)
    assert isinstance(going_on, Claimed)
    assert going_on.in_doubt is None


def test_after_a_restore_what_is_half_shown_stands_and_the_rest_stays_before_a_person(house: House) -> None:
    restored(house)
    made = booked_there(house.url, STARTS[0])
    assert watch(house).step() == 0
    assert house.state.value == "open"
    assert [(one.vendor_id, one.line) for one in booked(house).entries] == [(made.vendor_id, 0)]
    assert house.words().absent(1, who="ann", why="the other is not there").letters == (1,)
    assert [(one.vendor_id, one.line) for one in booked(house).entries] == [(made.vendor_id, 0)]


def test_after_a_restore_another_booking_of_the_guest_leaves_it_open(house: House) -> None:
    one = restored(house)
    other = replace(one, id="e-2", subject="R-2", data={**one.data, "booking_id": "R-2"})
    (refused,) = house.ledger.claim([other], "w-1", 60)
    assert isinstance(refused, Refused)
    for start in STARTS:
        booked_there(house.url, start)
    assert watch(house).step() == 0


def test_that_it_is_absent_is_not_taken_where_the_list_shows_it(house: House) -> None:
    house.die()
    made = booked_there(house.url, STARTS[0])
    with pytest.raises(Contradicted, match=f"own list has it, as {made.vendor_id}"):
        house.words().absent(1, who="ann", why="not in the calendar")


def test_said_by_its_id_alone_a_booking_is_checked_and_has_its_hash(house: House) -> None:
    house.die()
    made = booked_there(house.url, STARTS[0])
    answered = house.words().there(1, [Said(made.vendor_id)], who="ann", why="seen")
    assert answered.note == ""
    assert [one.secret_hash for one in booked(house).entries] == [made.secret_hash]


def test_another_guests_booking_leaves_the_letter(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.die()
    monkeypatch.setitem(GUEST, "email", "ben@example.test")
    booked_there(house.url, STARTS[0])
    assert watch(house).step() == 0
