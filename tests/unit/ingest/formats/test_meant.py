"""What upstreams really post: taken as it is meant, or refused naming what cannot be."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bellhop.ingest.formats.parts import Ignored, Receipt, RefusedItem
from bellhop.ingest.intake import Intake, Read
from bellhop.schemas.envelope import Envelope, decode, encode
from bellhop.schemas.errors import EventInvalid, FieldProblem
from bellhop.vendors.settings import build
from tests.support.ingress import DOCUMENT, NOW, TOKEN

CALENDAR: dict[str, Any] = {
    "type": {
        "path": "triggerEvent",
        "values": {
            "BOOKING_CREATED": "booking.requested",
            "BOOKING_RESCHEDULED": "booking.changed",
            "BOOKING_CANCELLED": "booking.cancelled",
        },
        "default": "ignored",
    },
    "timestamp": "createdAt",
    "data.booking_id": "payload.uid",
    "data.venue": {"value": "salon"},
    "data.client.name": "payload.attendees.0.name",
    "data.client.email": "payload.attendees.0.email",
    "data.client.phone": "payload.attendees.0.phoneNumber",
    "data.client.timezone": "payload.attendees.0.timeZone",
    "data.notes": "payload.additionalNotes",
    "data.services.0.service_id": {"path": "payload.eventTypeId", "values": {"701": "1"}},
    "data.services.0.provider_id": {"value": "3"},
    "data.services.0.start": "payload.startTime",
    "data.services.0.price": "payload.price",
}
CHOOSY = CALENDAR | {
    "data.services.0.service_id": {"path": "payload.eventTypeId", "values": {"701": "1"}, "default": "ignored"}
}
SHOP: dict[str, Any] = {
    "id": "event_id",
    "type": {"path": "type", "values": {"booking.created": "booking.requested", "booking.updated": "booking.changed"}},
    "timestamp": "created_at",
    "data.booking_id": "booking.id",
    "data.venue": {"path": "booking.location_id", "values": {"LOC1": "salon"}},
    "data.client.name": "booking.customer_id",
    "data.services.*": "booking.segments",
    "data.services.*.service_id": {"path": "item.service", "values": {"SV1": "1", "SV2": "7"}},
    "data.services.*.provider_id": {"value": "3"},
    "data.services.*.start": {"expression": "later(body.booking.start_at, sum(before[*].minutes))"},
    "data.services.*.duration": "item.minutes",
}
DAY: dict[str, Any] = {
    "type": {"value": "booking.requested"},
    "timestamp": "body.sent",
    "data.booking_id": "item.ref",
    "data.venue": {"path": "item.place", "values": {"ours": "salon"}, "default": "ignored"},
    "data.client.name": "item.guest",
    "data.services.0.service_id": {"value": "1"},
    "data.services.0.provider_id": {"value": "3"},
    "data.services.0.start": {"expression": "moment(join(' ', [item.day, item.hour]), '%d/%m/%Y %I:%M %p')"},
}
SITE = {"venue": "salon", "service_id": "1", "provider_id": "3", "duration": "90m"}
SPA = {**SITE, "venue": "spa"}
MEMBER = {"data.member_id": {"value": "7"}, "data.client.name": {"value": "Cy Orr"}}
SOURCES: dict[str, dict[str, Any]] = {
    "calendar": {"format": "mapped", "map": CALENDAR},
    "choosy": {"format": "mapped", "map": CHOOSY},
    "timeless": {"format": "mapped", "map": CALENDAR, "missing_time": "receipt"},
    "shop": {"format": "mapped", "map": SHOP},
    "shop-of-many": {"format": "mapped", "map": SHOP, "unknown_venues": "ignore"},
    "day": {"format": "mapped", "map": DAY, "items": "batch.bookings"},
    "seven": {"format": "sevenrooms", "venues": {"12345": SITE}},
    "seven-spa": {"format": "sevenrooms", "venues": {"12345": SPA}, "map": MEMBER},
    "seats-spa": {"format": "tripleseat", "venues": {"4": SPA}, "map": MEMBER},
    "seven-of-many": {"format": "sevenrooms", "venues": {"12345": SITE}, "unknown_venues": "ignore"},
    "seven-timeless": {"format": "sevenrooms", "venues": {"12345": SITE}, "missing_time": "receipt"},
    "seats": {
        "format": "tripleseat",
        "venues": {"4": SITE},
        "map": {"data.client.name": "event.name", "data.client.email": {"value": "events@example.test"}},
    },
    "seats-of-many": {"format": "tripleseat", "venues": {"4": SITE}, "unknown_venues": "ignore"},
    "own": {},
    "own-of-many": {"unknown_venues": "ignore"},
    "own-timeless": {"missing_time": "receipt"},
}
SETTINGS = build(
    DOCUMENT | {"sources": {name: {"verifier": "bearer", "secrets": [TOKEN]} | more for name, more in SOURCES.items()}}
)


def read(source: str, body: object, *, at: datetime = NOW, signed_id: str = "") -> Sequence[Read]:
    return Intake(SETTINGS, SETTINGS.sources[source]).read(body, Receipt(at, "u1", "d" * 64, signed_id))


def one(source: str, body: object, **given: Any) -> Envelope:
    (made,) = read(source, body, **given)
    assert isinstance(made, Envelope), made
    assert decode(encode(made)) == made
    return made


def ignored(source: str, body: object) -> str:
    (made,) = read(source, body)
    assert isinstance(made, Ignored), made
    return made.why


def refused(source: str, body: object) -> dict[str, str]:
    with pytest.raises(EventInvalid) as caught:
        read(source, body)
    return {problem.field: problem.rule for problem in caught.value.problems}


def call(trigger: str = "BOOKING_CREATED", guest: dict[str, Any] | None = None, **payload: Any) -> dict[str, Any]:
    known = {"name": "Bo Ray", "email": "bo@example.test", "timeZone": "Europe/London"}
    whole = {"uid": "c-1", "eventTypeId": 701, "startTime": "2027-12-07T10:00:00Z"}
    attendees = [{name: value for name, value in (known | (guest or {})).items() if value is not ...}]
    return {
        "triggerEvent": trigger,
        "createdAt": "2026-11-19T10:00:00.000Z",
        "payload": {**whole, "attendees": attendees, **payload},
    }


def order(*segments: dict[str, Any], **booking: Any) -> dict[str, Any]:
    known = {"id": "b-1", "location_id": "LOC1", "start_at": "2027-12-06T10:00:00Z", "customer_id": "CU1"}
    listed = list(segments) or [{"service": "SV1", "minutes": 30}]
    return {
        "event_id": "e-1",
        "type": "booking.created",
        "created_at": "2026-11-19T10:00:00Z",
        "booking": {**known, "segments": listed, **booking},
    }


def table(event_type: str = "created", **entity: Any) -> dict[str, Any]:
    known = {
        "id": "r-1",
        "venue_id": "12345",
        "status": "BOOKED",
        "first_name": "Cy",
        "last_name": "Orr",
        "email": "cy@example.test",
        "phone_number": "+442071234567",
        "real_datetime_of_slot": "2027-03-05 10:00:00",
        "updated": "2026-11-19T12:00:00",
    }
    kept = {name: value for name, value in (known | entity).items() if value is not ...}
    return {"event_type": event_type, "entity_type": "reservation", "entity": kept, "updates": []}


def plain(type_: str = "booking.requested", data: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    booking = {
        "booking_id": "R-1",
        "venue": "salon",
        "client": {"name": "Di Fox"},
        "services": [{"service_id": "1", "provider_id": "3", "start": "2027-05-10T09:15:00"}],
    }
    made = {"type": type_, "timestamp": "2026-11-19T10:00:00Z", "data": booking | (data or {}), **more}
    return {name: value for name, value in made.items() if value is not ...}


# --- what is not ours -------------------------------------------------------------------------------------------


def test_the_reservations_of_a_sister_venue_do_not_stop_ours_where_the_source_says_so() -> None:
    body = [table(id="r-1"), table(id="r-2", venue_id="99999"), table(id="r-3")]
    made = [one for one in read("seven-of-many", body) if isinstance(one, Envelope)]
    assert [(one.subject, one.data.get("venue")) for one in made] == [("r-1", "salon"), ("r-2", None), ("r-3", "salon")]
    first, told, third = read("seven", body)
    assert told == RefusedItem([FieldProblem("1.entity.venue_id", "is not in sources.seven.venues")])
    assert [made.subject for made in (first, third) if isinstance(made, Envelope)] == ["r-1", "r-3"]


def test_a_venue_that_is_missing_is_no_unknown_one() -> None:
    assert refused("seven-of-many", table(venue_id=...)) == {"entity.venue_id": "is required"}


@pytest.mark.parametrize(
    ("source", "body", "meant"),
    [
        ("seats-of-many", {"webhook_trigger_type": "CREATE_EVENT", "event": {"id": 7, "site_id": 5}}, "requested"),
        ("seats-of-many", {"webhook_trigger_type": "UPDATE_EVENT", "event": {"id": 7, "site_id": 5}}, "changed"),
        ("seats-of-many", {"webhook_trigger_type": "DELETE_EVENT", "event": {"id": 7, "site_id": 5}}, "cancelled"),
        ("seven-of-many", table(venue_id="99999") | {"event_type": "updated"}, "changed"),
        ("seven-of-many", table(venue_id="99999") | {"event_type": "deleted"}, "cancelled"),
        ("seven-of-many", table(venue_id="99999", status="CANCELED"), "requested"),
        ("seven-of-many", table(venue_id="99999"), "requested"),
        ("shop-of-many", order(location_id="LOC2"), "requested"),
        ("shop-of-many", order(location_id="LOC2") | {"type": "booking.updated"}, "changed"),
        ("choosy", call(eventTypeId=999), "requested"),
        ("choosy", call("BOOKING_RESCHEDULED", eventTypeId=999), "changed"),
        ("own-of-many", plain("booking.cancelled", {"venue": "elsewhere"}), "cancelled"),
        ("own-of-many", plain("booking.changed", {"venue": "elsewhere", "client": {"name": ""}}), "changed"),
        ("own-of-many", plain(data={"venue": "elsewhere"}), "requested"),
        ("own-of-many", plain(data={"venue": "elsewhere", "replaces": "R-0"}), "requested"),
    ],
)
def test_what_may_take_away_a_booking_of_ours_is_taken_of_any_venue(source: str, body: object, meant: str) -> None:
    made = one(source, body)
    assert (made.type, made.data["services"], "venue" in made.data) == (f"booking.{meant}", [], False)
    assert "what stands under its reference is" in made.warnings[-1]


@pytest.mark.parametrize("type_", ["booking.requested", "booking.changed"])
def test_what_is_of_an_unknown_venue_and_cannot_be_read_refuses_nothing(type_: str) -> None:
    made = one("own-of-many", plain(type_, {"venue": "elsewhere"}) | {"timestamp": "soon"})
    assert (made.subject, made.time) == ("R-1", NOW)
    why = ignored("own-of-many", plain(type_, {"venue": "elsewhere", "booking_id": {}}))
    assert why == "its venue is none of this Bellhop's"


def test_an_unknown_venue_is_refused_where_the_source_says_nothing() -> None:
    assert refused("shop", order(location_id="LOC2")) == {
        "data.venue": "has a value that its map's `values` do not name"
    }
    assert refused("own", plain(data={"venue": "elsewhere"})) == {"data.venue": "is not a venue of this Bellhop"}


def test_a_cancel_is_taken_of_a_service_that_the_map_ignores() -> None:
    assert one("choosy", call("BOOKING_CANCELLED", eventTypeId=999)).type == "booking.cancelled"
    assert refused("calendar", call(eventTypeId=999)) == {
        "data.services.0.service_id": "has a value that its map's `values` do not name"
    }


# --- lists ------------------------------------------------------------------------------------------------------


def test_every_service_of_a_list_is_carried_each_after_the_one_before() -> None:
    made = one("shop", order({"service": "SV1", "minutes": 30}, {"service": "SV2", "minutes": 15}))
    assert [(one["service_id"], one["start"], one["end"]) for one in made.data["services"]] == [
        ("1", "2027-12-06T10:00:00+00:00", "2027-12-06T10:30:00+00:00"),
        ("7", "2027-12-06T10:30:00+00:00", "2027-12-06T10:45:00+00:00"),
    ]


def test_a_service_of_a_list_that_is_not_named_refuses_the_body_by_its_place() -> None:
    body = order({"service": "SV1", "minutes": 30}, {"service": "SV8", "minutes": 15})
    assert list(refused("shop", body)) == ["data.services.1.service_id"]


def test_a_second_guest_is_warned_of() -> None:
    body = call()
    body["payload"]["attendees"].append({"name": "Second"})
    assert one("calendar", body).warnings == (
        "1 of the 2 items of payload.attendees are read by no rule: payload.attendees.1",
    )


DAYS = [
    {"ref": 1, "place": "ours", "guest": "A", "day": "05/12/2027", "hour": "6:15 PM"},
    {"ref": 2, "place": "theirs", "guest": "B", "day": "05/12/2027", "hour": "7:15 PM"},
    {"ref": 3, "place": "ours", "guest": "C", "day": "06/12/2027", "hour": "8:00 AM"},
]


def test_a_list_inside_a_body_is_read_item_by_item_with_the_body_at_hand() -> None:
    body = {"sent": 1795818000, "batch": {"bookings": DAYS}}
    first, second, third = read("day", body, at=NOW + timedelta(days=8), signed_id="msg-1")
    assert isinstance(first, Envelope)
    assert isinstance(third, Envelope)
    assert isinstance(second, Envelope)
    assert "venue" not in second.data, "it is of none of ours"
    assert (first.id, third.id) == ("msg-1/0", "msg-1/2")
    assert first.time == datetime(2026, 11, 27, 22, 20, tzinfo=UTC)
    assert first.data["services"][0]["start"] == "2027-12-05T18:15:00+00:00"
    assert third.data["services"][0]["start"] == "2027-12-06T08:00:00+00:00"


def test_a_list_inside_a_body_may_be_empty_and_must_be_a_list() -> None:
    assert ignored("day", {"batch": {"bookings": []}}) == "its list holds no events"
    assert list(refused("day", {"batch": {}})) == ["body"]


def test_a_body_that_is_a_list_is_read_item_by_item_and_each_has_an_id_of_its_own() -> None:
    first, second = read("calendar", [call(uid="c-1"), call(uid="c-2")], signed_id="x" * 199)
    assert isinstance(first, Envelope)
    assert isinstance(second, Envelope)
    assert first.id != second.id
    assert read("calendar", [call(uid="c-1"), call(uid="c-2")], signed_id="x" * 199) == (first, second)
    assert len(first.message_id.encode()) <= 255


# --- cancels ----------------------------------------------------------------------------------------------------


def test_a_cancel_is_taken_whatever_else_is_wrong_with_it() -> None:
    body = call(
        "BOOKING_CANCELLED",
        {"email": "nobody", "timeZone": 7},
        eventTypeId=702,
        startTime="soon",
        additionalNotes="x" * 5000,
    )
    made = one("calendar", body | {"createdAt": "soon"})
    assert (made.type, made.subject, made.account, made.time) == ("booking.cancelled", "c-1", "salon", NOW)
    assert made.data["services"] == []
    assert any(warning.startswith("timestamp: ") for warning in made.warnings)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"client": {"name": "", "email": "nobody"}}, "data.client.email"),
        ({"services": [{"start": "soon"}]}, "data.services.0.start"),
        ({"notes": "x" * 5000}, "data.notes"),
        ({"member_id": []}, "data.member_id"),
        ({"surprise": 1}, "data.surprise"),
        ({"client": {"name": "\x00"}}, "data.client.name"),
    ],
)
def test_our_own_cancel_needs_no_more_than_its_booking_either_and_what_is_left_out_is_warned_of(
    wrong: dict[str, Any], field: str
) -> None:
    made = one("own", plain("booking.cancelled", wrong))
    assert (made.type, made.subject, made.data["booking_id"]) == ("booking.cancelled", "R-1", "R-1")
    assert any(warning.startswith(f"{field}: ") for warning in made.warnings)


@pytest.mark.parametrize("timestamp", [..., None, "soon", "2026-11-19T10:00:00", 5])
def test_our_own_cancel_without_a_time_takes_the_receipts(timestamp: object) -> None:
    made = one("own", plain("booking.cancelled", timestamp=timestamp))
    assert made.time == NOW
    again = one("own", plain("booking.cancelled", timestamp=timestamp), at=NOW + timedelta(hours=1))
    assert (again.id, again.content_hash) == (made.id, made.content_hash)


def test_what_names_the_booking_can_refuse_a_cancel() -> None:
    body = plain("booking.cancelled", {"booking_id": "", "venue": "elsewhere", "client": 7})
    assert list(refused("own", body)) == ["data.booking_id"]


@pytest.mark.parametrize(
    ("source", "body", "subject", "warned"),
    [
        ("own", plain("booking.cancelled", {"venue": "elsewhere"}), "R-1", True),
        ("own", plain("booking.cancelled", {"venue": None}), "R-1", False),
        ("own", plain("booking.changed", {"venue": "", "status": "CANCELED"}), "R-1", False),
        ("seven", table("deleted", id="r-1", venue_id="99999"), "r-1", True),
        ("seven", table("updated", id="r-1", venue_id="99999", status="CANCELED"), "r-1", True),
        (
            "seven",
            table("updated", id="r-1", venue_id=..., status="cancelled", real_datetime_of_slot="soon"),
            "r-1",
            False,
        ),
        ("seats", {"webhook_trigger_type": "DELETE_EVENT", "event": {"id": 7, "site_id": 5}}, "7", True),
        ("seats", {"webhook_trigger_type": "UPDATE_EVENT", "event": {"id": 7, "status": "LOST"}}, "7", False),
    ],
)
def test_a_cancel_needs_no_venue_and_an_unknown_one_does_not_stop_it(
    source: str, body: object, subject: str, warned: bool
) -> None:
    made = one(source, body)
    assert (made.subject, made.route, "venue" in made.data) == (subject, "bookings.simplybook", False)
    assert any("is cancelled, wherever it is" in warning for warning in made.warnings) == warned


@pytest.mark.parametrize(
    ("source", "body"),
    [
        ("calendar", call("BOOKING_CANCELLED", {"timeZone": 7, "phoneNumber": []}, eventTypeId=702)),
        ("seven", table("deleted", first_name="Bo", last_name="Ray", email="bo@example.test", phone_number=...)),
        ("own", plain("booking.cancelled", {"client": {"name": "Bo Ray", "email": "bo@example.test", "phone": []}})),
    ],
)
def test_a_cancel_keeps_its_guest_who_tells_which_of_a_groups_bookings_is_meant(source: str, body: object) -> None:
    assert one(source, body).data["client"] == {"name": "Bo Ray", "email": "bo@example.test"}


def test_cancels_of_two_guests_of_one_stamp_are_two_facts() -> None:
    both = [one("calendar", call("BOOKING_CANCELLED", {"name": name, "email": ...})) for name in ("Bo", "Di")]
    assert both[0].business_key != both[1].business_key


def amiss(made: Envelope) -> list[str]:
    """The warnings of what was written amiss: beside them, what the vendor has no place for is told."""
    return [warning for warning in made.warnings if "not sent to" not in warning]


def test_a_well_formed_cancel_of_our_own_is_kept_whole() -> None:
    made = one("own", plain("booking.cancelled"))
    assert (made.data["client"], amiss(made)) == ({"name": "Di Fox"}, [])


# --- what decides nothing ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("guest", "client", "warned"),
    [
        ({"email": ""}, {"name": "Bo Ray", "timezone": "Europe/London"}, []),
        ({"email": None}, {"name": "Bo Ray", "timezone": "Europe/London"}, []),
        (
            {"email": " bo@example.test "},
            {"name": "Bo Ray", "email": "bo@example.test", "timezone": "Europe/London"},
            [],
        ),
        ({"email": "mailto:bo@example.test", "timeZone": ...}, {"name": "Bo Ray", "email": "bo@example.test"}, []),
        ({"email": "nobody", "timeZone": ""}, {"name": "Bo Ray"}, ["email"]),
        ({"email": ["bo@example.test"], "timeZone": ...}, {"name": "Bo Ray"}, ["email"]),
        ({"email": ..., "timeZone": "GMT Standard Time"}, {"name": "Bo Ray"}, ["timezone"]),
        ({"email": ..., "timeZone": 7}, {"name": "Bo Ray"}, ["timezone"]),
        ({"email": ..., "timeZone": ..., "phoneNumber": 442071234567}, {"name": "Bo Ray", "phone": "442071234567"}, []),
        ({"email": ..., "timeZone": ..., "phoneNumber": "1" * 41}, {"name": "Bo Ray"}, ["phone"]),
        ({"email": ..., "timeZone": ..., "name": "  Bo \x00Ray "}, {"name": "Bo Ray"}, []),
        ({"email": ..., "timeZone": ..., "name": "B" * 300}, {"name": "B" * 200}, ["name"]),
        ({"timeZone": ..., "name": ""}, {"name": "bo@example.test", "email": "bo@example.test"}, ["name"]),
        (
            {"timeZone": ..., "email": ..., "name": None, "phoneNumber": "+44"},
            {"name": "+44", "phone": "+44"},
            ["name"],
        ),
    ],
)
def test_a_guests_ill_formed_details_do_not_turn_the_booking_away(
    guest: dict[str, Any], client: dict[str, Any], warned: list[str]
) -> None:
    made = one("calendar", call(guest=guest))
    assert made.data["client"] == client
    assert [warning.partition(":")[0] for warning in made.warnings] == [f"data.client.{name}" for name in warned]


def test_a_booking_for_nobody_is_refused() -> None:
    assert list(refused("calendar", call(guest={"name": "", "email": "nobody"}))) == ["data.client"]


@pytest.mark.parametrize(
    ("notes", "kept", "is_warned"),
    [
        ("", None, False),
        (" by the window ", "by the window", False),
        ("x" * 2001, "x" * 2000, True),
        (12, "12", False),
        (["nuts", "", "no stairs"], "nuts\nno stairs", False),
        ({"a": 1}, None, True),
        ("a\x00b", "ab", False),
    ],
)
def test_notes_are_cut_or_left_out_with_a_warning(notes: object, kept: object, is_warned: bool) -> None:
    made = one("calendar", call(additionalNotes=notes))
    assert made.data.get("notes") == kept
    assert any(warning.startswith("data.notes: ") for warning in amiss(made)) == is_warned


@pytest.mark.parametrize(
    ("price", "kept"),
    [("12.50", 12.5), ("£12,50", 12.5), ("0", 0.0), (8, 8.0), ("free", None), (-1, None), ("1,000.00", None)],
)
def test_a_price_is_read_where_it_can_be(price: object, kept: object) -> None:
    made = one("calendar", call(price=price))
    assert made.data["services"][0].get("price") == kept
    assert bool(amiss(made)) == (kept is None)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (call(startTime="soon"), "data.services.0.start"),
        (call(startTime=""), "data.services.0.start"),
        (call(uid=""), "data.booking_id"),
        (call(uid=["c-1"]), "data.booking_id"),
        (call(eventTypeId=None), "data.services.0.service_id"),
        (call() | {"createdAt": "soon"}, "timestamp"),
        (call() | {"createdAt": ""}, "timestamp"),
    ],
)
def test_what_says_which_slot_service_and_booking_is_never_guessed(body: object, field: str) -> None:
    assert list(refused("calendar", body)) == [field]


@pytest.mark.parametrize("email", ["cy@example.test ", "nobody", "", 7])
def test_a_reservations_e_mail_address_does_not_turn_it_away(email: object) -> None:
    made = one("seven", table(email=email))
    assert made.data["client"].get("email") == ("cy@example.test" if email == "cy@example.test " else None)


@pytest.mark.parametrize(
    ("told", "end"),
    [
        *(
            (90, "11:30"),
            ("90 min", "11:30"),
            ("PT1H30M", "11:30"),
            ("01:30", "11:30"),
            ("1h 30m", "11:30"),
            ("45", "10:45"),
        ),
        *((..., "11:30"), (0, "11:30"), ("soon", "11:30"), (30.0, "10:30")),
    ],
)
def test_a_reservation_lasts_as_long_as_it_says_however_that_is_written(told: object, end: str) -> None:
    (service,) = one("seven-spa", table(duration=told)).data["services"]
    assert service["end"] == f"2027-03-05T{end}:00+00:00"


def test_a_duration_lasts_as_long_when_the_clock_is_changed_meanwhile() -> None:
    (service,) = one("seven", table(real_datetime_of_slot="2027-03-28 00:30:00", duration=60)).data["services"]
    assert (service["start"], service["end"]) == ("2027-03-28T00:30:00+00:00", "2027-03-28T02:30:00+01:00")


# --- times and ids ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("at", [1828000000, "1828000000", 1828000000000, "1828000000000", "2027-12-05 09:46:40 UTC"])
def test_times_that_count_from_1970_are_read(at: object) -> None:
    made = one("calendar", call(startTime=at) | {"createdAt": 1795818000}, at=NOW + timedelta(days=8))
    assert made.data["services"][0]["start"][:19] == "2027-12-05T09:46:40"
    assert made.time == datetime(2026, 11, 27, 22, 20, tzinfo=UTC)


@pytest.mark.parametrize(
    ("source", "body"),
    [
        ("timeless", {name: value for name, value in call().items() if name != "createdAt"}),
        ("timeless", call() | {"createdAt": None}),
        ("timeless", call() | {"createdAt": ""}),
        ("seven-timeless", table(updated=...)),
        ("own-timeless", plain(timestamp=...)),
    ],
)
def test_an_event_without_a_time_takes_the_receipts_where_the_source_says_so(source: str, body: object) -> None:
    first, again = (one(source, body, at=NOW + timedelta(hours=hours)) for hours in (0, 3))
    assert first.time == NOW
    assert (again.id, again.content_hash) == (first.id, first.content_hash)


@pytest.mark.parametrize("id_", [2**63 - 1, 2**64 - 1, 1234567890123456789, "1234567890123456789"])
def test_ids_of_64_bits_are_taken(id_: object) -> None:
    assert one("own", plain(data={"booking_id": id_})).subject == str(id_)
    assert one("calendar", call(uid=id_)).subject == str(id_)


def test_an_id_too_long_to_keep_is_its_hash() -> None:
    made = one("shop", order() | {"event_id": "e" * 500})
    assert made.id.startswith("sha256-")
    assert one("shop", order() | {"event_id": "e" * 500}).id == made.id


def test_null_is_the_same_as_leaving_a_field_out() -> None:
    nulls = {
        "client": {"name": "Di Fox", "email": None, "phone": None, "timezone": None},
        "notes": None,
        "status": None,
    }
    service = {
        "service_id": "1",
        "provider_id": "3",
        "start": "2027-05-10T09:15:00",
        "end": None,
        "price": None,
        "count": None,
    }
    made = one("own", plain(data={**nulls, "services": [service], "promo_code": None, "additional": None}, id=None))
    assert made.data == one("own", plain()).data


# --- Tripleseat -------------------------------------------------------------------------------------------------

TRIGGERS = (
    *("UPDATE_EVENT", "STATUS_CHANGE_EVENT", "CHANGE_EVENT_DATETIME", "CHANGE_EVENT_GUEST_COUNTS"),
    *("REASSIGN_EVENT_LOCATION", "REASSIGN_EVENT_AREAS", "REASSIGN_EVENT_CONTACT", "REASSIGN_EVENT_ACCOUNT"),
    "REASSIGN_EVENT_OWNERSHIP",
)


def seats(trigger: str, key: str = "event", **event: Any) -> dict[str, Any]:
    known = {
        "id": 7,
        "name": "Party",
        "site_id": 4,
        "status": "DEFINITE",
        "event_start": "12/05/2027 6:00 PM",
        "event_end": "12/05/2027 6:15 PM",
        "updated_at": "11/19/2026 12:56 PM",
    }
    kept = {name: value for name, value in (known | event).items() if value is not ...}
    return {"webhook_trigger_type": trigger, "message": "changed", key: kept}


@pytest.mark.parametrize("key", ["event", "object"])
@pytest.mark.parametrize("trigger", TRIGGERS)
def test_every_trigger_of_an_event_changes_its_booking_in_both_forms(trigger: str, key: str) -> None:
    made = one("seats", seats(trigger, key))
    assert (made.type, made.subject) == ("booking.changed", "7")
    assert made.data["client"] == {"name": "Party", "email": "events@example.test"}
    assert made.data["services"][0]["end"] == "2027-12-05T18:15:00+00:00"


def test_the_triggers_of_leads_are_ignored() -> None:
    for trigger in ("CREATE_LEAD", "CONVERT_LEAD_TO_BOOKING"):
        assert "is not of an event" in ignored("seats", seats(trigger, "lead"))


def test_an_event_without_an_end_lasts_as_long_as_its_venue_says() -> None:
    made = one("seats-spa", seats("UPDATE_EVENT", event_end=...))
    assert made.data["services"][0]["end"] == "2027-12-05T19:30:00+00:00"


def test_a_deleted_event_needs_no_time() -> None:
    made = one("seats", seats("DELETE_EVENT", updated_at="soon", event_start="?"))
    assert (made.type, made.time) == ("booking.cancelled", NOW)


@pytest.mark.parametrize(("source", "end"), [("seven", None), ("seven-spa", "2027-03-05T11:30:00+00:00")])
def test_the_tables_duration_is_for_a_vendor_that_is_told_when_a_service_ends(source: str, end: str | None) -> None:
    assert one(source, table()).data["services"][0].get("end") == end
