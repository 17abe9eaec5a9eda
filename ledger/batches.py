"""What is done to many rows is done a batch at a time, so that nobody waits long to write.

SQLite has one writer at a time: what a batch is to be of is therefore found while others write, and within the commit
only looked at once more.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, Final

import sqlalchemy as sa

from bellhop.ledger.engine import Database

BATCH: Final = 200
"""On SQLite deleting so many events with all that hangs on them takes some tens of milliseconds."""

Act = Callable[[sa.Connection, Sequence[Any]], int]
"""What is done to the rows of a batch; how many rows that were."""


def walk(database: Database, query: sa.Select[Any], place: Sequence[sa.Column[Any]], act: Act) -> int:
    """Does `act` to what `query` finds, a batch in each commit, in the order of `place`: the columns that it asks for
    last. A batch begins where the one before ended: what is passed over is looked through once, not with every batch.
    Dying in between leaves whole batches done, and the next walk does the others."""
    total, last = 0, None
    while True:
        rest = query if last is None else query.where(sa.tuple_(*place) > sa.tuple_(*last))
        with database.read() as connection:
            found = connection.execute(rest.order_by(*place).limit(BATCH)).all()
        if not found:
            return total
        with database.write() as connection:
            began = time.monotonic()
            again = query.where(_is_one_of(found, place)).with_for_update(skip_locked=True)
            if rows := connection.execute(again).all():
                total += act(connection, rows)
        database.make_way(time.monotonic() - began)
        ended = found[-1][-len(place) :]
        last = [sa.literal(value, column.type) for value, column in zip(ended, place, strict=True)]


def _is_one_of(rows: Sequence[Any], place: Sequence[sa.Column[Any]]) -> sa.ColumnElement[bool]:
    keys = [column for column in place if column.primary_key]
    if len(keys) == 1:
        return keys[0].in_([row._mapping[keys[0]] for row in rows])
    return sa.tuple_(*keys).in_([tuple(row._mapping[key] for key in keys) for row in rows])
