"""What people are told to run, in errors, alerts, hints and advice, is there to be run."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from bellhop.cli.main import cli

ROOT = Path(__file__).resolve().parents[3]
FOLDERS = ("cli", "console", "ingest", "ledger", "letters", "schemas", "telemetry", "vendors", "workers")
_COMMAND = re.compile(r"(?:`|^|: |run )bellhop ([a-z][a-z-]*(?: [a-z-]+)?)")


def _texts(path: Path) -> Iterator[str]:
    """The texts of a module, docstrings among them; of a formatted one what stands there for sure."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def _told() -> Iterator[tuple[str, str]]:
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            for text in _texts(path):
                for found in _COMMAND.finditer(text):
                    yield str(path.relative_to(ROOT)), found[1]
        for path in sorted((ROOT / folder).rglob("*.html")):
            for found in re.finditer(r"<code>bellhop ([a-z][a-z-]*(?: [a-z-]+)?)", path.read_text("utf-8")):
                yield str(path.relative_to(ROOT)), found[1]


def resolves(words: str) -> bool:
    at: click.Command = cli
    for word in words.split():
        if not isinstance(at, click.Group):
            return True  # its argument
        if word not in at.commands:
            return type(at).parse_args is not click.Group.parse_args  # `bellhop refused SOURCE`
        at = at.commands[word]
    return True


def test_every_command_that_people_are_told_of_is_one() -> None:
    told = list(_told())
    assert len(told) > 80
    assert [(where, words) for where, words in told if not resolves(words)] == []


@pytest.mark.parametrize(("words", "is_one"), [("ledger status", True), ("ledger check", False), ("bogus", False)])
def test_a_command_is_known_by_its_words(words: str, is_one: bool) -> None:
    assert resolves(words) is is_one
