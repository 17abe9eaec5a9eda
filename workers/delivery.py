"""A delivery at work: the record that every step of the executor takes and fills."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from bellhop.broker import headers
from bellhop.broker.port import Delivery, Message
from bellhop.ledger.records import Attempt, Booking, Claimed
from bellhop.schemas.envelope import Envelope
from bellhop.vendors.outcome import Outcome


@dataclass(slots=True)
class Job:
    """`envelope` is None where the body cannot be read, `claimed` None where there is no claim.

    outcome None: still to be worked. settled: nothing is left but the ack (`outcome` is then what the ledger already
    knew). code: the vendor's own, of the last failure. dirty: `booking` has progress the ledger does not hold yet.
    started: monotonic seconds. trace: the headers with which what follows from it goes on in its trace.
    ended: when its end was recorded, by an earlier delivery.
    """

    delivery: Delivery
    started: float
    envelope: Envelope | None = None
    claimed: Claimed | None = None
    booking: Booking | None = None
    outcome: Outcome | None = None
    known: str = ""
    code: str = ""
    dirty: bool = False
    ended: datetime | None = None
    trace: Mapping[str, str] = field(default_factory=dict)
    attempts: list[Attempt] = field(default_factory=list)

    @property
    def message(self) -> Message:
        return self.delivery.message

    @property
    def attempts_so_far(self) -> int:
        """Attempts counted by the ledger before this one; by the header where the ledger does not know the event."""
        if self.claimed is not None:
            return self.claimed.attempts
        count = self.message.headers.get(headers.ATTEMPT, 0)
        return int(count) if isinstance(count, int | float) else 0

    @property
    def lag_seconds_from(self) -> float | None:
        """When it was put on its work queue, seconds since the epoch."""
        at = self.message.headers.get(headers.ENQUEUED)
        return float(at) if isinstance(at, int | float) else None
