"""What is asked and filled in before a booking: notes into the intake form, the end that the service has."""

from __future__ import annotations

from typing import Any

import pytest

from bellhop.schemas.reasons import Reason
from bellhop.vendors.outcome import Dead, Done
from bellhop.vendors.simplybook.company_rules import place_notes, unknown_fields
from tests.support.sandboxed import House, salon_data

TEXT = {"name": "a" * 32, "title": "Notes", "type": "textarea", "length": None}
SELECT = {"name": "b" * 32, "title": "Room", "type": "select", "values": "one, two"}
SHORT = {"name": "c" * 32, "title": "Short", "type": "text", "length": "6"}
FORM = {"select": "two", "digits": "12"}


@pytest.mark.parametrize("wanted", ["Notes", " notes", "a" * 32, "A" * 32])
def test_notes_go_into_the_field_of_that_title_or_name(wanted: str) -> None:
    assert place_notes("no nuts", wanted, {"x": 1}, [SELECT, TEXT]) == ({"x": 1, "a" * 32: "no nuts"}, "")


@pytest.mark.parametrize(
    ("wanted", "given", "why"),
    [
        ("Allergies", {}, 'no field "Allergies"'),
        ("Room", {}, 'the field "Room" (notes_field) takes a select'),
        ("Notes", {"Notes": "hers"}, '`additional` fills "Notes"'),
        ("Notes", {"a" * 32: "hers"}, '`additional` fills "Notes"'),
    ],
)
def test_notes_that_no_field_can_take_are_told_and_keep_no_booking_from_being_made(
    wanted: str, given: dict[str, Any], why: str
) -> None:
    placed, told = place_notes("no nuts", wanted, given, [SELECT, TEXT])
    assert placed == given
    assert why in told
    assert "no nuts" not in told


def test_notes_longer_than_their_field_are_cut_and_that_is_told() -> None:
    placed, told = place_notes("no nuts, please", "Short", {}, [SHORT])
    assert placed == {"c" * 32: "no nut"}
    assert told.startswith("cut to 6 characters")


def test_names_that_no_field_has_are_found() -> None:
    assert unknown_fields({"Room": "one", "b" * 32: "one", "Sauna": "x"}, [SELECT]) == ["Sauna"]


def test_notes_reach_the_form_of_the_service_that_has_the_field_and_are_warned_of_at_the_other() -> None:
    house = House(salon={"notes_field": "textarea"})
    form = house.post("booking.requested", salon_data(notes="no nuts", additional=FORM, service={"service_id": "12"}))
    assert form.warnings == ()
    assert "no nuts" in house.http.state()["bookings"][0]["fields"].values()

    plain = house.post("booking.requested", salon_data(notes="no nuts", service={"provider_id": "4"}), id_="e-2")
    assert isinstance(plain.outcome, Done)
    assert plain.event.warnings == ()
    (told,) = plain.warnings
    assert told.startswith('data.notes: not sent to SimplyBook.me: no field "textarea"')
    assert plain.booking.entries[0].warnings == (told,)


def test_notes_without_a_field_in_the_settings_are_warned_of_in_the_answer_and_in_the_history() -> None:
    worked = House().post("booking.requested", salon_data(notes="no nuts"))
    assert isinstance(worked.outcome, Done)
    assert [warning for warning in worked.event.warnings if "data.notes: not sent" in warning]
    assert worked.warnings == worked.event.warnings


@pytest.mark.parametrize("asked", ["2026-03-10T10:15:00", "2026-03-10T09:20:00", "2026-03-11T09:30:00"])
def test_an_end_that_is_not_the_services_is_refused_before_the_call_naming_both(asked: str) -> None:
    house = House()
    worked = house.post("booking.requested", salon_data(service={"end": asked}))
    assert isinstance(worked.outcome, Dead)
    assert worked.outcome.reason is Reason.REJECTED
    assert asked.replace("T", " ") in worked.outcome.error
    assert "2026-03-10 09:30:00" in worked.outcome.error
    assert house.http.of("book") == []


@pytest.mark.parametrize("asked", ["2026-03-10T09:30:00", "2026-03-10T09:30:00Z", "2026-03-10T10:30:00+01:00"])
def test_the_services_own_end_passes_however_it_is_written(asked: str) -> None:
    start = asked.replace("09:30", "09:15").replace("10:30", "10:15")
    house = House()
    worked = house.post("booking.requested", salon_data(service={"start": start, "end": asked}))
    assert isinstance(worked.outcome, Done)
    assert len(house.http.of("book")) == 1


@pytest.mark.parametrize("null", [True, False])
def test_an_end_that_the_vendor_does_not_tell_is_left_to_the_booking(null: bool) -> None:
    house = House()
    house.http.switch(simplybook_calculate_end_time_null=null)
    house.post("booking.requested", salon_data())
    taken = house.take("booking.requested", salon_data(booking_id="R-2", service={"end": "2026-03-10T10:15:00"}), "e-2")
    with pytest.raises(Exception, match="Selected time start is not available"):
        house.work(taken)


def test_a_value_for_a_field_that_the_form_has_not_is_passed_on_and_warned_of() -> None:
    house = House()
    worked = house.post("booking.requested", salon_data(additional={"Sauna": "hot"}))
    assert house.http.of("book")[0]["params"][5] == {"Sauna": "hot"}
    assert worked.warnings == ("data.additional: the form of service 7 has no field Sauna: passed on as it is",)
