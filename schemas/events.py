"""The event contracts: what a webhook's body may say, checked once at the ingress.

A body is `{"type", "timestamp", "data"}`, Standard Webhooks style, with an optional `id`. Everything that breaks a
rule is told at once, as dotted field and rule. What passes is normalised: ids are strings, times are aware.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from marshmallow import RAISE, Schema, ValidationError, fields, pre_load, validate, validates_schema

from schemas.errors import EventInvalid, FieldProblem

MEMBER_TYPES: Final = ("member.created", "member.updated")
BOOKING_TYPES: Final = ("booking.requested", "booking.changed", "booking.cancelled")
TYPES: Final = MEMBER_TYPES + BOOKING_TYPES

MAX_ID: Final = 200
MAX_NOTES: Final = 2000
MAX_SERVICES: Final = 20
MAX_DEPTH: Final = 10
MAX_KEY: Final = 200
_YEARS: Final = range(1970, 3000)
_UNSTORABLE: Final = re.compile("[\x00\ud800-\udfff]")


class _Identifier(fields.Field[str]):
    """An id that systems write as text or as a whole number; kept as text."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise ValidationError("must be a text or a whole number")
        if isinstance(value, int) and abs(value) >= 10**18:
            raise ValidationError("must have at most 18 digits")
        text = str(value).strip()
        if not 1 <= len(text) <= MAX_ID:
            raise ValidationError(f"must have 1 to {MAX_ID} characters")
        if not text.isprintable():
            raise ValidationError("must not hold control characters")
        return text


class _DeliveryId(_Identifier):
    """An id that becomes part of a message's id on the broker, which counts bytes (see `Envelope.message_id`)."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        if len(text.encode()) > MAX_ID:
            raise ValidationError(f"must have at most {MAX_ID} bytes in UTF-8")
        return text


class _Moment(fields.Field[datetime]):
    """An ISO 8601 date and time, with or without a zone."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> datetime:
        if not isinstance(value, str) or len(value) > 40:
            raise ValidationError("must be an ISO 8601 date and time")
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            raise ValidationError("must be an ISO 8601 date and time") from None
        if "T" not in value.upper() and " " not in value:
            raise ValidationError("must have a time of day")
        if moment.year not in _YEARS:  # at the calendar's ends, going to UTC overflows
            raise ValidationError(f"must be from the year {_YEARS.start} to {_YEARS.stop - 1}")
        return moment


class _Price(fields.Field[float]):
    """A money amount in the account's currency, 0 to 10,000,000."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValidationError("must be a number")
        if isinstance(value, float) and not math.isfinite(value):
            raise ValidationError("must be a finite number")
        if not 0 <= value <= 10_000_000:
            raise ValidationError("must be from 0 to 10,000,000")
        return float(value)


def _text(maximum: int, **kwargs: Any) -> fields.String:
    return fields.String(validate=validate.Length(max=maximum), **kwargs)


class _Strict(Schema):
    class Meta:
        unknown = RAISE


class _Client(_Strict):
    name = fields.String(required=True, validate=validate.Length(min=1, max=200))
    email = fields.Email(validate=validate.Length(max=254))
    phone = _text(40)


class _Service(_Strict):
    service_id = _Identifier(required=True)
    provider_id = _Identifier()
    facility_id = _Identifier()
    start = _Moment(required=True)
    end = _Moment()
    price = _Price()
    count = fields.Integer(strict=True, validate=validate.Range(min=1, max=100), load_default=1)


class _Member(_Strict):
    member_id = _Identifier(required=True)
    profile = fields.Dict(keys=fields.String())
    attributes = fields.Dict(keys=fields.String())


class _Booking(_Strict):
    booking_id = _Identifier(required=True)
    venue = fields.String(required=True, validate=validate.Length(min=1, max=100))
    status = _text(100)
    member_id = _Identifier()
    client = fields.Nested(_Client)
    notes = _text(MAX_NOTES)
    services = fields.List(fields.Nested(_Service), validate=validate.Length(max=MAX_SERVICES), load_default=list)
    additional = fields.Dict(keys=fields.String(validate=validate.Length(max=200)))
    promo_code = _text(100)
    recurring = fields.Dict(keys=fields.String())

    @validates_schema(skip_on_field_errors=True)
    def _ends_after_start(self, data: Mapping[str, Any], **kwargs: Any) -> None:
        for index, service in enumerate(data["services"]):
            start, end = service["start"], service.get("end")
            if end is None:
                continue
            if (start.tzinfo is None) != (end.tzinfo is None):
                raise ValidationError(
                    {"services": {index: {"end": ["must have a zone where start has one, and none where not"]}}}
                )
            if end <= start:
                raise ValidationError({"services": {index: {"end": ["must be later than start"]}}})


class _Body(_Strict):
    id = _DeliveryId()
    type = fields.String(required=True, validate=validate.OneOf(TYPES))
    timestamp = _Moment(required=True)
    data = fields.Dict(required=True)

    @pre_load
    def _object(self, body: Any, **kwargs: Any) -> Any:
        if not isinstance(body, dict):
            raise ValidationError("must be a JSON object")
        return body


_BODY: Final = _Body()
_MEMBER: Final = _Member()
_BOOKING: Final = _Booking()


@dataclass(frozen=True, slots=True)
class VenueFacts:
    """What the contracts must know of a venue: its name, its account and that account's kind, and its zone."""

    name: str
    account: str
    kind: str
    zone: ZoneInfo


@dataclass(frozen=True, slots=True)
class Parsed:
    """A webhook's content, valid and normalised. `data` is plain JSON; all times in it carry an offset.

    account and kind are those of the booking's venue, "" for member events. not_after: the first start, UTC.
    """

    id: str | None
    type: str
    time: datetime
    subject: str
    data: dict[str, Any]
    account: str
    kind: str
    not_after: datetime | None


def parse(body: object, venue: Callable[[str], VenueFacts | None]) -> Parsed:
    """Checks a decoded body against its contract. `venue` looks a venue up by name.

    Raises EventInvalid with every problem found; what only makes sense of a well-formed booking (the account kind's
    needs, the venue's clock) is looked at when nothing else is wrong with its data.
    """
    head, problems = _load(_BODY, body, "")
    time: datetime | None = head.get("timestamp")
    if time is not None and time.tzinfo is None:
        problems.append(FieldProblem("timestamp", "must have a time zone"))
    type_: str = head.get("type", "")
    data: dict[str, Any] = {}
    facts: VenueFacts | None = None
    if type_ and "data" in head:
        data, facts, wrong = _data(type_, head["data"], venue)
        problems += wrong
    if problems or time is None:
        raise EventInvalid(tuple(problems))
    subject: str = data["member_id"] if type_ in MEMBER_TYPES else data["booking_id"]
    first = _starts_at(data)
    account, kind = (facts.account, facts.kind) if facts else ("", "")
    return Parsed(head.get("id"), type_, time.astimezone(UTC), subject, data, account, kind, first)


def _data(
    type_: str, value: Mapping[str, Any], venue: Callable[[str], VenueFacts | None]
) -> tuple[dict[str, Any], VenueFacts | None, list[FieldProblem]]:
    """The event's data, normalised but for its services' times; its venue; and what is wrong with it."""
    unfit = list(_unfit(value, "data", 1))
    if unfit:  # first of all, as nothing else may be told of, or stored from, such a value
        return {}, None, unfit
    if type_ in MEMBER_TYPES:
        member, problems = _load(_MEMBER, value, "data")
        return member, None, problems
    booking, problems = _load(_BOOKING, value, "data")
    facts = venue(booking["venue"]) if "venue" in booking else None
    if facts is None and "venue" in booking:
        problems.append(FieldProblem("data.venue", "is not a venue of this Bellhop"))
    if facts is not None and not problems:
        problems = _zoned(booking, facts.zone) or _required(type_, booking, facts.kind)
    return booking, facts, problems


def _starts_at(data: Mapping[str, Any]) -> datetime | None:
    """The first start, UTC; and every time of the services becomes text."""
    starts = []
    for service in data.get("services", ()):
        starts.append(service["start"].astimezone(UTC))
        for key in ("start", "end"):
            if key in service:
                service[key] = service[key].isoformat()
    return min(starts, default=None)


def _unfit(value: object, path: str, depth: int) -> Iterator[FieldProblem]:
    """What JSON can say and the way behind the ingress cannot carry: PostgreSQL stores no NUL, UTF-8 has no half of
    a surrogate pair, JSON has no infinity (1e999 reads as one), and a deep value overflows the next reader's stack."""
    if isinstance(value, str):
        if _UNSTORABLE.search(value):
            yield FieldProblem(path, "must not hold NUL or half of a surrogate pair")
    elif isinstance(value, Mapping | list):
        if depth > MAX_DEPTH:
            yield FieldProblem(path, f"must not be nested deeper than {MAX_DEPTH}")
            return
        if isinstance(value, list):
            for index, item in enumerate(value):
                yield from _unfit(item, f"{path}.{index}", depth + 1)
            return
        for key, item in value.items():
            if len(key) > MAX_KEY or _UNSTORABLE.search(key):
                yield FieldProblem(path, f"must have names of at most {MAX_KEY} characters without NUL")
            else:
                yield from _unfit(item, f"{path}.{key}", depth + 1)
    elif isinstance(value, float):
        if not math.isfinite(value):
            yield FieldProblem(path, "must be a finite number")
    elif isinstance(value, int) and abs(value) >= 10**18:
        yield FieldProblem(path, "must have at most 18 digits")


def _zoned(booking: Mapping[str, Any], zone: ZoneInfo) -> list[FieldProblem]:
    """Gives every venue-local time its offset; tells those that the clock change makes impossible or ambiguous."""
    problems: list[FieldProblem] = []
    for index, service in enumerate(booking["services"]):
        for key in ("start", "end"):
            moment: datetime | None = service.get(key)
            if moment is None or moment.tzinfo is not None:
                continue
            field = f"data.services.{index}.{key}"
            early, late = moment.replace(tzinfo=zone, fold=0), moment.replace(tzinfo=zone, fold=1)
            if early.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != moment:
                problems.append(FieldProblem(field, f"does not exist in {zone.key}: the clock skips it"))
            elif early.utcoffset() != late.utcoffset():
                problems.append(FieldProblem(field, f"happens twice in {zone.key}: give it with its offset"))
            service[key] = early
    return problems


def _required(type_: str, booking: Mapping[str, Any], kind: str) -> list[FieldProblem]:
    """What an account's kind needs beyond the contract. A cancel needs no more than the reference."""
    if type_ == "booking.cancelled":
        return []
    problems = []

    def need(present: object, field: str, why: str) -> None:
        if not present:
            problems.append(FieldProblem(field, f"is required: {why}"))

    need(booking["services"], "data.services", "what is booked, and when")
    if kind == "peoplevine":
        member = booking.get("member_id", "")
        need(member, "data.member_id", "Peoplevine books for a member")
        if member and not (member.isascii() and member.isdigit()):
            problems.append(FieldProblem("data.member_id", "must be a whole number: Peoplevine's member id"))
    if kind == "simplybook":
        need(booking.get("client"), "data.client", "SimplyBook.me books for a client")
    for index, service in enumerate(booking["services"]):
        at = f"data.services.{index}"
        if kind == "peoplevine":
            for key in ("provider_id", "facility_id", "end", "price"):
                need(key in service, f"{at}.{key}", "a Peoplevine offer has it")
        if kind == "simplybook":
            need("provider_id" in service, f"{at}.provider_id", "SimplyBook.me books one provider")
            for key in ("service_id", "provider_id"):
                value = service.get(key, "0")
                if not (value.isascii() and value.isdigit()):
                    problems.append(FieldProblem(f"{at}.{key}", "must be a whole number: SimplyBook.me's id"))
    return problems


def _load(schema: Schema, value: object, prefix: str) -> tuple[dict[str, Any], list[FieldProblem]]:
    """What `schema` makes of the value, as far as it is valid, and every problem."""
    try:
        loaded: dict[str, Any] = schema.load(value)  # type: ignore[arg-type]
    except ValidationError as error:
        valid = error.valid_data if isinstance(error.valid_data, dict) else {}
        return valid, _problems(error.messages, prefix)
    return loaded, []


def _problems(messages: object, prefix: str) -> list[FieldProblem]:
    if isinstance(messages, dict):
        found = []
        for key, inner in messages.items():
            path = prefix if key == "_schema" else f"{prefix}.{key}" if prefix else str(key)
            found += _problems(inner, path)
        return found
    rules = messages if isinstance(messages, list) else [messages]
    return [FieldProblem(prefix or "body", _rule(str(rule))) for rule in rules]


def _rule(message: str) -> str:
    """marshmallow's sentence as a rule: lower case, no full stop."""
    text = message.rstrip(".")
    return text[:1].lower() + text[1:]
