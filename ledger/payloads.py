"""What the ledger keeps of guests, and how it is erased: of events that have ended, of bookings, and of closed letters.

What stays tells no guest: ids, hashes, order, states, times and reasons, by which duplicates are known and history is
read. The words of an event (`search_terms`) go with its payload.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from bellhop.ledger.batches import walk
from bellhop.ledger.bookings import standing
from bellhop.ledger.engine import Database
from bellhop.ledger.known import UNFINISHED
from bellhop.ledger.loose_words import erase_bookings_words, erase_jobs_words
from bellhop.ledger.records import LetterState
from bellhop.ledger.tables import (
    accounts,
    attempts,
    bookings,
    cause_lives,
    dead_letters,
    doubts,
    event_words,
    events,
    letter_bodies,
    letter_edits,
    letter_notes,
    letter_words,
)

WAITING: Final = (LetterState.OPEN.value, LetterState.REPLAYING.value)
ENDED: Final = sa.and_(events.c.state.not_in([state.value for state in UNFINISHED]), events.c.calling.is_(None))
"""Not what was discarded with a call's end unknown: what it may have booked is still looked for."""

_other: Final = events.alias("other")
_held: Final = bookings.alias("held")


def erase_events(connection: sa.Connection, pks: Sequence[int], now: datetime) -> None:
    """Of events that have ended and wait for nobody."""
    told = {"request": sa.null(), "answer": sa.null(), "error": ""}
    connection.execute(sa.update(attempts).where(attempts.c.event_pk.in_(pks)).values(told))
    for table in (event_words, doubts):
        connection.execute(sa.delete(table).where(table.c.event_pk.in_(pks)))
    connection.execute(sa.update(events).where(events.c.pk.in_(pks)).values(detail="", erased=now))


def erase_letters(connection: sa.Connection, numbers: Sequence[int]) -> None:
    """Of closed letters: what was sent, what came of it, and what people wrote to it. None can be restored then."""
    nothing: dict[str, Any] = {"body": b"", "evidence": {}}
    connection.execute(sa.update(letter_bodies).where(letter_bodies.c.letter.in_(numbers)).values(nothing))
    for table in (letter_words, letter_notes, letter_edits):
        connection.execute(sa.delete(table).where(table.c.letter.in_(numbers)))
    erase_jobs_words(connection, numbers)
    # A cause has the error's words, too.
    plain = dead_letters.c.reason + "/" + dead_letters.c.account + "/-/"
    told = {"error": "", "cause": plain}
    connection.execute(sa.update(dead_letters).where(dead_letters.c.id.in_(numbers)).values(told))


def prune_payloads(database: Database, before: datetime, now: datetime) -> int:
    """Erases what ended, and whose booking is over, before `before`; of how many events, bookings, letters and more."""
    return sum(step(database, before, now) for step in (_events, _bookings, _letters, _causes, _errors))


def _needs_guest(source: sa.Column[str], subject: sa.Column[str], before: datetime) -> sa.ColumnElement[bool]:
    """Whether a booking (or member) still needs its guest: it stands and is to come, or was a short while ago; an event
    of it is unfinished; a letter of it waits for a person."""
    coming = sa.exists().where(
        _held.c.source == source, _held.c.reference == subject, _held.c.last_start >= before, standing(_held)
    )
    unfinished = sa.exists().where(
        _other.c.source == source,
        _other.c.subject == subject,
        _other.c.state.in_([state.value for state in UNFINISHED]),
    )
    waiting = sa.exists().where(
        dead_letters.c.source == source, dead_letters.c.subject == subject, dead_letters.c.state.in_(WAITING)
    )
    return sa.or_(coming, unfinished, waiting)


def _events(database: Database, before: datetime, now: datetime) -> int:
    fresh = sa.or_(events.c.erased.is_(None), events.c.erased < events.c.updated)
    over = ~_needs_guest(events.c.source, events.c.subject, before)
    old = sa.select(events.c.updated, events.c.pk).where(events.c.updated < before, ENDED, fresh, over)

    def erase(connection: sa.Connection, rows: Sequence[Any]) -> int:
        erase_events(connection, [row.pk for row in rows], now)
        return len(rows)

    return walk(database, old, (events.c.updated, events.c.pk), erase)


def _bookings(database: Database, before: datetime, _now: datetime) -> int:
    over = ~_needs_guest(bookings.c.source, bookings.c.reference, before)
    place = (bookings.c.updated, bookings.c.reference, bookings.c.source)
    old = sa.select(*place).where(bookings.c.updated < before, bookings.c.asked.is_not(None), over)

    def erase(connection: sa.Connection, rows: Sequence[Any]) -> int:
        erase_bookings_words(connection, [(row.source, row.reference) for row in rows])
        return len(rows)

    return walk(database, old, place, erase)


def _letters(database: Database, before: datetime, _now: datetime) -> int:
    old = (
        sa.select(dead_letters.c.id)
        .join(letter_bodies, letter_bodies.c.letter == dead_letters.c.id)
        .where(
            dead_letters.c.updated < before,
            dead_letters.c.state.not_in(WAITING),
            sa.func.length(letter_bodies.c.body) > 0,
        )
    )

    def erase(connection: sa.Connection, rows: Sequence[Any]) -> int:
        erase_letters(connection, [row.id for row in rows])
        return len(rows)

    return walk(database, old, (dead_letters.c.id,), erase)


def _causes(database: Database, before: datetime, now: datetime) -> int:
    """What was said of causes whose letters are gone, as a cause has an error's words."""
    kept = sa.exists().where(dead_letters.c.cause == cause_lives.c.cause)
    is_over = sa.or_(cause_lives.c.until.is_(None), cause_lives.c.until < now)
    with database.write() as connection:
        return connection.execute(sa.delete(cause_lives).where(cause_lives.c.at < before, is_over, ~kept)).rowcount


def _errors(database: Database, before: datetime, _now: datetime) -> int:
    """The last error of accounts that nobody has called since."""
    old = sa.update(accounts).where(accounts.c.updated < before, accounts.c.error != "")
    with database.write() as connection:
        return connection.execute(old.values(error="")).rowcount
