"""The ledger as a file of SQLite: how it is opened, and how its transactions begin."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from bellhop.ledger import driver
from bellhop.schemas.errors import LedgerError
from bellhop.schemas.sqlite_library import VERSION, sqlite, wal_is_safe
from bellhop.schemas.sqlite_turn import begin_writing

WAIT_SECONDS: Final = 10.0
"""How long a lock is waited for before the ledger counts as unavailable."""


def sqlite_engine(url: sa.URL) -> sa.Engine:
    file = Path(url.database or "")
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))  # SQLite gives its journals the mode of its file
    except OSError as error:
        raise LedgerError(f"ledger.url: {file} cannot be made or written: {error.strerror}") from error
    engine = sa.create_engine(
        url,
        module=sqlite,
        pool_size=8,
        max_overflow=56,
        pool_timeout=WAIT_SECONDS,
        hide_parameters=True,
        connect_args={"timeout": WAIT_SECONDS},
    )
    journal = "WAL" if wal_is_safe(VERSION) else "TRUNCATE"

    @sa.event.listens_for(engine, "connect")
    def on_connect(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # transactions are begun below; the driver must not begin its own
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA journal_mode={journal}")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA secure_delete=ON")  # what is erased of a guest is in no free page
        cursor.close()

    @sa.event.listens_for(engine, "begin")
    def on_begin(connection: sa.Connection) -> None:
        if connection.get_execution_options().get("bellhop_writes"):
            own = connection.connection.driver_connection
            begin_writing(own, partial(driver.run_text, connection), OperationalError, WAIT_SECONDS)
        else:
            driver.run_text(connection, "BEGIN")

    return engine
