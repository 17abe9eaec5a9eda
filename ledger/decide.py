"""Who may work an event: the decision alone, over rows already read. No SQL, no I/O.

`decide` answers for one envelope; `apply` enters the answer into what is known, so that the envelopes of a batch see
each other. What must hold of any run of the two is in `tests/unit/ledger/test_decide.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from bellhop.ledger.records import Booking, ClaimBusy, Refused, Settled, Settlement, State, VendorCall
from bellhop.schemas.asked import asked_of, is_other_guest
from bellhop.schemas.envelope import Envelope
from bellhop.schemas.events import BOOKING_TYPES
from bellhop.schemas.reasons import Reason
from bellhop.schemas.statuses import Meaning, meaning

RANKS: Final[Mapping[str, int]] = {kind: rank for rank, kind in enumerate(BOOKING_TYPES)}
"""The order of a booking's events that bear the same time."""

_REQUESTED: Final = BOOKING_TYPES[0]
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
    pk: int = 0

    @property
    def place(self) -> Place:
        return self.time, RANKS[self.type]

    @property
    def died_in_doubt(self) -> bool:
        """Whether its call may have happened. A row refused because of another's doubt has no call of its own."""
        return self.state is State.DEAD and self.calling is not None

    @property
    def holds_its_fact(self) -> bool:
        """Whether nobody else may work the same fact. A dead event, or one a person discarded, leaves it to whoever
        sends it again; not so one discarded in doubt: a person settled by hand what may have been called."""
        if self.state is State.DISCARDED:
            return self.calling is not None
        return self.state not in (State.DEAD, State.DUPLICATE)


@dataclass(frozen=True, slots=True)
class HeldBooking:
    """A booking as stored; rank and receipt of the newest event applied to it, and the latest start known of it."""

    booking: Booking
    rank: int = 0
    last_start: datetime | None = None
    received: datetime | None = None

    @property
    def place(self) -> Place:
        return self.booking.as_of or BEGINNING, self.rank


@dataclass(slots=True)
class KnownEvent:
    """All rows that can bear on a batch: those of the same ids, of the same facts, and, of its bookings, every event
    that is unfinished or dead."""

    by_id: dict[tuple[str, str], list[EventRecord]] = field(default_factory=dict)
    by_fact: dict[str, list[EventRecord]] = field(default_factory=dict)
    by_booking: dict[tuple[str, str], list[EventRecord]] = field(default_factory=dict)
    bookings: dict[tuple[str, str], HeldBooking] = field(default_factory=dict)

    def add(self, row: EventRecord) -> None:
        self.by_id.setdefault((row.source, row.event_id), []).append(row)
        self.by_fact.setdefault(row.business_key, []).append(row)
        if row.type in RANKS:
            self.by_booking.setdefault((row.source, row.subject), []).append(row)

    def own(self, envelope: Envelope) -> EventRecord | None:
        """The row of this very event."""
        rows = self.by_id.get((envelope.source, envelope.id), ())
        return next((row for row in rows if row.content_hash == envelope.content_hash), None)

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


Answer = Take | Settled | ClaimBusy | Refused


def decide(envelope: Envelope, known: KnownEvent, now: datetime) -> Answer:
    """What a worker may do with a delivery of `envelope`."""
    own = known.own(envelope)
    if own is None:
        return _judge_new(envelope, known)
    if own.state is State.DEAD:
        if envelope.generation < own.generation:
            return Settled(State.DEAD, "a later replay of it died")
        if envelope.generation == own.generation:
            return Refused(Reason(own.reason), own.detail, own.updated)
        answer = _fact(envelope, known, own)
        if isinstance(answer, Take) and own.reason == Reason.DELIVERY_LIMIT:
            # Workers died over it, perhaps in the midst of a call, and nobody has asked the vendor yet.
            return Take(own.calling)
        return answer
    if not own.state.unfinished:
        return Settled(own.state, own.detail, own.updated)
    if own.state is State.WORKING and own.claim_until > now:
        return ClaimBusy(f"{own.claimed_by} is working it")
    if own.calling is not None:
        # Neither superseded nor kept waiting: what may have happened at the vendor must be known first.
        return Take(own.calling)
    return _order(envelope, known, own)


def _judge_new(envelope: Envelope, known: KnownEvent) -> Answer:
    others = known.by_id.get((envelope.source, envelope.id), ())
    if others and envelope.generation == 0:
        return Refused(Reason.CONFLICT, f"the id {envelope.id} came before with another content, which stands")
    if any(row.state.unfinished for row in others):  # a person edited it while its first content is being worked
        return ClaimBusy("another content of the same id is being worked")
    return _fact(envelope, known, None)


def _fact(envelope: Envelope, known: KnownEvent, own: EventRecord | None) -> Answer:
    """One fact is worked once, however many ids carry it. Two contents of one fact are a conflict, which a person ends;
    where the source's stamps are cut short, the one that arrived last counts."""
    rows = [row for row in known.by_fact.get(envelope.business_key, ()) if row is not own and row.holds_its_fact]
    if envelope.coarse:
        rows = [max(rows, key=lambda row: row.received)] if rows else []
    if same := next((row for row in rows if row.content_hash == envelope.content_hash), None):
        return Settled(State.DUPLICATE, f"the same fact as event {same.event_id}")
    if rows and not envelope.coarse and not _ends_conflict(envelope, known):
        told = rows[0].event_id
        return Refused(Reason.CONFLICT, f"event {told} told the same fact with another content, which stands")
    if any(row.state.unfinished for row in rows):
        return ClaimBusy("another content of the same fact is being worked")
    return _order(envelope, known, own)


def _ends_conflict(envelope: Envelope, known: KnownEvent) -> bool:
    """Whether it is a person's answer to a conflict: a replay of its letter, as it was or edited."""
    rows = known.by_id.get((envelope.source, envelope.id), ())
    died_of_it = (row for row in rows if row.state is State.DEAD and row.reason == Reason.CONFLICT)
    return any(row.generation < envelope.generation for row in died_of_it)


def _order(envelope: Envelope, known: KnownEvent, own: EventRecord | None) -> Answer:
    """Whether it is the event's turn, and nothing it could repeat is in doubt."""
    if envelope.type in RANKS:
        others = [row for row in known.by_booking.get((envelope.source, envelope.subject), ()) if row is not own]
        if (answer := _turn(envelope, known, others)) is not None:
            return answer
    else:
        others = [row for row in known.by_fact.get(envelope.business_key, ()) if row is not own]
    if doubt := next((row for row in others if row.died_in_doubt and not _answers(envelope, row)), None):
        what = f"event {doubt.event_id} of the same {envelope.type.split('.')[0]} is in doubt"
        why = "what it made at the vendor is not known here; settle that dead letter first, then replay this one"
        return Refused(Reason.IN_DOUBT, f"{what}: {why}")
    return Take()


def _turn(envelope: Envelope, known: KnownEvent, others: Sequence[EventRecord]) -> Answer | None:
    """A booking's events are worked one at a time and in order; what comes too late is not worked at all. None where
    it is the event's turn."""
    held = known.bookings.get((envelope.source, envelope.subject))
    if held is not None and _is_superseded(envelope, held):
        return Settled(State.SUPERSEDED, "a newer event of its booking was worked before it")
    unfinished = [row for row in others if row.state.unfinished]
    for row in unfinished:
        if _is_newer(row.place, row.received, envelope) and not _stands_beside(envelope, row):
            return Settled(State.SUPERSEDED, f"event {row.event_id} of its booking is newer and being worked")
    for row in unfinished:
        # A cancel need not wait for a booking that is not made yet: it leaves a tombstone, and that one is superseded.
        is_older = not _is_newer(row.place, row.received, envelope)
        if not (is_older and _is_cancel(envelope) and row.state is State.RETRYING and row.calling is None):
            return ClaimBusy(f"event {row.event_id} of its booking is not finished")
    return None


def _is_newer(place: Place, received: datetime | None, envelope: Envelope) -> bool:
    """Whether what stands at this place is newer than the event. Of one stamp, where its source cuts them short, the
    order of arrival counts; what a person replays comes after what has its own stamp."""
    own = envelope.time, RANKS[envelope.type]
    if place != own or not envelope.coarse or envelope.generation:
        return place > own
    return received is not None and received > envelope.received


def _is_superseded(envelope: Envelope, held: HeldBooking) -> bool:
    """A cancel is not by a request, whatever their stamps say: a clock may be fast, and no cancel is undone by what
    asks for the booking first. Nor is a group's request by that of another guest."""
    if not _is_newer(held.place, held.received, envelope):
        return False
    is_request = held.rank == RANKS[_REQUESTED]
    if _is_cancel(envelope) and is_request:
        return False
    return not (envelope.type == _REQUESTED and _is_of_another_guest(envelope, held.booking, is_request=is_request))


def _stands_beside(envelope: Envelope, row: EventRecord) -> bool:
    """Whether the newer event at work leaves this one its turn, once it is finished."""
    if row.type != _REQUESTED:
        return False
    is_other = bool(envelope.guest) and not row.business_key.endswith(f"/{envelope.guest}")
    return is_other or _is_cancel(envelope)


def _is_of_another_guest(envelope: Envelope, booking: Booking, *, is_request: bool) -> bool:
    """Whether a request is of a guest of whom nothing stands, under a reference of several: one whose newest event is a
    request too, or that has two guests already. Otherwise the newer event may have changed this very one's guest."""
    standing = [entry.asked for entry in booking.entries if entry.stands]
    if booking.cancelled or not standing or any(asked is None for asked in standing):
        return False
    own = asked_of(envelope.type, envelope.data, ())
    guests = [asked for asked in standing if asked is not None]
    is_group = is_request or any(is_other_guest(guests[0], asked) for asked in guests)
    return is_group and all(is_other_guest(asked, own) for asked in guests)


def _is_cancel(envelope: Envelope) -> bool:
    status = envelope.data.get("status")
    return meaning(envelope.type, status if isinstance(status, str) else None, (None,))[0] is Meaning.CANCEL


def _answers(envelope: Envelope, row: EventRecord) -> bool:
    """Whether it is a person's answer to the row's doubt: a replay of the same event with another content."""
    return (row.source, row.event_id) == (envelope.source, envelope.id) and row.generation < envelope.generation


def apply(
    envelope: Envelope, answer: Answer, known: KnownEvent, *, worker: str, now: datetime, until: datetime
) -> list[EventRecord]:
    """Enters the answer into `known`. The rows that must be stored for it, the event's own first."""
    own = known.own(envelope)
    if isinstance(answer, ClaimBusy) or (own is not None and _stands(own, envelope, answer)):
        return []
    if own is None:
        own = _new(envelope, now)
        known.add(own)
    own.generation = max(own.generation, envelope.generation)
    own.updated = now
    own.next_at = None
    match answer:
        case Take(in_doubt):
            own.state, own.detail, own.reason = State.WORKING, "", ""
            own.claimed_by, own.claim_until, own.calling = worker, until, in_doubt
            own.claim_token += 1
            return [own, *_answer(envelope, own, known)]
        case Settled(state, detail, _):
            own.state, own.detail, own.reason, own.calling = state, detail, "", None
        case Refused(reason, error, _):
            own.state, own.detail, own.reason = State.DEAD, error, reason.value
    return [own]


def _answer(envelope: Envelope, own: EventRecord, known: KnownEvent) -> list[EventRecord]:
    """The rows whose doubt ends because their event is worked with another content."""
    rows = [row for row in known.by_id[own.source, own.event_id] if row.died_in_doubt and _answers(envelope, row)]
    for row in rows:
        row.calling = None
    return rows


def _stands(own: EventRecord, envelope: Envelope, answer: Answer) -> bool:
    """Whether the answer is what the row says already."""
    if isinstance(answer, Settled):
        return own.state is answer.state
    return isinstance(answer, Refused) and own.state is State.DEAD and own.generation == envelope.generation


def _new(envelope: Envelope, now: datetime) -> EventRecord:
    return EventRecord(
        source=envelope.source,
        event_id=envelope.id,
        content_hash=envelope.content_hash,
        business_key=envelope.business_key,
        type=envelope.type,
        subject=envelope.subject,
        route=envelope.route,
        account=envelope.account,
        time=envelope.time,
        received=envelope.received,
        not_after=envelope.not_after,
        state=State.WORKING,
        detail="",
        reason="",
        generation=envelope.generation,
        claimed_by="",
        claim_token=0,
        claim_until=now,
        calling=None,
        calling_token=0,
        next_at=None,
        attempts=0,
        updated=now,
    )


def mark_after(settlement: Settlement, calling: VendorCall | None, *, marked: bool) -> VendorCall | None:
    """The call that stays marked once an event is settled: the one in doubt, also where the event died of the doubt.

    calling: the mark as stored. marked: it was made under the claim that is settled. Otherwise it is a doubt the claim
    began with, and if its worker tried nothing (the ledger was away, the handler failed) the doubt goes on.
    """
    if settlement.state in (State.DONE, State.RECORDED, State.SUPERSEDED, State.DUPLICATE):
        return None
    if settlement.state is State.IN_DOUBT or settlement.reason is Reason.IN_DOUBT:
        return settlement.in_doubt or calling
    if calling is not None and calling.repeatable:
        return None  # whatever became of it, it does no harm made again
    doubt = settlement.claimed.in_doubt
    if settlement.state is State.RETRYING and doubt is not None and not doubt.repeatable:
        return doubt  # asked about, made again and certainly not done: the first one may still come to be
    return None if marked else calling
