"""A dead letter's content, changed by a person: only fields that may be, only to what the event's contract allows."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from bellhop.schemas.contract import unfit
from bellhop.schemas.envelope import Envelope, content_hash, decode, encode
from bellhop.schemas.errors import BellhopError, EventInvalid, FieldProblem
from bellhop.schemas.events import BOOKING_TYPES, MEMBER_TYPES, Parsed, VenueFacts, parse

EDITABLE: Final[Mapping[str, tuple[str, ...]]] = {
    **dict.fromkeys(BOOKING_TYPES, ("client", "services", "member_id", "notes", "additional", "promo_code")),
    **dict.fromkeys(MEMBER_TYPES, ("profile", "attributes")),
}
"""By the event's type. Never what it is known by (its reference) or sent by (its venue, its status): such a letter is
discarded, and the upstream sends the right one."""


class EditInvalid(BellhopError):
    """Raised when a change is not allowed or breaks the event's contract. `problems` names every field and rule."""

    def __init__(self, *problems: FieldProblem) -> None:
        super().__init__("; ".join(f"{one.field}: {one.rule}" for one in problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One value that differs. field: its dotted path. None for what was or is not there."""

    field: str
    before: Any
    after: Any


def edit_body(body: bytes, changes: Mapping[str, Any], venue: Callable[[str], VenueFacts | None]) -> bytes:
    """The letter's envelope with these fields of its data put in the place of the old ones; None takes one away.

    Raises EditInvalid; EnvelopeError where the body is no envelope.
    """
    envelope = decode(body)
    allowed = EDITABLE.get(envelope.type, ())
    refused = [FieldProblem(f"data.{name}", "is none that may be edited") for name in changes if name not in allowed]
    refused += [problem for name, value in changes.items() for problem in unfit(value, f"data.{name}", 2)]
    if refused:
        raise EditInvalid(*refused)
    kept = {name: value for name, value in envelope.data.items() if name not in changes}
    data = kept | {name: value for name, value in changes.items() if value is not None}
    try:
        parsed = contract(envelope, data, venue)
    except EventInvalid as invalid:
        raise EditInvalid(*invalid.problems) from None
    made = replace(
        envelope,
        data=parsed.data,
        not_after=parsed.not_after,
        content_hash=content_hash(envelope.type, envelope.time, parsed.data),
    )
    if made.content_hash == _hash(envelope):
        raise EditInvalid(FieldProblem("data", "must change something"))
    return encode(made)


def contract(envelope: Envelope, data: Mapping[str, Any], venue: Callable[[str], VenueFacts | None]) -> Parsed:
    """The event with this data, held to its contract once more. Raises EventInvalid."""
    event = {"type": envelope.type, "timestamp": envelope.time.isoformat(), "data": data}
    return parse(json.loads(json.dumps(event)), venue)


def field_changes(before: bytes, after: bytes) -> list[FieldChange]:
    """What of the data an edit changes. Raises EnvelopeError."""
    return list(_differ("data", dict(decode(before).data), dict(decode(after).data)))


def _hash(envelope: Envelope) -> str:
    return content_hash(envelope.type, envelope.time, envelope.data)


def _differ(path: str, before: Any, after: Any) -> Iterator[FieldChange]:
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in {**before, **after}:
            yield from _differ(f"{path}.{key}", before.get(key), after.get(key))
    elif isinstance(before, list) and isinstance(after, list):
        for index in range(max(len(before), len(after))):
            one = before[index] if index < len(before) else None
            other = after[index] if index < len(after) else None
            yield from _differ(f"{path}.{index}", one, other)
    elif before != after:
        yield FieldChange(path, before, after)
