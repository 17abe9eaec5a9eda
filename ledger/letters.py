"""The archive of dead letters, and what people decide about them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields, replace
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from bellhop.ledger.audit import record, stored_act
from bellhop.ledger.bookings import lock_key
from bellhop.ledger.by_hand import note_cancelled
from bellhop.ledger.causes import cause_of, words_of
from bellhop.ledger.doubts import keep_buried_doubts, note_cut_off
from bellhop.ledger.engine import Database
from bellhop.ledger.known import UNFINISHED
from bellhop.ledger.next_starts import next_venues
from bellhop.ledger.readiness import WEIGHED, chunks, died_since_closed, doubt_is_over, unready_letters, why_closed
from bellhop.ledger.records import AuditRow, Letter, LetterFilter, LetterState, NewLetter, State, WaitingLetters
from bellhop.ledger.search_terms import national_digits, plain
from bellhop.ledger.tables import audit, dead_letters, events, letter_bodies, letter_words
from bellhop.schemas.envelope import decode_recordable
from bellhop.schemas.errors import EnvelopeError
from bellhop.schemas.reasons import Reason

_NEW: Final = tuple(f.name for f in fields(NewLetter))
_LISTED: Final = tuple(name for name in _NEW if name not in ("body", "evidence"))
_WHOLE: Final = sa.select(dead_letters, letter_bodies.c.body, letter_bodies.c.evidence).join(
    letter_bodies, letter_bodies.c.letter == dead_letters.c.id
)
ITSELF: Final = "bellhop"
"""Who acts where nobody does, for the audit."""
OVER: Final = "the doubt that it died of is over"
_MARK: Final = sa.update(dead_letters).where(dead_letters.c.id.in_(sa.bindparam("ids", expanding=True)))
_DISCARD_EVENT: Final = (
    sa.update(events)
    .where(
        events.c.source == sa.bindparam("in_source"),
        events.c.event_id == sa.bindparam("id"),
        events.c.content_hash == sa.bindparam("hash"),
        events.c.state == State.DEAD,
        events.c.generation <= sa.bindparam("up_to"),  # a later replay that died has a letter of its own
    )
    .values(state=State.DISCARDED.value, updated=sa.bindparam("at"))
)
_BURY_EVENT: Final = (
    sa.update(events)
    .where(
        events.c.source == sa.bindparam("in_source"),
        events.c.event_id == sa.bindparam("id"),
        events.c.content_hash == sa.bindparam("hash"),
        events.c.state.in_(UNFINISHED),
        events.c.generation <= sa.bindparam("up_to"),
    )
    .values(state=State.DEAD.value, reason=Reason.DELIVERY_LIMIT.value, updated=sa.bindparam("at"))
)
"""`calling` stays: a worker may have died in the midst of that call."""


class Letters:
    """Every method raises LedgerUnavailable."""

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now

    def archive(self, letters: Sequence[NewLetter]) -> int:
        """Stores the letters in one commit; how many were new. One that is there already is left as it stands, but for
        one in doubt that was closed before its event died: the ledger was put back, and minds it anew.

        A message that the broker itself buried never came back to a worker, so its event is still unfinished and
        would keep every later one of its booking waiting: it dies here. What died of a doubt that is over by now does
        not stop here: it is marked as being replayed; or closed, where a later replay went on before it came. So is a
        buried copy of what had ended.
        """
        if not letters:
            return 0
        now = self._now()
        insert = self._database.insert(dead_letters).on_conflict_do_nothing(index_elements=["fingerprint"])
        # In one order everywhere, lest two archivers wait for each other's fingerprints in a ring.
        rows = sorted((_values(letter, now) for letter in letters), key=lambda row: str(row["fingerprint"]))
        by_fingerprint = {_fingerprint(letter): letter for letter in letters}
        buried = [letter for letter in letters if letter.reason == Reason.DELIVERY_LIMIT]
        doubtful = [letter for letter in letters if letter.reason == Reason.IN_DOUBT]
        keys = {lock_key(letter.source, letter.subject) for letter in (*buried, *doubtful)}
        with self._database.write(keys) as connection:
            if events_of := [row for letter in buried for row in _event_of(letter, now)]:
                note_cut_off(connection, events_of)
                connection.execute(_BURY_EVENT, events_of)
                keep_buried_doubts(self._database, connection, events_of, now)
            new = connection.execute(insert.returning(dead_letters.c.id, dead_letters.c.fingerprint), rows).all()
            if len(new) < len(rows):
                _show_again(connection, doubtful, now)
            made = [(row.id, by_fingerprint[row.fingerprint]) for row in new]
            asked = [(n, own, one) for n, one in made if one.reason in WEIGHED for own in _event_of(one, now)]
            over = [number for number, own, letter in asked if doubt_is_over(connection, own, letter)]
            mark_letters(connection, over, LetterState.REPLAYING, now)
            record(connection, [AuditRow(now, ITSELF, "replay", number, OVER) for number in over])
            closed = {number: why for number, own, letter in asked if (why := why_closed(connection, own, letter))}
            mark_letters(connection, [*closed], LetterState.REPLAYED, now)
            record(connection, [AuditRow(now, ITSELF, "close", number, why) for number, why in closed.items()])
            _add(connection, letter_bodies, [_body(number, letter) for number, letter in made])
            _add(connection, letter_words, [{"letter": n, "words": words_of(letter)} for n, letter in made])
            return len(new)

    def find(self, which: LetterFilter, limit: int, after: int = 0) -> list[Letter]:
        """At most `limit` letters in the order of their numbers, from the first above `after`."""
        select = _WHOLE.where(*conditions(which), dead_letters.c.id > after)
        with self._database.read() as connection:
            return [stored_letter(row) for row in connection.execute(select.order_by(dead_letters.c.id).limit(limit))]

    def count(self, which: LetterFilter) -> int:
        """How many letters `find` would find without a limit."""
        select = sa.select(sa.func.count()).select_from(dead_letters).where(*conditions(which))
        with self._database.read() as connection:
            return connection.scalar(select) or 0

    def waiting(self) -> list[WaitingLetters]:
        """What waits for a person, by route, account and reason."""
        columns = dead_letters.c
        by = (columns.route, columns.account, columns.reason)
        still_to_come = columns.not_after > self._now()
        select = sa.select(
            *by,
            sa.func.count(),
            sa.func.min(columns.died),
            sa.func.min(columns.not_after).filter(still_to_come),
        ).where(columns.state.in_((LetterState.OPEN.value, LetterState.REPLAYING.value)))
        with self._database.read() as connection:
            groups = [WaitingLetters(*row) for row in connection.execute(select.group_by(*by))]
            starts = (((one.route, one.account, one.reason), one.soonest) for one in groups)
            venues = next_venues(connection, by, starts, (LetterState.OPEN, LetterState.REPLAYING))
            return [replace(one, venue=venues.get((one.route, one.account, one.reason), "")) for one in groups]

    def get(self, id_: int) -> Letter | None:
        with self._database.read() as connection:
            row = connection.execute(_WHOLE.where(dead_letters.c.id == id_)).one_or_none()
        return None if row is None else stored_letter(row)

    def begin_replay(self, ids: Sequence[int], who: str, why: str) -> list[Letter]:
        """Marks the open ones of `ids` as being replayed, each with its row of audit, in one commit; not those whose
        event is at work, also with another content or by an earlier replay: one of them at a time (`unready`).

        Returns them, and those that were so marked already: a replay that was cut off left them, and as their
        generation is the same, publishing them again is safe.
        """
        with self._database.write({lock_key(one.new.source, one.new.subject) for one in self._open(ids)}) as connection:
            now = self._now()
            unready = unready_letters(connection, ids)
            found = [
                letter
                for letter in _lock_letters(connection, ids, (LetterState.OPEN, LetterState.REPLAYING))
                if letter.state is LetterState.REPLAYING or letter.id not in unready
            ]
            opened = [letter.id for letter in found if letter.state is LetterState.OPEN]
            mark_letters(connection, opened, LetterState.REPLAYING, now)
            record(connection, [AuditRow(now, who, "replay", id_, why) for id_ in opened])
        return [Letter(letter.id, letter.new, LetterState.REPLAYING, letter.archived) for letter in found]

    def unready(self, ids: Sequence[int]) -> Mapping[int, str]:
        """Those of the letters that cannot be replayed now, as their event is at work: what is open, and what to do."""
        with self._database.read() as connection:
            return unready_letters(connection, ids)

    def close_replayed(self, ids: Sequence[int]) -> None:
        """Closes letters whose replay the broker confirmed."""
        with self._database.write() as connection:
            found = [letter.id for letter in _lock_letters(connection, ids, (LetterState.REPLAYING,))]
            mark_letters(connection, found, LetterState.REPLAYED, self._now())

    def close_edited(self, id_: int, who: str, why: str) -> bool:
        """Closes a letter that was replayed with another content, with its row of audit; whether it was still open."""
        with self._database.write() as connection:
            now = self._now()
            found = [
                letter.id for letter in _lock_letters(connection, [id_], (LetterState.OPEN, LetterState.REPLAYING))
            ]
            mark_letters(connection, found, LetterState.REPLAYED, now)
            record(connection, [AuditRow(now, who, "replay", number, why) for number in found])
        return bool(found)

    def discard(self, ids: Sequence[int], who: str, why: str) -> int:
        """Closes the open ones of `ids` and their events, which are then done with; how many that were."""
        with self._database.write({lock_key(one.new.source, one.new.subject) for one in self._open(ids)}) as connection:
            now = self._now()
            found = list(_lock_letters(connection, ids, (LetterState.OPEN,)))
            mark_letters(connection, [letter.id for letter in found], LetterState.DISCARDED, now)
            if rows := [row for letter in found for row in _event_of(letter.new, now)]:
                connection.execute(_DISCARD_EVENT, rows)
            note_cancelled(connection, found, now)
            record(connection, [AuditRow(now, who, "discard", letter.id, why) for letter in found])
        return len(found)

    def audit(self, limit: int) -> list[AuditRow]:
        """The newest acts of people, the newest first."""
        with self._database.read() as connection:
            rows = connection.execute(sa.select(audit).order_by(audit.c.id.desc()).limit(limit))
            return [stored_act(row) for row in rows]

    def _open(self, ids: Sequence[int]) -> list[Letter]:
        return [letter for some in chunks(ids) for letter in self.find(LetterFilter(ids=some), len(some))]


def _values(letter: NewLetter, now: datetime) -> dict[str, Any]:
    return {name: getattr(letter, name) for name in _LISTED} | {
        "cause": cause_of(letter),
        "assignee": "",
        "fingerprint": _fingerprint(letter),
        "state": LetterState.OPEN.value,
        "archived": now,
        "updated": now,
    }


def _fingerprint(letter: NewLetter) -> str:
    """The same for the same death delivered twice, another for each new death."""
    parts = [letter.message_id, str(letter.generation), letter.reason, hashlib.sha256(letter.body).hexdigest()]
    return hashlib.sha256("\n".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


def _body(number: int, letter: NewLetter) -> dict[str, Any]:
    return {"letter": number, "body": letter.body, "evidence": dict(letter.evidence)}


def _add(connection: sa.Connection, table: sa.Table, rows: Sequence[dict[str, Any]]) -> None:
    if rows:
        connection.execute(sa.insert(table), rows)


def _show_again(connection: sa.Connection, letters: Sequence[NewLetter], now: datetime) -> None:
    """Those that were closed, and whose event died in doubt after that."""
    closed = dead_letters.c.state.in_((LetterState.REPLAYED.value, LetterState.DISCARDED.value))
    for letter in letters:
        for own in _event_of(letter, now):
            same = (dead_letters.c.fingerprint == _fingerprint(letter), closed, died_since_closed(own))
            anew = {"state": LetterState.OPEN.value, "died": letter.died, "updated": now}
            connection.execute(sa.update(dead_letters).where(*same).values(anew))


def conditions(which: LetterFilter) -> Iterator[sa.ColumnElement[bool]]:
    columns = dead_letters.c
    for name in ("reason", "route", "account", "source", "event_id", "cause", "assignee"):
        if (value := getattr(which, name)) is not None:
            yield columns[name] == value
    if which.since is not None:
        yield columns.died >= which.since
    if which.until is not None:
        yield columns.died <= which.until
    if which.ids:
        yield columns.id.in_(which.ids)
    words = list(has_words(which.text.split()))
    if telephone := national_digits(which.text):
        words = [sa.or_(letter_words.c.words.contains(telephone, autoescape=True), sa.and_(*words))]
    if words:
        yield columns.id.in_(sa.select(letter_words.c.letter).where(*words))
    yield columns.state.in_([state.value for state in which.states])


def has_words(words: Sequence[str]) -> Iterator[sa.ColumnElement[bool]]:
    """That each stands among a letter's words: as plain text, or in lower case alone, as it was kept once."""
    for word in words:
        forms = {plain(word), word.lower()}
        yield sa.or_(*(letter_words.c.words.contains(form, autoescape=True) for form in sorted(forms)))


def stored_letter(row: Any) -> Letter:
    """Of a row of both tables."""
    new = NewLetter(**{name: row._mapping[name] for name in _NEW})
    return Letter(row.id, new, LetterState(row.state), row.archived, row.cause, row.assignee)


def _lock_letters(connection: sa.Connection, ids: Sequence[int], states: Sequence[LetterState]) -> Iterator[Letter]:
    """Those of the letters in one of the states, locked in the order of their numbers."""
    for some in chunks(ids):
        select = _WHOLE.where(*conditions(LetterFilter(ids=some, states=states)))
        for row in connection.execute(select.order_by(dead_letters.c.id).with_for_update(of=dead_letters)):
            yield stored_letter(row)


def mark_letters(connection: sa.Connection, ids: Sequence[int], state: LetterState, now: datetime) -> None:
    for some in chunks(ids):
        connection.execute(_MARK.values(state=state.value, updated=now), {"ids": some})


def _event_of(letter: NewLetter, now: datetime) -> Iterator[dict[str, Any]]:
    """The letter's event; none where its bytes are not one."""
    try:
        envelope = decode_recordable(letter.body)
    except EnvelopeError:
        return
    yield {
        "in_source": envelope.source,
        "id": envelope.id,
        "hash": envelope.content_hash,
        "up_to": letter.generation,
        "at": now,
    }
