from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bellhop.letters.edits import EDITABLE, EditInvalid, edit_body, field_changes
from bellhop.schemas.envelope import Envelope, content_hash, decode, encode
from bellhop.schemas.errors import EnvelopeError
from bellhop.schemas.events import DATA_FIELDS, TYPES, VenueFacts
from tests.support.facts import venue_facts

NOW = datetime(2026, 11, 1, 10, tzinfo=UTC)
START = "2027-01-01T10:00:00+00:00"
DATA: dict[str, Any] = {
    "booking_id": "R-1",
    "venue": "salon",
    "client": {"name": "Ada Lee", "email": "ada@example.com"},
    "services": [{"service_id": "1", "provider_id": "2", "start": START, "count": 1}],
    "notes": "by the window",
}
SALON = venue_facts("salon", "sb", "simplybook", ZoneInfo("Europe/London"))


def venue(name: str) -> VenueFacts | None:
    return SALON if name == "salon" else None


def body(type_: str = "booking.requested", data: dict[str, Any] | None = None) -> bytes:
    data = DATA if data is None else data
    return encode(
        Envelope(
            *("e1", "crm", type_, "R-1", "bookings.simplybook", "sb"),
            *(NOW, NOW, data, content_hash(type_, NOW, data), datetime.fromisoformat(START)),
            generation=2,
        )
    )


def refused(changes: dict[str, Any], given: bytes | None = None) -> list[tuple[str, str]]:
    with pytest.raises(EditInvalid) as raised:
        edit_body(given or body(), changes, venue)
    return [(one.field, one.rule) for one in raised.value.problems]


def test_an_edit_changes_what_it_names_and_nothing_else() -> None:
    made = decode(edit_body(body(), {"client": {"name": "Ada Lea"}, "notes": None}, venue))
    before = decode(body())
    assert made.data == {key: value for key, value in DATA.items() if key != "notes"} | {"client": {"name": "Ada Lea"}}
    for name in ("id", "source", "type", "subject", "route", "account", "time", "received", "generation", "not_after"):
        assert getattr(made, name) == getattr(before, name)


def test_an_edits_content_has_a_hash_of_its_own() -> None:
    made = decode(edit_body(body(), {"notes": "by the door"}, venue))
    assert made.content_hash == content_hash(made.type, made.time, made.data)
    assert made.content_hash != decode(body()).content_hash


def test_a_start_that_is_edited_moves_the_time_after_which_nothing_is_tried() -> None:
    later = "2027-01-02T09:00:00+00:00"
    made = decode(edit_body(body(), {"services": [DATA["services"][0] | {"start": later}]}, venue))
    assert made.not_after == datetime.fromisoformat(later)


def test_a_time_without_an_offset_is_the_venues() -> None:
    made = decode(edit_body(body(), {"services": [DATA["services"][0] | {"start": "2027-07-01T10:00:00"}]}, venue))
    assert made.not_after == datetime(2027, 7, 1, 9, tzinfo=UTC)


@pytest.mark.parametrize("name", ["booking_id", "venue", "status", "id", "type", "bogus", ""])
def test_what_may_not_be_edited_is_refused_by_name(name: str) -> None:
    assert refused({name: "x"}) == [(f"data.{name}", "is none that may be edited")]


def test_an_edit_is_held_to_the_events_contract() -> None:
    assert refused({"client": {"email": "nobody"}}) == [
        ("data.client.name", "missing data for required field"),
        ("data.client.email", "not a valid email address"),
    ]
    assert refused({"client": None}) == [("data.client", "is required: SimplyBook.me books for a client")]
    assert refused({"notes": "\0"}) == [("data.notes", "must not hold NUL")]
    assert refused({"notes": "\ud800"}) == [("data.notes", "must not hold half of a surrogate pair")]
    assert refused({"services": "none"})[0][0].startswith("data.services")


def test_an_edit_that_changes_nothing_is_refused() -> None:
    assert refused({"notes": DATA["notes"]}) == [("data", "must change something")]
    assert refused({"promo_code": None}) == [("data", "must change something")]


def test_an_event_of_bellhops_own_is_not_edited() -> None:
    assert refused({"what": "x"}, body("pull.requested", {"what": "profiles"})) == [
        ("data.what", "is none that may be edited")
    ]


def test_a_body_that_cannot_be_read_is_not_edited() -> None:
    with pytest.raises(EnvelopeError):
        edit_body(b"\xff", {"notes": "x"}, venue)


def test_all_that_may_be_edited_is_of_the_contract_and_never_what_an_event_is_known_by() -> None:
    assert set(EDITABLE) == set(TYPES)
    for names in EDITABLE.values():
        assert set(names) <= DATA_FIELDS[""]
        assert not {"booking_id", "venue", "status"} & set(names)


def test_differences_are_told_value_by_value() -> None:
    service = DATA["services"][0] | {"provider_id": "3"}
    other = service | {"provider_id": "4"}
    after = edit_body(body(), {"services": [service, other], "client": {"name": "Ada Lee"}}, venue)
    assert [(one.field, one.before, one.after) for one in field_changes(body(), after)] == [
        ("data.client.email", "ada@example.com", None),
        ("data.services.0.provider_id", "2", "3"),
        ("data.services.1", None, other),
    ]
