from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bellhop.schemas.envelope import Envelope, content_hash, decode, encode
from bellhop.schemas.errors import EventInvalid
from bellhop.schemas.events import (
    MAX_DEPTH,
    MAX_NOTES,
    MAX_SERVICES,
    PULL_TYPE,
    TYPES,
    Parsed,
    callback_type,
    parse,
    parse_pull,
)
from bellhop.vendors.peoplevine.labels import LABELS, label_warnings
from tests.support.facts import salon_booking, spa_booking, venue_facts

VENUES = {
    "spa": venue_facts("spa", "club", "peoplevine", ZoneInfo("Europe/London")),
    "salon": venue_facts("salon", "salon", "simplybook", ZoneInfo("Europe/London")),
    "tokyo": venue_facts("tokyo", "salon", "simplybook", ZoneInfo("Asia/Tokyo")),
    "york": venue_facts("york", "salon", "simplybook", ZoneInfo("America/New_York")),
}


def event(type_: str = "booking.requested", data: object = None, **more: Any) -> dict[str, Any]:
    return {"type": type_, "timestamp": "2026-11-20T12:00:00Z", "data": data or salon_booking("R-1", 1)} | more


def parsed(*args: Any, **more: Any) -> Parsed:
    return parse(event(*args, **more), VENUES.get)


def problems(body: object) -> dict[str, str]:
    with pytest.raises(EventInvalid) as caught:
        parse(body, VENUES.get)
    return {problem.field: problem.rule for problem in caught.value.problems}


def salon(**changes: Any) -> dict[str, Any]:
    """The salon's booking with its one service changed; None takes a name away."""
    booking = salon_booking("R-1", 1)
    booking["services"][0] |= changes
    booking["services"][0] = {k: v for k, v in booking["services"][0].items() if v is not None}
    return booking


# --- what passes ------------------------------------------------------------------------------------------------


def test_a_member_event_is_about_its_member() -> None:
    found = parsed("member.created", {"member_id": 3125141, "profile": {"vip": True, "tags": ["a", None, 1.5]}})
    assert (found.subject, found.account, found.kind, found.not_after) == ("3125141", "", "", None)
    assert found.data["member_id"] == "3125141"


def test_a_booking_gets_its_venues_account_and_its_ids_become_text() -> None:
    found = parsed("booking.requested", salon(service_id=7, provider_id=1))
    assert (found.account, found.kind, found.subject) == ("salon", "simplybook", "R-1")
    (service,) = found.data["services"]
    assert (service["service_id"], service["provider_id"], service["count"]) == ("7", "1", 1)


def test_venue_local_times_get_the_venues_offset() -> None:
    (service,) = parsed(data=salon(start="2027-07-01T10:00:00")).data["services"]
    assert service["start"] == "2027-07-01T10:00:00+01:00"


def test_times_with_an_offset_keep_it() -> None:
    (service,) = parsed(data=salon(start="2027-07-01T10:00:00+09:00")).data["services"]
    assert service["start"] == "2027-07-01T10:00:00+09:00"


def test_the_first_start_in_utc_bounds_the_event_whatever_the_order_and_the_zones() -> None:
    booking = salon(start="2027-07-01T10:00:00")
    booking["services"].append(booking["services"][0] | {"start": "2027-07-01T17:30:00+09:00"})
    assert parsed(data=booking).not_after == datetime(2027, 7, 1, 8, 30, tzinfo=UTC)


def test_the_events_time_is_told_in_utc() -> None:
    found = parsed(timestamp="2026-11-20T13:00:00+01:00").time
    assert (found, found.tzinfo) == (datetime(2026, 11, 20, 12, tzinfo=UTC), UTC)


def test_a_cancel_needs_no_more_than_the_reference() -> None:
    found = parsed("booking.cancelled", {"booking_id": "R-1", "venue": "spa"})
    assert (found.subject, found.data["services"], found.not_after) == ("R-1", [], None)


@pytest.mark.parametrize("status", ["BOOKED", "PREPARTIALLYARRIVED", "CUSTOM_STATUS_27", ""])
def test_a_status_is_any_text(status: str) -> None:
    assert parsed(data=salon_booking("R-1", 1) | {"status": status}).data["status"] == status


def test_notes_keep_their_lines() -> None:
    notes = "by the window\n\tand 🦉"
    assert parsed(data=salon_booking("R-1", 1) | {"notes": notes}).data["notes"] == notes


# --- what does not ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "field", "rule"),
    [
        ([], "body", "must be a JSON object"),
        (None, "body", "must be a JSON object"),
        (event("booking.lost"), "type", "must be one of: "),
        (event(type=["booking.requested"]), "type", "not a valid string"),
        (event(data=[1]), "data", "not a valid mapping type"),
        (event(timestamp="2026-11-20"), "timestamp", "must have a time of day"),
        (event(timestamp="2026-11-20T12:00:00"), "timestamp", "must have a time zone"),
        (event(timestamp="9999-12-31T23:59:59-14:00"), "timestamp", "must be from the year 1970 to 2999"),
        (event(id="ä" * 101), "id", "must have at most 200 bytes in UTF-8"),
        (event(id="a\x00"), "id", "must not hold control characters"),
        (event(data=salon(start="0001-01-01T00:00:00")), "data.services.0.start", "must be from the year 1970"),
        (event(data=salon(start="2027-02-30T10:00:00")), "data.services.0.start", "must be an ISO 8601 date and time"),
        (event(data=salon(price="10")), "data.services.0.price", "must be a number"),
        (event(data=salon(price=True)), "data.services.0.price", "must be a number"),
        (event(data=salon(price=-0.01)), "data.services.0.price", "must be from 0 to 10,000,000"),
        (event(data=salon(price=float("inf"))), "data.services.0.price", "must be a finite number"),
        (event(data=salon(price=float("nan"))), "data.services.0.price", "must be a finite number"),
        (event(data=salon(price=10**400)), "data.services.0.price", "at most 64 bits"),
        (event(data=salon(count=0)), "data.services.0.count", "must be greater than or equal to 1"),
        (event(data=salon(count=1.5)), "data.services.0.count", "not a valid integer"),
        (event(data=salon(count="1")), "data.services.0.count", "not a valid integer"),
        (event(data=salon(service_id=True)), "data.services.0.service_id", "must be a text or a whole number"),
        (event(data=salon(service_id="seven")), "data.services.0.service_id", "must be a whole number"),
        (event(data=salon(service_id="\u0667")), "data.services.0.service_id", "must be a whole number"),
        (event(data=salon_booking("R", 1) | {"services": []}), "data.services", "is required"),
        (event(data=salon_booking("R", 1) | {"services": None}), "data.services", "is required"),
        (event(data=salon_booking("R", 1) | {"client": {"name": ""}}), "data.client.name", "between 1 and 200"),
        (event(data=salon_booking("R", 1) | {"client": {"name": "A", "email": "a@"}}), "data.client.email", "email"),
        (event(data=salon_booking("R", 1) | {"notes": "x" * (MAX_NOTES + 1)}), "data.notes", "longer than"),
        (event(data=salon_booking("R", 1) | {"additional": {"a": "\udc00"}}), "data.additional.a", "surrogate"),
        (event(data=spa_booking("R", 1) | {"member_id": "abc"}), "data.member_id", "must be a whole number"),
        (event("member.updated", {"member_id": ""}), "data.member_id", "must have 1 to 200 characters"),
    ],
)
def test_a_rule_that_is_broken_is_told_with_its_field(body: object, field: str, rule: str) -> None:
    found = problems(body)
    assert list(found) == [field]
    assert rule in found[field]


def test_too_many_services_are_refused() -> None:
    booking = salon_booking("R-1", 1)
    assert "data.services" in problems(event(data=booking | {"services": booking["services"] * (MAX_SERVICES + 1)}))


def test_every_problem_is_told_at_once() -> None:
    body = event(data=salon(start="?", price=-1) | {"venue": "nowhere", "more": 1}, timestamp="?", id=[], extra=1)
    assert set(problems(body)) == {
        "id",
        "timestamp",
        "extra",
        "data.more",
        "data.venue",
        "data.services.0.start",
        "data.services.0.price",
    }


def test_a_peoplevine_service_needs_a_window_and_may_leave_the_rest_open() -> None:
    booking = spa_booking("R-1", 1)
    service = booking["services"][0]
    booking["services"] = [{key: service[key] for key in ("service_id", "start", "end")}]
    assert parsed(data=booking).not_after is not None
    del booking["services"][0]["end"]
    assert list(problems(event(data=booking))) == ["data.services.0.end"]


@pytest.mark.parametrize("status", ["HOLD", "NOT_RECONCILED", "CANCELED", "NO_SHOW", "NO_ENTRY", "CUSTOM_STATUS_27"])
@pytest.mark.parametrize("type_", ["booking.requested", "booking.changed"])
@pytest.mark.parametrize("venue", ["spa", "salon"])
def test_what_is_not_to_be_booked_needs_no_more_than_the_reference(type_: str, venue: str, status: str) -> None:
    found = parsed(type_, {"booking_id": "R-1", "venue": venue, "status": status})
    assert (found.subject, found.data["services"]) == ("R-1", [])


@pytest.mark.parametrize("status", ["BOOKED", "CONFIRMED", "ARRIVED"])
def test_what_is_to_be_booked_must_say_what_and_when_whatever_its_status(status: str) -> None:
    found = problems(event("booking.changed", {"booking_id": "R-1", "venue": "spa", "status": status}))
    assert set(found) == {"data.services", "data.member_id"}


@pytest.mark.parametrize("name", ["Europe/London", "America/Argentina/Buenos_Aires", "UTC"])
def test_a_client_may_have_a_time_zone(name: str) -> None:
    booking = salon_booking("R-1", 1)
    booking["client"]["timezone"] = name
    assert parsed(data=booking).data["client"]["timezone"] == name


@pytest.mark.parametrize("name", ["", "London", "../../etc/passwd", "Europe", "Europe/London\x00", "x" * 65, 1, "ä"])
def test_what_is_no_time_zone_is_refused(name: object) -> None:
    booking = salon_booking("R-1", 1)
    booking["client"]["timezone"] = name
    assert list(problems(event(data=booking))) == ["data.client.timezone"]


@pytest.mark.parametrize("type_", [PULL_TYPE, callback_type("simplybook")])
def test_a_type_of_our_own_is_not_taken_from_a_body(type_: str) -> None:
    assert "must be one of" in problems(event(type_))["type"]


def test_a_booking_that_is_only_a_reason_to_pull_needs_the_reference_and_the_time() -> None:
    found = parse_pull(event("booking.changed", {"booking_id": 7, "services": "?", "more": {"a": nested(20)}}))
    assert (found.type, found.subject) == (PULL_TYPE, "7")
    assert found.data == {"what": "reservations", "booking_id": "7"}
    with pytest.raises(EventInvalid) as caught:
        parse_pull({"type": "booking.changed", "data": {"booking_id": "\ud800"}})
    assert {problem.field for problem in caught.value.problems} == {"timestamp", "data.booking_id"}


# --- labels -----------------------------------------------------------------------------------------------------


def test_labels_of_sevenrooms_and_of_the_account_bring_no_warning() -> None:
    assert label_warnings([*LABELS, "Locker"], ("Locker",)) == ()
    assert label_warnings({"Wine": "red", "Wine preferences": "red"}) == ()


def test_a_label_in_another_case_is_told_with_the_right_one() -> None:
    (told,) = label_warnings(["VIP Client Type"])
    assert told == (
        'data.attributes: the label "VIP Client Type" is spelled "VIP client type" in SevenRooms: '
        "as it is it does not sync"
    )
    assert 'is spelled "Locker No"' in label_warnings([" locker  no "], ("Locker No",))[0]


def test_an_unknown_label_is_told_by_its_place_and_not_shown() -> None:
    assert label_warnings(["Wine", "Ada Lee's secret"]) == (
        "data.attributes: label 2 is no label of this account: it does not sync",
    )


def test_simplybook_needs_a_client_and_peoplevine_a_member() -> None:
    without_client, without_member = salon_booking("R-1", 1), spa_booking("R-1", 1)
    del without_client["client"], without_member["member_id"]
    assert list(problems(event(data=without_client))) == ["data.client"]
    assert list(problems(event(data=without_member))) == ["data.member_id"]


@pytest.mark.parametrize(
    ("start", "end", "rule"),
    [
        ("2027-07-01T10:00:00", "2027-07-01T10:00:00", "must be later than start"),
        ("2027-07-01T10:00:00Z", "2027-07-01T10:30:00+01:00", "must be later than start"),
        ("2027-07-01T10:00:00", "2027-07-01T11:00:00Z", "must have a zone where start has one"),
    ],
)
def test_an_end_is_later_than_its_start_and_told_the_same_way(start: str, end: str, rule: str) -> None:
    assert rule in problems(event(data=salon(start=start, end=end)))["data.services.0.end"]


@pytest.mark.parametrize(
    ("start", "rule"),
    [
        ("2027-03-28T01:30:00", "does not exist in Europe/London"),
        ("2027-10-31T01:30:00", "happens twice in Europe/London"),
    ],
)
def test_a_time_the_clock_change_skips_or_doubles_is_refused(start: str, rule: str) -> None:
    assert rule in problems(event(data=salon(start=start)))["data.services.0.start"]


def test_the_last_minute_before_and_the_first_after_a_clock_change_are_good() -> None:
    for start in ("2027-03-28T00:59:59", "2027-03-28T02:00:00", "2027-10-31T00:59:59", "2027-10-31T02:00:00"):
        parsed(data=salon(start=start))


def nested(depth: int) -> object:
    return [nested(depth - 1)] if depth else 1


def test_free_values_may_be_nested_only_so_deep() -> None:
    parsed("member.updated", {"member_id": 1, "profile": {"a": nested(MAX_DEPTH - 2)}})
    found = problems(event("member.updated", {"member_id": 1, "profile": {"a": nested(MAX_DEPTH - 1)}}))
    assert list(found.values()) == [f"must not be nested deeper than {MAX_DEPTH}"]
    deep: object = 1
    for _ in range(5000):
        deep = [deep]
    problems(event("member.updated", {"member_id": 1, "profile": {"a": deep}}))


def test_no_value_is_told_back() -> None:
    secret = "Ada Lee, 42 Long Acre"
    booking = salon_booking(secret * 20, 1) | {
        "venue": secret,
        "status": secret * 20,
        "client": {"name": secret * 20, "email": secret, "phone": secret * 3},
        "promo_code": secret * 20,
        "services": [{"service_id": [secret], "start": secret, "price": secret, "count": secret}],
    }
    found = problems(event(data=booking))
    assert len(found) >= 10
    assert not [rule for rule in found.values() if "Ada" in rule]


# --- whatever comes ---------------------------------------------------------------------------------------------

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters())
ANY = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4))
MOMENTS = (
    st.datetimes(timezones=st.none() | st.timezones()).map(str)
    | st.text()
    | st.datetimes().map(lambda moment: moment.isoformat())
)
SERVICES = st.fixed_dictionaries(
    {"service_id": st.integers() | st.text(), "start": MOMENTS, "provider_id": st.integers(0, 99)},
    optional={"end": MOMENTS, "price": st.floats() | st.integers(), "count": ANY, "facility_id": st.text()},
)
BOOKINGS = st.fixed_dictionaries(
    {"booking_id": st.text(min_size=1) | st.integers(), "venue": st.sampled_from([*VENUES, "nowhere"])},
    optional={
        "services": st.lists(SERVICES, max_size=3),
        "client": st.fixed_dictionaries({"name": st.text(min_size=1)}),
        "additional": st.dictionaries(st.text(), ANY, max_size=3),
        "notes": st.text(st.characters()),
        "member_id": st.integers() | st.text(),
        "recurring": ANY,
    },
)
BODIES = st.fixed_dictionaries(
    {"type": st.sampled_from(TYPES), "timestamp": MOMENTS, "data": BOOKINGS | ANY}, optional={"id": ANY}
)


@given(BODIES | ANY)
@example(
    event(
        data=salon_booking("R", 1) | {"venue": "tokyo"} | {"services": [{"service_id": 1, "start": "0001-01-01T00:00"}]}
    )
)
@example(event(data=salon(start="9999-12-31T23:59:59") | {"venue": "york"}))
def test_whatever_comes_is_refused_by_rule_or_can_go_all_the_way(body: object) -> None:
    try:
        found = parse(body, VENUES.get)
    except EventInvalid:
        assert "" not in problems(body).values()
        return
    digest = content_hash(found.type, found.time, found.data)
    envelope = Envelope(
        id=found.id or "x",
        source="crm",
        type=found.type,
        subject=found.subject,
        route="members",
        account="club",
        time=found.time,
        received=found.time,
        data=found.data,
        content_hash=digest,
        not_after=found.not_after,
    )
    again = decode(encode(envelope))
    assert again == envelope
    assert content_hash(again.type, again.time, again.data) == digest
    assert len(envelope.message_id.encode()) <= 255
    json.dumps(found.data, allow_nan=False).encode()


@given(MOMENTS, st.sampled_from(sorted(VENUES)))
def test_every_start_that_passes_names_one_moment(start: str, venue: str) -> None:
    booking = salon(start=start, end=None) | {"venue": venue, "member_id": 1}
    try:
        found = parse(event(data=booking), VENUES.get)
    except EventInvalid:
        return
    assert found.not_after == datetime.fromisoformat(found.data["services"][0]["start"])
