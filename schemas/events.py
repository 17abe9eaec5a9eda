"""The event contracts: what a webhook's body may say, checked once at the ingress.

A body is `{"type", "timestamp", "data"}`, Standard Webhooks style, with an optional `id`. Everything that breaks a
rule is told at once, as dotted field and rule. What passes is normalised: ids are strings, times are aware.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from marshmallow import Schema

from bellhop.schemas.contract import MAX_DEPTH, MAX_ID, MAX_KEY, load_valid, unfit
from bellhop.schemas.errors import EventInvalid, FieldProblem
from bellhop.schemas.event_contracts import (
    BODY,
    BOOKING,
    BOOKING_FIELDS,
    BOOKING_TYPES,
    CANCEL,
    DATA_FIELDS,
    MAX_NAME,
    MAX_NOTES,
    MAX_PHONE,
    MAX_SERVICES,
    MEMBER,
    MEMBER_FIELDS,
    MEMBER_TYPES,
    PULL_TYPE,
    REFERENCE,
    TEST,
    TEST_TYPE,
    TYPES,
    UNKNOWN_TYPE,
    callback_type,
)
from bellhop.schemas.local_times import add_ends, add_zones
from bellhop.schemas.statuses import Meaning, cancels, meaning

__all__ = [
    "BODY",
    "BOOKING",
    "BOOKING_FIELDS",
    "BOOKING_TYPES",
    "DATA_FIELDS",
    "MAX_DEPTH",
    "MAX_ID",
    "MAX_KEY",
    "MAX_NAME",
    "MAX_NOTES",
    "MAX_PHONE",
    "MAX_SERVICES",
    "MEMBER",
    "MEMBER_FIELDS",
    "MEMBER_TYPES",
    "PULL_TYPE",
    "TEST",
    "TEST_TYPE",
    "TYPES",
    "UNKNOWN_TYPE",
    "CheckBooking",
    "Parsed",
    "VenueFacts",
    "callback_type",
    "parse",
    "parse_pull",
    "parse_test",
    "required_field",
]

CheckBooking = Callable[[Mapping[str, Any]], list[FieldProblem]]
"""What a vendor needs of a booking that is to be made, beyond the contract: a booking's data, its times aware, to all
that is wrong with it. Its services may be none; that is told by the contract."""


@dataclass(frozen=True, slots=True)
class VenueFacts:
    """What the contracts must know of a venue: its name, its account and that account's kind, its zone, and the rules
    of its account's vendor."""

    name: str
    account: str
    kind: str
    zone: ZoneInfo
    check_booking: CheckBooking


@dataclass(frozen=True, slots=True)
class Parsed:
    """An event's content, valid and normalised. `data` is plain JSON; all times in it carry an offset.

    account and kind: those of the booking's venue, "" without one. not_after: the first start, UTC."""

    id: str | None
    type: str
    time: datetime
    subject: str
    data: dict[str, Any]
    account: str
    kind: str
    not_after: datetime | None


def parse(body: object, venue: Callable[[str], VenueFacts | None], *, is_elsewhere: bool = False) -> Parsed:
    """Checks a decoded body against its contract. `venue` looks a venue up by name. is_elsewhere: it is of none of
    ours, and need name none.

    Raises EventInvalid with every problem found; what only makes sense of a well-formed booking (the vendor's
    rules, the venue's clock) is looked at when nothing else is wrong with its data.
    """
    head, problems = _head(body)
    type_: str = head.get("type", "")
    data: dict[str, Any] = {}
    facts: VenueFacts | None = None
    if type_ and "data" in head:
        data, facts, wrong = _data(type_, head["data"], venue, is_elsewhere=is_elsewhere)
        problems += wrong
    if problems:
        raise EventInvalid(tuple(problems))
    subject: str = data["member_id"] if type_ in MEMBER_TYPES else data["booking_id"]
    first = _starts_at(data)
    account, kind = (facts.account, facts.kind) if facts else ("", "")
    return Parsed(head.get("id"), type_, head["timestamp"].astimezone(UTC), subject, data, account, kind, first)


def parse_pull(body: object) -> Parsed:
    """A booking event of which only the reference counts, as it is fetched from elsewhere: as a wish to pull. Its
    subject is the reference; of the venue and the services nothing is checked. Raises EventInvalid."""
    head, problems = _head(body)
    data: dict[str, Any] = {}
    if "data" in head:
        wrong = list(unfit(head["data"].get("booking_id"), "data.booking_id", 1))
        data, more = ({}, []) if wrong else load_valid(REFERENCE, head["data"], "data")
        problems += wrong + more
    if problems:
        raise EventInvalid(tuple(problems))
    subject: str = data["booking_id"]
    wanted = {"what": "reservations", "booking_id": subject}
    return Parsed(head.get("id"), PULL_TYPE, head["timestamp"].astimezone(UTC), subject, wanted, "", "", None)


def parse_test(body: Mapping[str, Any]) -> str | None:
    """Checks a body of the type `test`, but for the event in its data: its own id, where it has one. Raises
    EventInvalid."""
    head, problems = _head(body, TEST)
    beside = {name: value for name, value in head.get("data", {}).items() if name != "event"}
    problems += unfit(beside, "data", 1)
    if problems:
        raise EventInvalid(tuple(problems))
    return head.get("id")


def _head(body: object, schema: Schema = BODY) -> tuple[dict[str, Any], list[FieldProblem]]:
    """The body, its `data` still as given."""
    head, problems = load_valid(schema, body, "")
    time: datetime | None = head.get("timestamp")
    if time is not None and time.tzinfo is None:
        problems.append(FieldProblem("timestamp", "must have a time zone"))
    return head, problems


def _data(
    type_: str, value: Mapping[str, Any], venue: Callable[[str], VenueFacts | None], *, is_elsewhere: bool
) -> tuple[dict[str, Any], VenueFacts | None, list[FieldProblem]]:
    """The event's data, normalised but for its services' times; its venue, which no cancel need name; the problems."""
    wrong = list(unfit(value, "data", 1))
    if wrong:  # first of all, as nothing else may be told of, or stored from, such a value
        return {}, None, wrong
    if type_ in MEMBER_TYPES:
        member, problems = load_valid(MEMBER, value, "data")
        return member, None, problems
    is_cancel = is_elsewhere or cancels(type_, value.get("status"))
    booking, problems = load_valid(CANCEL if is_cancel else BOOKING, value, "data")
    facts = venue(booking["venue"]) if "venue" in booking else None
    if facts is None and "venue" in booking:
        problems.append(FieldProblem("data.venue", "is not a venue of this Bellhop"))
    if facts is None and is_cancel:
        booking["services"] = []  # their times, by a clock that nobody knows, tell no moment
    if facts is not None and not problems:
        problems = add_zones(booking, facts.zone)
        add_ends(booking, facts.zone)
        problems = problems or _missing_for_vendor(type_, booking, facts)
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


def _missing_for_vendor(type_: str, booking: Mapping[str, Any], facts: VenueFacts) -> list[FieldProblem]:
    """What the venue's vendor needs beyond the contract, where the event is to book: what cancels or is only recorded
    needs no more than the reference."""
    meant, _ = meaning(type_, booking.get("status"), (None,))  # as if it named services: that it must, if it books
    if meant is not Meaning.BOOK:
        return []
    problems = [] if booking["services"] else [required_field("data.services", "what is booked, and when")]
    return problems + facts.check_booking(booking)


def required_field(field: str, why: str) -> FieldProblem:
    return FieldProblem(field, f"is required: {why}")
