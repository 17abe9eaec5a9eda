from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bellhop.schemas.envelope import Envelope, content_hash, decode, encode
from bellhop.schemas.errors import EnvelopeError

AT = datetime(2026, 11, 20, 12, 0, 0, 123456, tzinfo=UTC)
ENVELOPE = Envelope(
    id="msg-1",
    source="crm",
    type="booking.requested",
    subject="R-1",
    route="bookings.simplybook",
    account="salon",
    time=AT,
    received=AT + timedelta(seconds=2),
    data={"booking_id": "R-1", "notes": "Zoë 🦉\n"},
    content_hash="ab" * 32,
    not_after=AT + timedelta(days=1),
    trace={"traceparent": "00-a-b-01"},
    generation=3,
)


def wire(**changes: Any) -> bytes:
    made = json.loads(encode(ENVELOPE)) | changes
    return json.dumps({key: value for key, value in made.items() if value is not ...}).encode()


def test_what_is_written_is_read_again() -> None:
    assert decode(encode(ENVELOPE)) == ENVELOPE


def test_it_reads_like_a_cloud_event() -> None:
    written = json.loads(encode(ENVELOPE))
    assert (written["specversion"], written["datacontenttype"]) == ("1.0", "application/json")
    assert written["time"] == "2026-11-20T12:00:00.123456Z"
    assert {"id", "source", "type", "subject", "data"} <= set(written)
    assert all(name.isalnum() and name.islower() for name in written)  # as CloudEvents asks of attribute names


TEXTS = st.text(min_size=1)
TIMES = st.datetimes(min_value=datetime(2, 1, 1), max_value=datetime(9998, 1, 1), timezones=st.timezones())  # noqa: DTZ001
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)
ENVELOPES = st.builds(
    Envelope,
    id=TEXTS,
    source=TEXTS,
    type=TEXTS,
    subject=TEXTS,
    route=TEXTS,
    account=TEXTS,
    time=TIMES,
    received=TIMES,
    data=st.dictionaries(st.text(), JSON, max_size=4),
    content_hash=TEXTS,
    not_after=st.none() | TIMES,
    trace=st.dictionaries(TEXTS, st.text(), max_size=3),
    generation=st.integers(0, 10**6),
)


@given(ENVELOPES)
def test_any_envelope_survives_the_wire_and_is_then_in_utc(envelope: Envelope) -> None:
    again = decode(encode(envelope))
    # In UTC on both sides: a time that a zone has twice equals no other zone's time (PEP 495).
    assert again == replace(
        envelope,
        time=envelope.time.astimezone(UTC),
        received=envelope.received.astimezone(UTC),
        not_after=envelope.not_after and envelope.not_after.astimezone(UTC),
    )
    assert again.time.tzinfo is UTC
    assert encode(again) == encode(envelope)


@given(st.binary() | JSON.map(lambda value: json.dumps(value).encode()))
def test_any_other_bytes_are_refused_as_no_envelope(body: bytes) -> None:
    with pytest.raises(EnvelopeError):
        decode(body)


KEYS = sorted(json.loads(encode(ENVELOPE)))


@given(st.sampled_from(KEYS), JSON)
def test_an_envelope_with_any_one_value_changed_is_read_or_refused(key: str, value: object) -> None:
    try:
        again = decode(wire(**{key: value}))
    except EnvelopeError as error:
        told = str(error)
    else:
        told = ""
        assert decode(encode(again)) == again
    assert len(told) < 100  # names, no values


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[" * 100_000, "not JSON: nested too deep"),
        (b"[]", "not a JSON object"),
        (wire(bellhopversion=2), "bellhopversion is not 1"),
        (wire(bellhopversion=...), "bellhopversion is not 1"),
        (wire(data=...), "data is not an object"),
        (wire(data=[]), "data is not an object"),
        (wire(data={"a": float("nan")}), "not JSON"),
        (wire(data={"a": "\ud800"}), "not JSON"),
        (wire(trace={"traceparent": 1}), "trace is not"),
        (wire(generation=-1), "generation is not"),
        (wire(generation=True), "generation is not"),
        (wire(id=""), "id is not a text"),
        (wire(subject=5), "subject is not a text"),
        (wire(time="yesterday"), "time is not an ISO 8601 time"),
        (wire(time="2026-11-20T12:00:00"), "time has no time zone"),
        (wire(time="0001-01-01T00:00:00+10:00"), "time is not an ISO 8601 time"),
        (wire(notafter=None), "notafter is not a text"),
        (encode(ENVELOPE).replace(b"R-1", b"\xed\xa0\x80"), "not JSON"),
    ],
)
def test_what_is_wrong_with_it_is_named(body: bytes, told: str) -> None:
    with pytest.raises(EnvelopeError, match=told):
        decode(body)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "\ud800"])
def test_what_could_not_be_read_again_is_not_written(value: object) -> None:
    with pytest.raises(ValueError, match=r"JSON|surrogates"):
        encode(replace(ENVELOPE, data={"a": value}))


def test_older_readers_names_may_be_missing() -> None:
    plain = decode(wire(trace=..., generation=..., notafter=...))
    assert (plain.trace, plain.generation, plain.not_after) == ({}, 0, None)


def test_the_hash_does_not_know_the_order_of_names_nor_the_zone_of_the_time() -> None:
    elsewhere = AT.astimezone(timezone(timedelta(hours=9)))
    assert content_hash("t", AT, {"a": 1, "b": {"c": 2, "d": 3}}) == content_hash(
        "t", elsewhere, {"b": {"d": 3, "c": 2}, "a": 1}
    )


@pytest.mark.parametrize(
    ("type_", "time", "data"),
    [
        ("u", AT, {"a": 1}),
        ("t", AT + timedelta(microseconds=1), {"a": 1}),
        ("t", AT, {"a": "1"}),
        ("t", AT, {"a": [1]}),
    ],
)
def test_the_hash_knows_every_other_difference(type_: str, time: datetime, data: dict[str, Any]) -> None:
    assert content_hash(type_, time, data) != content_hash("t", AT, {"a": 1})


def test_a_replay_is_the_same_event_one_generation_on() -> None:
    again = ENVELOPE.next_generation()
    assert replace(again, generation=3) == ENVELOPE
    assert again.generation == 4
    assert (again.message_id, again.business_key) == (ENVELOPE.message_id, ENVELOPE.business_key)


def test_the_same_fact_has_one_business_key_whatever_its_delivery_id() -> None:
    assert ENVELOPE.business_key == "crm/R-1/booking.requested/2026-11-20T12:00:00.123456Z"
    assert replace(ENVELOPE, id="msg-2").business_key == ENVELOPE.business_key
    assert replace(ENVELOPE, time=AT + timedelta(microseconds=1)).business_key != ENVELOPE.business_key


def test_requests_of_two_guests_are_two_facts_and_no_key_names_a_guest() -> None:
    ada, ben = (
        {"booking_id": "R-1", "client": {"name": name, "email": f"{name}@example.com"}} for name in ("ada", "ben")
    )
    keys = [replace(ENVELOPE, data=data).business_key for data in (ada, ben)]
    assert keys[0] != keys[1]
    assert "ada" not in keys[0]
    changed = [replace(ENVELOPE, type="booking.changed", data=data).business_key for data in (ada, ben)]
    assert changed[0] == changed[1], "a change is of its booking, whoever it names"
