"""`docs/vendor-answers.md` is what the code makes of each answer."""

from __future__ import annotations

from pathlib import Path

from tools.vendor_answers import render_document

ROOT = Path(__file__).parents[3]


def test_the_document_is_as_the_code_has_it() -> None:
    assert (ROOT / "docs" / "vendor-answers.md").read_text() == render_document(), "run `make docs`"
