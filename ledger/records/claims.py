"""What a worker is answered when it claims an event, and what it says has become of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from bellhop.ledger.records.bookings import Booking
from bellhop.ledger.records.calls import Attempt, VendorCall
from bellhop.ledger.records.events import State
from bellhop.schemas.envelope import Envelope
from bellhop.schemas.reasons import Reason


@dataclass(frozen=True, slots=True)
class Claimed:
    """The event is this worker's until `until` (UTC). `token` fences: a later claim of the same event has a higher one.

    event_pk is the ledger's own row id. in_doubt is the call whose outcome is unknown, to be resolved before
    anything else; called_at is when it was marked, None where nobody noted it. booking is None for events that are not
    about a booking. wait: in how many seconds the leave begins that was granted with its mark.
    """

    event_pk: int
    token: int
    until: datetime
    booking: Booking | None
    in_doubt: VendorCall | None
    attempts: int
    called_at: datetime | None = None
    wait: float = 0.0


@dataclass(frozen=True, slots=True)
class Settled:
    """Nothing to do: the event's end is already recorded (also just now, as superseded or duplicate). Ack it. at: when
    it was recorded, None for just now."""

    state: State
    detail: str
    at: datetime | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class ClaimBusy:
    """Another worker holds it, or an older event of its booking is not finished. Deliver it again later."""

    detail: str


@dataclass(frozen=True, slots=True)
class Held:
    """The flood guard keeps it from the vendor until a person has released or discarded it. Deliver it again much
    later. until: when it comes back by itself to ask."""

    detail: str
    until: datetime = field(compare=False)


@dataclass(frozen=True, slots=True)
class Refused:
    """It is dead: publish the dead letter, then ack. It died now, or in an earlier delivery whose worker was killed
    before the dead letter was confirmed. at: when it did, None for just now. doubt: the call of it that may have
    happened, where that is why."""

    reason: Reason
    error: str
    at: datetime | None = field(default=None, compare=False)
    doubt: VendorCall | None = field(default=None, compare=False)


Claim = Claimed | Settled | ClaimBusy | Held | Refused


@dataclass(frozen=True, slots=True)
class Settlement:
    """What became of a claimed event. One commit may hold many.

    state: DONE, RECORDED, SUPERSEDED, DUPLICATE, RETRYING, IN_DOUBT or DEAD.
    booking: the booking as it now stands, None to leave it. It is stored even where the claim was lost meanwhile:
        a vendor's id must never be forgotten.
    applies: whether the event now counts as applied to its booking (moves `as_of`).
    in_doubt: the call in doubt, with state IN_DOUBT.
    next_at: when the retry is due (UTC), for people to see.
    """

    claimed: Claimed
    envelope: Envelope
    state: State
    detail: str = ""
    reason: Reason | None = None
    booking: Booking | None = None
    applies: bool = False
    in_doubt: VendorCall | None = None
    next_at: datetime | None = None
    attempts: Sequence[Attempt] = ()
