"""The documents at the ingress' public address, and that what it answers and tells is as they say."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker
from openapi_spec_validator import OpenAPIV31SpecValidator

from bellhop.ingest.app import create_app
from bellhop.ingest.documents.answers import RESULT_TYPES, result_schema
from bellhop.ingest.documents.asyncapi import ENVELOPE
from bellhop.ingest.documents.events import TYPES
from bellhop.ingest.documents.published import Documents, published_schemas
from bellhop.ingest.documents.refusals import REFUSALS
from bellhop.ledger.records import Entry, EntryState, describe_entries
from bellhop.schemas.clock import Clock
from bellhop.schemas.envelope import Envelope, decode, encode
from bellhop.schemas.errors import EnvelopeError
from bellhop.schemas.problems import WEBHOOK_PROBLEMS
from bellhop.schemas.results import result
from bellhop.vendors.registry import ROUTES
from bellhop.vendors.settings import build
from tests.support.facts import salon_booking
from tests.support.ingress import DOCUMENT, NOW, MemoryEvents, MemoryPublisher, body, settings, signed

PUBLISHER = MemoryPublisher()
APP = create_app(settings(), PUBLISHER, MemoryEvents(), clock=Clock(now=lambda: NOW)).test_client()


def document(path: str) -> Any:
    answer = APP.get(path)
    assert (answer.status_code, answer.mimetype) == (200, "application/json")
    return answer.get_json()


def is_as_told(name: str, value: Any) -> list[str]:
    told = document("/openapi.json")
    schema = {"$ref": f"#/components/schemas/{name}", "components": told["components"]}
    return [error.message for error in Draft202012Validator(schema).iter_errors(value)]


def test_the_openapi_document_is_valid_and_has_paths_and_webhooks() -> None:
    told = document("/openapi.json")
    OpenAPIV31SpecValidator(told).validate()
    assert {"/webhooks/{source}", "/events/{source}/{id}", "/healthz", "/readyz"} <= set(told["paths"])
    assert set(told["webhooks"]) == set(RESULT_TYPES)


def _nodes(told: Any, way: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(told, dict):
        yield way, told
    for name, one in told.items() if isinstance(told, dict) else enumerate(told) if isinstance(told, list) else ():
        yield from _nodes(one, f"{way}/{name}")


@pytest.mark.parametrize("without", [(), ("venues",), ("venues", "sources", "accounts")], ids=["whole", "few", "bare"])
def test_whatever_the_settings_have_validators_and_generators_take_each_document(without: Sequence[str]) -> None:
    """An enumeration or an alternative of nothing accepts nothing, and ends them."""
    made = Documents(build({key: value for key, value in DOCUMENT.items() if key not in without}))
    OpenAPIV31SpecValidator(json.loads(made.text("openapi.json"))).validate()
    for name in ("openapi.json", "asyncapi.json", *(f"schemas/{one}.json" for one in published_schemas())):
        for way, told in _nodes(json.loads(made.text(name))):
            empty = [key for key in ("enum", "anyOf", "oneOf", "allOf", "pattern") if told.get(key) in ([], "")]
            assert not empty, f"{name}: {way}"
            assert told.get("type") != "array" or "items" in told, f"{name}: {way}"


def test_no_document_holds_a_secret_or_the_name_of_a_source_or_account() -> None:
    text = "".join(APP.get(path).text for path in ("/openapi.json", "/asyncapi.json", "/schemas.json"))
    for word in (*settings().secrets, "crm", "static", "club", "4711", "salon-ltd"):
        assert f'"{word}"' not in text


def test_every_schema_is_at_its_address_and_is_json_schema() -> None:
    listed = document("/schemas.json")["schemas"]
    assert listed == [f"/schemas/{name}.json" for name in published_schemas()]
    for path in listed:
        Draft202012Validator.check_schema(document(path))
    assert {f"/schemas/{type_}.json" for type_ in TYPES} <= set(listed)
    assert APP.get("/schemas/bogus.json").status_code == 404


@pytest.mark.parametrize(
    ("content", "name", "status"),
    [
        (body(), "Accepted", 202),
        (body("booking.requested", {**salon_booking("R", 1), "member_id": "7"}), "Accepted", 202),
        (body("test", {}), "TestedEvent", 202),
        (body("test", {"event": json.loads(body())}), "TestedEvent", 202),
        (body("booking.requested", {}), "WebhookProblem", 422),
        (b"{", "WebhookProblem", 400),
    ],
)
def test_an_answer_is_as_the_document_says(content: bytes, name: str, status: int) -> None:
    answer = APP.post("/webhooks/crm", data=content, headers=signed(content))
    assert answer.status_code == status, answer.text
    assert is_as_told(name, answer.get_json()) == []
    assert str(status) in document("/openapi.json")["paths"]["/webhooks/{source}"]["post"]["responses"]


def test_the_status_of_an_event_is_as_the_document_says() -> None:
    answer = APP.get("/events/crm/msg-1", headers=signed(b""))
    assert answer.status_code == 200
    assert is_as_told("EventStanding", answer.get_json()) == []


def test_each_status_that_refuses_a_webhook_is_in_the_document() -> None:
    told = document("/openapi.json")["paths"]["/webhooks/{source}"]["post"]["responses"]
    assert set(told) == {"200", "202", *map(str, REFUSALS)}
    assert sorted(name for one in REFUSALS.values() for name in one.names) == sorted(
        {*WEBHOOK_PROBLEMS, "method-not-allowed"}
    )


def test_a_test_event_is_checked_and_answered_and_never_queued() -> None:
    before = len(PUBLISHER.published)
    inner = json.loads(body("booking.requested", salon_booking("R-9", 1)))
    good = body("test", {"event": inner})
    answer = APP.post("/webhooks/crm", data=good, headers=signed(good, "msg-9"))
    would_be = {"id": "msg-9", "type": "booking.requested", "subject": "R-9", "warnings": []}
    assert answer.get_json() == {"id": "msg-9", "test": True, "event": would_be}
    inner["data"]["venue"] = "nowhere"
    wrong = body("test", {"event": inner})
    refused = APP.post("/webhooks/crm", data=wrong, headers=signed(wrong)).get_json()
    assert refused["errors"] == [{"field": "data.event.data.venue", "rule": "is not a venue of this Bellhop"}]
    unsigned = APP.post("/webhooks/crm", data=good, headers={"content-type": "application/json"})
    assert unsigned.status_code == 401
    assert len(PUBLISHER.published) == before


# --- results, and the envelope on the queues ----------------------------------------------------------------------


def event(type_: str, **data: Any) -> Envelope:
    at = datetime(2027, 5, 1, tzinfo=UTC)
    return Envelope("e-1", "crm", type_, "R-1", "bookings.simplybook", "salon", at, at, data, "0" * 64)


@pytest.mark.parametrize(
    ("type_", "data", "reason", "told"),
    [
        ("booking.requested", {"venue": "salon"}, "", "booking.confirmed"),
        ("booking.changed", {"status": "CANCELED"}, "", "booking.cancelled"),
        ("booking.requested", {"venue": "salon"}, "rejected", "booking.failed"),
        ("booking.requested", {"venue": "salon"}, "unpaid", "booking.unpaid"),
        ("member.updated", {}, "", "member.synchronised"),
        ("member.updated", {}, "exhausted", "member.failed"),
    ],
)
def test_a_result_is_as_its_schema_says(type_: str, data: dict[str, Any], reason: str, told: str) -> None:
    stands = EntryState.CANCELLED if told == "booking.cancelled" else EntryState.CONFIRMED
    state = EntryState.UNPAID if reason == "unpaid" else stands
    booking = describe_entries([Entry("77", 0, "e-1", state), Entry("76", 0, "e-0", EntryState.CANCELLED)])
    made = result(event(type_, **data), detail="d", reason=reason, booking=booking, warnings=["w"], now=NOW)
    assert made is not None
    assert made.data["type"] == told
    checks = FormatChecker(["date-time"])
    assert [
        one.message
        for one in Draft202012Validator(result_schema(told), format_checker=checks).iter_errors(dict(made.data))
    ] == []
    others = [one for one in RESULT_TYPES if one != told]
    assert not any(Draft202012Validator(result_schema(one)).is_valid(dict(made.data)) for one in others)


def test_an_envelope_is_as_the_asyncapi_document_says() -> None:
    wire = json.loads(encode(event("booking.requested", venue="salon")))
    checks = Draft202012Validator(ENVELOPE)
    assert [error.message for error in checks.iter_errors(wire)] == []
    optional = {"generation", "specversion", "datacontenttype"}  # an older Bellhop's, or of no use to who reads
    for name in set(ENVELOPE["required"]) - optional:
        less = {key: value for key, value in wire.items() if key != name}
        assert not checks.is_valid(less)
        with pytest.raises(EnvelopeError):
            decode(json.dumps(less).encode())


def test_the_asyncapi_document_has_a_channel_for_each_queue() -> None:
    told = document("/asyncapi.json")
    addresses = {one["address"] for one in told["channels"].values()}
    assert {f"bellhop.work.{route}" for route in ROUTES} | {"bellhop.dead", "bellhop.unroutable"} <= addresses
    assert sum(address.startswith("bellhop.retry.") for address in addresses) == len(settings().broker.ladder)
