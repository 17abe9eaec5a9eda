"""A cancel reaches what stands under its reference, wherever that is, and of several guests its own alone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bellhop.ledger.records import Booking
from bellhop.schemas.reasons import Reason
from bellhop.vendors.outcome import Dead, Done, Recorded, Repeated
from tests.support.sandboxed import House, Worked, salon_data

CLUB = {
    "booking_id": "R-1",
    "venue": "spa",
    "member_id": "3125141",
    "services": [{"service_id": "24422569", "start": "2026-03-10T10:00:00", "end": "2026-03-10T15:00:00"}],
}


def standing(house: House) -> int:
    return len([one for one in house.http.state()["bookings"] if not one["cancelled"]])


def cancel(house: House, booking: Booking, id_: str = "e-9", **data: object) -> Worked:
    return house.post("booking.cancelled", {"booking_id": "R-1", **data}, booking, id_)


def test_a_cancel_that_names_no_venue_cancels_what_stands() -> None:
    house = House()
    made = house.post("booking.requested", salon_data())
    ended = cancel(house, made.booking)
    assert isinstance(ended.outcome, Done)
    assert ended.event.account == ""
    assert standing(house) == 0


def test_a_cancel_that_names_the_venue_of_another_vendor_cancels_what_stands() -> None:
    house = House()
    made = house.post("booking.requested", salon_data())
    ended = cancel(house, made.booking, venue="spa")
    assert (ended.event.route, type(ended.outcome)) == ("bookings.peoplevine", Done)
    assert standing(house) == 0


def test_a_cancel_of_what_stands_where_no_call_cancels_is_a_persons() -> None:
    house = House()
    made = house.post("booking.requested", CLUB)
    ended = cancel(house, made.booking)
    assert isinstance(ended.outcome, Dead)
    assert ended.outcome.reason is Reason.UNSUPPORTED
    assert made.booking.entries[0].vendor_id in ended.outcome.error


def test_what_stands_at_two_vendors_is_cancelled_as_far_as_calls_go() -> None:
    house = House()
    club = house.post("booking.requested", CLUB).booking
    salon = house.post("booking.requested", salon_data()).booking
    both = replace(club, entries=(*club.entries, *salon.entries))
    ended = cancel(house, both)
    assert standing(house) == 0
    assert isinstance(ended.outcome, Dead)
    assert club.entries[0].vendor_id in ended.outcome.error
    assert f" {salon.entries[0].vendor_id}" not in ended.outcome.error


def test_a_cancel_without_a_venue_that_comes_first_leaves_its_tombstone() -> None:
    ended = cancel(House(), Booking("crm", "R-1", ""))
    assert isinstance(ended.outcome, Done)
    assert ended.outcome.tombstone


@pytest.mark.parametrize("guest", [None, {"name": "Ada Lee"}])
@pytest.mark.parametrize("type_", ["booking.changed", "booking.requested"])
def test_a_booking_that_moved_to_a_venue_of_others_is_a_persons_once(type_: str, guest: object) -> None:
    house = House(many_places=True)
    made = house.post("booking.requested", salon_data())
    data = {"booking_id": "R-1", "venue": "sister"} | ({"client": guest} if guest else {})
    moved = house.post(type_, data, made.booking, "e-2")
    assert isinstance(moved.outcome, Dead)
    assert made.booking.entries[0].vendor_id in moved.outcome.error
    assert (moved.outcome.reason, standing(house), moved.calls) == (Reason.UNSUPPORTED, 1, [])
    assert moved.outcome.booking is not None
    again = house.post(type_, data, moved.outcome.booking, "e-3")
    assert isinstance(again.outcome, Repeated)
    gone = house.post("booking.cancelled", data, moved.outcome.booking, "e-4")
    assert (type(gone.outcome), standing(house)) == (Done, 0)


@pytest.mark.parametrize("type_", ["booking.cancelled", "booking.changed", "booking.requested"])
def test_what_others_do_with_their_own_bookings_is_recorded(type_: str) -> None:
    house = House(many_places=True)
    ended = house.post(type_, {"booking_id": "R-8", "venue": "sister"})
    assert isinstance(ended.outcome, Recorded)
    assert ended.outcome.applies


def test_a_request_of_another_guest_at_a_venue_of_others_leaves_what_stands_alone() -> None:
    house = House(many_places=True)
    made = house.post("booking.requested", salon_data())
    ben = {"booking_id": "R-1", "venue": "sister", "client": {"name": "Ben Ode", "email": "ben@example.test"}}
    ended = house.post("booking.requested", ben, made.booking, "e-2")
    assert (type(ended.outcome), standing(house)) == (Recorded, 1)


def test_what_stands_at_an_account_that_the_settings_no_longer_have_waits_for_it() -> None:
    house = House()
    made = house.post("booking.requested", salon_data()).booking
    gone = replace(made, entries=tuple(replace(entry, account="sold") for entry in made.entries))
    ended = cancel(house, gone)
    assert isinstance(ended.outcome, Dead)
    assert (ended.outcome.reason, "account sold" in ended.outcome.error) == (Reason.MISCONFIGURED, True)


def test_a_cancel_of_one_guest_of_a_group_leaves_the_others() -> None:
    house = House()
    ada = house.post("booking.requested", salon_data(service={"service_id": "2", "provider_id": "9"}))
    ben = {"name": "Ben Ode", "email": "ben@example.test", "phone": "+442071234568"}
    asked = salon_data(client=ben, service={"service_id": "2", "provider_id": "9", "start": "2026-03-10T12:15:00"})
    both = house.post("booking.requested", asked, ada.booking, "e-2").booking
    assert standing(house) == 2
    ended = cancel(house, both, client={"name": "Ben Ode", "email": "ben@example.test"})
    assert isinstance(ended.outcome, Done)
    (left,) = [one for one in house.http.state()["bookings"] if not one["cancelled"]]
    assert left["client"]["name"] == "Ada Lee"
    assert ended.outcome.detail == f"cancelled; {left['id']} of other guests under its reference stands"


@pytest.mark.parametrize("as_status", [False, True])
def test_a_cancel_of_one_guest_leaves_what_stands_for_another_alone(*, as_status: bool) -> None:
    house = House()
    made = house.post("booking.requested", salon_data())
    ben = {"client": {"name": "Ben Ode", "email": "ben@example.test"}}
    if as_status:
        data = salon_data(**ben) | {"booking_id": "R-1", "status": "CANCELED"}
        ended = house.post("booking.changed", data, made.booking, "e-9")
    else:
        ended = cancel(house, made.booking, **ben)
    assert standing(house) == 1
    assert isinstance(ended.outcome, Dead)
    assert ended.outcome.reason is Reason.UNSUPPORTED
    assert f"({made.booking.entries[0].vendor_id}) is of another guest" in ended.outcome.error
    assert not ended.outcome.tombstone
    assert "Ben" not in ended.outcome.error


def test_a_cancel_of_one_member_asks_nobody_to_cancel_what_stands_for_another() -> None:
    house = House()
    made = house.post("booking.requested", CLUB)
    ended = cancel(house, made.booking, member_id="99")
    assert isinstance(ended.outcome, Dead)
    assert "is of another guest" in ended.outcome.error
    assert not ended.outcome.tombstone


def test_a_cancel_repeated_for_a_guest_whose_booking_is_cancelled_calls_nothing() -> None:
    house = House()
    ada = house.post("booking.requested", salon_data()).booking
    gone = cancel(house, ada, client=salon_data()["client"]).booking
    assert standing(house) == 0
    assert isinstance(cancel(house, gone, "e-10", client={"name": "Ben Ode"}).outcome, Done)


@pytest.mark.parametrize(
    "client",
    [
        {"name": "ADA LEE"},
        {"name": "Lee, Adá", "email": "other@example.test"},
        {"name": "A. Lee", "phone": "+44 (20) 7123-4567"},
        {"name": "Somebody", "email": "ADA@example.test"},
    ],
)
def test_a_cancel_whose_guest_is_written_otherwise_is_of_the_same_one(client: dict[str, str]) -> None:
    house = House()
    made = house.post("booking.requested", salon_data())
    assert isinstance(cancel(house, made.booking, client=client).outcome, Done)
    assert standing(house) == 0


def test_a_booking_that_moves_to_another_vendors_venue_stands_there_alone() -> None:
    house = House()
    made = house.post("booking.requested", salon_data())
    moved = house.post("booking.changed", CLUB, made.booking, "e-2")
    assert isinstance(moved.outcome, Done)
    assert [call.method for call in moved.calls] == ["create_service_reservation", "cancelBooking"]
    assert standing(house) == 0
    assert [entry.account for entry in moved.booking.entries if entry.stands] == [moved.event.account]


def test_a_booking_that_moves_from_where_no_call_cancels_leaves_that_to_a_person_once() -> None:
    house = House()
    made = house.post("booking.requested", CLUB)
    moved = house.post("booking.changed", salon_data(), made.booking, "e-2")
    assert isinstance(moved.outcome, Dead)
    assert f"cancel {made.booking.entries[0].vendor_id} of account" in moved.outcome.error
    assert moved.outcome.booking is not None
    again = house.post("booking.changed", salon_data(), moved.outcome.booking, "e-3")
    assert isinstance(again.outcome, Repeated)


def test_what_was_refused_at_the_new_venue_leaves_the_old_one_standing() -> None:
    house = House()
    made = house.post("booking.requested", salon_data())
    (service,) = CLUB["services"]  # type: ignore[misc]
    closed = {**CLUB, "services": [{**service, "end": "2026-03-10T10:05:00"}]}  # type: ignore[dict-item]
    moved = house.post("booking.changed", closed, made.booking, "e-2")
    assert isinstance(moved.outcome, Dead)
    assert moved.outcome.reason is Reason.REJECTED
    assert standing(house) == 1
