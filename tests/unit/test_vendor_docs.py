"""`docs/vendors.md` is what the tables say, and every test it names exists."""

from __future__ import annotations

import re
from pathlib import Path

from tests.integration import test_vendor_methods
from workers.vendors.codes import LOGIN_ROWS, ROWS
from workers.vendors.described import described

ROOT = Path(__file__).resolve().parents[2]


def test_the_document_is_as_the_tables_have_it() -> None:
    assert (ROOT / "docs" / "vendors.md").read_text() == described(), "run `make docs`"


def test_every_test_it_names_is_there() -> None:
    named = re.findall(r"`tests/integration/test_vendor_methods\.py::(test_\w+)\[(\w+)\]`", described())
    assert len(named) == 46 + 2 + len(ROWS) + len(LOGIN_ROWS) + 9
    cases = {
        "test_simplybook": set(test_vendor_methods.CASES),
        "test_peoplevine": set(test_vendor_methods.SPA_CASES),
        "test_code": {row.name for row in (*ROWS, *LOGIN_ROWS)},
    }
    for function, case in named:
        assert callable(getattr(test_vendor_methods, function))
        assert case in cases[function]
