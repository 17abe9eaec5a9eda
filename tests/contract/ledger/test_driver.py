"""What goes wrong in a statement that the driver runs itself is told as of any other."""

from __future__ import annotations

import pytest

from bellhop.ledger import driver
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
