"""`bellhop dead`: what stands in front of a person."""

from __future__ import annotations

import getpass
import re
import socket
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

import click

from ops.cli.common import App, Failed, as_json, counted, echo, echo_json, iso, pass_app, plain, table, when
from ops.cli.letters import echo_letter, letters_table
from ops.cli.selection import Selection, pages, selecting
from ops.shown import listed, shown

if TYPE_CHECKING:
    from ledger.records import Letter, LetterState
    from ledger.store import Ledger

_STATES: Final = ("open", "replaying", "replayed", "discarded")
_DISCARD_CHUNK: Final = 500


@click.group()
def dead() -> None:
    """Dead letters: what stands in front of a person. `docs/runbook.md` says what to do about each reason."""


def acting(command: Any) -> Any:
    """The options of a command that changes something."""
    for option in (
        as_json,
        click.option("--dry-run", is_flag=True, help="Shows which letters it would be, and does nothing."),
        click.option("--yes", is_flag=True, help="Does not ask."),
        click.option("--who", help="For the audit. Default: user@host."),
        click.option("--why", help="For the audit. Asked for unless given."),
        click.option("--all", "all_", is_flag=True, help="Every open letter, where no number or filter is given."),
    ):
        command = option(command)
    return command


@dead.command("list")
@selecting
@click.option("--state", "states", multiple=True, type=click.Choice(_STATES), help="Default: open and replaying.")
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True)
@as_json
@pass_app
def list_(app: App, selection: Selection, states: tuple[str, ...], limit: int, json_: bool) -> None:
    """Lists dead letters in the order of their numbers, which is that of their archiving."""
    from ledger.records import LetterState

    which = selection.filter([LetterState(state) for state in states or ("open", "replaying")])
    with app.ledger() as ledger:
        rows = app.redacted([listed(letter) for letter in islice(pages(ledger.letters, which), limit)])
        count = ledger.letters.count(which)
    if json_:
        echo_json(rows)
        return
    if rows:
        echo(letters_table(rows))
    click.echo(
        counted(count, "dead letter") if count <= limit else f"{limit} of {count} dead letters; --limit shows more"
    )


@dead.command()
@click.argument("number", type=click.IntRange(1))
@click.option("--reveal", is_flag=True, help="Shows what is masked: guests' data and the vendor's answers.")
@as_json
@pass_app
def show(app: App, number: int, reveal: bool, json_: bool) -> None:
    """Shows one dead letter with its data and evidence. What may name a guest is masked."""
    with app.ledger() as ledger:
        letter = ledger.letters.get(number)
    if letter is None:
        raise Failed(f"there is no dead letter {number}")
    told = app.redacted(shown(letter, reveal=reveal))
    echo_json(told) if json_ else echo_letter(told)


class Rate(click.ParamType[float]):
    """Letters a second: 5, 0.5 or 5/s."""

    name = "N/s"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        found = re.fullmatch(r"(\d+(?:\.\d+)?)(/s)?", str(value))
        if not found or float(found[1]) <= 0:
            self.fail("must be letters a second, such as 5/s", param, ctx)
        return float(found[1])


@dead.command("replay")
@selecting
@acting
@click.option("--rate", type=Rate(), help="At most so many a second, for a vendor that has just come back.")
@pass_app
def replay_(app: App, /, selection: Selection, rate: float | None, **act: Any) -> None:
    """Puts dead letters back to work. Safe to repeat: one that was cut off is completed, and what is done already is
    not called again. The exception is `in_doubt`: look at the vendor first.

    Exit code 1 where not all of them were replayed.
    """
    from ops.replay import REPLAYABLE, Replayed, replay

    with app.ledger() as ledger, app.broker() as broker:
        chosen = _choose(app, ledger, selection, REPLAYABLE, "replay", act)
        if chosen is None:
            return
        why, who = chosen.why, chosen.who
        broker.declare()  # a letter may be older than the queues
        publisher = broker.publisher()
        with _progress(len(chosen.numbers), quiet=act["json_"]) as bar:

            def told(done: Replayed) -> None:
                bar(done.replayed + done.unreadable + done.closed + done.unconfirmed)

            done = replay(ledger.letters, publisher, chosen.numbers, who=who, why=why, rate=rate, progress=told)
        publisher.close()
    if act["json_"]:
        echo_json(asdict(done))
    else:
        click.echo(f"replayed {done.replayed} of {len(chosen.numbers)}")
    problems = [
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


@dead.command()
@selecting
@acting
@pass_app
def discard(app: App, /, selection: Selection, **act: Any) -> None:
    """Closes dead letters that need nothing more, and their events with them. There is no way back."""
    from ledger.records import LetterState

    with app.ledger() as ledger:
        chosen = _choose(app, ledger, selection, (LetterState.OPEN,), "discard", act)
        if chosen is None:
            return
        done = 0
        for start in range(0, len(chosen.numbers), _DISCARD_CHUNK):
            chunk = chosen.numbers[start : start + _DISCARD_CHUNK]
            done += ledger.letters.discard(chunk, chosen.who, chosen.why)
    if act["json_"]:
        echo_json({"discarded": done})
    else:
        click.echo(f"discarded {done} of {len(chosen.numbers)}")
    if done < len(chosen.numbers):
        raise Failed(f"{len(chosen.numbers) - done} were closed by somebody else meanwhile")


@dead.command()
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True)
@as_json
@pass_app
def audit(app: App, limit: int, json_: bool) -> None:
    """Lists who replayed or discarded what, when and why; the newest first."""
    with app.ledger() as ledger:
        rows = ledger.audit(limit)
    if json_:
        echo_json([{**asdict(row), "at": iso(row.at)} for row in rows])
        return
    cells = [(when(row.at), row.who, row.act, row.letter or "", row.why) for row in rows]
    echo(table(("when (UTC)", "who", "act", ">letter", "why"), cells))


class _Chosen:
    def __init__(self, numbers: Sequence[int], who: str, why: str) -> None:
        self.numbers = numbers
        self.who = who
        self.why = why


def _choose(
    app: App, ledger: Ledger, selection: Selection, states: Sequence[LetterState], verb: str, act: dict[str, Any]
) -> _Chosen | None:
    """The letters a person has confirmed; None after a dry run. Raises UsageError, Failed."""
    if selection.everything and not act["all_"]:
        raise click.UsageError("name letters by number or filter, or say --all")
    letters = list(pages(ledger.letters, selection.filter(states)))
    if not letters:
        raise Failed(f"no dead letter to {verb} matches")
    if missing := sorted(set(selection.numbers) - {letter.id for letter in letters}):
        click.echo(f"not to {verb}: {', '.join(map(str, missing))} (closed, filtered out, or unknown)", err=True)
    if act["dry_run"]:
        rows = app.redacted([listed(letter) for letter in letters])
        echo_json(rows) if act["json_"] else echo(letters_table(rows))
        click.echo(f"would {verb} {counted(len(letters), 'dead letter')}; nothing was done", err=act["json_"])
        return None
    why = act["why"] or (click.prompt("Why", err=True) if sys.stdin.isatty() else "")
    if not why.strip():
        raise click.UsageError("--why is needed: the audit keeps it")
    if not act["yes"]:
        click.confirm(_question(letters, verb), abort=True, err=True)
    who = act["who"] or f"{getpass.getuser()}@{socket.gethostname()}"
    return _Chosen([letter.id for letter in letters], who, why)


def _question(letters: Sequence[Letter], verb: str) -> str:
    reasons = Counter(letter.new.reason for letter in letters)
    counts = ", ".join(f"{plain(reason)} {count}" for reason, count in reasons.most_common())
    warning = ""
    if verb == "replay" and reasons["in_doubt"]:
        warning = "What is in doubt may be booked already: replayed unseen, it can be booked twice.\n"
    return f"{warning}{verb.capitalize()} {counted(len(letters), 'dead letter')} ({counts})?"


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
