"""Statements whose text is known beforehand, run by the database's driver itself.

SQLAlchemy looks each statement up, binds its values and wraps its rows in Python, which costs five to ten times what
SQLite takes to run it. So what is run for every event is text, made once (`ledger.batch`); all else is SQLAlchemy's,
also in the same transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

Row = Sequence[Any]


def run_text(connection: sa.Connection, text: str, values: Row = ()) -> list[Row]:
    """The rows that it tells; none, where it tells none. Raises SQLAlchemy's errors, as its own statements do. Without
    values it may be several statements."""
    return _run(connection, lambda cursor: cursor.execute(text, values) if values else cursor.execute(text))


def run_text_for_each(connection: sa.Connection, text: str, rows: Sequence[Row]) -> None:
    """Once for each row of values. Raises as `run_text`."""
    _run(connection, lambda cursor: cursor.executemany(text, rows))


def _run(connection: sa.Connection, work: Callable[[Any], object]) -> list[Row]:
    pooled, dialect = connection.connection, connection.dialect
    base = dialect.loaded_dbapi.Error
    try:
        cursor = pooled.cursor()
        try:
            work(cursor)
            return list(cursor.fetchall()) if _has_rows(cursor) else []
        finally:
            cursor.close()
    except base as error:
        is_lost = dialect.is_disconnect(error, pooled, None)
        if is_lost:
            connection.invalidate(error)  # it goes back to no pool
        raise DBAPIError.instance(
            None, None, error, base, hide_parameters=True, connection_invalidated=is_lost, dialect=dialect
        ) from error


def _has_rows(cursor: Any) -> bool:
    """psycopg makes an object of each column for a description, and knows without where its rows begin."""
    if hasattr(cursor, "rownumber"):
        return cursor.rownumber is not None
    return cursor.description is not None
