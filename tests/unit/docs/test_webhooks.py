"""`docs/webhooks.md` is what the contracts, the answers and the snippets say."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bellhop.ingest.documents.events import TYPES
from bellhop.ingest.formats.parts import Receipt
from bellhop.ingest.intake import Intake
from bellhop.schemas.errors import EventInvalid
from bellhop.schemas.event_contracts import DATA_FIELDS
from tests.support import ingress
from tools.webhooks_page import page

ROOT = Path(__file__).resolve().parents[3]
RECEIPT = Receipt(datetime(2027, 5, 1, 10, tzinfo=UTC), "unique", "0" * 64, "msg-1")


def test_the_page_is_as_the_code_has_it() -> None:
    assert (ROOT / "docs" / "webhooks.md").read_text("utf-8") == page(), "run `make docs`"


def test_the_page_names_each_field_type_and_snippet() -> None:
    text = page()
    rows = set(re.findall(r"^\| `(\w+)` \|", text, re.M))
    assert {name for names in DATA_FIELDS.values() for name in names} <= rows
    assert all(f"`{type_}`" in text for type_ in TYPES)
    assert all(f"(snippets/{file.name})" in text for file in (ROOT / "docs" / "snippets").iterdir())
    assert not re.search(r"\{[a-z]+\}", re.sub(r"```.*?```", "", text, flags=re.S))


def test_what_the_page_shows_is_answered_as_it_says() -> None:
    settings = ingress.settings()
    intake = Intake(settings, settings.sources["crm"])
    booking, test = (json.loads(block) for block in re.findall(r"```json\n(.*?)```", page(), re.S))
    (made,) = intake.read(booking, RECEIPT)
    assert getattr(made, "warnings", None) == ()
    with pytest.raises(EventInvalid, match=r"data\.event\.data\.venue"):
        intake.read(test, RECEIPT)
    (tested,) = intake.read({**test, "data": {"event": booking}}, RECEIPT)
    assert type(tested).__name__ == "Tested"
