"""A source that posts what nobody here knows: refused, or taken with a word, as its settings say."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from bellhop.ingest.formats.parts import Receipt
from bellhop.ingest.intake import Intake
from bellhop.schemas.envelope import Envelope
from bellhop.schemas.errors import EventInvalid
from bellhop.schemas.events import UNKNOWN_TYPE
from bellhop.vendors.settings import build
from tests.support import ingress
from tests.support.facts import salon_booking

BEARER = {"verifier": "bearer", "secrets": ["a-secret-of-twenty-characters"]}
SOURCES: dict[str, dict[str, Any]] = {
    "ours": {},
    "sevenrooms": {"format": "sevenrooms"},
    "mapped": {"format": "mapped", "map": {"type": {"path": "kind", "values": {"new": "booking.requested"}}}},
    "listed": {"format": "mapped", "map": {"type": "kind", "data.booking_id": "ref"}},
}
AT = "2026-11-20T11:59:58Z"


def read(source: str, body: object, *, unknown: str = "warn") -> Envelope:
    document = copy.deepcopy(ingress.DOCUMENT)
    document["sources"] = {source: {**BEARER, **SOURCES[source], "unknown": unknown}}
    settings = build(document)
    receipt = Receipt(ingress.NOW, "unique", "0" * 64, "msg-1")
    (made,) = Intake(settings, settings.sources[source]).read(body, receipt)
    assert isinstance(made, Envelope)
    return made


def test_a_field_that_events_do_not_have_is_left_out_and_told_wherever_it_stands() -> None:
    known = salon_booking("R-1", 1)
    data = copy.deepcopy(known) | {"table": 7}
    data["client"]["vip"] = True
    data["services"][0]["room"] = None
    body = {"type": "booking.requested", "timestamp": AT, "data": data, "version": 2}
    made = read("ours", body)
    told = [f"{name}: is unknown: left out" for name in ("version", "data.table", "data.client.vip")]
    assert list(made.warnings) == [*told, "data.services.0.room: is unknown: left out"]
    assert made.data == read("ours", {"type": "booking.requested", "timestamp": AT, "data": known}).data
    with pytest.raises(EventInvalid, match="unknown field"):
        read("ours", body, unknown="refuse")


@pytest.mark.parametrize(
    ("source", "body"),
    [
        ("ours", {"type": "booking.noted", "timestamp": AT, "data": {"booking_id": "R-1"}}),
        ("ours", {"type": "guest.merged"}),
        ("sevenrooms", {"event_type": "moved", "entity_type": "reservation", "entity": {"id": "R-1"}}),
        ("mapped", {"kind": "seated"}),
        ("listed", {"kind": "seated", "ref": "R-1"}),
        ("listed", [{"kind": "seated", "ref": "R-1"}]),
    ],
)
def test_an_event_of_a_type_that_nobody_knows_is_kept_apart_from_all_bookings(source: str, body: Any) -> None:
    made = read(source, body)
    assert (made.type, made.account) == (UNKNOWN_TYPE, "")
    assert made.subject == f"unknown/{made.id}"
    assert made.warnings == ("type: is unknown here: kept as recorded, nothing is called",)
    with pytest.raises(EventInvalid):
        read(source, body, unknown="refuse")


@pytest.mark.parametrize(
    "body", [{"timestamp": AT, "data": {}}, {"type": 7}, {"type": "booking.requested", "timestamp": AT, "data": {}}, []]
)
def test_what_is_wrong_otherwise_is_refused_as_ever(body: object) -> None:
    with pytest.raises(EventInvalid):
        read("ours", body)
