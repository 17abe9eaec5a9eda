"""`bellhop dead`: list, show, replay, discard and restore dead letters; the audit."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

import click

from bellhop.cli.backends import desk
from bellhop.cli.common import (
    App,
    Failed,
    as_json,
    echo,
    echo_json,
    echo_table,
    pass_app,
    when,
)
from bellhop.cli.confirm import acting, confirm_choice
from bellhop.cli.doubts import absent, there
from bellhop.cli.letter_tables import echo_letter, letters_table
from bellhop.cli.replay import preflight, replay
from bellhop.cli.selection import Selection, selecting
from bellhop.cli.triage import acknowledge, assign, causes, edit, notes, reopen, resolve, search, snooze
from bellhop.schemas.quantities import quantity

_STATES: Final = ("open", "replaying", "replayed", "discarded")
_WAITING: Final = ("open", "replaying")


@click.group(short_help="List, show, replay and discard dead letters.")
def dead() -> None:
    """List, show, replay and discard dead letters: events that need a person.

    docs/runbook.md says what to do for each reason.
    """


for command in (
    *(search, causes, acknowledge, snooze, resolve, reopen),
    *(preflight, replay, there, absent, assign, notes, edit),
):
    dead.add_command(command)


@dead.command("list", short_help="List dead letters, oldest first.")
@selecting
@click.option("--state", "states", multiple=True, type=click.Choice(_STATES), help="Default: open and replaying.")
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True, help="Most rows to show.")
@as_json
@pass_app
def list_(app: App, selection: Selection, states: tuple[str, ...], limit: int, json_: bool) -> None:
    """List dead letters, oldest first. Filter by number or by the options below.

    Example: bellhop dead list --reason exhausted --since 2h
    """
    with desk(app) as at:
        rows, count = at.rows(selection, states or _WAITING, limit)
        in_all = count if count or json_ else at.rows(Selection.all(), states or _WAITING, 1)[1]
    if json_:
        echo_json(rows)
        return
    if rows:
        echo(letters_table(rows))
    if count > limit:
        click.echo(f"{limit} of {count} dead letters; --limit shows more")
    elif count or selection.everything:
        click.echo(quantity(count, "dead letter"))
    else:  # a name mistyped must not look like a quiet night
        click.echo(f"0 of {quantity(in_all, 'dead letter')} match: `bellhop dead causes` shows what there is")


@dead.command(short_help="Show one dead letter with its evidence.")
@click.argument("number", type=click.IntRange(1))
@click.option("--reveal", is_flag=True, help="Show masked data: guests and the vendor's answers. Audited.")
@as_json
@pass_app
def show(app: App, number: int, reveal: bool, json_: bool) -> None:
    """Show one dead letter: data, calls and evidence. Guests are masked unless --reveal."""
    with desk(app) as at:
        told = at.one(number, reveal=reveal)
    echo_json(told) if json_ else echo_letter(told)


@dead.command(short_help="Close dead letters that need nothing more.")
@selecting
@acting
@pass_app
def discard(app: App, /, selection: Selection, **act: Any) -> None:
    """Close dead letters that need nothing more, and their events with them.

    Until they are pruned, `bellhop dead restore` reopens them.
    """
    with desk(app) as at:
        chosen = confirm_choice(at, selection, ("open",), "discard", act)
        if chosen is not None:
            _echo_count(
                "discarded", at.discard(chosen.numbers, act["who"], chosen.why), len(chosen.numbers), act["json_"]
            )


@dead.command(short_help="Reopen discarded dead letters.")
@selecting
@acting
@pass_app
def restore(app: App, /, selection: Selection, **act: Any) -> None:
    """Reopen discarded dead letters."""
    with desk(app) as at:
        chosen = confirm_choice(at, selection, ("discarded",), "restore", act)
        if chosen is not None:
            _echo_count(
                "restored", at.restore(chosen.numbers, act["who"], chosen.why), len(chosen.numbers), act["json_"]
            )


def _echo_count(what: str, done: int, of: int, json_: bool) -> None:
    if json_:
        echo_json({what: done})
    else:
        click.echo(f"{what} {done} of {of}")
    if done < of:
        meanwhile = "closed" if what == "discarded" else "opened"
        raise Failed(f"{of - done} were {meanwhile} by somebody else meanwhile")


@dead.command(short_help="List who did what, when and why.")
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True, help="Most rows to show.")
@as_json
@pass_app
def audit(app: App, limit: int, json_: bool) -> None:
    """List who did what, when and why; newest first."""
    with desk(app) as at:
        rows = at.audit(limit)
    if json_:
        echo_json(rows)
        return
    cells = [
        (when(datetime.fromisoformat(row["at"])), row["who"], row["act"], row["letter"] or row["what"], row["why"])
        for row in rows
    ]
    echo_table(("when (UTC)", "who", "action", "target", "reason"), cells, "nobody has done anything yet")
