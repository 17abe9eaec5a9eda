"""Statements over many rows, in one round trip: the one place where the ledger's statements for every event are made.

Their text is made once, whatever the number of rows, and run by the driver (`ledger.driver`). A batch's columns are
turned into what the database takes, one column after another: SQLite runs the prepared statement row by row, PostgreSQL
gets all rows as one JSON. An array for each column cost ten times as much: psycopg writes it value by value, in Python.
Rows are found by a JSON array, or by PostgreSQL's own.
"""

from __future__ import annotations

import json
from collections import namedtuple
from collections.abc import Callable, Collection, Sequence
from functools import partial
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from bellhop.ledger import driver
from bellhop.ledger.driver import Row
from bellhop.ledger.tables import MomentColumn

_POSTGRES: Final = postgresql.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy's own

Turn = Callable[[Any], Any]


class BatchStatement:
    """by_row: SQLite's statement, for each row. at_once: PostgreSQL's, with the JSON of all rows."""

    def __init__(self, table: sa.Table, names: Sequence[str], by_row: str, at_once: str) -> None:
        self._names = names
        self._turns = [_turn(table.c[name]) for name in names]
        self._by_row = by_row
        self._at_once = at_once

    def run(self, connection: sa.Connection, rows: Sequence[Row]) -> Sequence[Row]:
        """rows: values in the order of the names. What PostgreSQL's statement returns; SQLite's returns nothing."""
        if not rows:
            return ()
        by_column = zip(*rows, strict=True)
        columns = [map(turn, column) if turn else column for turn, column in zip(self._turns, by_column, strict=True)]
        turned = list(zip(*columns, strict=True))
        if connection.dialect.name == "sqlite":
            driver.run_text_for_each(connection, self._by_row, turned)
            return ()
        named = [dict(zip(self._names, row, strict=True)) for row in turned]
        return driver.run_text(connection, self._at_once, [json.dumps(named), len(named)])


class BatchQuery:
    """Rows of a table by what stands in some of its columns."""

    def __init__(self, table: sa.Table, names: Sequence[str], by: Sequence[str], more: str, is_locking: bool) -> None:
        self._row: Any = namedtuple("Row", names)  # type: ignore[misc]  # its fields are a table's
        read = f"SELECT {', '.join(names)} FROM {table.name} WHERE "  # noqa: S608  # names alone
        in_json = " AND ".join(f"{name} IN (SELECT value FROM json_each(?))" for name in by)  # noqa: S608
        in_array = " AND ".join(f"{name} = ANY(%s::{_array(table, name)})" for name in by)
        self._by_json = f"{read}{in_json}{more}"
        self._by_array = f"{read}{in_array}{more}{' FOR UPDATE' if is_locking else ''}"
        self._from_sqlite = _turns_back(table, names)
        # psycopg reads JSON itself.
        self._from_postgres = [one for one in self._from_sqlite if one[1] is not json.loads]

    def run(self, connection: sa.Connection, *values: Collection[str] | Collection[int]) -> list[Any]:
        """Rows with the names of the columns. values: for each column that they are found by, what may stand there."""
        if connection.dialect.name == "sqlite":
            found = driver.run_text(connection, self._by_json, [json.dumps(sorted(one)) for one in values])
            turns = self._from_sqlite
        else:
            found = driver.run_text(connection, self._by_array, [sorted(one) for one in values])
            turns = self._from_postgres
        return [self._read(row, turns) for row in found]

    def _read(self, row: Row, turns: Sequence[tuple[int, Turn]]) -> Any:
        read = list(row)
        for place, turn in turns:
            if read[place] is not None:
                read[place] = turn(read[place])
        return self._row._make(read)


def select(
    table: sa.Table, names: Sequence[str], by: Sequence[str], *, more: str = "", is_locking: bool = False
) -> BatchQuery:
    """more: further conditions, and the order. is_locking: PostgreSQL keeps the rows from others until the commit."""
    return BatchQuery(table, names, by, f" {more}" if more else "", is_locking)


def insert(table: sa.Table, names: Sequence[str], *, returning: Sequence[str] = ()) -> BatchStatement:
    """New rows. returning: what PostgreSQL tells of each, in any order."""
    return _insert(table, names, f" RETURNING {', '.join(returning)}" if returning else "", "")


def insert_if_new(table: sa.Table, names: Sequence[str]) -> BatchStatement:
    """New rows; one that is there stays as it is. On PostgreSQL two transactions must bring them in one order."""
    return _insert(table, names, "", " ON CONFLICT DO NOTHING")


def upsert(table: sa.Table, names: Sequence[str]) -> BatchStatement:
    """New rows, or what is new of them: by the primary key, of which no two rows may have the same."""
    key = [column.name for column in table.primary_key]
    changes = ", ".join(f"{name} = excluded.{name}" for name in names if name not in key)
    return _insert(table, names, "", f" ON CONFLICT ({', '.join(key)}) DO UPDATE SET {changes}")


def update(table: sa.Table, names: Sequence[str], *, by: str = "pk", adding: Sequence[str] = ()) -> BatchStatement:
    """Changes rows by their key, the last of their values. adding: columns that grow by the value. On PostgreSQL the
    rows are locked in the order of their keys first, as `Database.write` demands."""
    name, before = table.name, {one: f"{table.name}.{one} + " if one in adding else "" for one in names}
    by_row = f"UPDATE {name} SET {', '.join(f'{one} = {before[one]}?' for one in names)} WHERE {by} = ?"  # noqa: S608
    changes = ", ".join(f"{one} = {before[one]}new.{one}" for one in names)
    at_once = (
        f"WITH new AS (SELECT * FROM {_rows(table, (*names, by))}), "  # noqa: S608
        f"own AS MATERIALIZED (SELECT {by} FROM {name} WHERE {by} IN (SELECT {by} FROM new) ORDER BY {by} FOR UPDATE) "
        f"UPDATE {name} SET {changes} FROM new, own WHERE {name}.{by} = own.{by} AND own.{by} = new.{by}"
    )
    return BatchStatement(table, (*names, by), by_row, at_once)


def delete(table: sa.Table, name: str) -> BatchStatement:
    """The rows in which this column has the value."""
    away = f"DELETE FROM {table.name} WHERE {name} = "  # noqa: S608  # names alone
    return BatchStatement(table, (name,), f"{away}?", f"{away}ANY(SELECT * FROM {_rows(table, (name,))})")  # noqa: S608


def _insert(table: sa.Table, names: Sequence[str], told: str, conflict: str) -> BatchStatement:
    into = f"INSERT INTO {table.name} ({', '.join(names)})"
    by_row = f"{into} VALUES ({', '.join('?' * len(names))}){conflict}"
    at_once = f"{into} SELECT * FROM {_rows(table, names)}{conflict}{told}"  # noqa: S608  # names alone
    return BatchStatement(table, names, by_row, at_once)


def _rows(table: sa.Table, names: Sequence[str]) -> str:
    """The rows of a JSON array of objects, in its order, and their number: else PostgreSQL takes them for a hundred and
    reads all of a small table for one row. What is JSON in them is so as text: within a JSON it would be refused for
    what its column takes, a NUL in a guest's name."""
    is_json = {name: isinstance(table.c[name].type, sa.JSON) for name in names}
    kinds = ", ".join(f"{name} {'text' if is_json[name] else _kind(table, name)}" for name in names)
    columns = ", ".join(f"{name}::{_kind(table, name)}" if is_json[name] else name for name in names)
    return f"(SELECT {columns} FROM json_to_recordset(%s::json) AS told ({kinds}) LIMIT %s) AS new"  # noqa: S608


def _array(table: sa.Table, name: str) -> str:
    return f"{_kind(table, name)}[]"


def _kind(table: sa.Table, name: str) -> str:
    return str(table.c[name].type.compile(_POSTGRES))


def _turn(column: sa.Column[Any]) -> Turn | None:
    """What makes of a value what both databases take for the column; None where they take it as it is."""
    kind = column.type
    if isinstance(kind, sa.JSON):
        return _json
    if isinstance(kind, sa.types.TypeDecorator):
        return partial(kind.process_bind_param, dialect=_POSTGRES)
    return None


def _turns_back(table: sa.Table, names: Sequence[str]) -> list[tuple[int, Turn]]:
    """What makes of SQLite's values the columns', by their places; none where they are as SQLite has them."""
    found: list[tuple[int, Turn]] = []
    for place, kind in enumerate(table.c[name].type for name in names):
        if isinstance(kind, sa.JSON):
            found.append((place, json.loads))
        elif isinstance(kind, MomentColumn):
            found.append((place, partial(kind.process_result_value, dialect=_POSTGRES)))
    return found


def _json(value: object) -> str | None:
    return None if value is None else json.dumps(value)
