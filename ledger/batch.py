"""Statements over many rows, in one round trip: the one place where the ledger writes in batches.

SQLAlchemy binds row by row in Python, a third of what a claim costs. Here a batch's columns are turned into what the
database takes, one column after another, and the driver does the rest: SQLite runs the prepared statement row by row;
PostgreSQL gets each column as an array, and one statement whatever the number of rows.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

_POSTGRES: Final = postgresql.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy's own


class BatchStatement:
    """by_row: SQLite's statement, for each row. by_array: PostgreSQL's, with an array for each column."""

    def __init__(self, table: sa.Table, names: Sequence[str], by_row: str, by_array: str) -> None:
        self._turns = [_turn(table.c[name]) for name in names]
        self._by_row = by_row
        self._by_array = by_array

    def run(self, connection: sa.Connection, rows: Sequence[Sequence[Any]]) -> Sequence[Sequence[Any]]:
        """rows: values in the order of the names. What PostgreSQL's statement returns; SQLite's returns nothing."""
        if not rows:
            return ()
        by_column = zip(*rows, strict=True)
        columns = [
            list(map(turn, column)) if turn else list(column)
            for turn, column in zip(self._turns, by_column, strict=True)
        ]
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql(self._by_row, list(zip(*columns, strict=True)))
            return ()
        done = connection.exec_driver_sql(self._by_array, tuple(columns))
        return done.all() if done.returns_rows else ()


def insert(table: sa.Table, names: Sequence[str], *, returning: Sequence[str] = ()) -> BatchStatement:
    """New rows. returning: what PostgreSQL tells of each, in any order."""
    into, told = f"INSERT INTO {table.name} ({', '.join(names)})", f" RETURNING {', '.join(returning)}"
    by_row = f"{into} VALUES ({', '.join('?' * len(names))})"
    by_array = f"{into} SELECT * FROM {_unnest(table, names)}{told if returning else ''}"  # noqa: S608  # names alone
    return BatchStatement(table, names, by_row, by_array)


def update(table: sa.Table, names: Sequence[str], *, adding: Sequence[str] = ()) -> BatchStatement:
    """Changes rows by their number, `pk`, the last of its values. adding: columns that grow by the value. On PostgreSQL
    the rows are locked in the order of their numbers first, as `Database.write` demands."""
    name, before = table.name, {one: f"{table.name}.{one} + " if one in adding else "" for one in names}
    by_row = f"UPDATE {name} SET {', '.join(f'{one} = {before[one]}?' for one in names)} WHERE pk = ?"  # noqa: S608
    changes = ", ".join(f"{one} = {before[one]}new.{one}" for one in names)
    by_array = (
        f"WITH new AS (SELECT * FROM {_unnest(table, (*names, 'pk'))}), "  # noqa: S608
        f"own AS MATERIALIZED (SELECT pk FROM {name} WHERE pk IN (SELECT pk FROM new) ORDER BY pk FOR UPDATE) "
        f"UPDATE {name} SET {changes} FROM new, own WHERE {name}.pk = own.pk AND own.pk = new.pk"
    )
    return BatchStatement(table, (*names, "pk"), by_row, by_array)


def _unnest(table: sa.Table, names: Sequence[str]) -> str:
    arrays = ", ".join(f"%s::{table.c[name].type.compile(_POSTGRES)}[]" for name in names)
    return f"unnest({arrays}) AS new ({', '.join(names)})"


def _turn(column: sa.Column[Any]) -> Callable[[Any], Any] | None:
    """What makes of a value what both drivers take for the column; None where they take it as it is."""
    kind = column.type
    if isinstance(kind, sa.JSON):
        return _json
    if isinstance(kind, sa.types.TypeDecorator):
        return partial(kind.process_bind_param, dialect=_POSTGRES)
    return None


def _json(value: object) -> str | None:
    return None if value is None else json.dumps(value)
