"""`docs/fields.md` is what the vendors' tables say."""

from __future__ import annotations

from pathlib import Path

from bellhop.vendors.fates_document import render_fields

ROOT = Path(__file__).resolve().parents[3]


def test_the_document_is_as_the_tables_have_it() -> None:
    assert (ROOT / "docs" / "fields.md").read_text() == render_fields(), "run `make docs`"
