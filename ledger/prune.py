"""Forgetting what is finished and old, a batch at a time, so that nobody waits long for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from bellhop.ledger.batches import walk
from bellhop.ledger.engine import Database
from bellhop.ledger.known import UNFINISHED
from bellhop.ledger.people import FAILURES_KEPT
from bellhop.ledger.records import JobState, LetterState, State
from bellhop.ledger.refusals import KEPT
from bellhop.ledger.tables import (
    attempts,
    bookings,
    cause_lives,
    dead_letters,
    doubts,
    event_words,
    events,
    job_items,
    jobs,
    letter_bodies,
    letter_edits,
    letter_notes,
    letter_words,
    login_failures,
    permits,
    refused_posts,
    vendor_ids,
)

Step = Callable[[Database, datetime, datetime], int]

_PLACE_OF_BOOKINGS: Final = (bookings.c.updated, bookings.c.reference, bookings.c.source)
_WAITING: Final = (LetterState.OPEN.value, LetterState.REPLAYING.value)

_has_waiting_letter: Final = (
    sa.select(dead_letters.c.id)
    .where(
        dead_letters.c.source == events.c.source,
        dead_letters.c.event_id == events.c.event_id,
        dead_letters.c.state.in_(_WAITING),
    )
    .exists()
)
_has_event: Final = (
    sa.select(events.c.pk)
    .where(events.c.source == bookings.c.source, events.c.subject == bookings.c.reference)
    .exists()
)


def prune(database: Database, before: datetime, now: datetime) -> int:
    """See `Ledger.prune`: everything last touched before `before`. How many rows went."""
    steps = (_letters, _causes, _events, _bookings, _guests, _permits, _jobs, _refusals, _logins)
    return sum(step(database, before, now) for step in steps)


def _causes(database: Database, before: datetime, _now: datetime) -> int:
    """What was said of causes of which no letter is kept."""
    kept = sa.exists().where(dead_letters.c.cause == cause_lives.c.cause)
    with database.write() as connection:
        return connection.execute(sa.delete(cause_lives).where(cause_lives.c.at < before, ~kept)).rowcount


def _letters(database: Database, before: datetime, _now: datetime) -> int:
    old = sa.select(dead_letters.c.id).where(dead_letters.c.updated < before, dead_letters.c.state.not_in(_WAITING))

    def delete(connection: sa.Connection, rows: Sequence[Any]) -> int:
        ids = [row.id for row in rows]
        for table in (letter_bodies, letter_words, letter_notes, letter_edits):
            connection.execute(sa.delete(table).where(table.c.letter.in_(ids)))
        return connection.execute(_delete(dead_letters, rows)).rowcount

    return walk(database, old, (dead_letters.c.id,), delete)


def _events(database: Database, before: datetime, _now: datetime) -> int:
    old = sa.select(events.c.updated, events.c.pk).where(
        events.c.updated < before,
        events.c.state.not_in(UNFINISHED),
        sa.or_(events.c.state != State.DEAD, ~_has_waiting_letter),
    )

    def delete(connection: sa.Connection, rows: Sequence[Any]) -> int:
        pks = [row.pk for row in rows]
        for table in (event_words, doubts):
            connection.execute(sa.delete(table).where(table.c.event_pk.in_(pks)))
        tries = connection.execute(sa.delete(attempts).where(attempts.c.event_pk.in_(pks))).rowcount
        return tries + connection.execute(sa.delete(events).where(events.c.pk.in_(pks))).rowcount

    return walk(database, old, (events.c.updated, events.c.pk), delete)


def _bookings(database: Database, before: datetime, now: datetime) -> int:
    """A booking outlives its events until its start has passed: a cancel may still come for it."""
    old = sa.select(*_PLACE_OF_BOOKINGS).where(
        bookings.c.updated < before,
        sa.or_(bookings.c.last_start.is_(None), bookings.c.last_start < now),
        ~_has_event,
    )

    def delete(connection: sa.Connection, rows: Sequence[Any]) -> int:
        ids = sa.tuple_(vendor_ids.c.source, vendor_ids.c.reference)
        connection.execute(sa.delete(vendor_ids).where(ids.in_([(row.source, row.reference) for row in rows])))
        return connection.execute(sa.delete(bookings).where(_is_of(rows))).rowcount

    return walk(database, old, _PLACE_OF_BOOKINGS, delete)


def _guests(database: Database, before: datetime, _now: datetime) -> int:
    """What a booking was asked for names its guest, and goes with its events, also where the booking stays."""
    old = sa.select(*_PLACE_OF_BOOKINGS).where(bookings.c.updated < before, bookings.c.asked.is_not(None), ~_has_event)

    def erase(connection: sa.Connection, rows: Sequence[Any]) -> int:
        return connection.execute(sa.update(bookings).where(_is_of(rows)).values(asked=sa.null())).rowcount

    return walk(database, old, _PLACE_OF_BOOKINGS, erase)


def _is_of(rows: Sequence[Any]) -> sa.ColumnElement[bool]:
    """Of bookings: whether it is one of these."""
    return sa.tuple_(bookings.c.reference, bookings.c.source).in_([(row.reference, row.source) for row in rows])


def _permits(database: Database, _before: datetime, now: datetime) -> int:
    """Those of processes that died. Another call of the account would end them too, but none may come."""
    with database.write() as connection:
        return connection.execute(sa.delete(permits).where(permits.c.until < now)).rowcount


def _refusals(database: Database, _before: datetime, now: datetime) -> int:
    old = sa.select(refused_posts.c.id).where(refused_posts.c.last < now - KEPT)

    def delete(connection: sa.Connection, rows: Sequence[Any]) -> int:
        return connection.execute(_delete(refused_posts, rows)).rowcount

    return walk(database, old, (refused_posts.c.id,), delete)


def _logins(database: Database, _before: datetime, now: datetime) -> int:
    """Failures to sign in that count no more: the next one takes them away, too, but none may come."""
    with database.write() as connection:
        old = sa.delete(login_failures).where(login_failures.c.at <= now - FAILURES_KEPT)
        return connection.execute(old).rowcount


def _jobs(database: Database, before: datetime, _now: datetime) -> int:
    """Bulk acts that have ended, each after its letters, which may be a hundred thousand; what was done to them stays
    in the audit."""
    ended = sa.and_(jobs.c.updated < before, jobs.c.state.in_([state.value for state in JobState if state.ended]))
    place = (job_items.c.job, job_items.c.place)
    items = sa.select(*place).join(jobs, jobs.c.id == job_items.c.job).where(ended)

    def delete_items(connection: sa.Connection, rows: Sequence[Any]) -> int:
        these = sa.tuple_(*place).in_([(row.job, row.place) for row in rows])
        return connection.execute(sa.delete(job_items).where(these)).rowcount

    def delete(connection: sa.Connection, rows: Sequence[Any]) -> int:
        return connection.execute(_delete(jobs, rows)).rowcount

    return walk(database, items, place, delete_items) + walk(
        database, sa.select(jobs.c.id).where(ended), (jobs.c.id,), delete
    )


def _delete(table: sa.Table, rows: Sequence[Any]) -> sa.Delete:
    return sa.delete(table).where(table.c.id.in_([row.id for row in rows]))
