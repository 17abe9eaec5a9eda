"""What `book` answered, held against what was asked."""

from __future__ import annotations

from typing import Any

import pytest

from bellhop.schemas.reasons import Reason
from bellhop.vendors.outcome import Dead, Done
from bellhop.vendors.simplybook.book_answer import BookedRow
from bellhop.vendors.simplybook.booked import describe_difference
from tests.support.sandboxed import House, salon_data

ASKED = {"event_id": "7", "unit_id": "3", "date": "2026-03-10", "time": "09:15:00", "count": 1}


def row(**told: Any) -> BookedRow:
    told = {"start": "2026-03-10 09:15:00", "end": "2026-03-10 09:30:00", "event_id": "7", "unit_id": "3", **told}
    return BookedRow(id="1", hash="h", code="c", confirmed=True, **told)


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"start": "2026-03-10T09:15:00"},
        {"start": "2026-03-10 09:15"},
        {"start": "", "end": "", "event_id": "", "unit_id": ""},
        {"start": "tomorrow"},
    ],
)
def test_what_is_told_as_asked_in_any_writing_or_not_at_all_does_not_differ(told: dict[str, str]) -> None:
    assert describe_difference(row(**told), ASKED | {"end": "2026-03-10 09:30:00"}) == ""


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"start": "2026-03-10 10:15:00"}, "start 2026-03-10 10:15:00 where 2026-03-10 09:15:00 was asked"),
        ({"start": "2026-03-11 09:15:00"}, "start 2026-03-11 09:15:00 where 2026-03-10 09:15:00 was asked"),
        ({"end": "2026-03-10 09:45:00"}, "end 2026-03-10 09:45:00 where 2026-03-10 09:30:00 was asked"),
        ({"event_id": "9"}, "service 9 where 7 was asked"),
        ({"unit_id": "5"}, "provider 5 where 3 was asked"),
    ],
)
def test_what_is_told_otherwise_is_named_with_both(told: dict[str, str], words: str) -> None:
    assert describe_difference(row(**told), ASKED | {"end": "2026-03-10 09:30:00"}) == words


def test_a_guest_of_another_zone_may_be_answered_in_theirs() -> None:
    asked = ASKED | {"client_time_offset": 60}
    for start in ("2026-03-10 09:15:00", "2026-03-10 10:15:00"):
        assert describe_difference(row(start=start), asked) == ""
    assert describe_difference(row(start="2026-03-10 11:15:00"), asked)


def test_a_booking_at_another_start_is_a_persons_and_is_not_made_again() -> None:
    house = House()
    house.http.switch(simplybook_books_minutes_later=60)
    worked = house.post("booking.requested", salon_data())
    assert isinstance(worked.outcome, Dead)
    assert (worked.outcome.reason, worked.outcome.applies) == (Reason.UNSUPPORTED, True)
    assert "start 2026-03-10 10:15:00 where 2026-03-10 09:15:00 was asked" in worked.outcome.error
    again = house.work(worked.event, worked.booking)
    assert isinstance(again.outcome, Dead)
    assert len(house.http.of("book")) == 1


def test_a_booking_that_is_not_confirmed_though_nothing_was_asked_is_said() -> None:
    house = House()
    house.http.switch(simplybook_unconfirmed=True)
    worked = house.post("booking.requested", salon_data())
    assert isinstance(worked.outcome, Done)
    assert "as not confirmed, and the answer asks for no confirmation" in worked.warnings[0]


@pytest.mark.parametrize("confirm", [True, False])
def test_one_left_to_the_venue_to_confirm_is_said(confirm: bool) -> None:
    house = House(salon={"confirm": confirm})
    house.http.switch(simplybook_require_confirm=True)
    worked = house.post("booking.requested", salon_data())
    assert isinstance(worked.outcome, Done)
    assert [("confirm is off" in warning) for warning in worked.warnings] == ([] if confirm else [True])
