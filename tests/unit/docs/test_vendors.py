"""`docs/vendors.md` is what the tables say, and every test it names exists."""

from __future__ import annotations

import re
from pathlib import Path

from bellhop.vendors.document import render_document
from bellhop.vendors.simplybook.codes import LOGIN_ROWS, ROWS
from tests.integration.vendors import test_methods

ROOT = Path(__file__).resolve().parents[3]


def test_the_document_is_as_the_tables_have_it() -> None:
    assert (ROOT / "docs" / "vendors.md").read_text() == render_document(), "run `make docs`"


def test_every_test_it_names_is_there() -> None:
    named = re.findall(r"`tests/integration/vendors/test_methods\.py::(test_\w+)\[(\w+)\]`", render_document())
    assert len(named) == 46 + 2 + len(ROWS) + len(LOGIN_ROWS) + 9
    cases = {
        "test_simplybook": set(test_methods.CASES),
        "test_peoplevine": set(test_methods.SPA_CASES),
        "test_code": {row.name for row in (*ROWS, *LOGIN_ROWS)},
    }
    for function, case in named:
        assert callable(getattr(test_methods, function))
        assert case in cases[function]
