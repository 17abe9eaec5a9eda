"""What the ledger knows of SQLite's versions, and of its drivers' errors."""

from __future__ import annotations

import sqlite3

import pytest
from sqlalchemy.exc import IntegrityError, OperationalError

from bellhop.ledger.engine import wrap_errors
from bellhop.schemas.errors import LedgerError, LedgerUnavailable
from bellhop.schemas.sqlite_wal import wal_is_safe


@pytest.mark.parametrize(
    ("version", "safe"),
    [
        ((3, 6, 23), True),
        ((3, 7, 0), False),
        ((3, 40, 1), False),
        ((3, 44, 5), False),
        ((3, 44, 6), True),
        ((3, 45, 0), False),
        ((3, 50, 6), False),
        ((3, 50, 7), True),
        ((3, 51, 0), False),
        ((3, 51, 2), False),
        ((3, 51, 3), True),
        ((3, 53, 4), True),
    ],
)
def test_wal_is_used_only_where_it_cannot_corrupt(version: tuple[int, ...], safe: bool) -> None:
    assert wal_is_safe(version) is safe


def test_an_error_is_told_by_its_first_line_without_the_statements_values() -> None:
    cause = sqlite3.OperationalError("disk I/O error\nDETAIL: zoe@example.org")
    with pytest.raises(LedgerUnavailable) as raised, wrap_errors():
        raise OperationalError("INSERT", {"email": "zoe@example.org"}, cause)
    assert str(raised.value) == "the ledger's database: disk I/O error"


def test_an_error_that_waiting_does_not_mend_is_not_called_unavailable() -> None:
    with pytest.raises(LedgerError) as raised, wrap_errors():
        raise IntegrityError("INSERT", {}, sqlite3.IntegrityError("UNIQUE constraint failed"))
    assert not isinstance(raised.value, LedgerUnavailable)
