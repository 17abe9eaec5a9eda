"""Masking: what may be shown of a guest's event. One allow-list for the console, the API and the command line.

A list of what may be shown, as a list of what to hide would miss some.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from bellhop.ledger.records import Attempt, Letter
from bellhop.schemas.envelope import decode_recordable
from bellhop.schemas.errors import EnvelopeError
from bellhop.schemas.redact import MASK

_DATA: Final = frozenset(
    (
        *("booking_id", "venue", "status", "member_id", "promo_code", "services"),
        *("service_id", "provider_id", "facility_id", "start", "end", "price", "count"),
    )
)
"""The keys of an event's data that name no guest."""

_REQUEST: Final = _DATA | frozenset(
    (
        *("id", "event_id", "unit_id", "date", "time", "client_time_offset", "batch", "batch_id", "offers"),
        *("technician_id", "took", "what", "from", "webhook-id", "type", "host"),
    )
)
"""The keys of a vendor call's arguments that name no guest."""

_ANSWER: Final = frozenset(
    (
        *("status", "code", "bookings", "id", "state", "batch", "took", "detail", "advice", "look_for"),
        *("vendor_ids", "by_hand", "field"),
    )
)
"""The keys of what came of a call that are our own words, or the vendor's ids."""

_INITIALS: Final = 3

_ATTEMPT: Final = frozenset(("method", "started", "seconds", "outcome", "error"))

_CODES: Final = ("status", "code")
"""Of a vendor's answer: numbers that name no guest."""


def mask_data(data: Any, allowed: frozenset[str] = _DATA) -> Any:
    """An event's data with its shape, but only the values that name no guest: those of the keys in `allowed`."""
    if isinstance(data, Mapping):
        return {key: mask_data(value, allowed) if key in allowed else mask_value(value) for key, value in data.items()}
    if isinstance(data, list):
        return [mask_data(item, allowed) for item in data]
    return data


def mask_value(value: Any) -> Any:
    """A vendor's answer, or another value, with its shape alone: numbers that name no guest stay."""
    if isinstance(value, Mapping):
        return {key: inner if key in _CODES else mask_value(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [mask_value(item) for item in value]
    return MASK if value not in (None, "") else value


def initials_of(letter: Letter) -> str:
    """By whom people tell letters apart: the guest's initials, else the member's id; "" where neither is known."""
    return guest_initials(readable_data(letter))


def readable_data(letter: Letter) -> Mapping[str, Any]:
    """A letter's data, unmasked; empty where it cannot be read."""
    try:
        return decode_recordable(letter.new.body).data
    except EnvelopeError:
        return {}


def guest_initials(data: Mapping[str, Any]) -> str:
    client = data.get("client")
    name = client.get("name") if isinstance(client, Mapping) else None
    if isinstance(name, str) and name.strip():
        return " ".join(f"{part[0]}***" for part in name.split()[:_INITIALS])
    return str(data.get("member_id") or "")


def mask_change(field: str, value: Any) -> Any:
    """A value at a dotted path of an event's data (`data.services.0.start`), which an edit changes; of a whole one that
    came or went (a service), what names no guest."""
    names = [name for name in field.removeprefix("data.").split(".") if not name.isdigit()]
    return mask_data(value) if all(name in _DATA for name in names) else mask_value(value)


def mask_request(request: Mapping[str, Any]) -> Any:
    """A vendor call's arguments, but only the values that name no guest."""
    return mask_data(request, _REQUEST)


def exchange(attempt: Attempt, *, reveal: bool) -> dict[str, Any]:
    """What a call asked, and what came of it. reveal: without masking what is a guest's own."""
    found: dict[str, Any] = {}
    if attempt.request is not None:
        found["request"] = dict(attempt.request) if reveal else mask_request(attempt.request)
    if attempt.answer is not None:
        found["answer"] = dict(attempt.answer) if reveal else mask_data(attempt.answer, _ANSWER)
    return found


def mask_evidence(evidence: Mapping[str, Any]) -> Any:
    """The attempts, and of what was asked and answered no more than names no guest: an answer may repeat the guest it
    was asked for."""
    return {
        key: [_mask_attempt(attempt) for attempt in value]
        if key == "attempts" and isinstance(value, list)
        else mask_data(value, _ANSWER)
        if isinstance(value, Mapping)
        else mask_value(value)
        for key, value in evidence.items()
    }


def _mask_attempt(attempt: Any) -> Any:
    """One attempt of the evidence; what it may say beside the known is masked."""
    if not isinstance(attempt, Mapping):
        return mask_value(attempt)
    masked = {key: value if key in _ATTEMPT else mask_value(value) for key, value in attempt.items()}
    for key, allowed in (("request", _REQUEST), ("answer", _ANSWER)):
        if isinstance(attempt.get(key), Mapping):
            masked[key] = mask_data(attempt[key], allowed)
    return masked
