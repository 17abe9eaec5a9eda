"""What goes wrong in a statement that the driver runs itself is told as of any other."""

from __future__ import annotations

import os
import socket
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from bellhop.ledger import bookings, claims, driver
from bellhop.ledger.batch import BatchQuery
from bellhop.ledger.engine import Database
from bellhop.ledger.store import Ledger
from bellhop.schemas.errors import LedgerError, LedgerUnavailable
from tests.support.ledger import claim, event


def test_what_the_database_refuses_is_a_ledgers_error_without_its_values(ledger: Ledger) -> None:
    database: Database = ledger._database
    text = "SELECT one FROM nowhere WHERE name = " + ("?" if database._lite else "%s")
    with pytest.raises(LedgerError, match="nowhere") as refused, database.write() as connection:
        driver.run_text(connection, text, ["ada@example.test"])
    assert "ada" not in str(refused.value)
    assert claim(ledger, event()) is not None


def lose(database: Database) -> None:
    with database.write() as connection:
        if database._lite:
            connection.connection.driver_connection.close()  # type: ignore[union-attr]
        else:
            driver.run_text(connection, "SELECT pg_terminate_backend(pg_backend_pid())")
        driver.run_text(connection, "SELECT 1")


def test_a_connection_that_is_lost_amid_a_transaction_is_never_used_again(ledger: Ledger) -> None:
    with pytest.raises(LedgerUnavailable):
        lose(ledger._database)
    assert claim(ledger, event()) is not None


def cut(connection: Any) -> None:
    with socket.socket(fileno=os.dup(connection.fileno())) as own:
        own.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize("ledger_url", ["postgresql", "pgbouncer"], indirect=True)
def test_once_an_idle_connection_is_found_broken_none_of_its_age_is_asked(ledger: Ledger) -> None:
    """Of a host that is gone each would be waited for, one after the other."""
    broken: list[object] = []
    with ExitStack() as used:
        opened = [used.enter_context(ledger._database.read()).connection.driver_connection for _ in range(3)]
    for one in opened:
        cut(one)
    sa.event.listen(ledger._database._engine, "invalidate", lambda connection, *_: broken.append(connection))
    for _ in range(3):
        assert claim(ledger, event()) is not None
    assert len(broken) == 1


@pytest.mark.parametrize("ledger_url", ["postgresql"], indirect=True)
def test_connections_that_end_as_soon_as_they_are_opened_make_the_ledger_unavailable(ledger: Ledger) -> None:
    database = ledger._database
    database._engine.dispose()
    sa.event.listen(database._engine, "connect", lambda connection, _: cut(connection))
    with pytest.raises(LedgerUnavailable), database.read():
        pass


@pytest.mark.parametrize(
    ("query", "by"),
    [
        (claims._SAME_ID, "event_id"),
        (claims._SAME_FACT, "business_key"),
        (claims._SAME_BOOKING, "subject"),
        (bookings._READ, "reference"),
    ],
)
def test_sqlite_finds_what_a_claim_asks_for_by_what_tells_rows_apart(
    query: BatchQuery, by: str, tmp_path: Path
) -> None:
    database = Database(f"sqlite:///{tmp_path}/ledger.db")
    with database.read() as connection:
        plan = driver.run_text(connection, f"EXPLAIN QUERY PLAN {query._by_json}", ['["a"]', '["b"]'])
    database.close()
    assert [row[3] for row in plan if f"({by}=? AND source=?" in row[3]]
    assert not [row[3] for row in plan if row[3].startswith("SCAN") and "json_each" not in row[3]]
