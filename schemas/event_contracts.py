"""The contracts of events as marshmallow's schemas: what a body may hold. `schemas.events` reads by them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from marshmallow import EXCLUDE, Schema, ValidationError, fields, validate, validates_schema

from bellhop.schemas.contract import (
    Count,
    DeliveryId,
    EmailAddress,
    Identifier,
    Moment,
    Price,
    Strict,
    TimeSpan,
    ZoneName,
    short_text,
)

MEMBER_TYPES: Final = ("member.created", "member.updated")
BOOKING_TYPES: Final = ("booking.requested", "booking.changed", "booking.cancelled")
TYPES: Final = MEMBER_TYPES + BOOKING_TYPES
"""What a body may say. A wish to pull, and a vendor's own callback, are Bellhop's own types: made at the ingress, never
taken from a body."""

TEST_TYPE: Final = "test"
"""Of a body that is verified, checked and answered, and goes nowhere."""

PULL_TYPE: Final = "pull.requested"
UNKNOWN_TYPE: Final = "unknown.noted"
"""Of what a source posts under a type of its own that nobody here knows, where it says that such are kept."""


def callback_type(kind: str) -> str:
    """The type of what a vendor itself posts."""
    return f"{kind}.callback"


MAX_NAME: Final = 200
MAX_NOTES: Final = 2000
MAX_PHONE: Final = 40
MAX_SERVICES: Final = 20


class _Client(Strict):
    name = fields.String(required=True, validate=validate.Length(min=1, max=MAX_NAME))
    email = EmailAddress()
    phone = short_text(MAX_PHONE)
    timezone = ZoneName()


class _Service(Strict):
    service_id = Identifier(required=True)
    provider_id = Identifier()
    facility_id = Identifier()
    start = Moment(required=True)
    end = Moment()
    duration = TimeSpan()  # becomes the end
    price = Price()
    count = Count(load_default=1)


class _Member(Strict):
    member_id = Identifier(required=True)
    profile = fields.Dict()
    attributes = fields.Dict()


class _Booking(Strict):
    booking_id = Identifier(required=True)
    replaces = Identifier()
    venue = fields.String(required=True, validate=validate.Length(min=1, max=100))
    status = short_text(100)
    member_id = Identifier()
    client = fields.Nested(_Client)
    notes = short_text(MAX_NOTES)
    services = fields.List(fields.Nested(_Service), validate=validate.Length(max=MAX_SERVICES), load_default=list)
    additional = fields.Dict(keys=fields.String(validate=validate.Length(max=200)))
    promo_code = short_text(100)
    recurring = fields.Dict()

    @validates_schema(skip_on_field_errors=True)
    def _ends_after_start(self, data: Mapping[str, Any], **kwargs: Any) -> None:
        for index, service in enumerate(data["services"]):
            start, end = service["start"], service.get("end")
            if end is None:
                continue
            if "duration" in service:
                raise ValidationError({"services": {index: {"duration": ["must be left out where end is given"]}}})
            if (start.tzinfo is None) != (end.tzinfo is None):
                raise ValidationError(
                    {"services": {index: {"end": ["must have a zone where start has one, and none where not"]}}}
                )
            if end <= start:
                raise ValidationError({"services": {index: {"end": ["must be later than start"]}}})


class _Cancel(_Booking):
    venue = fields.String(validate=validate.Length(min=1, max=100))


class _Reference(Schema):
    """A booking by its reference alone, whatever else is told of it."""

    class Meta:
        unknown = EXCLUDE

    booking_id = Identifier(required=True)


class _Body(Strict):
    error_messages = {"type": "must be a JSON object"}  # noqa: RUF012  # marshmallow's own way to say so

    id = DeliveryId()
    type = fields.String(required=True, validate=validate.OneOf(TYPES))
    timestamp = Moment(required=True)
    data = fields.Dict(required=True)


class _Test(_Body):
    """An event of type `test`. Its data may hold an `event`, which is checked as if it had been posted."""

    type = fields.String(required=True, validate=validate.Equal(TEST_TYPE))


BODY: Final = _Body()
TEST: Final = _Test()
MEMBER: Final = _Member()
BOOKING: Final = _Booking()
CLIENT: Final = _Client()
SERVICE: Final = _Service()
CANCEL: Final = _Cancel()
REFERENCE: Final = _Reference()

MEMBER_FIELDS: Final = frozenset(MEMBER.fields)
BOOKING_FIELDS: Final = frozenset(BOOKING.fields)
DATA_FIELDS: Final[Mapping[str, frozenset[str]]] = {
    "": MEMBER_FIELDS | BOOKING_FIELDS,
    "client": frozenset(_Client().fields),
    "services": frozenset(_Service().fields),
}
"""The names `data` may have, and those of its client and of each service."""
