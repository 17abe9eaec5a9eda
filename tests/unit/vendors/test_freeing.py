"""A slot that a cancel of the same guest may just be freeing is waited for, and not for ever."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bellhop.vendors.failure import VendorFailure
from bellhop.vendors.outcome import Dead, Done, Wait
from bellhop.vendors.simplybook.freeing import PATIENCE_SECONDS
from tests.support.sandboxed import NOW, House, salon_data

LATE = NOW + timedelta(seconds=PATIENCE_SECONDS)
BEN = {"name": "Ben Ode", "email": "ben@example.test", "phone": "+442071234568"}


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> Any:
        return self.now


def taken(**client: Any) -> tuple[House, Clock]:
    """The house where a slot is booked under the reference R-0."""
    clock = Clock()
    house = House(now=clock)
    made = house.post("booking.requested", {**salon_data(**client), "booking_id": "R-0"}, id_="e-0")
    house.ledger.others = [made.booking]
    return house, clock


def test_a_request_waits_for_the_slot_of_its_guest_and_is_booked_once_a_cancel_freed_it() -> None:
    house, clock = taken()
    event = house.take("booking.requested", salon_data())
    waiting = house.work(event)
    assert isinstance(waiting.outcome, Wait)
    assert (waiting.outcome.after or 0) > 0
    (other,) = house.ledger.others
    ended = house.post("booking.cancelled", {"booking_id": "R-0"}, other, "e-9")
    house.ledger.others = [ended.booking]
    clock.now += timedelta(seconds=10)
    assert isinstance(house.work(event).outcome, Done)


def test_a_slot_that_was_freed_in_between_is_asked_for_again() -> None:
    house, _ = taken()
    (other,) = house.ledger.others
    ended = house.post("booking.cancelled", {"booking_id": "R-0"}, other, "e-9")
    house.post("booking.requested", {**salon_data(client=BEN), "booking_id": "R-8"}, id_="e-8")
    house.ledger.others = [ended.booking]
    assert isinstance(house.post("booking.requested", salon_data()).outcome, Wait)


def test_nobody_waits_for_ever() -> None:
    house, clock = taken()
    event = house.take("booking.requested", salon_data())
    clock.now = LATE
    with pytest.raises(VendorFailure, match="not available"):
        house.work(event)


def test_the_slot_of_another_guest_is_refused_at_once() -> None:
    house, _ = taken(client=BEN)
    with pytest.raises(VendorFailure, match="not available"):
        house.post("booking.requested", salon_data())


def test_another_place_of_the_same_guest_is_not_waited_for() -> None:
    house, _ = taken()
    (other,) = house.ledger.others
    later = tuple(replace(one, start="2026-03-11 09:15:00", end="2026-03-11 09:30:00") for one in other.entries)
    house.ledger.others = [replace(other, entries=later)]
    with pytest.raises(VendorFailure, match="not available"):
        house.post("booking.requested", salon_data())


def test_where_no_provider_was_named_and_none_is_free_it_waits_too() -> None:
    house, clock = taken()
    asked = salon_data(service={"count": 6})  # more than any provider takes at once
    del asked["services"][0]["provider_id"]
    event = house.take("booking.requested", asked)
    waiting = house.work(event)
    assert isinstance(waiting.outcome, Wait)
    assert "of the same guest" in waiting.outcome.detail
    clock.now = LATE
    ended = house.work(event)
    assert isinstance(ended.outcome, Dead)
    assert "no provider is free" in ended.outcome.error
