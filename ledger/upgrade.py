"""Brings the ledger's tables up to date, by Alembic."""

from __future__ import annotations

from pathlib import Path

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
        command.upgrade(config, "head")
    except CommandError as error:
        raise LedgerError(f"the ledger's tables cannot be brought up to date: {error}") from error
