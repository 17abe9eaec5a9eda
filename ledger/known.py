"""What is known of a batch of events before it is decided who may work them. No SQL, no I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, Protocol

from bellhop.ledger.doubtful import LastRestore
from bellhop.ledger.records import Booking, ClaimBusy, Held, Refused, Settled, State, VendorCall
from bellhop.schemas.asked import Asked, is_other_guest
from bellhop.schemas.envelope import Envelope
from bellhop.schemas.events import BOOKING_TYPES

RANKS: Final[Mapping[str, int]] = {kind: rank for rank, kind in enumerate(BOOKING_TYPES)}
"""The order of a booking's events that bear the same time."""

REQUESTED: Final = BOOKING_TYPES[0]
CHANGED: Final = BOOKING_TYPES[1]
CANCELLED: Final = BOOKING_TYPES[2]
BEGINNING: Final = datetime.min.replace(tzinfo=UTC)
UNFINISHED: Final = tuple(state for state in State if state.unfinished)

Place = tuple[datetime, int]
"""Where an event stands among those of its booking: its time, then its kind's rank."""


@dataclass(slots=True, kw_only=True, eq=False)
class EventRecord:
    """A row of the table `events`; the names are those of its columns. pk is 0 until it is inserted."""

    source: str
    event_id: str
    content_hash: str
    business_key: str
    type: str
    subject: str
    route: str
    account: str
    time: datetime
    received: datetime
    not_after: datetime | None
    state: State
    detail: str
    reason: str
    generation: int
    claimed_by: str
    claim_token: int
    claim_until: datetime
    calling: VendorCall | None
    calling_token: int
    next_at: datetime | None
    attempts: int
    updated: datetime
    called_at: datetime | None = None
    pk: int = 0

    @property
    def place(self) -> Place:
        return self.time, RANKS[self.type]

    @property
    def died_in_doubt(self) -> bool:
        """Whether its call may have happened, and no person has said. A row refused because of another's doubt has no
        call of its own; one that was discarded leaves its call as unknown as it was."""
        is_unknown = self.calling is not None and not self.calling.repeatable
        return is_unknown and self.state in (State.DEAD, State.DISCARDED)

    @property
    def holds_its_fact(self) -> bool:
        """Whether nobody else may work the same fact. A dead event, or one a person discarded, leaves it to whoever
        sends it again; not so one discarded in doubt: a person settled by hand what may have been called."""
        if self.state is State.DISCARDED:
            return self.calling is not None
        return self.state not in (State.DEAD, State.DUPLICATE)


@dataclass(frozen=True, slots=True)
class GuestPlaces:
    """How far a reference has come for each guest, where it may be several guests'. of_guests: the events applied that
    named one (`schemas.asked`). whole: the place of the newest that is all guests', or nobody knows whose."""

    whole: Place
    of_guests: tuple[tuple[Place, Asked], ...] = ()

    def newest(self, asked: Asked) -> Place:
        """Of what was applied that may be about this guest."""
        return max([self.whole, *(place for place, guest in self.of_guests if not is_other_guest(guest, asked))])


@dataclass(frozen=True, slots=True)
class HeldBooking:
    """A booking as stored; rank and receipt of the newest event applied to it, the latest start known of it, and
    its venue, "" where it is older than that was kept. guests: None as long as one guest is known, or none."""

    booking: Booking
    rank: int = 0
    last_start: datetime | None = None
    received: datetime | None = None
    venue: str = ""
    guests: GuestPlaces | None = None

    @property
    def place(self) -> Place:
        return self.booking.as_of or BEGINNING, self.rank


class FloodGuard(Protocol):
    """See `ledger.floods`."""

    def judge(self, envelope: Envelope) -> str: ...

    def count(self, envelope: Envelope) -> None: ...


@dataclass(slots=True)
class KnownEvent:
    """All rows that can bear on a batch: those of the same ids, of the same facts, and, of its bookings, every event
    that is unfinished, dead, or discarded in doubt."""

    by_id: dict[tuple[str, str], list[EventRecord]] = field(default_factory=dict)
    by_fact: dict[str, list[EventRecord]] = field(default_factory=dict)
    by_booking: dict[tuple[str, str], list[EventRecord]] = field(default_factory=dict)
    bookings: dict[tuple[str, str], HeldBooking] = field(default_factory=dict)
    keys: frozenset[tuple[str, str]] = frozenset()
    """Of all bookings that were looked for, stored or not."""
    restored: LastRestore | None = None
    paused: frozenset[str] = frozenset()
    """Routes of which nothing is begun now."""
    gone: frozenset[str] = frozenset()
    """Workers that hold a claim and have ended, or seem to."""
    floods: Mapping[str, FloodGuard] = field(default_factory=dict)
    """By source; of those alone that cancel or change something in this batch."""

    def add(self, row: EventRecord) -> None:
        self.by_id.setdefault((row.source, row.event_id), []).append(row)
        self.by_fact.setdefault(row.business_key, []).append(row)
        if row.type in RANKS:
            self.by_booking.setdefault((row.source, row.subject), []).append(row)

    def own(self, envelope: Envelope) -> EventRecord | None:
        """The row of this very event."""
        rows = self.by_id.get((envelope.source, envelope.id), ())
        return next((row for row in rows if row.content_hash == envelope.content_hash), None)

    def guard(self, envelope: Envelope) -> FloodGuard | None:
        """Its source's flood guard; None where there is none, and for what is of no venue or account of ours and takes
        nothing away: the events of others' places are no flood here."""
        guard = self.floods.get(envelope.source)
        if guard is None or envelope.account or envelope.data.get("venue"):
            return guard
        named = (envelope.subject, envelope.data.get("replaces"))
        held = [self.bookings.get((envelope.source, one)) for one in named if isinstance(one, str)]
        return guard if any(entry.stands for one in held if one for entry in one.booking.entries) else None

    def booking(self, envelope: Envelope) -> Booking | None:
        """The booking an event is about, empty where none is stored; None for events about none."""
        if envelope.type not in RANKS:
            return None
        held = self.bookings.get((envelope.source, envelope.subject))
        return held.booking if held else Booking(envelope.source, envelope.subject, envelope.account)


@dataclass(frozen=True, slots=True)
class Take:
    """The event is the worker's. in_doubt: the call of which nobody knows whether it happened."""

    in_doubt: VendorCall | None = None


Answer = Take | Settled | ClaimBusy | Held | Refused
