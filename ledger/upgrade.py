"""Brings a ledger's tables up to date."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import sqlalchemy as sa

from bellhop.schemas.errors import LedgerError

MIGRATIONS: Final = Path(__file__).parent / "migrations"
REVISIONS: Final = tuple(sorted(path.name.partition("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*.py")))
"""The oldest first; each is named as its file begins."""


def bring_up_to_date(connection: sa.Connection) -> None:
    """To the newest revision, in the connection's transaction. Raises LedgerError where a newer Bellhop was here."""
    at = None
    if connection.dialect.has_table(connection, "alembic_version"):
        at = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    if at == REVISIONS[-1]:
        return
    if at is not None and at not in REVISIONS:
        raise LedgerError(f"the ledger was made by a newer Bellhop (schema {at}): run that version")
    # Here, as it is a fifth of what a part loads, and nearly every ledger is up to date.
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise LedgerError(f"the ledger's tables cannot be brought up to date: {error}") from error
