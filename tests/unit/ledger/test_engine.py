"""What the ledger knows of its drivers' errors."""

from __future__ import annotations

import sqlite3

import pytest
from sqlalchemy.exc import IntegrityError, OperationalError

from bellhop.ledger.engine import wrap_errors
from bellhop.schemas.errors import LedgerError, LedgerUnavailable


def test_an_error_is_told_by_its_first_line_without_the_statements_values() -> None:
    cause = sqlite3.OperationalError("disk I/O error\nDETAIL: zoe@example.org")
    with pytest.raises(LedgerUnavailable) as raised, wrap_errors():
        raise OperationalError("INSERT", {"email": "zoe@example.org"}, cause)
    assert str(raised.value) == "the ledger's database: disk I/O error"


def test_an_error_that_waiting_does_not_mend_is_not_called_unavailable() -> None:
    with pytest.raises(LedgerError) as raised, wrap_errors():
        raise IntegrityError("INSERT", {}, sqlite3.IntegrityError("UNIQUE constraint failed"))
    assert not isinstance(raised.value, LedgerUnavailable)
