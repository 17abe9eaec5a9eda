"""How a guest is looked for in tables that have to be read whole, as no index helps.

SQLite has one writer at a time, and reading a large ledger whole may take minutes. So there it is read before anything
is erased (`Beforehand`), a part at a time, while others write; and within the commit that erases (`Within`) what has
come since. PostgreSQL, where numbers may be seen out of order and who writes keeps nobody else from it, is read within
the commit alone. Dying before the commit leaves all as it was.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

import sqlalchemy as sa

from bellhop.ledger.engine import Database
from bellhop.ledger.tables import attempts, audit, bookings, events, letter_bodies, letter_notes, refused_posts

PART: Final = 5_000
"""Rows of a table that are read in one transaction."""

_PLACES: Final[Mapping[sa.Table, sa.Column[Any]]] = {
    attempts: attempts.c.pk,
    audit: audit.c.id,
    bookings: bookings.c.updated,
    events: events.c.pk,
    letter_bodies: letter_bodies.c.letter,
    letter_notes: letter_notes.c.id,
    refused_posts: refused_posts.c.id,
}
"""By what each is gone through: where what is new comes last. The words of a row stay as they are, but for a booking's,
which is new each time it changes."""
_CLOCKS_DIFFER: Final = timedelta(minutes=15)
"""So much the clocks of processes that change bookings may be behind."""


class Look(Protocol):
    def rows(self, query: sa.Select[Any]) -> Sequence[Any]:
        """What an index finds."""
        ...

    def whole(self, table: sa.Table, query: sa.Select[Any]) -> Iterator[Any]:
        """What is found by reading all of a table; the query asks for it, and may join others to it."""
        ...


class Beforehand:
    """Reads in short transactions. ends: to where each table was read for certain."""

    def __init__(self, database: Database, now: datetime) -> None:
        self._database = database
        self._now = now
        self.ends: dict[sa.Table, Any] = {}

    def rows(self, query: sa.Select[Any]) -> Sequence[Any]:
        with self._database.read() as connection:
            return connection.execute(query).all()

    def whole(self, table: sa.Table, query: sa.Select[Any]) -> Iterator[Any]:
        place = _PLACES[table]
        if table is bookings:
            self.ends[table] = self._now - _CLOCKS_DIFFER
        elif table not in self.ends:
            self.ends[table] = self.rows(sa.select(sa.func.max(place)))[0][0]
        last: Any = None
        while True:
            behind = [] if last is None else [place > last]
            end = sa.select(place).where(*behind).order_by(place).offset(PART).limit(1)
            with self._database.read() as connection:
                until = connection.scalar(end)
                part = [] if until is None else [place <= until]
                found = connection.execute(query.where(*behind, *part)).all()
            yield from found
            if until is None:
                return
            last = until


class Within:
    """Reads in an open transaction. ends: to where each table is known, as `Beforehand` has it."""

    def __init__(self, connection: sa.Connection, ends: Mapping[sa.Table, Any]) -> None:
        self._connection = connection
        self._ends = ends

    def rows(self, query: sa.Select[Any]) -> Sequence[Any]:
        return self._connection.execute(query).all()

    def whole(self, table: sa.Table, query: sa.Select[Any]) -> Iterator[Any]:
        if self._is_known(table):
            query = query.where(_PLACES[table] >= self._ends[table])
        yield from self._connection.execute(query)

    def _is_known(self, table: sa.Table) -> bool:
        """A number is given again once its row, the last one, was deleted: only while that row stands is there none
        before it that nobody has read."""
        if (end := self._ends.get(table)) is None or table is bookings:
            return end is not None
        place = _PLACES[table]
        return bool(self.rows(sa.select(place).where(place == end)))
