"""A booking that names no provider takes one that is free, says which, and keeps it."""

from __future__ import annotations

from typing import Any

import pytest

from bellhop.ledger.records import Booking, VendorCall
from bellhop.schemas.reasons import Reason
from bellhop.vendors.outcome import Dead, Done
from bellhop.vendors.simplybook.units import choose_unit
from tests.support.sandboxed import House, salon_data


def open_data(*times: str, **more: Any) -> dict[str, Any]:
    services = [{"service_id": "7", "start": f"2026-03-10T{time}"} for time in times or ("09:15:00",)]
    return {**salon_data(), "services": services, **more}


def test_one_that_is_free_is_taken_and_said_in_history_and_result() -> None:
    house = House()
    house.post("booking.requested", salon_data(service={"provider_id": "1"}))
    worked = house.post("booking.requested", open_data(booking_id="R-2"), id_="e-2")
    assert isinstance(worked.outcome, Done)
    assert house.http.of("book")[1]["params"][1] == 2
    assert worked.warnings == ("data.services.0.provider_id: none was named: provider 2, who is free, was taken",)
    assert [entry.took for entry in worked.booking.entries] == ["provider 2"]


def test_once_taken_it_stays_for_a_newer_event_that_names_none_and_for_one_that_names_it() -> None:
    house = House()
    first = house.post("booking.requested", open_data())
    for id_, data in (("e-2", open_data()), ("e-3", salon_data(service={"provider_id": "1"}))):
        again = house.post("booking.changed", data, first.booking, id_)
        assert len(house.http.of("book")) == 1, id_
        assert again.booking.entries[0].stands


def test_a_call_in_doubt_is_asked_about_and_made_with_the_provider_that_was_chosen() -> None:
    house = House()
    event = house.take("booking.requested", open_data())
    handler = house.handlers[event.route]
    booking = Booking(event.source, event.subject, event.account)
    step = handler.translate(event, booking)
    assert isinstance(step, VendorCall)
    marked = handler.prepare(step, event, booking)
    assert isinstance(marked, VendorCall)
    assert marked.arguments["unit_id"] == "1"
    assert handler.resolve(marked, event) is None
    house.post("booking.requested", salon_data(booking_id="R-9", service={"provider_id": "1"}), id_="e-9")
    assert isinstance(handler.resolve(marked, event), Dead)


def test_services_at_several_times_take_one_each_and_a_moved_one_takes_anew() -> None:
    house = House()
    first = house.post("booking.requested", open_data("09:15:00", "10:00:00"))
    assert isinstance(first.outcome, Done)
    moved = house.post("booking.changed", open_data("09:15:00", "11:00:00"), first.booking, "e-2")
    assert isinstance(moved.outcome, Done)
    assert [(entry.slot.split("/")[3], entry.stands) for entry in moved.booking.entries] == [
        ("09:15:00", True),
        ("10:00:00", False),
        ("11:00:00", True),
    ]


class Rules:
    """A company by what it answers."""

    def __init__(self, free: list[str], *, at_random: bool = False) -> None:
        self._free = free
        self._at_random = at_random

    def available_units(self, *_: object) -> list[str]:
        return self._free

    def free_starts(self, *_: object) -> list[str]:
        return ["10:00:00", "10:15:00"]

    def picks_at_random(self) -> bool:
        return self._at_random


def chosen(rules: Rules, reference: str = "R-1") -> VendorCall | Dead:
    event = House().take("booking.requested", open_data(booking_id=reference))
    arguments = {"event_id": "7", "unit_id": "any", "date": "2026-03-10", "time": "09:15:00", "count": 1}
    return choose_unit(VendorCall("salon", "book", arguments, repeatable=False), event, rules)  # type: ignore[arg-type]


def test_where_nobody_is_free_the_days_other_starts_are_told() -> None:
    dead = chosen(Rules([]))
    assert isinstance(dead, Dead)
    assert dead.reason is Reason.REJECTED
    assert "no provider is free at 2026-03-10 09:15:00" in dead.error
    assert "10:00:00, 10:15:00" in dead.error


def test_where_the_company_picks_at_random_bookings_are_spread_and_each_keeps_its_pick() -> None:
    rules = Rules(["1", "2", "3", "4"], at_random=True)
    picks = {}
    for number in range(12):
        for _ in range(2):
            call = chosen(rules, f"R-{number}")
            assert isinstance(call, VendorCall)
            assert picks.setdefault(number, call.arguments["unit_id"]) == call.arguments["unit_id"]
    assert len(set(picks.values())) > 1


@pytest.mark.parametrize("on", [True, False])
def test_one_is_taken_whether_or_not_the_company_offers_any_employee(on: bool) -> None:
    house = House()
    house.http.plugins(any_unit=on)
    assert isinstance(house.post("booking.requested", open_data()).outcome, Done)
