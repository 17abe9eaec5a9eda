"""SimplyBook.me's own callback: thin, unsigned, and sent again for up to two days."""

from __future__ import annotations

from typing import Any

from bellhop.ingest.formats.parts import Called, Context, Made
from bellhop.vendors.simplybook.callback_body import ONCE, parse


def adapt(item: Any, context: Context) -> Made:
    """A booking is created and cancelled once, so these are known by that whenever they come. Changes and reminders
    come many times: one without a time of its own is taken for a new one each time."""
    callback = parse(item, context.company)
    at = callback.time or context.receipt.received
    kind = callback.notification_type
    name = f"{callback.booking_id}-{kind}"
    if kind in ONCE:
        return Called(callback, name, at, has_own_time=False)
    if callback.time is None:
        return Called(callback, f"{name}-{context.receipt.own_id}", at, has_own_time=True)
    return Called(callback, f"{name}-{at:%Y%m%dT%H%M%SZ}", at, has_own_time=True)
