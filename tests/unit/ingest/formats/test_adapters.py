"""The formats without HTTP: one body in, envelopes or problems out."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bellhop.ingest.formats.parts import Ignored, Receipt, RefusedItem
from bellhop.ingest.formats.table import TABLE
from bellhop.ingest.intake import MAX_EVENTS, Intake
from bellhop.schemas.envelope import Envelope, decode, encode
from bellhop.schemas.errors import EventInvalid
from bellhop.schemas.settings import Settings
from bellhop.schemas.settings.sources import formats
from bellhop.vendors.settings import KINDS, build
from tests.support.ingress import DOCUMENT, NOW, TOKEN

SITE = {"venue": "spa", "service_id": "7", "duration": "90m"}
MAP_MEMBER = {"type": {"value": "member.updated"}, "data.member_id": "customer_no"}
CALENDAR = {
    "type": {
        "path": "triggerEvent",
        "values": {"BOOKING_CREATED": "booking.requested", "BOOKING_CANCELLED": "booking.cancelled"},
        "default": "ignored",
    },
    "timestamp": "createdAt",
    "data.booking_id": "payload.bookingId",
    "data.venue": {"value": "salon"},
    "data.client.name": "payload.attendees.0.name",
    "data.services.0.service_id": {"value": "7"},
    "data.services.0.provider_id": {"value": "1"},
    "data.services.0.start": "payload.startTime",
}
SOURCES: dict[str, dict[str, Any]] = {
    "sevenrooms": {"format": "sevenrooms", "venues": {"12345": SITE}, "map": {"data.member_id": "entity.member_no"}},
    "sevenrooms-pulled": {"format": "sevenrooms", "pull_account": "club"},
    "tripleseat": {
        "format": "tripleseat",
        "venues": {"4": SITE | {"provider_id": "100", "price": 10}},
        "map": {"data.member_id": "event.member_no"},
    },
    "tripleseat-pulled": {"format": "tripleseat", "pull_account": "club"},
    "members": {"format": "mapped", "map": MAP_MEMBER},
    "calendar": {"format": "mapped", "map": CALENDAR},
    "callbacks": {"format": "simplybook", "account": "salon"},
    "plain": {"pull_account": "club"},
    "native": {},
}


def built(**accounts: Any) -> Settings:
    sources = {
        name: {"verifier": "bearer", "secrets": [TOKEN], "member_account": "club"} | more
        for name, more in SOURCES.items()
    }
    club = DOCUMENT["accounts"]["club"] | accounts
    return build(DOCUMENT | {"sources": sources, "accounts": DOCUMENT["accounts"] | {"club": club}})


SETTINGS = built()


def receipt(at: datetime = NOW, unique: str = "u1", signed_id: str = "") -> Receipt:
    return Receipt(at, unique, "d" * 64, signed_id)


def read(source: str, body: object, given: Receipt | None = None) -> Sequence[Envelope | Ignored]:
    return Intake(SETTINGS, SETTINGS.sources[source]).read(body, given or receipt())


def one(source: str, body: object, given: Receipt | None = None) -> Envelope:
    (made,) = read(source, body, given)
    assert isinstance(made, Envelope)
    assert decode(encode(made)) == made
    return made


def ignored(source: str, body: object) -> str:
    (made,) = read(source, body)
    assert isinstance(made, Ignored)
    return made.why


def problems(source: str, body: object) -> dict[str, str]:
    with pytest.raises(EventInvalid) as caught:
        read(source, body)
    return {problem.field: problem.rule for problem in caught.value.problems}


def test_every_format_of_the_settings_has_its_row() -> None:
    assert tuple(TABLE) == formats(KINDS)


# --- SevenRooms -------------------------------------------------------------------------------------------------

SEVENROOMS_SAMPLE = json.loads(
    '[{"event_type":"updated","entity":{"id":"sr-resv-test-001","reference_code":"ShopRefId","venue_id":"12345",'
    '"status":"ARRIVED","table_numbers":["1"],"arrived_guests":2,"seated_time":"2026-09-03T14:00:00+08:00",'
    '"updated":"2026-09-03T14:00:30+08:00","first_name":"Test","last_name":"Guest","is_vip":false,'
    '"reservation_type":"WALK_IN","notes":"","prepayment":0,"tags":[]}}]'
)


def reservation(event_type: str = "updated", **entity: Any) -> dict[str, Any]:
    known = {
        "id": "r-1",
        "venue_id": "12345",
        "status": "BOOKED",
        "updated": "2026-11-20 11:00:00",
        "real_datetime_of_slot": "2027-07-01 19:30:00",
        "duration": 60,
        "first_name": "Ada",
        "last_name": "Lee",
        "email": "ada@example.test",
        "phone_number": "+442071234567",
        "notes": "by the window",
        "member_no": 3125141,
    }
    kept = {name: value for name, value in (known | entity).items() if value is not None}
    return {"event_type": event_type, "entity_type": "reservation", "entity": kept, "updates": []}


def test_the_sevenrooms_sample_is_a_reason_to_pull() -> None:
    made = one("sevenrooms-pulled", SEVENROOMS_SAMPLE)
    assert (made.type, made.route, made.account) == ("pull.requested", "pulls", "club")
    assert made.data == {"what": "reservations", "booking_id": "sr-resv-test-001"}
    assert made.time.isoformat() == "2026-09-03T06:00:30+00:00"
    assert made.id.startswith("sr-resv-test-001-updated-20260903T060030Z-")
    assert made.subject == f"club/reservations/{made.id}"


def test_the_sevenrooms_sample_cannot_be_booked_and_says_what_it_lacks() -> None:
    assert problems("sevenrooms", SEVENROOMS_SAMPLE) == {
        "0.data.services": "is required: what is booked, and when",
        "0.data.member_id": "is required: Peoplevine books for a member",
    }


def test_a_reservation_becomes_a_booking_of_its_venues_service() -> None:
    made = one("sevenrooms", reservation("created"))
    assert (made.type, made.route, made.account, made.subject) == (
        *("booking.requested", "bookings.peoplevine", "club"),
        "r-1",
    )
    assert made.time == datetime(2026, 11, 20, 11, tzinfo=UTC)
    assert made.data == {
        "booking_id": "r-1",
        "venue": "spa",
        "status": "BOOKED",
        "member_id": "3125141",
        "client": {"name": "Ada Lee", "email": "ada@example.test", "phone": "+442071234567"},
        "notes": "by the window",
        "services": [
            {
                "service_id": "7",
                "start": "2027-07-01T19:30:00+01:00",
                "end": "2027-07-01T20:30:00+01:00",
                "count": 1,
            }
        ],
    }
    assert made.not_after == datetime(2027, 7, 1, 18, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("event_type", "type_"),
    [("created", "booking.requested"), ("updated", "booking.changed"), ("deleted", "booking.cancelled")],
)
def test_each_event_type_has_its_word(event_type: str, type_: str) -> None:
    assert one("sevenrooms", reservation(event_type)).type == type_


def test_a_deleted_reservation_needs_no_more_than_its_reference_and_keeps_its_guest() -> None:
    body = reservation("deleted", real_datetime_of_slot="?", email="?", notes="x" * 5000, member_no=None)
    guest = {"name": "Ada Lee", "phone": "+442071234567"}
    known = {"booking_id": "r-1", "venue": "spa", "status": "BOOKED", "services": []}
    assert one("sevenrooms", body).data == {**known, "client": guest}


@pytest.mark.parametrize(
    ("entity", "start", "end"),
    [
        ({"duration": None}, "2027-07-01T19:30:00+01:00", "2027-07-01T21:00:00+01:00"),
        (
            {"real_datetime_of_slot": None, "date": "2027-07-02", "arrival_time": "18:15:00"},
            *("2027-07-02T18:15:00+01:00", "2027-07-02T19:15:00+01:00"),
        ),
        (
            {"real_datetime_of_slot": None, "date": "2027-07-02 00:00:00", "arrival_time": "6:15 pm"},
            *("2027-07-02T18:15:00+01:00", "2027-07-02T19:15:00+01:00"),
        ),
    ],
)
def test_the_start_and_the_end_are_found_where_sevenrooms_tells_them(
    entity: dict[str, Any], start: str, end: str
) -> None:
    (service,) = one("sevenrooms", reservation(**entity)).data["services"]
    assert (service["start"], service["end"]) == (start, end)


@pytest.mark.parametrize("status", ["CANCELED", "HOLD", "NO_SHOW", "CUSTOM_STATUS_27"])
def test_a_status_that_books_nothing_needs_neither_times_nor_a_member(status: str) -> None:
    body = reservation(status=status, real_datetime_of_slot=None, member_no=None, first_name=None, last_name=None)
    assert one("sevenrooms", body).data["status"] == status


@pytest.mark.parametrize(
    ("body", "field", "rule"),
    [
        (reservation("merged"), "event_type", "must be one of created, updated, deleted"),
        (reservation() | {"event_type": 1}, "event_type", "must be a text"),
        (reservation() | {"entity_type": 1}, "entity_type", "must be a text"),
        (reservation() | {"entity": []}, "entity", "must be a JSON object"),
        (reservation(id=None), "entity.id", "is required"),
        (reservation(id="x" * 201), "entity.id", "1 to 200"),
        (reservation(updated=None), "entity.created", "is required"),
        (reservation(updated="soon"), "entity.updated", "ISO 8601"),
        (reservation(venue_id="9"), "entity.venue_id", "is not in sources.sevenrooms.venues"),
        (reservation(venue_id=None), "entity.venue_id", "is required"),
        (reservation(real_datetime_of_slot="soon"), "data.services.0.start", "ISO 8601"),
        (reservation(status=7), "data.status", "not a valid string"),
        ([], "body", "must hold 1 to"),
        ("text", "body", "must be a JSON object"),
        ([reservation()] * (MAX_EVENTS + 1), "body", "must hold 1 to"),
    ],
)
def test_what_cannot_be_read_is_told_by_the_upstreams_own_field(body: object, field: str, rule: str) -> None:
    found = problems("sevenrooms", body)
    assert rule in found[field]


def test_a_bad_item_of_a_list_is_refused_alone_and_told_by_its_index() -> None:
    settings, bad = built(), [reservation(id=None), reservation("?")]
    intake = Intake(settings, settings.sources["sevenrooms"])
    made = intake.read([reservation(), *bad, reservation(id="r-2")], receipt())
    refused = [[problem.field for problem in one.problems] for one in made if isinstance(one, RefusedItem)]
    assert refused == [["1.entity.id"], ["2.event_type"]]
    assert [one.subject for one in made if isinstance(one, Envelope)] == ["r-1", "r-2"]
    assert list(problems("sevenrooms", bad)) == ["0.entity.id", "1.event_type"]


def test_a_created_time_stands_in_for_a_missing_updated_one() -> None:
    body = reservation("created", updated=None, created="2026-11-20T10:00:00.250000")
    assert one("sevenrooms", body).time == datetime(2026, 11, 20, 10, 0, 0, 250000, tzinfo=UTC)


def test_a_client_is_a_member_where_the_map_finds_its_number_and_ignored_otherwise() -> None:
    body = reservation("updated") | {"entity_type": "client"}
    made = one("sevenrooms", body)
    assert (made.type, made.route, made.account, made.subject) == ("member.updated", "members", "club", "3125141")
    assert made.data == {"member_id": "3125141"}
    del body["entity"]["member_no"]
    for entity_type in ("client", "venue-group-client", "Venue_Group_Client"):
        assert "finds no data.member_id" in ignored("sevenrooms", body | {"entity_type": entity_type})
    assert "neither a reservation nor a client" in ignored("sevenrooms", body | {"entity_type": "feedback"})


def test_an_id_too_long_for_the_broker_is_shortened_and_stays_stable() -> None:
    first, second = (one("sevenrooms", reservation(id="é" * 150)) for _ in range(2))
    assert first.id == second.id
    assert len(first.message_id.encode()) <= 255
    assert first.subject == "é" * 150


def test_two_bookings_pulled_for_at_the_same_second_are_two_facts() -> None:
    first, second = read("sevenrooms-pulled", [reservation(), reservation(id="r-2")])
    assert isinstance(first, Envelope)
    assert isinstance(second, Envelope)
    assert first.business_key != second.business_key


def test_labels_are_warned_of_where_sevenrooms_stands_behind_the_members_account() -> None:
    settings = built(system="sevenrooms", attributes=["Locker"])
    body = {
        "type": "member.updated",
        "timestamp": "2026-11-20T11:00:00Z",
        "data": {"member_id": 1, "attributes": {"wine": "red", "Locker": 1}},
    }
    made = [Intake(s, s.sources["plain"]).read(body, receipt())[0] for s in (settings, built(system="book4time"))]
    warned, silent = (envelope for envelope in made if isinstance(envelope, Envelope))
    assert [warning for warning in warned.warnings if 'spelled "Wine"' in warning]
    unsent = "data.attributes: not sent to Peoplevine: sync_member names the member alone"
    assert [warning.startswith(unsent) for warning in warned.warnings] == [False, True]
    assert [warning.startswith(unsent) for warning in silent.warnings] == [True]
    assert warned.content_hash == silent.content_hash


# --- Tripleseat -------------------------------------------------------------------------------------------------

TRIPLESEAT_SAMPLE = json.loads(
    '{"webhook_trigger_type":"STATUS_CHANGE_EVENT","event":{"id":55521609,"name":"Example","event_date":"12/28/2025",'
    '"event_date_iso8601":"2025-12-28","status":"DEFINITE","site_id":4,"event_start":"12/28/2025 6:00 PM",'
    '"event_end":"12/28/2025 6:15 PM","updated_at":"12/28/2025 12:56 PM"}}'
)


def party(trigger: str = "UPDATE_EVENT", **event: Any) -> dict[str, Any]:
    known = TRIPLESEAT_SAMPLE["event"] | {"member_no": 3125141} | event
    return {"webhook_trigger_type": trigger, "event": {k: v for k, v in known.items() if v is not None}}


def test_the_tripleseat_sample_is_a_booking_once_a_map_finds_the_member() -> None:
    assert list(problems("tripleseat", TRIPLESEAT_SAMPLE)) == ["data.member_id"]
    made = one("tripleseat", party("STATUS_CHANGE_EVENT"))
    assert (made.type, made.subject, made.data["status"]) == ("booking.changed", "55521609", "BOOKED")
    assert made.time == datetime(2025, 12, 28, 12, 56, tzinfo=UTC)
    (service,) = made.data["services"]
    assert service == {
        "service_id": "7",
        "provider_id": "100",
        "start": "2025-12-28T18:00:00+00:00",
        "end": "2025-12-28T18:15:00+00:00",
        "price": 10.0,
        "count": 1,
    }


def test_the_tripleseat_sample_is_a_reason_to_pull() -> None:
    made = one("tripleseat-pulled", TRIPLESEAT_SAMPLE)
    assert (made.type, made.route, made.data["booking_id"]) == ("pull.requested", "pulls", "55521609")


@pytest.mark.parametrize(
    ("trigger", "type_"),
    [
        ("CREATE_EVENT", "booking.requested"),
        ("UPDATE_EVENT", "booking.changed"),
        ("CHANGE_EVENT_DATETIME", "booking.changed"),
        ("DELETE_EVENT", "booking.cancelled"),
        ("create_event", "booking.requested"),
    ],
)
def test_each_trigger_of_an_event_has_its_word(trigger: str, type_: str) -> None:
    assert one("tripleseat", party(trigger)).type == type_


@pytest.mark.parametrize("trigger", ["CREATE_LEAD", "CONVERT_LEAD_TO_BOOKING", "SOMETHING_NEW"])
def test_what_is_of_no_event_is_ignored(trigger: str) -> None:
    assert "not of an event" in ignored("tripleseat", {"webhook_trigger_type": trigger, "lead": {"id": 1}})


def test_the_other_form_is_read_alike() -> None:
    other = {"webhook_trigger_type": "UPDATE_EVENT", "message": "An event was updated", "object": party()["event"]}
    settings = built()
    source = settings.sources["tripleseat-pulled"]
    made = [Intake(settings, source).read(body, receipt())[0] for body in (party(), other)]
    assert made[0] == made[1]


@pytest.mark.parametrize(
    ("status", "ours"),
    [
        ("TENTATIVE", "HOLD"),
        ("prospect", "HOLD"),
        ("LOST", "CANCELED"),
        ("CANCELLED", "CANCELED"),
        ("CANCELED", "CANCELED"),
        ("CLOSED", "COMPLETE"),
        ("Something", "Something"),
    ],
)
def test_each_status_has_sevenrooms_word(status: str, ours: str) -> None:
    assert one("tripleseat", party(status=status)).data["status"] == ours


@pytest.mark.parametrize(
    ("event", "start", "end"),
    [
        ({"event_date_iso8601": None}, "2025-12-28T18:00:00", "2025-12-28T18:15:00"),
        ({"event_end": "12/29/2025 1:00 AM"}, "2025-12-28T18:00:00", "2025-12-29T01:00:00"),
        ({"event_end": None}, "2025-12-28T18:00:00", "2025-12-28T19:30:00"),
        (
            {"event_start": "28/12/2025 12:00 AM", "event_end": "28/12/2025 12:30 pm"},
            *("2025-12-28T00:00:00", "2025-12-28T12:30:00"),
        ),
        (
            {"event_start": "2025-12-28T18:00:00", "event_end": "2025-12-28T19:00:00"},
            *("2025-12-28T18:00:00", "2025-12-28T19:00:00"),
        ),
    ],
)
def test_american_times_are_the_sites_own(event: dict[str, Any], start: str, end: str) -> None:
    (service,) = one("tripleseat", party(**event)).data["services"]
    assert (service["start"], service["end"]) == (f"{start}+00:00", f"{end}+00:00")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "webhook_trigger_type"),
        ({"webhook_trigger_type": "UPDATE_EVENT"}, "object"),
        (party(id=None), "event.id"),
        (party(site_id=5), "event.site_id"),
        (party(updated_at=None), "event.updated_at"),
        (party(updated_at="13/45/2025 1:00 PM"), "event.updated_at"),
        (party(event_start="12/28/2025 13:00 PM"), "data.services.0.start"),
    ],
)
def test_what_cannot_be_read_of_an_event_is_told(body: object, field: str) -> None:
    assert field in problems("tripleseat", body)


# --- mapped -----------------------------------------------------------------------------------------------------


def test_a_members_number_that_comes_again_is_synced_again() -> None:
    body = {"customer_no": 6448}
    first = one("members", body, receipt(unique="u1"))
    second = one("members", body, receipt(NOW + timedelta(hours=1), "u2"))
    assert (first.type, first.subject, first.time, first.account) == ("member.updated", "6448", NOW, "club")
    assert first.id != second.id
    assert first.business_key != second.business_key


def test_a_member_with_a_signed_id_and_no_time_is_the_same_when_it_is_sent_again() -> None:
    again = NOW + timedelta(hours=1)
    first, second = (one("members", {"customer_no": 1}, receipt(at, signed_id="m-1")) for at in (NOW, again))
    assert (first.id, first.content_hash) == (second.id, second.content_hash) == ("m-1", first.content_hash)


CALCOM_SAMPLE = {
    "triggerEvent": "BOOKING_CREATED",
    "createdAt": "2026-01-01T00:00:00.000Z",
    "payload": {
        "uid": "example",
        "bookingId": 1,
        "status": "ACCEPTED",
        "startTime": "2026-01-02T10:00:00Z",
        "endTime": "2026-01-02T10:30:00Z",
        "organizer": {"timeZone": "UTC", "utcOffset": 0},
        "attendees": [],
    },
}


def test_a_booking_is_read_by_its_map_and_its_id_is_the_bodys_hash() -> None:
    payload = CALCOM_SAMPLE["payload"] | {"attendees": [{"name": "Ada Lee"}]}  # type: ignore[operator]
    made = one("calendar", CALCOM_SAMPLE | {"payload": payload})
    assert (made.type, made.subject, made.id) == ("booking.requested", "1", f"sha256-{'d' * 64}")
    assert made.data["services"][0]["start"] == "2026-01-02T10:00:00+00:00"


def test_what_is_missing_is_to_be_mapped() -> None:
    assert problems("calendar", CALCOM_SAMPLE) == {"data.client": "is required: SimplyBook.me books for a client"}
    found = problems("calendar", {"triggerEvent": "BOOKING_CANCELLED"})
    assert found == {"data.booking_id": "is required: map it"}
    found = problems("calendar", {"triggerEvent": "BOOKING_CREATED"})
    assert found["timestamp"] == "is required: map it"


def test_what_the_map_ignores_is_ignored() -> None:
    assert ignored("calendar", {"triggerEvent": "PING"}) == "the source's map says so, for type"


@pytest.mark.parametrize(
    ("sample", "rules", "subject"),
    [
        (
            "action=scheduled&id=1&calendarID=2&appointmentTypeID=3",
            {"type": {"value": "member.updated"}, "data.member_id": "id"},
            "1",
        ),
        (
            '{"messageId":"ASwFMoA2Q5UKw69g3RDbvU","eventId":"client.updated","eventSchemaVersion":1,'
            '"eventInstanceOriginationDateTime":"2026-01-01T00:00:00Z","eventData":{"siteId":-99,'
            '"clientId":"100000001","clientUniqueId":100000001,"creationDateTime":"2026-01-01T00:00:00Z",'
            '"status":"Active","firstName":"Jane","lastName":"Doe"}}',
            {
                "type": {"path": "eventId", "values": {"client.updated": "member.updated"}},
                "id": "messageId",
                "timestamp": "eventInstanceOriginationDateTime",
                "data.member_id": "eventData.clientId",
                "data.profile": "eventData",
            },
            "100000001",
        ),
    ],
)
def test_the_samples_of_acuity_and_mindbody_are_read_by_a_map(sample: str, rules: Any, subject: str) -> None:
    from bellhop.ingest.body import decode_form, decode_json

    source = {
        "verifier": "bearer",
        "secrets": [TOKEN],
        "format": "mapped",
        "member_account": "club",
        "map": rules,
    }
    settings = build(DOCUMENT | {"sources": {"x": source}})
    decoded = decode_json(sample.encode()) if sample.startswith("{") else decode_form(sample.encode())
    (made,) = Intake(settings, settings.sources["x"]).read(decoded, receipt())
    assert isinstance(made, Envelope)
    assert made.subject == subject


def test_a_cancel_is_not_refused_for_what_only_a_booking_needs() -> None:
    body = {"triggerEvent": "BOOKING_CANCELLED", "createdAt": "2026-01-01T00:00:00Z", "payload": {"bookingId": 1}}
    assert one("calendar", body).data == {"booking_id": "1", "venue": "salon", "services": []}
    cancelled = reservation(status="CANCELED", email="no address", real_datetime_of_slot="?")
    assert one("sevenrooms", cancelled).data["services"] == []


# --- SimplyBook.me ----------------------------------------------------------------------------------------------


def called(kind: str = "create", **more: Any) -> dict[str, Any]:
    return {
        "booking_id": "8",
        "booking_hash": "f3653d531e887a0be2cd4b3c0ba686b7",
        "company": "salon-ltd",
        "notification_type": kind,
    } | more


def test_a_callback_goes_to_its_account() -> None:
    made = one("callbacks", called())
    assert (made.id, made.type, made.route, made.account) == (
        *("8-create", "simplybook.callback", "callbacks.simplybook"),
        "salon",
    )
    assert made.data == {
        "booking_id": "8",
        "booking_hash": "f3653d531e887a0be2cd4b3c0ba686b7",
        "notification_type": "create",
    }
    assert made.time == NOW


@pytest.mark.parametrize("kind", ["create", "cancel"])
@pytest.mark.parametrize("stamps", [(None, None), (1763640000, 1763640600)])
def test_what_happens_once_is_the_same_whenever_it_is_sent_again(kind: str, stamps: tuple[Any, Any]) -> None:
    first, again = (
        one("callbacks", called(kind, webhook_timestamp=stamp), receipt(NOW + timedelta(hours=later), f"u{later}"))
        for stamp, later in zip(stamps, (0, 44), strict=True)
    )
    assert (first.id, first.content_hash) == (again.id, again.content_hash) == (f"8-{kind}", first.content_hash)


def test_a_create_and_a_cancel_and_a_reminder_of_the_same_second_are_three_facts() -> None:
    made = [one("callbacks", called(kind, webhook_timestamp=1763640000)) for kind in ("create", "cancel", "notify")]
    assert len({envelope.business_key for envelope in made}) == 3
    assert len({envelope.id for envelope in made}) == 3


@pytest.mark.parametrize("stamp", [1763640000, "1763640000", "2025-11-20T12:00:00Z", "2025-11-20T13:00:00+01:00"])
def test_a_change_with_a_time_is_known_by_it(stamp: object) -> None:
    first, again = (
        one("callbacks", called("change", webhook_timestamp=stamp), receipt(unique=unique)) for unique in ("u1", "u2")
    )
    assert first == again
    assert first.id == "8-change-20251120T120000Z"


@pytest.mark.parametrize("stamp", [None, "soon", 10**15, True, -1, [], "2025-11-20T12:00:00", 1])
def test_a_change_without_a_legible_time_is_a_new_one_each_time(stamp: object) -> None:
    first, second = (
        one("callbacks", called("change", webhook_timestamp=stamp), receipt(unique=unique)) for unique in ("u1", "u2")
    )
    assert first.id != second.id
    assert first.time == NOW


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (called(company="another"), "company"),
        (called("merge"), "notification_type"),
        (called(booking_id=""), "booking_id"),
        (called(booking_hash="a b"), "booking_hash"),
        (called(booking_hash="x" * 129), "booking_hash"),
        (called(booking_hash="abc\n"), "booking_hash"),
        ([called()], "body"),
        ({"booking_id": "2262", "company": "eventdatetime", "booking_hash": "5", "notification_type": 1}, "company"),
    ],
)
def test_a_callback_that_breaks_its_contract_is_refused(body: object, field: str) -> None:
    assert field in problems("callbacks", body)


def test_the_callback_samples_differ_in_their_company_alone() -> None:
    for sample, id_ in (
        (
            '{"booking_id":"2262","booking_hash":"514ccafaa45aa779ff50e4642c37ba5d","company":"eventdatetime",'
            '"notification_type":"change"}',
            "2262-change-received-20261120T120000-u1",
        ),
        (
            '{"booking_id":"8","booking_hash":"f3653d531e887a0be2cd4b3c0ba686b7","company":"examplecompany",'
            '"notification_type":"create"}',
            "8-create",
        ),
    ):
        body = json.loads(sample)
        assert list(problems("callbacks", body)) == ["company"]
        assert one("callbacks", body | {"company": "Salon-Ltd"}).id == id_


# --- our own words, pulled --------------------------------------------------------------------------------------


def test_a_booking_in_our_own_words_may_be_a_reason_to_pull_and_a_member_stays_one() -> None:
    body = {"type": "booking.requested", "timestamp": "2026-11-20T11:00:00Z", "data": {"booking_id": "B-1"}, "id": "7"}
    made = one("plain", body)
    assert (made.id, made.route, made.subject) == ("7", "pulls", "club/reservations/7")
    member = body | {"type": "member.updated", "data": {"member_id": 1}}
    assert one("plain", member).route == "members"


# --- whatever comes ---------------------------------------------------------------------------------------------

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
ANY = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3))
WORDS = {
    "sevenrooms": reservation(),
    "tripleseat": party(),
    "calendar": CALCOM_SAMPLE,
    "callbacks": called("change", webhook_timestamp=1763640000),
}


@st.composite
def bodies(draw: st.DrawFn, whole: dict[str, Any]) -> Any:
    """The body with some of its values replaced by anything."""
    made = json.loads(json.dumps(whole))
    for _ in range(draw(st.integers(0, 3))):
        inner = [made, *(value for value in made.values() if isinstance(value, dict))]
        place = draw(st.sampled_from(inner))
        if place:
            place[draw(st.sampled_from(sorted(place)))] = draw(ANY | st.datetimes().map(str))
    return made


@given(st.data(), st.sampled_from(sorted(SOURCES)))
def test_whatever_comes_is_refused_by_rule_or_can_be_sent_and_keeps_its_id(data: st.DataObject, source: str) -> None:
    whole = WORDS.get(source.removesuffix("-pulled"))
    body = data.draw(ANY if whole is None else ANY | bodies(whole) | st.lists(bodies(whole), min_size=1, max_size=3))
    try:
        made = read(source, body)
    except EventInvalid:
        assert "" not in problems(source, body).values()
        return
    again = read(source, body)
    for first, second in zip(made, again, strict=True):
        assert first == second
        if isinstance(first, Envelope):
            assert decode(encode(first)) == first
            assert len(first.message_id.encode()) <= 255
