"""What the ingress takes its published schemas take, and what it refuses they refuse: both ways."""

from __future__ import annotations

import copy
import json
from functools import cache
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from bellhop.ingest.documents.events import TYPES, event_schema
from bellhop.ingest.documents.json_schemas import BEYOND
from bellhop.ingest.formats.parts import Receipt
from bellhop.ingest.intake import Intake
from bellhop.schemas import patterns
from bellhop.schemas.errors import EventInvalid
from tests.support import ingress
from tests.support.examples import EXAMPLES

SETTINGS = ingress.settings()
KINDS = {name: facts.kind for name, facts in SETTINGS.venues.items()}
INTAKE = Intake(SETTINGS, SETTINGS.sources["crm"])
RECEIPT = Receipt(ingress.NOW, "unique", "0" * 64, "msg-1")
CANCELLING = [type_ for type_ in TYPES if type_ == "booking.cancelled"]


@cache
def validator(type_: str) -> Draft202012Validator:
    schema = event_schema(type_, KINDS)
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def refusals(body: Any) -> list[str]:
    try:
        INTAKE.read(body, RECEIPT)
    except EventInvalid as error:
        return [f"{problem.field}: {problem.rule}" for problem in error.problems]
    return []


def fits(body: Any) -> bool:
    type_ = body.get("type") if isinstance(body, dict) else None
    return isinstance(type_, str) and type_ in TYPES and validator(type_).is_valid(body)


def only_beyond(refused: list[str]) -> bool:
    return all(any(words in one for words in BEYOND) for one in refused)


def hold(body: Any) -> None:
    refused, is_valid = refusals(body), fits(body)
    if not refused:
        assert is_valid, [error.message for error in validator(body["type"]).iter_errors(body)]
    elif not only_beyond(refused):
        assert not is_valid, refused


# --- bodies: one that is right, with a few things in it put right or wrong -------------------------------------------

ODD: list[Any] = [
    *(None, "", " ", "x", "ä", "x" * 41, "x" * 101, "x" * 201, "x" * 2001, "7", " 7 ", "-7", "7\n", "\u0667", "a\x00"),
    *("\ud800", "a\u200bb", "\u00a0a", 0, 1, 7, -7, 7.0, 1.5, -0.0, 2**64, -(2**64), 2**64 - 1, 1e30, 10_000_000.5),
    *(True, False, [], {}, [{}], {"a": None}, {"a": {"b": [1]}}, {"k" * 201: 1}, {"a\x00": 1}, {"a": 1e30}, [None]),
]
IDS = ["R-1", 7, "7", 7.0, " R ", "x" * 200, "ä" * 100, "😀" * 60]
STARTS = [
    *("2027-05-10T09:15:00", "2027-05-10 09:15", "20270510T0915", "2027-05-10T09:15:00Z", "2027-05-10T09:15+01:00"),
    *("2028-02-29T09:15:00,5Z", "2027-02-29T09:15:00Z", "2027-05-10", "2027-05-10T24:00:00", "1969-12-31T23:00:00Z"),
    *("2027-05-10t09", "2027-05-10T09:15:300", "2027-W19-1T09:15", "3000-01-01T00:00Z", "2027-03-28T01:30:00"),
    *("2027-10-31T01:30:00", " 2027-05-10T09:15:00", "2027-05-10T09:15:00z", "2027-05-10T09:15:00+01:70", 1795818000),
]
ENDS = ["2027-05-10T10:15:00", "2027-05-10T10:15:00Z", "2029-05-10T10:15:00+01:00", "2020-01-01T00:00:00", None]
LASTING = [
    90,
    0.5,
    0,
    -1,
    10080,
    10081,
    "90 min",
    "1h30",
    "PT1H30M",
    "01:30",
    "25:00",
    "8 days",
    "P",
    "",
    "soon",
    " 90 ",
]
EMAILS = [
    *(
        "ada@example.com",
        "ada@localhost",
        "a.b+c@müller.de",
        '"a b"@x.de',
        "ada@[127.0.0.1]",
        "ada@",
        "ada",
        "a@b@c.de",
    ),
    *("ada@example", "ada @example.com", "ada@example.com\n", "a..b@x.de", "ada@-x.de", "x" * 250 + "@x.de", "é@x.de"),
]
STATUSES = [
    *(
        "BOOKED",
        "canceled",
        " CANCELLED ",
        "HOLD",
        "hold",
        "NO_SHOW",
        "CUSTOM_STATUS_27",
        "LEFT_MEßAGE",
        "",
        "confirmed\n",
    ),
]
FIELDS: dict[str, list[Any]] = {
    "booking_id": IDS,
    "replaces": IDS,
    "member_id": [*IDS, 3125141, "3125141", "12a"],
    "venue": ["salon", "spa", "nowhere", "Salon"],
    "status": STATUSES,
    "notes": ["by the window", "x" * 2000],
    "additional": [{"ask": "no"}, {}],
    "promo_code": ["TEN", ""],
    "recurring": [{"days": 7}, {}],
    "profile": [{"first_name": "Ada", "a": [{"b": {"c": 1}}]}],
    "attributes": [{"tier": "gold"}],
    "client": [{"name": "Ada"}, {"name": "Ada", "email": "ada@example.com"}, "Ada"],
    "services": [[], {"service_id": 1}],
    "name": ["Ada"],
    "email": EMAILS,
    "phone": ["+44 20 7946 0000"],
    "timezone": ["Europe/London", "europe/london", "UTC", "Mars/Base", "Europe/../Europe/London"],
    "service_id": IDS,
    "provider_id": ["3", 0, *IDS],
    "facility_id": IDS,
    "start": STARTS,
    "end": ENDS,
    "duration": LASTING,
    "price": [0, 10, 99.5, 10_000_000, -0.01, "10"],
    "count": [1, 2, 2.0, 100, 101, 0],
}
HEADS: dict[str, list[Any]] = {
    "id": ["evt-1", 7, "ä" * 100],
    "type": [*TYPES, "booking.noted"],
    "timestamp": ["2026-11-20T11:59:58Z", "2026-11-20T11:59:58+01:00", *STARTS],
    "data": [{}],
    "event": [{}],
}
SERVICES = [
    {"service_id": "1", "provider_id": "3", "start": "2027-05-10T09:15:00"},
    {"service_id": 2, "start": "2027-05-10T11:15:00Z", "end": "2027-05-10T12:15:00Z"},
    {"service_id": "5", "start": "2027-05-10T12:15:00", "duration": 45},
]
MEMBER = {"member_id": 3125141, "profile": {"first_name": "Ada"}}
SALON = {"booking_id": "R-1", "venue": "salon", "client": {"name": "Ada Lee"}, "services": SERVICES}
SPA = {"booking_id": "R-1", "venue": "spa", "member_id": "3125141", "services": [SERVICES[1], SERVICES[2]]}


@st.composite
def bodies(draw: st.DrawFn) -> Any:
    """A right body with up to four of its fields, however deep, set, taken away or made odd."""
    type_ = draw(st.sampled_from(TYPES))
    data: Any = draw(st.sampled_from([SALON, SPA])) if type_.startswith("booking") else MEMBER
    body: Any = {"type": type_, "timestamp": "2026-11-20T11:59:58Z", "data": copy.deepcopy(data)}
    if type_ == "test" and draw(st.booleans()):
        inner = draw(st.sampled_from([SALON, SPA]))
        body["data"] = {"event": {**body, "type": "booking.requested", "data": copy.deepcopy(inner)}}
    for _ in range(draw(st.integers(0, 4))):
        place = draw(st.sampled_from(places(body)))
        known = HEADS if place is body else FIELDS
        names = [*place, *(known if draw(st.booleans()) else {})] if isinstance(place, dict) else [*range(len(place))]
        if not names:
            continue
        name = draw(st.sampled_from(names))
        values = known.get(name, []) if isinstance(name, str) else SERVICES
        if isinstance(place, dict) and draw(st.integers(0, 5)) == 0:
            place.pop(name, None)
            place.update({"odd": 1} if draw(st.booleans()) else {})
        else:
            place[name] = copy.deepcopy(draw(st.sampled_from(values if values and draw(st.booleans()) else ODD)))
    return body


def places(value: Any) -> list[Any]:
    """Every table and list in it."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    own = [value] if isinstance(value, dict | list) else []
    return own + [place for one in inner for place in places(one)]


@settings(max_examples=2 * EXAMPLES, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(bodies())
@example({"type": "booking.cancelled", "data": {"booking_id": 7.0, "odd": ["\x00"]}, "odd": 1})
@example({"type": "booking.changed", "data": {"booking_id": "R", "status": "Canceled"}})
@example({"type": "booking.cancelled", "data": {"booking_id": "R", "venue": " ", "client": {"name": "a\x00"}}})
@example(
    {
        "type": "member.updated",
        "timestamp": "2026-11-20T11:59:58Z",
        "data": {**MEMBER, "profile": {"a": [[[[[[[1]]]]]]]}},
    }
)
@example(
    {
        "type": "member.updated",
        "timestamp": "2026-11-20T11:59:58Z",
        "data": {**MEMBER, "profile": {"a": [[[[[[[[]]]]]]]]}},
    }
)
def test_a_body_is_taken_where_its_schema_says_so_and_refused_where_not(body: Any) -> None:
    hold(body)


@pytest.mark.parametrize("value", [None, [], "x", 1, {}, {"type": "booking.requested"}, {"type": ["test"]}])
def test_what_is_no_event_at_all_is_refused_by_both(value: Any) -> None:
    assert refusals(value)
    assert not fits(value)


TEXTS = st.text("ab9.-@+_ \n\u00e9\u200b", max_size=20) | st.sampled_from(EMAILS)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(
    st.from_regex(patterns.MOMENT) | TEXTS,
    st.sampled_from(["start", "email", "service_id", "booking_id", "timestamp"]),
)
def test_what_has_the_form_of_a_value_is_taken_or_refused_alike(text: str, name: str) -> None:
    body: Any = {"type": "booking.requested", "timestamp": "2026-11-20T11:59:58Z", "data": copy.deepcopy(SALON)}
    place = {"start": body["data"]["services"][0], "service_id": body["data"]["services"][0], "timestamp": body}
    place |= {"email": body["data"]["client"], "booking_id": body["data"]}
    place[name][name] = text
    hold(body)


@pytest.mark.parametrize("type_", TYPES)
def test_a_schema_is_json_schema_2020_12(type_: str) -> None:
    for kinds in ((), ("peoplevine",), ("simplybook",)):
        schema = event_schema(type_, kinds=kinds)
        Draft202012Validator.check_schema(json.loads(json.dumps(schema)))
        assert schema["$schema"].endswith("2020-12/schema")


def test_what_a_venue_s_vendor_asks_is_in_the_schema_of_its_kind() -> None:
    body = {"type": "booking.requested", "timestamp": "2026-11-20T11:59:58Z", "data": {**SALON, "venue": "any"}}
    general, salon, spa = (
        Draft202012Validator(event_schema("booking.requested", kinds=kinds)).is_valid(body)
        for kinds in ((), ("simplybook",), ("peoplevine",))
    )
    assert (general, salon, spa) == (True, True, False)
