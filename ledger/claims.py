"""Claiming: many envelopes, one transaction. What is decided is `ledger.decide`'s; here it is read and written."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import fields, replace
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any, Final

import sqlalchemy as sa

from bellhop.ledger import batch, bookings, driver
from bellhop.ledger.calls import cut_off_values
from bellhop.ledger.codec import call_from_json, call_to_json
from bellhop.ledger.decide import apply, decide
from bellhop.ledger.doubtful import LastRestore
from bellhop.ledger.doubts import note_doubts, unknown_call
from bellhop.ledger.engine import Database
from bellhop.ledger.floods import Floods, flood_key
from bellhop.ledger.gone import gone_workers
from bellhop.ledger.known import RANKS, UNFINISHED, Answer, EventRecord, KnownEvent, Take
from bellhop.ledger.pauses import paused_routes
from bellhop.ledger.records import RESTORED, Booking, Claim, Claimed, Refused, Settled, State
from bellhop.ledger.replacing import adopt_replaced, is_wanted_again
from bellhop.ledger.restores import close_outrun, open_restore
from bellhop.ledger.search_terms import numbers_of
from bellhop.ledger.tables import attempts, event_words, events
from bellhop.ledger.turns import replaced_key
from bellhop.schemas.envelope import Data, Envelope

_NAMES: Final = tuple(f.name for f in fields(EventRecord))
_NEW: Final = tuple(name for name in _NAMES if name not in ("state", "calling", "pk"))
_CHANGED: Final = (
    *("detail", "reason", "generation", "claimed_by", "claim_token", "claim_until"),
    *("called_at", "next_at", "updated"),
)

# SQLite finds them by their subject where it cannot by their state: by that it would go through all that are dead.
_STATE: Final = "(state || '')"
_OPEN: Final = ", ".join(f"'{state.value}'" for state in (*UNFINISHED, State.DEAD))
_LOST: Final = f"{_STATE} = '{State.DISCARDED.value}' AND calling IS NOT NULL"
_SAME_ID: Final = batch.select(events, _NAMES, ["source", "event_id"])
_SAME_FACT: Final = batch.select(events, _NAMES, ["source", "business_key"])
_SAME_BOOKING: Final = batch.select(
    events, _NAMES, ["source", "subject"], more=f"AND ({_STATE} IN ({_OPEN}) OR ({_LOST}))"
)
_NEW_VALUES: Final = attrgetter(*_NEW)
_CHANGED_VALUES: Final = attrgetter(*_CHANGED)
_KEY: Final = ("source", "event_id", "content_hash")
_INSERT: Final = batch.insert(events, (*_NEW, "state", "calling"), returning=("pk", *_KEY))
_UPDATE: Final = batch.update(events, (*_CHANGED, "state", "calling"))
_INSERT_WORDS: Final = batch.insert(event_words, ("word", "event_pk"))

_FORESEEN_AT_ONCE: Final = 500
"""A statement takes only so many values."""


class Claims:
    def __init__(self, database: Database, floods: Floods, now: Callable[[], datetime]) -> None:
        self._database = database
        self._floods = floods
        self._now = now

    def claim(self, envelopes: Sequence[Envelope], worker: str, lease_seconds: float) -> list[Claim]:
        """See `Ledger.claim`."""
        if not envelopes:
            return []
        replaced = self._replaced_keys(envelopes)
        guarded = self._floods.sources_of(envelopes)
        with self._database.write(_lock_keys(envelopes, replaced, guarded)) as connection:
            # Only now, for the locks may have been waited for: what held them may have claimed what is claimed here.
            now = self._now()
            until = now + timedelta(seconds=lease_seconds)
            known = _read(connection, envelopes, replaced)
            known.paused = paused_routes(connection, {envelope.route for envelope in envelopes}, now)
            floods = self._floods.read(connection, guarded, now)
            known.floods = floods
            known.gone = gone_workers(connection, _busy_workers(envelopes, known, now), now)
            answers: list[tuple[Answer, list[EventRecord]]] = []
            changed: dict[EventRecord, None] = {}
            cut_off: list[dict[str, Any]] = []
            for envelope in envelopes:
                answer = decide(envelope, known, now)
                if isinstance(answer, Take) and answer.in_doubt is not None:
                    cut_off += _cut_off(known.own(envelope))
                if isinstance(answer, Refused) and answer.doubt is not None and (own := known.own(envelope)):
                    note_doubts(self._database, connection, [unknown_call(own, own.calling, now)])
                if _ends_hold(answer, known.own(envelope)):
                    close_outrun(connection, envelope.source, envelope.id, envelope.generation, now)
                if isinstance(answer, Take):
                    _make_way(connection, envelope, known, now)
                rows = apply(envelope, answer, known, worker=worker, now=now, until=until)
                changed |= dict.fromkeys(rows)
                answers.append((answer, rows))
            new = _write(connection, changed)
            _describe(connection, envelopes, new)
            self._floods.store(connection, floods, now)
            if cut_off:
                connection.execute(sa.insert(attempts), cut_off)
            return [_claim(*answer, known.booking(e)) for e, answer in zip(envelopes, answers, strict=True)]

    def foresee(self, envelopes: Sequence[Envelope]) -> list[Answer]:
        """See `Ledger.foresee`."""
        answers: list[Answer] = []
        for start in range(0, len(envelopes), _FORESEEN_AT_ONCE):
            some = envelopes[start : start + _FORESEEN_AT_ONCE]
            replaced = self._replaced_keys(some)
            with self._database.read() as connection:
                known = _read(connection, some, replaced)
            answers += [decide(envelope, known, self._now()) for envelope in some]
        return answers

    def _replaced_keys(self, envelopes: Sequence[Envelope]) -> frozenset[bookings.Key]:
        """The bookings whose place these take, and those that did so before. Read before they are locked: who replaces
        one of them meanwhile is seen by `decide`."""
        named = {(e.source, str(e.data["replaces"])) for e in envelopes if e.type in RANKS and e.data.get("replaces")}
        found: set[bookings.Key] = set()
        if not named:
            return frozenset()
        with self._database.read() as connection:
            while named - found:
                held = bookings.read_bookings(connection, named - found)
                found |= named
                named = {(one.booking.source, one.booking.replaced_by) for one in held.values()}
                named = {key for key in named if key[1]}
        return frozenset(found)


def _lock_keys(
    envelopes: Sequence[Envelope], replaced: Collection[bookings.Key], guarded: Collection[str]
) -> list[str]:
    keys = [bookings.lock_key(e.source, e.subject) for e in envelopes]
    keys += [bookings.lock_key(*key) for key in replaced]
    keys += [f"id:{e.message_id}" for e in envelopes]  # the same id may come with another subject
    return [*keys, *map(flood_key, sorted(guarded))]


def _claim(answer: Answer, rows: Sequence[EventRecord], booking: Booking | None) -> Claim:
    """rows: stored for the answer; the event's own comes first where it was taken."""
    if not isinstance(answer, Take):
        return answer
    own = rows[0]
    called_at = own.called_at if answer.in_doubt else None
    return Claimed(own.pk, own.claim_token, own.claim_until, booking, answer.in_doubt, own.attempts, called_at)


def _cut_off(own: EventRecord | None) -> list[dict[str, Any]]:
    """The call that its last worker was marked with when it ended, for the record: else nobody would be shown it."""
    if own is None or own.state is not State.WORKING or own.calling is None or own.calling_token != own.claim_token:
        return []
    return [cut_off_values(own.pk, own.calling, own.updated)]


def _ends_hold(answer: Answer, own: EventRecord | None) -> bool:
    """Whether what was held after a restore goes on, or need not, by a replay of it."""
    is_held = own is not None and own.calling is not None and own.calling.method == RESTORED
    is_over = isinstance(answer, Settled) and answer.state in (State.SUPERSEDED, State.DUPLICATE)
    return is_held and (is_over or isinstance(answer, Take))


def _make_way(connection: sa.Connection, envelope: Envelope, known: KnownEvent, now: datetime) -> None:
    """For an event that is about to be worked."""
    _revive(envelope, known)
    if key := replaced_key(envelope, known):
        moved = adopt_replaced(envelope, key, known)
        bookings.store(connection, moved, now)
        bookings.move_vendor_ids(connection, moved[0].booking)


def _revive(envelope: Envelope, known: KnownEvent) -> None:
    """What is asked for anew is handed on as a booking that nothing has replaced; its end stores that."""
    key = (envelope.source, envelope.subject)
    held = known.bookings.get(key)
    if envelope.type in RANKS and held is not None and is_wanted_again(envelope, held):
        known.bookings[key] = replace(held, booking=replace(held.booking, replaced_by=""))


def _busy_workers(envelopes: Sequence[Envelope], known: KnownEvent, now: datetime) -> set[str]:
    """Those that hold what comes here, and have not marked a call of it."""
    own = (known.own(envelope) for envelope in envelopes)
    return {
        row.claimed_by
        for row in own
        if row is not None and row.state is State.WORKING and row.claim_until > now and row.calling is None
    }


def _read(connection: sa.Connection, envelopes: Sequence[Envelope], replaced: frozenset[bookings.Key]) -> KnownEvent:
    keys = sorted({(e.source, e.subject) for e in envelopes if e.type in RANKS} | replaced)
    sources = {e.source for e in envelopes}
    found = _SAME_ID.run(connection, sources, {e.id for e in envelopes})
    found += _SAME_FACT.run(connection, sources, {e.business_key for e in envelopes})
    if keys:
        found += _SAME_BOOKING.run(connection, sources, {key[1] for key in keys})
    known = KnownEvent(bookings=bookings.read_bookings(connection, keys), keys=frozenset(keys))
    if keys and (restored := open_restore(connection)) is not None:
        known.restored = LastRestore(restored.as_of, restored.at)
    for row in {stored.pk: stored for stored in found}.values():
        known.add(_row(row))
    return known


def _row(stored: Any) -> EventRecord:
    values = dict(zip(_NAMES, stored, strict=True))
    values["state"] = State(values["state"])
    values["calling"] = call_from_json(values["calling"])
    return EventRecord(**values)


def _write(connection: sa.Connection, changed: Collection[EventRecord]) -> list[EventRecord]:
    """The rows that are new."""
    new = [row for row in changed if not row.pk]
    old = [row for row in changed if row.pk]
    told = _INSERT.run(connection, [(*_NEW_VALUES(row), *_state_and_calling(row)) for row in new])
    pks = {tuple(key): pk for pk, *key in told}
    if new and not told:
        # SQLite numbers on from the highest number ever given, and who writes is alone: they are the last ones.
        ((last,),) = driver.run_text(connection, "SELECT last_insert_rowid()")
        pks = {_key(row): last - len(new) + place for place, row in enumerate(new, 1)}
    for row in new:
        row.pk = pks[_key(row)]
    _UPDATE.run(connection, [(*_CHANGED_VALUES(row), *_state_and_calling(row), row.pk) for row in old])
    return new


def _key(row: EventRecord) -> tuple[str, ...]:
    return row.source, row.event_id, row.content_hash


def _state_and_calling(row: EventRecord) -> tuple[str, dict[str, Any] | None]:
    """Its state and calling, as their columns take them."""
    return row.state.value, call_to_json(row.calling)


def _describe(connection: sa.Connection, envelopes: Sequence[Envelope], new: Sequence[EventRecord]) -> None:
    """Enters the words by which the new events are found."""
    content: dict[tuple[str, ...], Data] = {(e.source, e.id, e.content_hash): e.data for e in envelopes}
    _INSERT_WORDS.run(
        connection, [(number, row.pk) for row in new for number in numbers_of(content.get(_key(row), {}))]
    )
