"""Bellhop says its version, or "" where it was never installed, in every place alike."""

from __future__ import annotations

import re
from importlib import metadata
from pathlib import Path

import pytest

from bellhop.schemas import version

PACKAGE = Path(__file__).parents[3] / "bellhop"
ITSELF = Path("schemas/version.py")


def test_sources_that_were_never_installed_have_no_version(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(version, "version", missing)
    assert version._of_the_package() == ""


def test_no_other_module_asks_for_the_version_of_the_package() -> None:
    modules = [path for folder in PACKAGE.iterdir() if folder.is_dir() for path in folder.resolve().rglob("*.py")]
    asking = [
        path for path in modules if re.search(r"^\s*(from|import) importlib.*metadata", path.read_text(), re.MULTILINE)
    ]
    assert [path.relative_to(PACKAGE.parent) for path in asking] == [ITSELF]
