"""`bellhop dead` beyond single acts: causes and their life, search, assignees, notes, edits."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final

import click

from bellhop.cli.backends import desk
from bellhop.cli.common import (
    App,
    acting_as,
    as_json,
    ask_reason,
    confirm,
    echo,
    echo_json,
    local_time,
    pass_app,
    printable,
    rich_table,
    when_text,
    who_option,
    why_option,
)
from bellhop.cli.confirm import none_matches
from bellhop.cli.letter_tables import letters_table
from bellhop.cli.selection import Ahead, Selection, selecting
from bellhop.cli.triage_desks import TriageDesk, cause_named, triage_desk
from bellhop.schemas.quantities import quantity

_WAITING: Final = ("open", "replaying")
_AT_ONCE: Final = 500


@click.command(short_help="List causes: letters that one mending may help.")
@as_json
@pass_app
def causes(app: App, json_: bool) -> None:
    """List the causes of dead letters: what nobody has in hand first, then what starts soonest.

    The key names a cause: bellhop dead replay --cause KEY
    """
    with triage_desk(app) as at:
        rows = at.causes()
    if json_:
        echo_json(rows)
        return
    if not rows:
        click.echo("0 causes")
        return
    headers = ("key", ">letters", "reason", "account", "life", "first", "last", "starts", "error")
    echo(rich_table(headers, [_cause_cells(row) for row in rows]))


def _cause_cells(row: dict[str, Any]) -> tuple[object, ...]:
    moments = [local_time(row, name) for name in ("first", "last", "next_start")]
    return (row["key"], row["count"], row["reason"], row["account"], _life(row["life"]), *moments, row["error"])


def _life(life: dict[str, Any]) -> str:
    told = str(life["state"])
    if life["state"] == "reopened":
        return f"{told}, {life['since']} since {when_text(life['at'])}"
    if life["state"] == "snoozed":
        return f"{told} until {when_text(life['until'])} by {life['who']}"
    return f"{told} by {life['who']}" + (f", {life['since']} since" if life["since"] else "") if life["who"] else told


def _saying(act: str, said: str | None, help_: str) -> click.Command:
    """A command that says something of a cause."""

    def say(app: App, key: str, why: str | None, who: str | None, json_: bool, until: datetime | None = None) -> None:
        with triage_desk(app) as at:
            cause = cause_named(at, key)
            life = at.say(cause["cause"], said, who, why or "", until)
        echo_json(life) if json_ else click.echo(printable(f"cause {cause['key']} is {_life(life)}"))

    command: Callable[..., Any] = pass_app(say)
    for option in (
        as_json,
        who_option,
        click.option("--why", help="Reason, for the audit."),
        *([click.option("--until", type=Ahead(), required=True, help="ISO 8601, or 30m, 2h, 3d from now.")]
          if said == "snoozed" else []),
        click.argument("key"),
    ):  # fmt: skip
        command = option(command)
    return click.command(act, help=help_, short_help=help_.partition(":")[0] + ".")(command)


acknowledge = _saying("acknowledge", "acknowledged", "Say that a cause is in hand: by you.")
snooze = _saying("snooze", "snoozed", "Say that a cause is looked at later: its letters stay open.")
resolve = _saying("resolve", "resolved", "Say that a cause is mended: what comes since reopens it.")
reopen = _saying("reopen", None, "Take back what was said of a cause: it is new again.")


@click.command(short_help="Search dead letters and events.")
@click.argument("words", nargs=-1, required=True)
@click.option("--limit", type=click.IntRange(1, 500), default=50, show_default=True, help="Most rows of each to show.")
@as_json
@pass_app
def search(app: App, words: tuple[str, ...], limit: int, json_: bool) -> None:
    """Search by id, reference, member, vendor's id, or a guest's name, e-mail or telephone.

    Example: bellhop dead search ada lee
    """
    if not " ".join(words).strip():
        raise click.UsageError("say what to search for")
    with triage_desk(app) as at:
        told = at.search(" ".join(words), limit)
    if json_:
        echo_json(told)
        return
    if told["letters"]:
        echo(letters_table(told["letters"]))
    if told["rows"]:
        cells = [(f"{row['source']}/{row['id']}", row["type"], row["subject"], row["state"], row["detail"])
                 for row in told["rows"]]  # fmt: skip
        echo(rich_table(("event", "type", "of", "state", "detail"), cells))
    click.echo(f"{quantity(len(told['letters']), 'dead letter')}, {quantity(len(told['rows']), 'event')}")


@click.command(short_help="Assign dead letters to somebody.")
@selecting
@click.option("--to", help='Who takes care of them; "" for nobody. Default: you.')
@who_option
@as_json
@pass_app
def assign(app: App, selection: Selection, to: str | None, who: str | None, json_: bool) -> None:
    """Assign dead letters to somebody."""
    if selection.everything:
        raise click.UsageError("name letters by number or filter")
    to = acting_as(who) if to is None else to
    with desk(app) as at, triage_desk(app) as triage:
        numbers = [row["id"] for row in at.rows(selection, _WAITING, None)[0]]
        if not numbers:
            raise none_matches(_WAITING)
        some = [numbers[start : start + _AT_ONCE] for start in range(0, len(numbers), _AT_ONCE)]
        count = sum(triage.assign(few, to, who) for few in some)
    told = f"{quantity(count, 'dead letter')} assigned to {to or 'nobody'}"
    echo_json({"assigned": count}) if json_ else click.echo(printable(told))


@click.command(short_help="Show a dead letter's notes, or add one.")
@click.argument("number", type=click.IntRange(1))
@click.argument("text", required=False)
@who_option
@as_json
@pass_app
def notes(app: App, number: int, text: str | None, who: str | None, json_: bool) -> None:
    """Show a dead letter's notes; with TEXT, add one first."""
    with triage_desk(app) as at:
        if text is not None:
            if not text.strip():
                raise click.UsageError("a note must say something")
            at.note(number, text.strip(), who)
        rows = at.notes(number)
    if json_:
        echo_json(rows)
        return
    for row in rows:
        click.echo(printable(f"{when_text(row['at'])}  {row['who']}: {row['text']}"))
    click.echo(quantity(len(rows), "note"))


@click.command(short_help="Change a dead letter's content and replay it.")
@click.argument("number", type=click.IntRange(1))
@click.option(
    "--set",
    "pairs",
    metavar="FIELD=VALUE",
    multiple=True,
    required=True,
    help="A field of its data, such as services.0.start; an empty value takes it away. Repeatable.",
)
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@who_option
@why_option
@as_json
@pass_app
def edit(
    app: App, number: int, pairs: tuple[str, ...], yes: bool, who: str | None, why: str | None, json_: bool
) -> None:
    """Change a dead letter's content, held to its event's contract, and replay it.

    Where the settings ask for a second person, it is replayed once another has approved it. Its data is read unmasked,
    which is audited.

    Example: bellhop dead edit 12 --set services.0.provider_id=3 --why "the salon says so"
    """  # fmt: skip
    with triage_desk(app) as at:
        changes = _changes(at, number, pairs)
        why = ask_reason(why)
        if not yes:
            confirm(f"Change {', '.join(changes)} of dead letter {number} and replay it?")
        told = at.edit(number, changes, who, why)
    if json_:
        echo_json(told)
        return
    for change in told["changes"]:
        click.echo(printable(f"  {change['field']}: {change['before']} -> {change['after']}"))
    state = "was replayed" if told["replayed"] else "is replayed once another person approves it"
    click.echo(f"edit {told['id']} of dead letter {number} {state}")


def _changes(at: TriageDesk, number: int, pairs: Sequence[str]) -> dict[str, Any]:
    """The top fields that change, whole. Raises UsageError."""
    data = copy.deepcopy(dict(at.data(number)))
    touched: dict[str, None] = {}
    for pair in pairs:
        path, equals, text = pair.partition("=")
        parts = path.removeprefix("data.").split(".")
        if not equals or not all(parts):
            raise click.UsageError(f"--set {pair}: must be FIELD=VALUE")
        try:
            _put(data, parts, text)
        except (KeyError, IndexError, ValueError, TypeError):
            raise click.UsageError(f"--set {path}: there is no such place in its data") from None
        touched[parts[0]] = None
    return {name: data.get(name) for name in touched}


def _put(data: Any, parts: Sequence[str], text: str) -> None:
    *way, last = parts
    at = data
    for name in way:
        at = at[int(name)] if isinstance(at, list) else at.setdefault(name, {})
    place: Any = int(last) if isinstance(at, list) else last
    old = at[place] if isinstance(at, list) else at.get(place)
    if not text and isinstance(at, dict):
        at.pop(place, None)
    else:
        at[place] = _value(text, old)


def _value(text: str, old: Any) -> Any:
    """As JSON where it is some and no text stood there; else as it is."""
    if isinstance(old, str):
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text
