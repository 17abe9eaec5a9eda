"""What the ledger holds of an upstream booking: its entries at the vendor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class EntryState(StrEnum):
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
    secret."""

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


@dataclass(frozen=True, slots=True)
class Booking:
    """All the ledger holds of one upstream booking. `as_of` is the time of the newest event that was applied
    (UTC); None before any. `cancelled`: a cancel was applied, also where nothing had been booked (a tombstone)."""

    source: str
    reference: str
    account: str
    entries: Sequence[Entry] = ()
    as_of: datetime | None = None
    cancelled: bool = False

    @property
    def vendor_ids(self) -> list[str]:
        """Of what stands; where nothing does, of all that ever stood."""
        standing = [entry.vendor_id for entry in self.entries if entry.state is not EntryState.CANCELLED]
        return standing or [entry.vendor_id for entry in self.entries]
