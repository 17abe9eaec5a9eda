"""The samples of docs/samples, which `bellhop send --file` posts: each is what its format and its name say."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bellhop.schemas.events import TYPES
from bellhop.schemas.settings.sources import formats
from bellhop.vendors.settings import KINDS
from tests.unit.ingest.formats.test_adapters import one

SAMPLES = Path(__file__).resolve().parents[4] / "docs" / "samples"
FILES = sorted(SAMPLES.glob("*/*.json"))
SOURCES = {"bellhop": "native", "mapped": "calendar", "simplybook": "callbacks"}
"""The source of `test_adapters` for each format; else the one of its name."""


def test_every_format_has_samples_and_ours_has_one_of_each_type() -> None:
    assert {file.parent.name for file in FILES} == set(formats(KINDS))
    assert {file.stem for file in FILES if file.parent.name == "bellhop"} == set(TYPES)


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}/{file.name}")
def test_a_sample_is_taken_as_what_it_is_named(file: Path) -> None:
    made = one(SOURCES.get(file.parent.name, file.parent.name), json.loads(file.read_text()))
    if file.parent.name == "simplybook":
        assert (made.type, made.data["notification_type"]) == ("simplybook.callback", file.stem)
    else:
        assert made.type == file.stem.partition("-")[0]
