"""Forgetting what is finished and old, a batch at a time, so that nobody waits long for it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final

import sqlalchemy as sa

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

_BATCH: Final = 500
_JOBS_AT_ONCE: Final = 5
"""Each may have a hundred thousand items."""
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
    return sum(
        _repeat(step, database, before, now)
        for step in (_letters, _causes, _events, _bookings, _guests, _permits, _jobs, _refusals, _logins)
    )


def _repeat(step: Step, database: Database, before: datetime, now: datetime) -> int:
    total = 0
    while gone := step(database, before, now):
        total += gone
    return total


def _causes(database: Database, before: datetime, _now: datetime) -> int:
    """What was said of causes of which no letter is kept."""
    kept = sa.exists().where(dead_letters.c.cause == cause_lives.c.cause)
    with database.write() as connection:
        return connection.execute(sa.delete(cause_lives).where(cause_lives.c.at < before, ~kept)).rowcount


def _letters(database: Database, before: datetime, _now: datetime) -> int:
    old = sa.select(dead_letters.c.id).where(dead_letters.c.updated < before, dead_letters.c.state.not_in(_WAITING))
    with database.write() as connection:
        ids = connection.scalars(old.limit(_BATCH).with_for_update(skip_locked=True)).all()
        if not ids:
            return 0
        for table in (letter_bodies, letter_words, letter_notes, letter_edits):
            connection.execute(sa.delete(table).where(table.c.letter.in_(ids)))
        return connection.execute(sa.delete(dead_letters).where(dead_letters.c.id.in_(ids))).rowcount


def _events(database: Database, before: datetime, _now: datetime) -> int:
    old = sa.select(events.c.pk).where(
        events.c.updated < before,
        events.c.state.not_in(UNFINISHED),
        sa.or_(events.c.state != State.DEAD, ~_has_waiting_letter),
    )
    with database.write() as connection:
        pks = connection.scalars(old.limit(_BATCH).with_for_update(skip_locked=True)).all()
        if not pks:
            return 0
        for table in (event_words, doubts):
            connection.execute(sa.delete(table).where(table.c.event_pk.in_(pks)))
        tries = connection.execute(sa.delete(attempts).where(attempts.c.event_pk.in_(pks))).rowcount
        return tries + connection.execute(sa.delete(events).where(events.c.pk.in_(pks))).rowcount


def _bookings(database: Database, before: datetime, now: datetime) -> int:
    """A booking outlives its events until its start has passed: a cancel may still come for it."""
    old = sa.select(bookings.c.source, bookings.c.reference).where(
        bookings.c.updated < before,
        sa.or_(bookings.c.last_start.is_(None), bookings.c.last_start < now),
        ~_has_event,
    )
    with database.write() as connection:
        keys = [tuple(row) for row in connection.execute(old.limit(_BATCH).with_for_update(skip_locked=True))]
        if not keys:
            return 0
        same = sa.tuple_(bookings.c.source, bookings.c.reference).in_(keys)
        connection.execute(
            sa.delete(vendor_ids).where(sa.tuple_(vendor_ids.c.source, vendor_ids.c.reference).in_(keys))
        )
        return connection.execute(sa.delete(bookings).where(same)).rowcount


def _guests(database: Database, before: datetime, _now: datetime) -> int:
    """What a booking was asked for names its guest, and goes with its events, also where the booking stays."""
    old = sa.select(bookings.c.source, bookings.c.reference).where(
        bookings.c.updated < before, bookings.c.asked.is_not(None), ~_has_event
    )
    with database.write() as connection:
        keys = [tuple(row) for row in connection.execute(old.limit(_BATCH).with_for_update(skip_locked=True))]
        if not keys:
            return 0
        same = sa.tuple_(bookings.c.source, bookings.c.reference).in_(keys)
        return connection.execute(sa.update(bookings).where(same).values(asked=sa.null())).rowcount


def _permits(database: Database, _before: datetime, now: datetime) -> int:
    """Those of processes that died. Another call of the account would end them too, but none may come."""
    with database.write() as connection:
        return connection.execute(sa.delete(permits).where(permits.c.until < now)).rowcount


def _refusals(database: Database, _before: datetime, now: datetime) -> int:
    with database.write() as connection:
        return connection.execute(sa.delete(refused_posts).where(refused_posts.c.last < now - KEPT)).rowcount


def _logins(database: Database, _before: datetime, now: datetime) -> int:
    """Failures to sign in that count no more: the next one takes them away, too, but none may come."""
    with database.write() as connection:
        old = sa.delete(login_failures).where(login_failures.c.at <= now - FAILURES_KEPT)
        return connection.execute(old).rowcount


def _jobs(database: Database, before: datetime, _now: datetime) -> int:
    """Bulk acts that have ended; what they did to each letter stays in the audit."""
    ended = [state.value for state in JobState if state.ended]
    old = sa.select(jobs.c.id).where(jobs.c.updated < before, jobs.c.state.in_(ended))
    with database.write() as connection:
        ids = connection.scalars(old.limit(_JOBS_AT_ONCE).with_for_update(skip_locked=True)).all()
        if not ids:
            return 0
        items = connection.execute(sa.delete(job_items).where(job_items.c.job.in_(ids))).rowcount
        return items + connection.execute(sa.delete(jobs).where(jobs.c.id.in_(ids))).rowcount
