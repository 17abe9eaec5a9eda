"""A booking of several services as one batch of SimplyBook.me's: begun once, and confirmed as a whole where it can be.

Source: "createBatch" and "confirmBookingBatch" of `simplybook-public-service-methods`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from bellhop.ledger.records import Booking, EntryState
from bellhop.schemas.envelope import Envelope
from bellhop.vendors.failure import VendorFailure
from bellhop.vendors.simplybook.booked import BATCH_TYPE
from bellhop.vendors.simplybook.client import SimplybookClient
from bellhop.vendors.standing import with_entries

_NO_BATCH_CONFIRM: Final = ("-32090", "-32095")


def open_batch(event: Envelope, booking: Booking) -> str:
    """The batch that this event has begun, "" for none. A batch that createBatch made, but no booking joined before
    its worker died, stays empty, and another is made."""
    batches = [e.batch for e in booking.entries if e.made_by == event.id and e.batch]
    return next((batch.partition(":")[2] for batch in batches if batch.startswith(f"{BATCH_TYPE}:")), "")


def confirm_batch(client: SimplybookClient, event: Envelope, booking: Booking, batch: str) -> Booking:
    """Confirms all bookings of a batch at once; where the company's batches cannot be confirmed so, what is left is
    to confirm each by itself. Raises VendorFailure, Held."""
    members = [e for e in booking.entries if e.batch == batch and e.state is EntryState.BOOKED]
    type_, _, id_ = batch.partition(":")
    try:
        client.confirm_booking_batch(id_, type_, members[0].batch_hash)
    except VendorFailure as failure:
        if failure.code not in _NO_BATCH_CONFIRM:
            raise
        return with_entries(booking, event, *(replace(entry, batch_hash="") for entry in members))
    return with_entries(booking, event, *(replace(entry, state=EntryState.CONFIRMED) for entry in members))
