from __future__ import annotations

import importlib
import re
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
GLOSSARY = (ROOT / "docs" / "glossary.md").read_text()
WORDS = [line.split("|")[1].strip() for line in GLOSSARY.splitlines() if re.match(r"\| [a-z]", line)]
PATHS = re.findall(r"`([a-z_]+/[a-z_/]*(?:\.py)?)`", GLOSSARY)
IMPORTS = re.findall(r"`(bellhop\.[a-z_.]+[a-z])`", (ROOT / "docs" / "migration.md").read_text())


def test_no_word_stands_twice_in_the_glossary() -> None:
    words = [word for word in WORDS if word not in ("word", "name")]
    assert len(words) > 50
    assert [word for word, count in Counter(words).items() if count > 1] == []


@pytest.mark.parametrize("path", PATHS)
def test_every_file_that_the_glossary_names_is_there(path: str) -> None:
    assert (ROOT / path).exists()


@pytest.mark.parametrize("name", IMPORTS)
def test_every_module_that_the_migration_note_names_can_be_imported(name: str) -> None:
    assert importlib.import_module(name)


@pytest.mark.parametrize("document", ["README.md", "docs/architecture.md", "docs/runbook.md", "docs/migration.md"])
def test_the_documents_lead_to_the_glossary(document: str) -> None:
    assert "glossary.md)" in (ROOT / document).read_text()
