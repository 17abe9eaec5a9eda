"""What became of calls in doubt, from whoever knows it: the vendor's own callback, or a person who has looked.

Each answer is one commit: the booking stands (or is free), the doubt is over, and the dead letters that waited for it
are marked as being replayed. What if the process dies here? After the commit they are published by `letters.resume`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from bellhop.ledger import bookings
from bellhop.ledger.audit import record
from bellhop.ledger.bookings import lock_key, merge_booking
from bellhop.ledger.codec import call_from_json
from bellhop.ledger.doubts import doubtful_events, note_doubts, unknown_call
from bellhop.ledger.engine import Database
from bellhop.ledger.known import RANKS, UNFINISHED, HeldBooking
from bellhop.ledger.letters import mark_letters
from bellhop.ledger.records import (
    RESTORED,
    AuditRow,
    Booking,
    Doubt,
    Entry,
    EntryState,
    Letter,
    LetterState,
    ProofResult,
    Proven,
    State,
)
from bellhop.ledger.restores import close_outrun, open_restore
from bellhop.ledger.tables import dead_letters, doubts, event_words, events
from bellhop.schemas.envelope import decode_recordable
from bellhop.schemas.errors import EnvelopeError, LedgerError
from bellhop.schemas.reasons import Reason

SURPLUS: Final = "surplus/"
"""What the slot of an entry begins with that no event wants: it stands beside the one that was booked in its place."""

_EVENT: Final = (
    *("pk", "source", "event_id", "subject", "type", "time", "account", "state", "generation"),
    *("calling", "calling_token", "called_at", "claim_until", "content_hash", "updated"),
)
_ROWS: Final = sa.select(*(events.c[name] for name in _EVENT))
_KEPT: Final = sa.select(*(events.c[name] for name in _EVENT), doubts.c.call, doubts.c.since).join(
    doubts, doubts.c.event_pk == events.c.pk
)
_FINAL: Final = (State.DONE, State.RECORDED, State.SUPERSEDED, State.DUPLICATE, State.DISCARDED)


class WordRefused(LedgerError):
    """Raised where a person's word on a dead letter cannot be taken; says what is, and what to do."""


@dataclass(frozen=True, slots=True)
class _Act:
    """Who says so, and why."""

    who: str
    act: str
    why: str


class Proofs:
    """`ledger.proofs`. Every method raises LedgerUnavailable."""

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now

    def candidates(self, account: str) -> list[Doubt]:
        """Every call of the account whose end is not known, or once was not, one for each service of an event: what
        stands at the vendor and is not known here may be of one of them."""
        open_ = _ROWS.where(events.c.state.in_(UNFINISHED), events.c.account == account, events.c.calling.is_not(None))
        with self._database.read() as connection:
            rows = [*connection.execute(open_), *connection.execute(_KEPT.where(doubts.c.account == account))]
            return _with_words(connection, rows)

    def of_restore(self, account: str) -> list[Doubt]:
        """Every event of the account that stands before a person as a ledger that was put back may have forgotten what
        it made."""
        ended = events.c.state.in_([State.DEAD.value, State.DISCARDED.value])
        query = _ROWS.where(ended, events.c.account == account, events.c.calling.is_not(None))
        with self._database.read() as connection:
            rows = [row for row in connection.execute(query) if row.calling.get("method") == RESTORED]
            return _with_words(connection, rows)

    def of_letter(self, letter: Letter) -> Doubt:
        """The doubt that a dead letter stands for. Raises WordRefused where there is none, saying why."""
        if letter.state is not LetterState.OPEN:
            hint = ": restore it first" if letter.state is LetterState.DISCARDED else ""
            raise WordRefused(f"dead letter {letter.id} is {letter.state.value}{hint}")
        with self._database.read() as connection:
            row = _event_of(connection, letter)
            if row is not None and row.state in UNFINISHED:
                raise WordRefused(f"event {row.event_id} is being worked ({row.state}): wait for its end")
            found = None if row is None else _doubt(row)
            if found is None or not found.is_open:
                others = [] if row is None else doubtful_events(connection, row.source, row.subject)
                raise WordRefused(_no_doubt(connection, letter, others))
        return found

    def prove(self, doubt: Doubt, entries: Sequence[Entry], who: str, why: str, wanted: int = 1) -> Proven:
        """The call made these: they stand in the booking, and what waited for it goes on, once there are `wanted` of
        them."""
        with self._database.write([lock_key(doubt.source, doubt.subject)]) as connection:
            now = self._now()
            row = connection.execute(_ROWS.where(events.c.pk == doubt.event_pk).with_for_update()).one_or_none()
            key = (doubt.source, doubt.subject)
            held = bookings.read_bookings(connection, [key]).get(key)
            known = {entry.vendor_id for entry in held.booking.entries} if held else set()
            if row is None or all(entry.vendor_id in known for entry in entries):
                return Proven(ProofResult.KNOWN)
            if _is_at_work(connection, *key, now) or _waits_for_its_claim(connection, row):
                return Proven(ProofResult.AT_WORK)
            is_surplus = _is_surplus(row, held, entries, max(wanted, len(entries)))
            made = [replace(e, slot=SURPLUS + e.slot) for e in entries] if is_surplus else list(entries)
            stored = merge_booking(held, Booking(*key, row.account, tuple(made)), owned=False)
            if not is_surplus:  # it stands, also where an older cancel had found nothing
                stored = replace(stored, booking=replace(stored.booking, cancelled=False))
            bookings.store(connection, [stored], now)
            marked = call_from_json(row.calling)
            if marked is not None and marked.method == RESTORED != doubt.call.method:
                # What else it made after the copy of the ledger, nobody knows: a person says.
                return Proven(ProofResult.SURPLUS if is_surplus else ProofResult.BOOKED)
            if not is_surplus and _standing(stored, entries) < wanted:
                return Proven(ProofResult.BOOKED)
            is_open = marked is not None and marked.line == doubt.call.line and row.state != State.WORKING
            letters = self._end(connection, row, now, _Act(who, "there", why)) if is_open or not is_surplus else ()
            return Proven(ProofResult.SURPLUS if is_surplus else ProofResult.BOOKED, letters)

    def note_cancelled(self, booking: Booking, vendor_id: str, by: str = "") -> None:
        """One of its entries is cancelled at the vendor: it was too many, or somebody did so there, as the event `by`
        told."""
        key = (booking.source, booking.reference)
        with self._database.write([lock_key(*key)]) as connection:
            held = bookings.read_bookings(connection, [key]).get(key)
            entries = held.booking.entries if held else ()
            there = [entry for entry in entries if entry.vendor_id == vendor_id and entry.stands]
            found = [replace(entry, state=EntryState.CANCELLED, cancelled_by=by) for entry in there]
            if held is not None and found:
                stored = merge_booking(held, replace(held.booking, entries=found), owned=False)
                bookings.store(connection, [stored], self._now())

    def deny(self, letter: Letter, who: str, why: str) -> Proven:
        """The call of a dead letter in doubt made nothing: the booking is free, and what waited for it goes on. Raises
        WordRefused."""
        doubt = self.of_letter(letter)
        with self._database.write([lock_key(doubt.source, doubt.subject)]) as connection:
            now = self._now()
            row = connection.execute(_ROWS.where(events.c.pk == doubt.event_pk).with_for_update()).one()
            if row.state != State.DEAD or row.calling is None:
                raise WordRefused(f"event {row.event_id} was answered by somebody else meanwhile")
            # Should it come to light after all, it is known as ours.
            note_doubts(self._database, connection, [unknown_call(row, doubt.call, now)])
            return Proven(ProofResult.KNOWN, self._end(connection, row, now, _Act(who, "absent", why)))

    def _end(self, connection: sa.Connection, row: Any, now: datetime, act: _Act) -> tuple[int, ...]:
        """The doubt is over: the letters that go on."""
        free = sa.update(events).where(events.c.pk == row.pk).values(calling=sa.null(), updated=now)
        connection.execute(free)
        still = doubtful_events(connection, row.source, row.subject)
        letters = _waiting(connection, row, still)
        mark_letters(connection, letters, LetterState.REPLAYING, now)
        close_outrun(connection, row.source, row.event_id, row.generation, now)
        record(connection, [AuditRow(now, act.who, act.act, number, act.why) for number in letters])
        return tuple(letters)


def _with_words(connection: sa.Connection, rows: Sequence[Any]) -> list[Doubt]:
    """One for each service of an event; what stands later in `rows` counts."""
    found = {(one.event_pk, one.call.line): one for row in rows if (one := _doubt(row)) is not None}
    words: dict[int, set[int]] = {}
    asked = event_words.c.event_pk.in_({one.event_pk for one in found.values()})
    for row in connection.execute(sa.select(event_words).where(asked)):
        words.setdefault(row.event_pk, set()).add(row.word)
    return [replace(one, words=frozenset(words.get(one.event_pk, ()))) for one in found.values()]


def _doubt(row: Any) -> Doubt | None:
    """Of a row of events, or of both tables; None where nothing of it can be in doubt."""
    kept = row._mapping.get("call")
    marked = call_from_json(row.calling)
    call = call_from_json(kept) or marked
    if call is None or call.repeatable:
        return None
    is_open = marked is not None and not marked.repeatable and (marked.line == call.line or marked.method == RESTORED)
    since = row._mapping.get("since") or row.called_at
    return Doubt(row.pk, row.source, row.event_id, row.subject, State(row.state), call, since, frozenset(), is_open)


def _is_at_work(connection: sa.Connection, source: str, subject: str, now: datetime) -> bool:
    working = sa.select(events.c.pk).where(
        events.c.source == source,
        events.c.subject == subject,
        events.c.state == State.WORKING.value,
        events.c.claim_until > now,
    )
    return connection.execute(working.limit(1)).one_or_none() is not None


def _waits_for_its_claim(connection: sa.Connection, row: Any) -> bool:
    """Whether the ledger was put back while it was under way: its next claim says whether more than this call may have
    been made."""
    restore = open_restore(connection) if State(row.state) in UNFINISHED else None
    return restore is not None and row.updated < restore.at


def _is_surplus(row: Any, held: HeldBooking | None, entries: Sequence[Entry], wanted: int) -> bool:
    """Whether the booking has come so far that these are too many: its event has ended, a newer one was applied, or
    the slot was booked again."""
    marked = call_from_json(row.calling)
    if State(row.state) in _FINAL and not (row.state == State.DISCARDED and marked is not None):
        return True
    if held is None:
        return False
    if row.type in RANKS and held.place > (row.time, RANKS[row.type]):
        return True
    return _standing(held, entries) + len(entries) > wanted


def _standing(held: HeldBooking, entries: Sequence[Entry]) -> int:
    """How many stand in the slots of these."""
    slots = {entry.slot for entry in entries}
    return sum(e.slot in slots and e.state is not EntryState.CANCELLED for e in held.booking.entries)


def _event_of(connection: sa.Connection, letter: Letter) -> Any:
    """The row of a letter's content; None where there is none."""
    try:
        envelope = decode_recordable(letter.new.body)
    except EnvelopeError:
        return None
    same = (
        events.c.source == envelope.source,
        events.c.event_id == envelope.id,
        events.c.content_hash == envelope.content_hash,
    )
    return connection.execute(_ROWS.where(*same)).one_or_none()


def _no_doubt(connection: sa.Connection, letter: Letter, doubtful: Sequence[int]) -> str:
    """Why nothing can be said of this letter, and of which it can."""
    if not doubtful or letter.new.reason != Reason.IN_DOUBT:
        return f"no call of dead letter {letter.id} is in doubt: it died of {letter.new.reason}"
    ids = connection.scalars(sa.select(events.c.event_id).where(events.c.pk.in_(doubtful))).all()
    same = (dead_letters.c.source == letter.new.source, dead_letters.c.event_id.in_(ids))
    numbers = connection.scalars(sa.select(dead_letters.c.id).where(*same).order_by(dead_letters.c.id.desc())).all()
    of = f"dead letter {numbers[0]}" if numbers else f"event {ids[0]}"
    return f"dead letter {letter.id} waits for {of} of the same booking, which is in doubt: say it of that one"


def _waiting(connection: sa.Connection, row: Any, still_doubtful: Sequence[int]) -> list[int]:
    """The open letters that waited for the doubt of `row`: its own and, where no other event of its booking is in
    doubt, those that were refused because of it; the newest event's first, so that an older one is superseded rather
    than booked and cancelled."""
    letters = dead_letters
    mine = letters.c.event_id == row.event_id
    others = sa.and_(letters.c.reason == Reason.IN_DOUBT.value, events.c.calling.is_(None))
    query = (
        sa.select(letters.c.id)
        .join(events, sa.and_(events.c.source == letters.c.source, events.c.event_id == letters.c.event_id))
        .where(
            letters.c.source == row.source,
            letters.c.subject == row.subject,
            letters.c.state == LetterState.OPEN.value,
            events.c.state == State.DEAD.value,
            events.c.generation == letters.c.generation,
            mine if still_doubtful else sa.or_(mine, others),
        )
        .order_by(events.c.time.desc(), letters.c.id.desc())
        .with_for_update(of=letters)
    )
    return list(dict.fromkeys(connection.scalars(query)))
