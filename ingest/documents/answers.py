"""What the ingress answers, and what a source's `result_url` is told, as JSON Schema; made of marshmallow's schemas."""

from __future__ import annotations

from typing import Any, Final

from apispec.ext.marshmallow.openapi import OpenAPIConverter
from marshmallow import EXCLUDE, Schema, fields, validate

from bellhop.ingest.documents.json_schemas import JsonSchema
from bellhop.ledger.records import EntryState, State
from bellhop.schemas.reasons import Reason

RESULT_TYPES: Final = (
    *("booking.confirmed", "booking.cancelled", "booking.failed", "booking.unpaid"),
    *("member.synchronised", "member.failed"),
)
_WITH_REASON: Final = ("booking.failed", "booking.unpaid", "member.failed")


class _Answer(Schema):
    class Meta:
        unknown = EXCLUDE  # whoever reads an answer is to bear what later versions add to it


def _must(kind: type[fields.Field[Any]], **kwargs: Any) -> fields.Field[Any]:
    return kind(required=True, **kwargs)


def _time(**kwargs: Any) -> fields.String:
    return fields.String(required=True, metadata={"format": "date-time"}, **kwargs)


def _texts(**kwargs: Any) -> fields.List[Any]:
    return fields.List(fields.String(), **kwargs)


class BrokenRule(_Answer):
    field = _must(fields.String, metadata={"description": "A dotted path, such as data.services.0.start."})
    rule = _must(fields.String)


class WebhookProblem(_Answer):
    type = _must(fields.String, metadata={"format": "uri"})
    title = _must(fields.String)
    status = _must(fields.Integer)
    detail = _must(fields.String)
    instance = _must(fields.String)
    errors = fields.List(fields.Nested(BrokenRule))
    events = fields.List(
        fields.Dict(),
        metadata={"description": "Of a list: what became of each, in its order; errors of what is refused."},
    )


class Accepted(_Answer):
    id = _must(fields.String, metadata={"description": "By which its end is told, and its status asked for."})
    status_url = _must(fields.String)
    warnings = _texts(metadata={"description": "What of it will not be at the vendor as it was sent."})


class IgnoredEvent(_Answer):
    ignored = _must(fields.String, metadata={"description": "Why nothing is done with it."})


class WouldBe(_Answer):
    id = fields.String()
    type = fields.String()
    subject = fields.String()
    warnings = _texts()
    ignored = fields.String()


class TestedEvent(_Answer):
    id = _must(fields.String)
    test = _must(fields.Boolean, validate=validate.Equal(True))
    event = fields.Nested(WouldBe, metadata={"description": "What the event in its data would have become."})


class ProbeAnswer(_Answer):
    source = _must(fields.String)
    accepts = _must(fields.String)


class VendorBooking(_Answer):
    id = _must(fields.String)
    state = _must(fields.String, validate=validate.OneOf([one.value for one in EntryState]))
    service = _must(fields.Integer, metadata={"description": "The index of the event's service."})
    made_by = _must(fields.String)
    cancelled_by = _must(fields.String, allow_none=True)


class _Entries(_Answer):
    vendor_ids = _texts(metadata={"description": "The vendor's ids of what stands."})
    cancelled_ids = _texts(metadata={"description": "Of what stood once."})
    vendor_bookings = fields.List(fields.Nested(VendorBooking))
    unpaid_until = fields.String(allow_none=True, metadata={"format": "date-time"})


class AttemptMade(_Answer):
    method = _must(fields.String)
    started = _time()
    seconds = _must(fields.Float)
    outcome = _must(fields.String)
    error = _must(fields.String)


class EventStanding(_Entries):
    id = _must(fields.String)
    source = _must(fields.String)
    state = _must(fields.String, validate=validate.OneOf(["pending", *(one.value for one in State)]))
    detail = _must(fields.String)
    next_at = _time(allow_none=True)
    attempts = fields.List(fields.Nested(AttemptMade), required=True)
    type = fields.String()
    reason = fields.String(metadata={"description": "Of a dead letter; empty where it is none."})
    received = fields.String(metadata={"format": "date-time"})
    updated = fields.String(metadata={"format": "date-time"})


class _BookingEnd(_Entries):
    event_id = _must(fields.String)
    booking_id = _must(fields.String)
    venue = _must(fields.String)
    detail = _must(fields.String)
    warnings = _texts()


class _MemberEnd(_Answer):
    event_id = _must(fields.String)
    member_id = _must(fields.String)
    detail = _must(fields.String)
    warnings = _texts()


def answer_schema(schema: type[Schema]) -> JsonSchema:
    converter = OpenAPIConverter("3.1.0", lambda _schema: None, None)  # type: ignore[arg-type]  # None: all inline
    made: JsonSchema = converter.schema2jsonschema(schema())  # type: ignore[no-untyped-call]
    return made


def result_schema(type_: str) -> JsonSchema:
    """Of the body that is posted to a `result_url`."""
    data = answer_schema(_MemberEnd if type_.startswith("member.") else _BookingEnd)
    if type_ in _WITH_REASON:
        reasons = ["unpaid"] if type_ == "booking.unpaid" else [one.value for one in Reason if one is not Reason.UNPAID]
        data["properties"]["reason"] = {"type": "string", "enum": reasons}
        data["required"].append("reason")
    properties = {
        "type": {"type": "string", "const": type_},
        "timestamp": {"type": "string", "format": "date-time"},
        "data": data,
    }
    return {"type": "object", "required": [*properties], "properties": properties}
