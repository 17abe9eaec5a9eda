"""Brings the ledger's tables up to date, by Alembic."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError

from bellhop.schemas.errors import LedgerError


def upgrade(connection: sa.Connection, migrations: Path, at: str | None) -> None:
    """Runs what is missing after the migration `at`, within the connection's transaction. Raises LedgerError."""
    config = Config()
    config.set_main_option("script_location", str(migrations).replace("%", "%%"))
    config.attributes["connection"] = connection
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if at is not None and at not in known:
        raise LedgerError(f"the ledger was made by a newer Bellhop (schema {at}): run that version")
    try:
        with _leftovers_dropped():
            command.upgrade(config, "head")
    except CommandError as error:
        raise LedgerError(f"the ledger's tables cannot be brought up to date: {error}") from error


@contextmanager
def _leftovers_dropped() -> Iterator[None]:
    """A copy that an older version put back leaves what the newer one had made: pg_restore drops no table that its copy
    has not. A table that is to be made, and is there with all its columns, is such a one, of a ledger that is no more.
    """
    sa.event.listen(sa.Table, "before_create", _drop_leftover)
    try:
        yield
    finally:
        sa.event.remove(sa.Table, "before_create", _drop_leftover)


def _drop_leftover(table: sa.Table, connection: sa.Connection, **_more: Any) -> None:
    if connection.dialect.name != "postgresql":  # SQLite's copy is put back as a whole file
        return
    inspector = sa.inspect(connection)
    if not inspector.has_table(table.name):
        return
    found = {column["name"] for column in inspector.get_columns(table.name)}
    if found >= set(table.columns.keys()):
        name = connection.dialect.identifier_preparer.format_table(table)
        connection.exec_driver_sql(f"DROP TABLE {name} CASCADE")
