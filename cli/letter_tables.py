"""Dead letters as tables and text for a terminal."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import click

from bellhop.cli.common import local_time, printable, rich_table


def letters_table(rows: Sequence[Mapping[str, Any]]) -> Any:
    """The table of a list, of rows as `letter_row` makes them."""
    cells = [
        (
            row["id"],
            local_time(row, "not_after"),
            row["venue"],
            row["guest"],
            row["subject"],
            row["reason"] if row["state"] == "open" else f"{row['reason']} ({row['state']})",
            f"{row['source']}/{row['event_id']}" if row["source"] else row["message_id"],
            local_time(row, "died"),
            row["error"],
        )
        for row in rows
    ]
    headers = (">number", "starts", "venue", "guest", "of", "reason", "event", "died", "error")
    return rich_table(headers, cells)


def echo_letter(told: Mapping[str, Any]) -> None:
    """One letter for people."""
    click.echo(printable(f"dead letter {told['id']}  {told['reason']}  {told['state']}"))
    for label, key in (
        *(("error", "error"), ("event", "event_id"), ("source", "source"), ("type", "type"), ("subject", "subject")),
        *(("route", "route"), ("account", "account"), ("attempts", "attempts"), ("replays", "generation")),
        *(("died", "died"), ("starts", "not_after"), ("unreadable", "unreadable")),
    ):
        if told.get(key) not in (None, ""):
            said = local_time(told, key) if key in ("died", "not_after") else told[key]
            click.echo(printable(f"  {label:<11}{said}"))
    for row in told.get("conflict") or ():
        stands, asked = ("nothing" if row[key] is None else row[key] for key in ("stands", "letter"))
        click.echo(printable(f"  {'differs':<11}{row['field']}: stands {stands}, this asks {asked}"))
    for one in told.get("vendor_bookings", ()):
        ended = f", cancelled by {one['cancelled_by']}" if one["cancelled_by"] else ""
        click.echo(printable(f"  {'at vendor':<11}{one['id']}  {one['state']}, made by {one['made_by']}{ended}"))
    if told.get("look_for"):
        ids = ", ".join(told["look_for"])
        click.echo(printable(f"  {'look for':<11}{ids}  (named in an answer that could not be read)"))
    if advice := told.get("advice"):
        for label, key in (("do", "do"), ("do not", "do_not"), ("vendor", "vendor")):
            if advice[key]:
                click.echo(printable(f"  {label:<11}{advice[key]}"))
    _echo_calls(told.get("calls", ()))
    for label in ("data", "evidence", "body"):
        if told.get(label) is not None:
            click.echo(f"  {label}")
            for line in json.dumps(told[label], indent=2, ensure_ascii=False).splitlines():
                click.echo(f"    {printable(line)}")


def echo_preflight(told: Mapping[str, Any], *, err: bool = False) -> None:
    """What a replay would come to: verdicts, what is sent where, how long it takes."""
    for words, count in Counter(row["words"] for row in told["rows"]).most_common():
        click.echo(printable(f"  {count}: {words}"), err=err)
    for one in told["calls"]:
        if one["method"]:
            example = json.dumps(one["example"], ensure_ascii=False)
            click.echo(
                printable(f"  sends {one['count']} {one['method']} to {one['account']}, such as {example}"), err=err
            )
        else:
            click.echo(printable(f"  no call for {one['count']} of {one['account']}: {one['words']}"), err=err)
    if told["calls"]:
        click.echo(f"  takes about {told['seconds']:.0f} s", err=err)


def _echo_calls(calls: Sequence[Mapping[str, Any]]) -> None:
    click.echo("  calls" if calls else f"  {'calls':<11}none")
    for call in calls:
        seconds = call.get("seconds")
        took = str(call.get("outcome", "")) + (f" in {seconds:.2f} s" if isinstance(seconds, int | float) else "")
        said = f": {call['error']}" if call.get("error") else ""
        click.echo(printable(f"    {call.get('started', '')}  {call.get('method') or 'no call'}  {took}{said}"))
        for label in ("request", "answer"):
            if call.get(label) is not None:
                click.echo(printable(f"      {label:<9}{json.dumps(call[label], ensure_ascii=False)}"))
