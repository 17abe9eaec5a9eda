"""Reading events: one by its id, and how many are unfinished."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from bellhop.ledger import bookings
from bellhop.ledger.calls import read_calls
from bellhop.ledger.engine import Database
from bellhop.ledger.known import RANKS, UNFINISHED
from bellhop.ledger.letters import has_words
from bellhop.ledger.records import EventView, Standing, State
from bellhop.ledger.search_terms import asked_numbers
from bellhop.ledger.tables import audit, dead_letters, event_words, events, letter_words, vendor_ids
from bellhop.schemas.results import RESULTS_ROUTE, result_ids

_MOST: Final = 200
_CHUNK: Final = 500
_NEWEST: Final = (
    sa.select(events)
    .where(events.c.source == sa.bindparam("source"), events.c.event_id == sa.bindparam("id"))
    .order_by(events.c.generation.desc(), events.c.pk.desc())
    .limit(1)
)
_later: Final = events.alias("later")
TAKEN_OVER: Final = sa.and_(
    events.c.state == State.DEAD.value,
    sa.exists().where(
        _later.c.source == events.c.source,
        _later.c.event_id == events.c.event_id,
        _later.c.generation > events.c.generation,
    ),
)
"""Whether it died and a person's edit of it, which has a row of its own, was taken: what became of it stands there."""
_UNFINISHED: Final = (
    sa.select(events.c.route, events.c.state, sa.func.count())
    .where(events.c.state.in_(UNFINISHED))
    .group_by(events.c.route, events.c.state)
)


def event(database: Database, source: str, id_: str) -> EventView | None:
    """See `Ledger.event`."""
    with database.read() as connection:
        row = connection.execute(_NEWEST, {"source": source, "id": id_}).one_or_none()
        return None if row is None else _view(connection, row)


def standings(database: Database, source: str, ids: Sequence[str]) -> Mapping[str, Sequence[Standing]]:
    """See `Ledger.standings`."""
    columns = (events.c.content_hash, events.c.state, events.c.reason, events.c.detail, events.c.generation)
    found: dict[str, list[Standing]] = {}
    with database.read() as connection:
        for start in range(0, len(ids), _CHUNK):
            same = (events.c.source == source, events.c.event_id.in_(ids[start : start + _CHUNK]))
            for id_, hash_, state, *rest in connection.execute(sa.select(events.c.event_id, *columns).where(*same)):
                found.setdefault(id_, []).append(Standing(hash_, State(state), *rest))
    return found


def of_subject(database: Database, source: str, subject: str) -> list[EventView]:
    """See `Ledger.events_of`."""
    query = sa.select(events).where(events.c.source == source, events.c.subject == subject, ~TAKEN_OVER)
    with database.read() as connection:
        rows = connection.execute(query.order_by(events.c.time.desc(), events.c.pk.desc()).limit(_MOST)).all()
        return [_view(connection, row) for row in rows]


def of_source(database: Database, source: str, text: str, before: int, limit: int) -> list[tuple[int, EventView]]:
    """See `Ledger.events_of_source`."""
    query = sa.select(events).where(events.c.source == source, events.c.route != RESULTS_ROUTE, ~TAKEN_OVER)
    if word := _storable(text):
        query = query.where(sa.or_(events.c.event_id == word, events.c.subject == word))
    if before:
        query = query.where(events.c.pk < before)
    with database.read() as connection:
        rows = connection.execute(query.order_by(events.c.pk.desc()).limit(limit)).all()
    return [(row.pk, _row_view(row)) for row in rows]


def results_of(database: Database, source: str, id_: str) -> list[EventView]:
    """See `Ledger.results_of`."""
    contents = sa.select(events.c.content_hash, events.c.generation).where(
        events.c.source == source, events.c.event_id == id_
    )
    acts = (
        sa.select(dead_letters.c.generation, audit.c.id)
        .join(audit, audit.c.letter == dead_letters.c.id)
        .where(dead_letters.c.source == source, dead_letters.c.event_id == id_, audit.c.act.in_(("discard", "restore")))
    )
    with database.read() as connection:
        known = {row.content_hash: row.generation for row in connection.execute(contents)}
        done = [(row.generation, row.id) for row in connection.execute(acts)]
        ids = result_ids(source, id_, known, done)
        same = (events.c.source == source, events.c.event_id.in_(ids), events.c.route == RESULTS_ROUTE)
        rows = connection.execute(sa.select(events).where(*same).order_by(events.c.pk)).all()
        return [replace(_row_view(row), attempts=read_calls(connection, source, row.event_id)) for row in rows]


def find(database: Database, text: str, limit: int) -> list[EventView]:
    """See `Ledger.find_events`."""
    word = _storable(text)
    if not word:
        return []
    known = sa.select(vendor_ids.c.reference).where(vendor_ids.c.vendor_id == word)
    # In any case, what was kept since is found by its search terms; of what is older, the cases that people write.
    cases = {word, word.upper(), word.lower()}
    same = sa.or_(events.c.event_id == word, events.c.subject.in_(cases), events.c.subject.in_(known))
    with database.read() as connection:
        found = set(connection.scalars(sa.select(events.c.pk).where(same).order_by(events.c.pk.desc()).limit(limit)))
        found |= set(_of_people(connection, word, limit))
        if len(found) < limit:
            found |= set(_of_letters(connection, word, limit))
        shown = sa.select(events).where(events.c.pk.in_(found), ~TAKEN_OVER)
        rows = connection.execute(shown.order_by(events.c.pk.desc()).limit(limit)).all()
        return [_view(connection, row) for row in rows]


def _storable(text: str) -> str:
    """What no database can hold is in no row, but would make the question an error."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8").strip()


def _of_people(connection: sa.Connection, text: str, limit: int) -> list[int]:
    """The events whose people have the most of a text's words: all of "Mei Lee", or the last of "Ms Lee"."""
    named = event_words.c.word.in_(asked_numbers(text))
    count = sa.func.count()
    query = sa.select(event_words.c.event_pk, count).where(named).group_by(event_words.c.event_pk)
    rows = connection.execute(query.order_by(count.desc(), event_words.c.event_pk.desc()).limit(limit)).all()
    return [row[0] for row in rows if row[1] == rows[0][1]]


def _of_letters(connection: sa.Connection, text: str, limit: int) -> list[int]:
    """The events whose dead letters hold a text anywhere in their words."""
    named = sa.select(dead_letters.c.event_id).join(letter_words, letter_words.c.letter == dead_letters.c.id)
    named = named.where(*has_words([text])).limit(limit)
    ids = list(connection.scalars(named))
    return list(connection.scalars(sa.select(events.c.pk).where(events.c.event_id.in_(ids))))


def recent_ends(database: Database, since: datetime) -> Mapping[tuple[str, State], int]:
    """See `Ledger.recent_ends`."""
    query = sa.select(events.c.route, events.c.state, sa.func.count()).where(events.c.updated >= since)
    with database.read() as connection:
        rows = connection.execute(query.group_by(events.c.route, events.c.state)).all()
    return {(route, State(state)): count for route, state, count in rows}


def _view(connection: sa.Connection, row: Any) -> EventView:
    held = bookings.read_bookings(connection, [(row.source, row.subject)]) if row.type in RANKS else {}
    entries = [entry for one in held.values() for entry in one.booking.entries]
    return replace(_row_view(row), attempts=read_calls(connection, row.source, row.event_id), entries=entries)


def _row_view(row: Any) -> EventView:
    """Without its calls and its booking."""
    return EventView(
        source=row.source,
        id=row.event_id,
        type=row.type,
        subject=row.subject,
        route=row.route,
        account=row.account,
        state=State(row.state),
        detail=row.detail,
        reason=row.reason,
        generation=row.generation,
        time=row.time,
        received=row.received,
        updated=row.updated,
        next_at=row.next_at,
        attempt_count=row.attempts,
    )


def count_unfinished(database: Database) -> Mapping[tuple[str, State], int]:
    """See `Ledger.count_unfinished`."""
    with database.read() as connection:
        return {(route, State(state)): count for route, state, count in connection.execute(_UNFINISHED)}


def is_booking(database: Database, account: str) -> bool:
    """See `Ledger.is_booking`."""
    calling = sa.select(events.c.pk).where(
        events.c.state.in_(UNFINISHED), events.c.account == account, events.c.calling.is_not(None)
    )
    with database.read() as connection:
        return connection.execute(calling.limit(1)).one_or_none() is not None


def is_at_work(database: Database, source: str, reference: str) -> bool:
    """See `Ledger.is_at_work`."""
    unfinished = sa.select(events.c.pk).where(
        events.c.source == source, events.c.subject == reference, events.c.state.in_(UNFINISHED)
    )
    with database.read() as connection:
        return connection.execute(unfinished.limit(1)).one_or_none() is not None
