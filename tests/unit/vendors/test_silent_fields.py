"""Events of every kind, worked to their end with the sandbox beneath: whatever was sent stands in the vendor's call, in
a warning or in a refusal. What is looked for is said here once more, and not taken from the vendors' tables."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bellhop.schemas.errors import EventInvalid
from bellhop.schemas.events import TYPES
from bellhop.schemas.statuses import cancels
from bellhop.vendors.failure import VendorFailure
from bellhop.vendors.fates import OF_EVERY_CANCEL, sent_fields
from bellhop.vendors.outcome import Dead, Recorded
from tests.support.sandboxed import House, SandboxHttp, Worked

LONDON = ZoneInfo("Europe/London")
DAY = datetime(2026, 3, 10, tzinfo=UTC)
CHECKED = ("booking_id", "venue", "status")
"""What decides the call itself: another value is another call."""

Finder = Callable[[Mapping[str, Any], list[Any]], bool]


def local(text: str) -> str:
    at = datetime.fromisoformat(text)
    return f"{at.replace(tzinfo=at.tzinfo or LONDON).astimezone(LONDON):%Y-%m-%d %H:%M:%S}"


def each(name: str, data: Mapping[str, Any]) -> set[Any]:
    return {one[name] for one in data["services"] if one.get(name) not in (None, "")}


def end_of(service: Mapping[str, Any]) -> str:
    if service.get("end"):
        return local(service["end"])
    start = datetime.fromisoformat(local(service["start"]))
    return f"{start + timedelta(minutes=service['duration']):%Y-%m-%d %H:%M:%S}"


def book_client(name: str) -> Finder:
    return lambda data, calls: all(call["params"][4].get(name) == data["client"][name] for call in calls)


def book_additional(values: Callable[[Mapping[str, Any]], list[Any]]) -> Finder:
    return lambda data, calls: all(value in call["params"][5].values() for call in calls for value in values(data))


BOOK: dict[str, Finder] = {
    "client.name": book_client("name"),
    "client.email": book_client("email"),
    "client.phone": book_client("phone"),
    "client.timezone": lambda _data, calls: all("client_time_offset" in call["params"][4] for call in calls),
    "services.service_id": lambda data, calls: each("service_id", data) == {str(c["params"][0]) for c in calls},
    "services.provider_id": lambda data, calls: each("provider_id", data) <= {str(c["params"][1]) for c in calls},
    "services.start": lambda data, calls: (
        {local(one) for one in each("start", data)} == {f"{call['params'][2]} {call['params'][3]}" for call in calls}
    ),
    "services.count": lambda data, calls: max(each("count", data)) == max((p(call, 6) or 1) for call in calls),
    "notes": book_additional(lambda data: [data["notes"]]),
    "additional": book_additional(lambda data: list(data["additional"].values())),
    "promo_code": lambda data, calls: all(c["params"][5]["promocode"]["value"] == data["promo_code"] for c in calls),
    "recurring": lambda data, calls: all(p(call, 8) == data["recurring"] for call in calls),
}


def p(call: Mapping[str, Any], place: int) -> Any:
    return call["params"][place] if place < len(call["params"]) else None


def offer(name: str, theirs: str) -> Finder:
    return lambda data, calls: each(name, data) <= {row[theirs] for call in calls for row in call["offers"]}


def in_window(data: Mapping[str, Any], calls: list[Any]) -> bool:
    windows = {(one["service_id"], local(one["start"]), end_of(one)) for one in data["services"]}
    return all(
        any(
            row["service_id"] == id_ and opens <= local(row["start"]) and local(row["end"]) <= closes
            for call in calls
            for row in call["offers"]
        )
        for id_, opens, closes in windows
    )


CREATE: dict[str, Finder] = {
    "member_id": lambda data, calls: all(str(call["member_id"]) == str(data["member_id"]) for call in calls),
    "notes": lambda data, calls: all(call["notes"] == data["notes"] for call in calls),
    "services.service_id": offer("service_id", "service_id"),
    "services.provider_id": offer("provider_id", "technician_id"),
    "services.facility_id": offer("facility_id", "facility_id"),
    "services.price": offer("price", "price"),
    "services.count": lambda data, _calls: each("count", data) == {1},
    # What is left open is a window, and the offer that is taken lies in it and is told.
    "services.start": in_window,
    "services.end": in_window,
    "services.duration": in_window,
}


MEMBER: dict[str, Finder] = {
    "member_id": lambda data, calls: all(call["member_id"] == str(data["member_id"]) for call in calls)
}
CALLS = {"book": BOOK, "create_service_reservation": CREATE, "sync_member": MEMBER}


def checked(name: str, data: Mapping[str, Any], worked: Worked) -> bool:
    """What is held against the vendor's word, and would have been refused."""
    if name in ("services.end", "services.duration"):
        ends = {end_of(one) for one in data["services"] if one.get("end") or one.get("duration")}
        return ends <= {entry.end for entry in worked.booking.entries}
    is_of_cancel = cancels(worked.event.type, worked.event.data.get("status")) and name in OF_EVERY_CANCEL
    return is_of_cancel or name in CHECKED


def is_told(name: str, warnings: Sequence[str]) -> bool:
    """By its name, that of a line of it, or of the whole that it is a part of."""
    outer, _, inner = name.replace("duration", "end").partition(".")
    return any(
        re.search(rf"\bdata\.({re.escape(outer)}(\.\d+)?\.{inner}|{re.escape(outer)})[,:]", f"{line},")
        if inner
        else re.search(rf"\bdata\.{outer}[,:]", line)
        for line in warnings
    )


def proof(name: str, data: Mapping[str, Any], worked: Worked, http: SandboxHttp) -> str:
    """Where the field is found, "" where it is silent."""
    for method, finders in CALLS.items():
        calls = [{**sent, "params": sent.get("params", ())} for sent in http.of(method)]
        if calls and name in finders and finders[name](data, calls):
            return "carried"
    if is_told(name, worked.warnings):
        return "warned of"
    return "checked" if checked(name, data, worked) else ""


# --- events -------------------------------------------------------------------------------------------------------


@st.composite
def services(draw: st.DrawFn, salon: bool) -> Iterator[dict[str, Any]]:
    ids = {"7": 15, "1": 30, "12": 45} if salon else {"7": 15, "24422569": 60}
    made = []
    for line in range(draw(st.integers(1, 2))):
        id_ = draw(st.sampled_from(["7", "1"] * 4 + ["12"] if salon else sorted(ids)))
        start = DAY + timedelta(hours=9 + 3 * line, minutes=15 * draw(st.integers(0, 3)))
        one: dict[str, Any] = {"service_id": id_, "start": start.strftime("%Y-%m-%dT%H:%M:%S")}
        minutes = ids[id_] + draw(st.sampled_from([0] * 7 + [15] if salon else [0, 0, 60]))
        span = draw(st.sampled_from(["end", "duration", "none"] if salon else ["end", "end", "duration"]))
        if span == "end":
            one["end"] = (start + timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%S")
        elif span == "duration":
            one["duration"] = minutes
        more: dict[str, Any] = {
            "provider_id": st.sampled_from(["65", "3", "4"] if salon else ["100", "101"]),
            "facility_id": st.just("24422054"),
            "price": st.sampled_from([0, 12.5, 100.0]),
            "count": st.integers(1, 2) if draw(st.booleans()) else st.just(1),
        }
        one |= {name: draw(value) for name, value in more.items() if draw(st.integers(0, 3))}
        made.append(one)
    return made  # type: ignore[return-value]


@st.composite
def events(draw: st.DrawFn, type_: str, kind: str) -> Any:
    member = draw(st.integers(1000, 1999))
    if type_.startswith("member."):
        more = {"profile": {"name": "Ada Lee", "vip": True}, "attributes": {"Wine": "red"}}
        return {"member_id": member} | {name: value for name, value in more.items() if draw(st.booleans())}
    salon = kind == "simplybook"
    client = {"name": "Ada Lee", "email": "ada@example.test", "phone": "+442071234567", "timezone": "Europe/Paris"}
    some = {
        "member_id": member,
        "client": {name: value for name, value in client.items() if name == "name" or draw(st.integers(0, 9))},
        "status": draw(st.sampled_from(["BOOKED", "CONFIRMED", "HOLD", "CUSTOM_STATUS_27", "CANCELED", "PAID"])),
        "notes": draw(st.sampled_from(["no nuts, please", "by the window"])),
        "additional": draw(st.sampled_from([{"Sauna": "hot"}, {"Sauna": "hot"}, {"select": "two", "digits": "12"}])),
        "promo_code": draw(st.sampled_from(["WELCOME", "WELCOME", "NOSUCHCODE"])),
        "recurring": {"every": "week"},
    }
    rare = ("recurring", "additional", "promo_code")
    usual = ("client",) if salon else ("member_id",)
    odds = {**dict.fromkeys(some, 1), **dict.fromkeys(usual, 7), **dict.fromkeys(rare, 0)}
    kept = {name: value for name, value in some.items() if draw(st.integers(0, 8 if name in rare else 2)) <= odds[name]}
    if type_ != "booking.cancelled" or draw(st.booleans()):
        kept["services"] = draw(services(salon))
    return {"booking_id": "R-1", "venue": "salon" if salon else "spa", **kept}


def before(type_: str, data: Mapping[str, Any]) -> dict[str, Any] | None:
    """A booking that a change or cancel is of."""
    if type_ not in ("booking.changed", "booking.cancelled"):
        return None
    start = (DAY + timedelta(hours=20)).strftime("%Y-%m-%dT%H:%M:%S")
    service = {"service_id": "7", "provider_id": "3", "start": start}
    if data["venue"] == "salon":
        client = data.get("client") or {"name": "Ada Lee", "email": "ada@example.test"}
        return {"booking_id": "R-1", "venue": "salon", "client": client, "services": [service]}
    end = (DAY + timedelta(hours=20, minutes=15)).strftime("%Y-%m-%dT%H:%M:%S")
    spa = {**service, "provider_id": "100", "facility_id": "24422054", "end": end, "price": 100.0}
    return {"booking_id": "R-1", "venue": "spa", "member_id": data.get("member_id", 1000), "services": [spa]}


@cache
def house_with(notes_field: str) -> House:
    return House(salon={"notes_field": notes_field})


def outcome_of(type_: str, data: Mapping[str, Any], notes_field: str) -> Counter[str]:
    """How each field that was sent was found again. Fails where one is silent."""
    house, sent = house_with(notes_field), sent_fields(data)
    house.http.reset()
    first = before(type_, data)
    booking = house.post("booking.requested", first, id_="e-0").booking if first else None
    house.http.sent.clear()
    try:
        event = house.take(type_, data)
    except EventInvalid:
        return Counter({"refused at the post": len(sent)})
    try:
        worked = house.work(event, booking)
    except VendorFailure:
        return Counter({"refused by the vendor": len(sent)})
    if isinstance(worked.outcome, Dead):
        assert worked.outcome.error
        return Counter({"in front of a person": len(sent)})
    if isinstance(worked.outcome, Recorded):
        assert "recorded" in worked.outcome.detail or "waits" in worked.outcome.detail
        return Counter({"recorded": len(sent)})
    found = {name: proof(name, data, worked, house.http) for name in sent}
    silent = [name for name, where in found.items() if not where]
    assert not silent, f"{type_} {data}: {silent} stand in no call, no warning and no refusal"
    assert set(event.warnings) <= set(worked.warnings), "the history and the result have what the answer said"
    return Counter(found.values())


SEEN: Counter[str] = Counter()


CASES = [
    *((type_, "peoplevine", "") for type_ in TYPES),
    *((type_, "simplybook", field) for type_ in TYPES if type_.startswith("booking.") for field in ("", "textarea")),
]


@pytest.mark.parametrize(("type_", "kind", "notes_field"), CASES)
def test_what_was_sent_stands_in_a_call_in_a_warning_or_in_a_refusal(type_: str, kind: str, notes_field: str) -> None:
    seen: Counter[str] = Counter()

    @settings(max_examples=40, derandomize=True, deadline=None)
    @given(events(type_, kind))
    def examples(data: Mapping[str, Any]) -> None:
        seen.update({"events": 1} | outcome_of(type_, data, notes_field))

    examples()
    assert seen["events"] > 0
    SEEN.update(seen)
    print(f"{type_} at {kind}: {dict(seen)}")  # the figures, with -s


def test_every_way_of_being_told_was_taken() -> None:
    """Else the property above would prove little."""
    if not SEEN:
        pytest.skip("the property has not run beside this")
    print(f"all: {dict(SEEN)}")
    for way in ("carried", "checked", "warned of", "refused at the post", "in front of a person", "recorded"):
        assert SEEN[way], way
