"""Who may work an event: the decision alone, over rows already read. No SQL, no I/O.

`decide` answers for one envelope; `apply` enters the answer into what is known, so that the envelopes of a batch see
each other. What must hold of any run of the two is in `tests/unit/ledger/test_decide.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from bellhop.ledger.doubtful import refuse_for_doubt
from bellhop.ledger.guest_places import is_of_other_guest
from bellhop.ledger.known import RANKS, Answer, EventRecord, KnownEvent, Take
from bellhop.ledger.records import ClaimBusy, Held, Refused, Settled, Settlement, State, VendorCall
from bellhop.ledger.turns import refuse_anothers, replaced_key, replaced_turn, superseded_by_dead, turn
from bellhop.schemas.clock import CLOCKS_DIFFER
from bellhop.schemas.envelope import Envelope
from bellhop.schemas.reasons import Reason

HELD_FOR: Final = timedelta(minutes=10)
"""So often the message of a held event comes back to see whether it still is: `workers.retry` takes the
longest step of the ladder that is not longer."""


def decide(envelope: Envelope, known: KnownEvent, now: datetime) -> Answer:
    """What a worker may do with a delivery of `envelope`."""
    if envelope.route in known.paused:
        return ClaimBusy(f"route {envelope.route} is paused")
    own = known.own(envelope)
    if (held := _held_back(envelope, known, own)) is not None:
        return held
    if own is None:
        return _judge_new(envelope, known, now)
    if own.state is State.DEAD:
        if envelope.generation < own.generation:
            return Settled(State.DEAD, "a later replay of it died")
        if envelope.generation == own.generation:
            return Refused(Reason(own.reason), own.detail, own.updated)
        answer = _fact(envelope, known, own)
        # A replay says that it is to be worked, not what became of its call: that the vendor, or a person, says.
        return Take(own.calling) if isinstance(answer, Take) else answer
    if not own.state.unfinished:
        return Settled(own.state, own.detail, own.updated)
    if envelope.generation < own.generation:
        # Its copies, come late, would be a second one at work beside the replay, and ask about its calls too early.
        return Settled(own.state, "a later replay of it is being worked")
    if own.state is State.HELD:
        return Held(own.detail, now + HELD_FOR)
    if own.state is State.WORKING and own.claim_until > now and not _is_left(own, known):
        return ClaimBusy(f"{own.claimed_by} is working it")
    if own.calling is not None:  # what may have happened at the vendor must be known before all else
        return Take(own.calling)
    return _order(envelope, known, own)


def _is_left(own: EventRecord, known: KnownEvent) -> bool:
    """Whether its worker is gone and had made no call of it that must not happen twice. Should it live after all, the
    claim's token keeps it from making one; after a mark only time does."""
    return own.calling is None and own.claimed_by in known.gone


def _held_back(envelope: Envelope, known: KnownEvent, own: EventRecord | None) -> Refused | None:
    """Why nothing is called yet: the ledger was put back, and may have forgotten this. None where it cannot have."""
    restored = known.restored
    if restored is None or envelope.type not in RANKS:
        return None
    if own is None:
        was_made_since = RANKS[envelope.type] > 0 and (envelope.source, envelope.subject) not in known.bookings
        is_held = restored.is_older(envelope) or was_made_since
    else:
        is_held = own.updated < restored.said and (own.state.unfinished or own.state is State.DEAD)
    return restored.refuse(envelope, own.calling if own else None) if is_held else None


def _judge_new(envelope: Envelope, known: KnownEvent, now: datetime) -> Answer:
    others = known.by_id.get((envelope.source, envelope.id), ())
    if others and envelope.generation == 0:
        return Refused(Reason.CONFLICT, f"the id {envelope.id} came before with another content, which stands")
    if any(row.state.unfinished for row in others):  # a person edited it while its first content is being worked
        return ClaimBusy("another content of the same id is being worked")
    answer = _fact(envelope, known, None)
    guard = known.guard(envelope)
    if guard is None or not isinstance(answer, Take | ClaimBusy):
        return answer
    # Also of what waits for its turn: it would go on as soon as what it waits for is discarded.
    why = guard.judge(envelope)
    return Held(f"held by the flood guard: {why}", now + HELD_FOR) if why else answer


def _fact(envelope: Envelope, known: KnownEvent, own: EventRecord | None) -> Answer:
    """One fact is worked once, however many ids carry it. Two contents of one fact are a conflict, which a person ends;
    where the source's stamps are cut short, the one that arrived last counts."""
    rows = [row for row in known.by_fact.get(envelope.business_key, ()) if row is not own and row.holds_its_fact]
    if envelope.coarse:
        rows = [max(rows, key=lambda row: row.received)] if rows else []
    if same := next((row for row in rows if row.content_hash == envelope.content_hash), None):
        return Settled(State.DUPLICATE, f"the same fact as event {same.event_id}")
    is_told = bool(rows) and not envelope.coarse and not is_of_other_guest(envelope, known)
    if is_told and not _ends_conflict(envelope, known, rows):
        told = rows[0].event_id
        return Refused(Reason.CONFLICT, f"event {told} told the same fact with another content, which stands")
    if any(row.state.unfinished for row in rows):
        return ClaimBusy("another content of the same fact is being worked")
    return _order(envelope, known, own)


def _ends_conflict(envelope: Envelope, known: KnownEvent, told: Sequence[EventRecord]) -> bool:
    """Whether it is a person's answer to a conflict: a replay of its letter, as it was or edited; also once more, after
    it won and died of something else. told: the rows that hold its fact."""
    rows = known.by_id.get((envelope.source, envelope.id), ())
    dead = [row for row in rows if row.state is State.DEAD and row.generation < envelope.generation]
    return any(row.reason == Reason.CONFLICT or all(one.updated < row.updated for one in told) for row in dead)


def _order(envelope: Envelope, known: KnownEvent, own: EventRecord | None) -> Answer:
    """Whether it is the event's turn, and nothing it could repeat is in doubt."""
    if envelope.type in RANKS:
        others = [row for row in known.by_booking.get((envelope.source, envelope.subject), ()) if row is not own]
        if (answer := turn(envelope, known, others) or refuse_anothers(envelope, known, others)) is not None:
            return answer
        if (own is None or own.calling is None) and (gone := superseded_by_dead(envelope, others)) is not None:
            return gone
        if (key := replaced_key(envelope, known)) is not None:
            replaced = known.by_booking.get(key, [])
            if (answer := replaced_turn(envelope, known, key, replaced)) is not None:
                return answer
            others += replaced
    else:
        others = [row for row in known.by_fact.get(envelope.business_key, ()) if row is not own]
    if doubt := next((row for row in others if row.died_in_doubt), None):
        return refuse_for_doubt(doubt.event_id, doubt.type, is_discarded=doubt.state is State.DISCARDED)
    return Take()


def apply(
    envelope: Envelope, answer: Answer, known: KnownEvent, *, worker: str, now: datetime, until: datetime
) -> list[EventRecord]:
    """Enters the answer into `known`. The rows that must be stored for it, the event's own first."""
    own = known.own(envelope)
    if isinstance(answer, ClaimBusy):
        return _shorten_claim(own, now, until)
    if own is not None and _stands(own, envelope, answer):
        return []
    if own is None:
        own = _new(envelope, now)
        known.add(own)
        if isinstance(answer, Take) and (guard := known.guard(envelope)) is not None:
            guard.count(envelope)
    own.generation = max(own.generation, envelope.generation)
    own.updated = now
    own.next_at = None
    match answer:
        case Take(in_doubt):
            own.state, own.detail, own.reason = State.WORKING, "", ""
            own.claimed_by, own.claim_until, own.calling = worker, until, in_doubt
            own.claim_token += 1
        case Settled(state, detail, _):
            own.state, own.detail, own.reason, own.calling = state, detail, "", None
        case Held(detail, until):
            own.state, own.detail, own.next_at = State.HELD, detail, until
        case Refused(reason, error):
            own.state, own.detail, own.reason = State.DEAD, error, reason.value
            if answer.doubt is not None:
                # Made at the latest now: what was made after the copy, nobody knows. Its letter is of the generation
                # that came, whatever replays the copy has seen: a person's word goes on from that letter.
                own.calling, own.called_at, own.generation = answer.doubt, now, envelope.generation
    return [own]


def _shorten_claim(own: EventRecord | None, now: datetime, until: datetime) -> list[EventRecord]:
    """A claim that was written by a clock ahead of this one would hold for ever so long: it holds as long as one of
    now."""
    if own is None or own.state is not State.WORKING or own.updated <= now + CLOCKS_DIFFER:
        return []
    own.updated, own.claim_until = now, min(own.claim_until, until)
    return [own]


def _stands(own: EventRecord, envelope: Envelope, answer: Answer) -> bool:
    """Whether the answer is what the row says already."""
    if isinstance(answer, Settled):
        return own.state is answer.state
    is_dead = own.state is State.DEAD and own.generation == envelope.generation
    return is_dead and isinstance(answer, Refused) and answer.doubt is None


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
