"""Every command that the documents name is one that the command line has, with these options and so many arguments."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from bellhop.cli.main import cli
from tools.docs_site import sources

ROOT = Path(__file__).parents[3]
DOCUMENTS = [ROOT / source for source in sources() if source.suffix == ".md"]


def written(text: str) -> Iterator[str]:
    """The commands in a document: in `…`, and in the lines of a shell's block."""
    prose = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    yield from (" ".join(found.split()) for found in re.findall(r"`bellhop (?=[a-z-])([^`]+)`", prose))
    for block in re.findall(r"^```(?:sh|console)\n(.+?)^```$", text, re.MULTILINE | re.DOTALL):
        for line in block.replace("\\\n", " ").splitlines():
            if found := re.match(r"(?:\$ )?(?:.* exec \S+ )?bellhop (.+)", line):
                yield found[1]


def fault(line: str) -> str:
    """What is wrong with a command, "" for nothing."""
    command: click.Command = cli
    words, given = shlex.split(line, comments=True), 0
    while words:
        word = words.pop(0)
        option, _, value = word.partition("=")
        if word.startswith("-"):
            known = {name: one for one in command.params for name in (*one.opts, *one.secondary_opts)}
            if option not in {*known, "--help"}:
                return f"{command.name} has no option {option}"
            found = known.get(option)
            if isinstance(found, click.Option) and not found.is_flag and not value:
                del words[: found.nargs]
        elif isinstance(command, click.Group):
            if word not in command.commands:
                return f"{command.name} has no command {word}"
            command = command.commands[word]
        else:
            given += 1
    arguments = [one for one in command.params if isinstance(one, click.Argument)]
    most = sum(one.nargs for one in arguments) if all(one.nargs > 0 for one in arguments) else given
    return f"{command.name} does not take so many arguments" if given > most else ""


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_command_in_the_documents_exists(document: Path) -> None:
    wrong = {line: told for line in written(document.read_text()) if (told := fault(line))}
    assert wrong == {}


def test_the_runbook_and_the_readme_name_many() -> None:
    for name, many in (("docs/runbook.md", 40), ("README.md", 12)):
        assert len(list(written((ROOT / name).read_text()))) >= many, name


@pytest.mark.parametrize(
    "line", ["dead lost", "dead list --raeson auth", "accounts salon club", "--servers URL dead list"]
)
def test_a_command_that_does_not_exist_is_found(line: str) -> None:
    assert fault(line)
