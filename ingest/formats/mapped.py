"""Any other body, by the source's map alone."""

from __future__ import annotations

from typing import Any

from bellhop.ingest.formats.parts import Context, Event, Ignored, Made
from bellhop.schemas.events import MEMBER_TYPES
from bellhop.schemas.mapping import IGNORED


def adapt(item: Any, context: Context) -> Made:
    """A member event without a time takes the receipt's, and an id of its own where none is known: such bodies hold no
    more than the member's number, and come again whenever the member changes."""
    body = context.source.map.apply(item)
    if body.get("type") == IGNORED:
        return Ignored("the source's map says so")
    if body.get("type") not in MEMBER_TYPES or "timestamp" in body:
        return Event(body)
    receipt = context.receipt
    known = {} if "id" in body or receipt.signed_id else {"id": receipt.own_id}
    return Event({**body, **known, "timestamp": receipt.received.isoformat()}, has_own_time=False)
