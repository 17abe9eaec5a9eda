"""Any other body, by the source's map alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from bellhop.ingest.formats.parts import Context, Made, lay_map
from bellhop.schemas.events import MEMBER_TYPES


def adapt(item: Any, context: Context) -> Made:
    """A member event without a time takes the receipt's, and an id of its own where none is known: such bodies hold no
    more than the member's number, and come again whenever the member changes."""
    made = lay_map(item, {}, context)
    body = made.body
    if body.get("type") not in MEMBER_TYPES or body.get("timestamp") not in (None, ""):
        return made
    receipt = context.receipt
    known = {} if body.get("id") or receipt.signed_id else {"id": receipt.own_id}
    return replace(made, body={**body, **known, "timestamp": receipt.received.isoformat()}, has_own_time=False)
