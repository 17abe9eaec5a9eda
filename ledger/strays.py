"""Events that nothing may be bringing on any more: what is due for long, and what died and stands before nobody."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import sqlalchemy as sa

from bellhop.ledger.engine import Database
from bellhop.ledger.events import TAKEN_OVER
from bellhop.ledger.known import UNFINISHED
from bellhop.ledger.records import LetterState, State
from bellhop.ledger.tables import dead_letters, events

_COLUMNS: Final = tuple(events.c[name] for name in ("source", "event_id", "route", "state", "updated"))
_SHOWN: Final = (LetterState.OPEN.value, LetterState.REPLAYING.value)
_HAS_LETTER: Final = sa.exists().where(
    dead_letters.c.event_id == events.c.event_id,
    dead_letters.c.source == events.c.source,
    dead_letters.c.state.in_(_SHOWN),
)
UNSEEN: Final = sa.and_(events.c.state == State.DEAD.value, ~_HAS_LETTER, ~TAKEN_OVER)
"""Whether an event died and no letter of it stands before a person, or is marked to go on."""


@dataclass(frozen=True, slots=True)
class Stray:
    """since: when the ledger last heard of it."""

    source: str
    id: str
    route: str
    state: State
    since: datetime


def find_strays(database: Database, before: datetime, limit: int) -> Sequence[Stray]:
    """See `Ledger.strays`."""
    overdue = sa.select(*_COLUMNS).where(
        events.c.state.in_(UNFINISHED),
        events.c.claim_until < before,
        events.c.updated < before,
        sa.or_(events.c.next_at.is_(None), events.c.next_at < before),
    )
    unseen = sa.select(*_COLUMNS).where(UNSEEN, events.c.updated < before)
    with database.read() as connection:
        rows = [row for query in (overdue, unseen) for row in connection.execute(query.limit(limit))]
    return [Stray(row.source, row.event_id, row.route, State(row.state), row.updated) for row in rows]


def find_unknown(database: Database, source: str, ids: Sequence[str]) -> Collection[str]:
    """See `Ledger.unknown`."""
    found: set[str] = set()
    with database.read() as connection:
        for table in (events, dead_letters):
            same = (table.c.source == source, table.c.event_id.in_(ids))
            found |= set(connection.scalars(sa.select(table.c.event_id).where(*same)))
    return {*ids} - found
