"""A booking in its own way is moved by one call, where and only where the company's service map offers one."""

from __future__ import annotations

from typing import Any

import pytest

from bellhop.vendors.failure import VendorFailure
from bellhop.vendors.outcome import Done
from tests.support.sandboxed import House, Worked, salon_data

OLD, NEW = "2026-03-10T14:00:00", "2026-03-10T14:30:00"


def massage(start: str, **more: Any) -> dict[str, Any]:
    """Of an hour, so that half an hour later is in its own way."""
    return salon_data(service={"service_id": "2", "provider_id": "9", "start": start}, **more)


def booked(*, is_offered: bool = True) -> tuple[House, Worked]:
    house = House()
    house.http.switch(simplybook_reschedule=is_offered)
    made = house.post("booking.requested", massage(OLD))
    house.http.sent.clear()
    return house, made


def standing(house: House) -> list[str]:
    return [one["start"] for one in house.http.state()["bookings"] if not one["cancelled"]]


def test_what_is_offered_moves_it_by_one_call_under_its_own_id() -> None:
    house, made = booked()
    ended = house.post("booking.changed", massage(NEW), made.booking, "e-2")
    assert isinstance(ended.outcome, Done)
    assert (len(house.http.of("rescheduleBook")), house.http.of("book"), house.http.of("cancelBooking")) == (1, [], [])
    assert standing(house) == [NEW]
    (entry,) = ended.booking.entries
    assert (entry.vendor_id, entry.start, entry.end) == (
        made.booking.entries[0].vendor_id,
        "2026-03-10 14:30:00",
        "2026-03-10 15:30:00",
    )


def test_without_it_the_old_is_cancelled_and_the_new_booked() -> None:
    house, made = booked(is_offered=False)
    ended = house.post("booking.changed", massage(NEW), made.booking, "e-2")
    assert isinstance(ended.outcome, Done)
    assert (len(house.http.of("rescheduleBook")), len(house.http.of("book"))) == (0, 1)
    assert standing(house) == [NEW]


def test_killed_after_the_call_it_is_asked_what_stands_and_nothing_is_called_twice() -> None:
    house, made = booked()
    for _ in range(2):  # the second worker finds the ledger as the first one did
        ended = house.post("booking.changed", massage(NEW), made.booking, "e-2")
    assert isinstance(ended.outcome, Done)
    assert len(house.http.of("rescheduleBook")) == 1
    assert standing(house) == [NEW]
    assert (ended.booking.entries[0].start, ended.booking.entries[0].end) == (
        "2026-03-10 14:30:00",
        "2026-03-10 15:30:00",
    )


def test_what_cannot_be_moved_there_stays_where_it_is() -> None:
    house, made = booked()
    ben = {"name": "Ben Ode", "email": "ben@example.test", "phone": "+442071234568"}
    house.post("booking.requested", {**massage("2026-03-10T15:00:00", client=ben), "booking_id": "R-2"}, id_="e-8")
    with pytest.raises(VendorFailure, match="not available"):
        house.post("booking.changed", massage(NEW), made.booking, "e-2")
    assert OLD in standing(house)


def test_where_more_than_the_time_differs_it_is_booked_anew() -> None:
    house, made = booked()
    notes = {"notes": "nut allergy", "promo_code": "WELCOME"}
    ended = house.post("booking.changed", massage(NEW, **notes), made.booking, "e-2")
    assert isinstance(ended.outcome, Done)
    assert (house.http.of("rescheduleBook"), len(house.http.of("book"))) == ([], 1)
    assert standing(house) == [NEW]
