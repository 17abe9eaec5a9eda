"""Acts on dead letters: their options, which letters they take, and the question before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import click

from bellhop.cli.backends import LetterBackend, Rows
from bellhop.cli.common import (
    Failed,
    as_json,
    ask_reason,
    confirm,
    echo,
    echo_json,
    printable,
    who_option,
    why_option,
)
from bellhop.cli.letter_tables import letters_table
from bellhop.cli.selection import Selection
from bellhop.schemas.quantities import quantity


def acting(command: Any) -> Any:
    """The options of a command that changes something."""
    for option in (
        as_json,
        click.option("--dry-run", is_flag=True, help="Show the letters it would act on; change nothing."),
        click.option("--yes", is_flag=True, help="Do not ask for confirmation."),
        who_option,
        why_option,
        click.option("--all", "all_", is_flag=True, help="All open letters, if no number or filter is given."),
    ):
        command = option(command)
    return command


@dataclass(frozen=True, slots=True)
class Chosen:
    numbers: Sequence[int]
    why: str


def confirm_choice(
    at: LetterBackend,
    selection: Selection,
    states: Sequence[str],
    verb: str,
    act: dict[str, Any],
    tell: Callable[[Sequence[int]], None] = lambda _numbers: None,
) -> Chosen | None:
    """The letters a person has confirmed; None after a dry run. tell: says of these numbers what the act would come to.
    Raises UsageError, Failed."""
    if selection.everything and not act["all_"]:
        raise click.UsageError("name letters by number or filter, or say --all")
    rows, _ = at.rows(selection, states, None)
    if not rows:
        raise none_matches(states)
    if missing := sorted(set(selection.numbers) - {row["id"] for row in rows}):
        other = "not discarded" if verb == "restore" else "closed"
        click.echo(f"not to {verb}: {', '.join(map(str, missing))} ({other}, filtered out, or unknown)", err=True)
    numbers = [row["id"] for row in rows]
    if act["dry_run"]:
        echo_json(rows) if act["json_"] else echo(letters_table(rows))
        tell(numbers)
        click.echo(f"would {verb} {quantity(len(rows), 'dead letter')}; nothing was done", err=act["json_"])
        return None
    why = ask_reason(act["why"])
    if not act["yes"]:
        tell(numbers)
        confirm(_question(rows, verb))
    return Chosen(numbers, why)


def none_matches(states: Sequence[str]) -> Failed:
    """That none of the selected letters is in one of `states`."""
    listed = "bellhop dead list" + (" --state discarded" if "discarded" in states else "")
    return Failed(f"no dead letter that is {' or '.join(states)} matches: `{listed}` lists them")


def _question(rows: Rows, verb: str) -> str:
    reasons = Counter(row["reason"] for row in rows)
    counts = ", ".join(f"{printable(reason)} {count}" for reason, count in reasons.most_common())
    return f"{verb.capitalize()} {quantity(len(rows), 'dead letter')} ({counts})?"
