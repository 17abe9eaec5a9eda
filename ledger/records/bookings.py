"""What the ledger holds of an upstream booking: its entries at the vendor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from bellhop.ledger.records.calls import Json

TO_CANCEL: Final = "cancel:"
"""Before the event in an entry's `left_by`: a person was asked to cancel it by hand."""


class EntryState(StrEnum):
    UNPAID = "unpaid"
    """At the vendor, which cancels it where it is not paid in time."""
    BOOKED = "booked"
    """At the vendor, waiting for our confirmation call."""
    CONFIRMED = "confirmed"
    """At the vendor; nothing more to do."""
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Entry:
    """One booking at the vendor. `line` is the index of the event's service it fulfils, `made_by` the id of the
    event that made it. `secret_hash` is SimplyBook's booking hash ("" elsewhere): it signs later calls, and is
    shown to nobody. `slot` says what was wanted, for comparing with what a newer event wants; `took` what was taken
    for it, where that left a choice. `batch` is SimplyBook's batch as type:id, where there is one, and `batch_hash` its
    secret. `cancelled_by` is the id of the event that cancelled it, "" while it stands; `changed_by` of the one whose
    call changed it last. `account`: where it stands, "" for the booking's own. `start` and `end`: venue-local, ISO
    8601, as the vendor told them, "" where it did not. `gave_way`: the id of the event for whose other slot it is
    cancelled first; `refusal` why that one was refused then. `warnings` say, without values, what of its event is not
    at the vendor, or not as it asked.

    `asked` is what it was booked for (`schemas.asked`), None where that is not known: it is older than the column, or
    was pruned. `left` is what a newer event asked and no call can carry: a person was told of it by `left_by`'s dead
    letter; before its id stands what for, where it is not a change (`vendors.standing`). Both name the guest.
    `warnings` say, without values, what of the event that made it is not at the vendor, or not as it asked.
    `unpaid_until`: when the vendor cancels what is not paid, UTC, "" where nobody knows or nothing is to be paid.
    `differs`: what the vendor made otherwise than asked, "" for nothing."""

    vendor_id: str
    line: int
    made_by: str
    state: EntryState
    secret_hash: str = ""
    slot: str = ""
    code: str = ""
    batch: str = ""
    batch_hash: str = ""
    took: str = ""
    cancelled_by: str = ""
    changed_by: str = ""
    account: str = ""
    start: str = ""
    end: str = ""
    gave_way: str = ""
    refusal: str = ""
    asked: Json | None = field(default=None, hash=False, repr=False)
    left: Json | None = field(default=None, hash=False, repr=False)
    left_by: str = ""
    warnings: tuple[str, ...] = ()
    unpaid_until: str = ""
    differs: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """What tells it from others: two accounts may give the same id."""
        return self.account, self.vendor_id

    @property
    def stands(self) -> bool:
        return self.state is not EntryState.CANCELLED


@dataclass(frozen=True, slots=True)
class Booking:
    """All the ledger holds of one upstream booking. `as_of` is the time of the newest event that was applied
    (UTC); None before any. `cancelled`: a cancel was applied, also where nothing had been booked (a tombstone).
    `replaced_by`: the reference that took its place, "" for none; its entries are then that one's."""

    source: str
    reference: str
    account: str
    entries: Sequence[Entry] = ()
    as_of: datetime | None = None
    cancelled: bool = False
    replaced_by: str = ""


def describe_entries(entries: Sequence[Entry]) -> Json:
    """What is told of a booking's entries, the same to upstreams and people, without the hashes, which sign calls.

    vendor_ids: of what stands. cancelled_ids: of what stood once. vendor_bookings: both, with the events that made and
    cancelled each; service: the index of the event's service.
    """
    return {
        "vendor_ids": [entry.vendor_id for entry in entries if entry.stands],
        "cancelled_ids": [entry.vendor_id for entry in entries if not entry.stands],
        "vendor_bookings": [
            {
                "id": entry.vendor_id,
                "state": entry.state.value,
                "service": entry.line,
                "made_by": entry.made_by,
                "cancelled_by": entry.cancelled_by or None,
            }
            for entry in entries
        ],
        **_payment_due(entries),
    }


def _payment_due(entries: Sequence[Entry]) -> Json:
    """unpaid_until: when the vendor cancels the first of what is not paid, None where nobody knows. Nothing where there
    is nothing to pay."""
    unpaid = [entry.unpaid_until for entry in entries if entry.state is EntryState.UNPAID]
    return {"unpaid_until": min(filter(None, unpaid), default=None)} if unpaid else {}
