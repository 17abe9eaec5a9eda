"""Masking: dead letters as JSON without guests' data, unless revealed.

The same for the console, the API and the command line.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from bellhop.ledger.records import Attempt, Letter
from bellhop.schemas.envelope import decode
from bellhop.schemas.errors import EnvelopeError
from bellhop.schemas.redact import MASK

_SHOWN: Final = frozenset(
    (
        *("booking_id", "venue", "status", "member_id", "promo_code", "services"),
        *("service_id", "provider_id", "facility_id", "start", "end", "price", "count"),
    )
)
"""The keys of an event's data that name no guest. All others are masked: a list of what to hide would miss some."""

_ASKED: Final = _SHOWN | frozenset(
    (
        *("id", "event_id", "unit_id", "date", "time", "client_time_offset", "batch", "batch_id", "offers"),
        *("technician_id", "took", "what", "from", "webhook-id", "type", "host"),
    )
)
"""The keys of a vendor call's arguments that name no guest."""

_CAME: Final = frozenset(("status", "code", "bookings", "id", "state", "batch", "took", "detail", "advice"))
"""The keys of what came of a call that are our own words, or the vendor's ids."""

SHOWN_BYTES: Final = 65_536
"""Of a body that nobody can read; `body_bytes` tells how long it is."""

_TRIED: Final = frozenset(("method", "started", "seconds", "outcome", "error"))

_CODES: Final = ("status", "code")
"""Of a vendor's answer: numbers that name no guest."""


def iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def listed(letter: Letter) -> dict[str, Any]:
    """A letter as lists have it."""
    new = letter.new
    return {
        "id": letter.id,
        "state": letter.state.value,
        "reason": new.reason,
        "error": new.error,
        "route": new.route,
        "account": new.account,
        "source": new.source,
        "event_id": new.event_id,
        "type": new.type,
        "subject": new.subject,
        "generation": new.generation,
        "attempts": new.attempts,
        "died": iso(new.died),
        "archived": iso(letter.archived),
        "not_after": iso(new.not_after),
        "message_id": new.message_id,
    }


def shown(letter: Letter, *, reveal: bool) -> dict[str, Any]:
    """A letter with everything needed to decide. reveal: without masking what is a guest's own."""
    told = listed(letter)
    told["evidence"] = letter.new.evidence if reveal else _without_guests(letter.new.evidence)
    told["body_bytes"] = len(letter.new.body)
    try:
        data = decode(letter.new.body).data
        told["data"] = dict(data) if reveal else masked(data)
    except EnvelopeError as error:
        told["data"] = None
        told["unreadable"] = str(error)
        if reveal:
            told["body"] = letter.new.body[:SHOWN_BYTES].decode("utf-8", "backslashreplace")
    return told


def masked(data: Any, named: frozenset[str] = _SHOWN) -> Any:
    """An event's data with its shape, but only the values that name no guest: those of the keys in `named`."""
    if isinstance(data, Mapping):
        return {key: masked(value, named) if key in named else hidden(value) for key, value in data.items()}
    if isinstance(data, list):
        return [masked(item, named) for item in data]
    return data


def exchange(attempt: Attempt, *, reveal: bool) -> dict[str, Any]:
    """What a call asked, and what came of it. reveal: without masking what is a guest's own."""
    told: dict[str, Any] = {}
    if attempt.request is not None:
        told["request"] = dict(attempt.request) if reveal else masked(attempt.request, _ASKED)
    if attempt.answer is not None:
        told["answer"] = dict(attempt.answer) if reveal else masked(attempt.answer, _CAME)
    return told


def names_no_guest(path: str) -> bool:
    """Whether the value at a dotted path of an event's data (`data.services.0.start`) is told without being asked."""
    return all(name in _SHOWN for name in path.removeprefix("data.").split(".") if not name.isdigit())


def hidden(value: Any) -> Any:
    """A vendor's answer, or another value, with its shape alone: numbers that name no guest stay."""
    if isinstance(value, Mapping):
        return {key: inner if key in _CODES else hidden(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [hidden(item) for item in value]
    return MASK if value not in (None, "") else value


def _without_guests(evidence: Mapping[str, Any]) -> Any:
    """The attempts, and of what was asked and answered no more than names no guest: an answer may repeat the guest it
    was asked for."""
    return {
        key: [_tried(attempt) for attempt in value]
        if key == "attempts" and isinstance(value, list)
        else masked(value, _CAME)
        if isinstance(value, Mapping)
        else hidden(value)
        for key, value in evidence.items()
    }


def _tried(attempt: Any) -> Any:
    """One attempt of the evidence; what it may say beside the known is masked."""
    if not isinstance(attempt, Mapping):
        return hidden(attempt)
    told = {key: value if key in _TRIED else hidden(value) for key, value in attempt.items()}
    for key, named in (("request", _ASKED), ("answer", _CAME)):
        if isinstance(attempt.get(key), Mapping):
            told[key] = masked(attempt[key], named)
    return told
