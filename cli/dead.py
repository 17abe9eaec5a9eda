"""`bellhop dead`: list, show, replay, discard and restore dead letters; the audit."""

from __future__ import annotations

import re
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, Final

import click

from bellhop.cli.backends import LetterBackend, Rows, desk
from bellhop.cli.common import (
    App,
    Failed,
    as_json,
    ask_reason,
    echo,
    echo_json,
    pass_app,
    printable,
    quantity,
    rich_table,
    when,
)
from bellhop.cli.doubts import absent, there
from bellhop.cli.letter_tables import echo_letter, letters_table
from bellhop.cli.selection import Selection, selecting

_STATES: Final = ("open", "replaying", "replayed", "discarded")
_WAITING: Final = ("open", "replaying")


@click.group(short_help="List, show, replay and discard dead letters.")
def dead() -> None:
    """List, show, replay and discard dead letters: events that need a person.

    docs/runbook.md says what to do for each reason.
    """


dead.add_command(there)
dead.add_command(absent)


def acting(command: Any) -> Any:
    """The options of a command that changes something."""
    for option in (
        as_json,
        click.option("--dry-run", is_flag=True, help="Show the letters it would act on; change nothing."),
        click.option("--yes", is_flag=True, help="Do not ask for confirmation."),
        click.option("--who", help="Your name, for the audit. Default: user@host."),
        click.option("--why", help="Reason, for the audit. Asked for if not given."),
        click.option("--all", "all_", is_flag=True, help="All open letters, if no number or filter is given."),
    ):
        command = option(command)
    return command


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
    if json_:
        echo_json(rows)
        return
    if rows:
        echo(letters_table(rows))
    click.echo(
        quantity(count, "dead letter") if count <= limit else f"{limit} of {count} dead letters; --limit shows more"
    )


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


_TOLD = 20
"""So many letters are followed to their ends; of more, a bulk job tells."""
_LOOK_SECONDS = 0.2


def _await_ends(at: LetterBackend, numbers: Sequence[int], wait: float) -> Mapping[int, str]:
    """What became of each replay, as far as that is known within `wait` seconds."""
    until = time.monotonic() + wait
    ends = at.ends(numbers)
    while len(ends) < len(numbers) and time.monotonic() < until:
        time.sleep(_LOOK_SECONDS)
        ends = at.ends(numbers)
    return ends


class Rate(click.ParamType[float]):
    """Letters a second: 5, 0.5 or 5/s."""

    name = "N/s"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        found = re.fullmatch(r"(\d+(?:\.\d+)?)(/s)?", str(value))
        if not found or float(found[1]) <= 0:
            self.fail("must be letters a second, such as 5/s", param, ctx)
        return float(found[1])


@dead.command("replay", short_help="Send dead letters back to work.")
@selecting
@acting
@click.option("--rate", type=Rate(), help="Rate limit, for a vendor that has just come back.")
@click.option("--wait", type=float, default=3.0, show_default=True, help="Seconds to wait for the ends, of 20 at most.")
@pass_app
def replay_(app: App, /, selection: Selection, rate: float | None, wait: float, **act: Any) -> None:
    """Send dead letters back to work.

    Safe to repeat: an interrupted replay is completed, and what is done is not called again. Of what is in doubt the
    vendor is asked once more; only `bellhop dead there` and `absent` say how it is.
    With --server it runs as a bulk job: a canary, then growing waves.

    Exit code 1 if not all were replayed.

    Example: bellhop dead replay --reason exhausted --why "vendor is back" --rate 5/s
    """
    with desk(app) as at:
        chosen = _choose(at, selection, _WAITING, "replay", act)
        if chosen is None:
            return
        with _progress(len(chosen.numbers), quiet=act["json_"]) as bar:
            done, left = at.replay(chosen.numbers, act["who"], chosen.why, rate, bar)
        ends = _await_ends(at, chosen.numbers, wait) if done.replayed and len(chosen.numbers) <= _TOLD else {}
    if act["json_"]:
        echo_json({**asdict(done), "ends": {str(number): words for number, words in ends.items()}})
    else:
        click.echo(f"replayed {done.replayed} of {len(chosen.numbers)}")
        for number, words in ends.items():
            click.echo(printable(f"  {number}: {words}"))
    problems = [*left, *done.unready] or [
        f"{count} {text}"
        for count, text in (
            (done.unreadable, "cannot be read, so they cannot be replayed"),
            (done.closed, "were closed by somebody else meanwhile"),
            (done.unconfirmed, f"were not confirmed ({done.error}): the same command again completes them"),
        )
        if count
    ]
    if problems or done.replayed < len(chosen.numbers):
        raise Failed("; ".join(problems) or "the rest was not tried")


@dead.command(short_help="Close dead letters that need nothing more.")
@selecting
@acting
@pass_app
def discard(app: App, /, selection: Selection, **act: Any) -> None:
    """Close dead letters that need nothing more, and their events with them.

    Until they are pruned, `bellhop dead restore` reopens them.
    """
    with desk(app) as at:
        chosen = _choose(at, selection, ("open",), "discard", act)
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
        chosen = _choose(at, selection, ("discarded",), "restore", act)
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
    echo(rich_table(("when (UTC)", "who", "action", "target", "reason"), cells))


class _Chosen:
    def __init__(self, numbers: Sequence[int], why: str) -> None:
        self.numbers = numbers
        self.why = why


def _choose(
    at: LetterBackend, selection: Selection, states: Sequence[str], verb: str, act: dict[str, Any]
) -> _Chosen | None:
    """The letters a person has confirmed; None after a dry run. Raises UsageError, Failed."""
    if selection.everything and not act["all_"]:
        raise click.UsageError("name letters by number or filter, or say --all")
    rows, _ = at.rows(selection, states, None)
    if not rows:
        raise Failed(f"no dead letter to {verb} matches")
    if missing := sorted(set(selection.numbers) - {row["id"] for row in rows}):
        other = "not discarded" if verb == "restore" else "closed"
        click.echo(f"not to {verb}: {', '.join(map(str, missing))} ({other}, filtered out, or unknown)", err=True)
    if act["dry_run"]:
        echo_json(rows) if act["json_"] else echo(letters_table(rows))
        click.echo(f"would {verb} {quantity(len(rows), 'dead letter')}; nothing was done", err=act["json_"])
        return None
    why = ask_reason(act["why"])
    if not act["yes"]:
        click.confirm(_question(rows, verb), abort=True, err=True)
    return _Chosen([row["id"] for row in rows], why)


def _question(rows: Rows, verb: str) -> str:
    reasons = Counter(row["reason"] for row in rows)
    counts = ", ".join(f"{printable(reason)} {count}" for reason, count in reasons.most_common())
    warning = ""
    if verb == "replay" and reasons["in_doubt"]:
        warning = "Of what is in doubt the vendor is asked once more: `bellhop dead there` or `absent` say how it is.\n"
    return f"{warning}{verb.capitalize()} {quantity(len(rows), 'dead letter')} ({counts})?"


def _progress(total: int, *, quiet: bool) -> Any:
    """A context whose value is called with how many are done; a bar where there is a terminal."""
    from contextlib import contextmanager

    @contextmanager
    def bar() -> Any:
        if quiet or not sys.stderr.isatty():
            yield lambda _done: None
            return
        from rich.console import Console
        from rich.progress import Progress

        with Progress(console=Console(stderr=True)) as progress:
            task = progress.add_task("replaying", total=total)
            yield lambda done: progress.update(task, completed=done)

    return bar()
