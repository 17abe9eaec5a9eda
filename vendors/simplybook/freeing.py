"""A slot that another booking of the same guest holds, or held: a cancel may just be freeing it.

Where an upstream says "moved" by a cancel under one reference and a request under another, either may come first, or
both at once. The request waits a while for the slot instead of ending as refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from bellhop.ledger.records import Booking, Entry, VendorCall
from bellhop.schemas.asked import asked_of, is_other_guest
from bellhop.schemas.envelope import Envelope
from bellhop.vendors.outcome import Wait
from bellhop.vendors.simplybook.slots import ANY_UNIT, times_of

PATIENCE_SECONDS: Final = 120.0
"""Since the request was received; its cancel, if there is one, comes about when it does."""
_FIRST_SECONDS: Final = 2.0


def wait_for_slot(
    call: VendorCall, event: Envelope, bookings: Sequence[Booking], minutes: int, now: datetime
) -> Wait | None:
    """None where no booking of the event's guest is in the way, or it has waited long enough.

    call: the `book` that was refused. bookings: those of its guest's other references. minutes: how long the service
    lasts.
    """
    waited = (now - event.received).total_seconds()
    asked = asked_of(event.type, event.data, ())
    for booking in bookings if waited < PATIENCE_SECONDS else ():
        for entry in booking.entries:
            if not is_other_guest(entry.asked or {}, asked) and _holds(entry, call, minutes):
                text = f"its slot is that of booking {entry.vendor_id} of the same guest, which a cancel may be freeing"
                return Wait(text, max(_FIRST_SECONDS, waited))
    return None


def _holds(entry: Entry, call: VendorCall, minutes: int) -> bool:
    times, unit = times_of(entry), call.arguments["unit_id"]
    is_at_unit = unit == ANY_UNIT or [unit] == entry.slot.split("/")[1:2]
    if times is None or entry.account != call.account or not is_at_unit:
        return False
    start = datetime.fromisoformat(f"{call.arguments['date']}T{call.arguments['time']}")
    return start < times[1] and times[0] < start + timedelta(minutes=minutes)
