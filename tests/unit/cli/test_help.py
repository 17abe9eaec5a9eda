from __future__ import annotations

from collections.abc import Iterator

import click
import pytest

from bellhop.cli.main import cli

WIDTH = 80


def _commands(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        for name, one in command.commands.items():
            yield from _commands(one, (*path, name))


COMMANDS = [pytest.param(path, command, id=" ".join(("bellhop", *path))) for path, command in _commands(cli)]


def _help(path: tuple[str, ...], command: click.Command) -> list[str]:
    context = click.Context(command, info_name=" ".join(("bellhop", *path)), terminal_width=WIDTH)
    return command.get_help(context).splitlines()


@pytest.mark.parametrize(("path", "command"), COMMANDS)
def test_no_line_of_a_help_is_cut_or_wider_than_a_terminal(path: tuple[str, ...], command: click.Command) -> None:
    lines = _help(path, command)
    assert len(lines) > 3
    usage = lines.index("")
    assert [line for line in lines if len(line) > WIDTH] == []
    assert [line for line in lines[usage:] if line.endswith(("...", "…"))] == []


@pytest.mark.parametrize(("path", "command"), COMMANDS[1:])
def test_every_command_says_in_one_short_sentence_what_it_does(path: tuple[str, ...], command: click.Command) -> None:
    told = command.short_help or ""
    assert told.endswith(".")
    assert told[:1].isupper()
    assert "\n" not in told
    assert len(told) <= 60
    assert command.help


@pytest.mark.parametrize(("path", "command"), COMMANDS)
def test_every_option_says_what_it_is_for(path: tuple[str, ...], command: click.Command) -> None:
    options = [one for one in command.params if isinstance(one, click.Option) and not one.hidden]
    assert [one.name for one in options if not one.help] == []
