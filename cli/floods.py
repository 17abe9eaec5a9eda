"""`bellhop floods`: what the flood guard holds, and what becomes of it."""

from __future__ import annotations

from typing import Any, Final

import click

from bellhop.cli.common import (
    App,
    Failed,
    acting_as,
    as_json,
    ask_reason,
    echo,
    echo_json,
    local_time,
    pass_app,
    rich_table,
    when_text,
    why_option,
)
from bellhop.schemas.quantities import quantity

_SHOWN: Final = 20

_number = click.argument("number", type=click.IntRange(min=1))


@click.group(short_help="Release or discard what the flood guard holds.")
def floods() -> None:
    """Release or discard what the flood guard holds.

    Cancels and changes of a source that are too many at once (flood_cancels, flood_changes, flood_share) wait here
    before the vendor is called. Example: bellhop floods release 3 --why "the venue is closed for the week"
    """


@floods.command("list", short_help="List floods, those that hold something first.")
@as_json
@pass_app
def list_(app: App, json_: bool) -> None:
    """List floods, those that hold something first, with what they hold."""
    rows = _rows(app)
    if json_:
        echo_json(rows)
        return
    if not rows:
        click.echo("the flood guard holds nothing, and has held nothing")
        return
    headers = ("number", "state", "source", "held", "since (UTC)", "soonest start", "limit", "ended by")
    echo(rich_table(headers, [_cells(row) for row in rows]))
    for row in rows:
        for one in row["events"][:_SHOWN]:
            what = f"{one['type']} {one['subject']} at {one['account'] or '-'}"
            echo(f"{row['id']}: {what}" + (f", starts {local_time(one, 'starts')}" if one["starts"] else ""))
        if row["held"] > _SHOWN:
            echo(f"{row['id']}: and {row['held'] - _SHOWN} more (--json lists them)")


@floods.command(short_help="Have what a flood holds worked.")
@_number
@why_option
@pass_app
def release(app: App, number: int, why: str | None) -> None:
    """Have all that flood NUMBER holds worked, each booking's events in their order; counting begins anew.

    Exit code 1 if it is not open.
    """
    count = _end(app, number, "release", ask_reason(why))
    click.echo(f"{quantity(count, 'event')} released: the vendors are called now")


@floods.command(short_help="Have what a flood holds come to nothing.")
@_number
@why_option
@pass_app
def discard(app: App, number: int, why: str | None) -> None:
    """Have all that flood NUMBER holds come to nothing: the bookings stay as they are. Counting begins anew.

    Exit code 1 if it is not open.
    """
    count = _end(app, number, "discard", ask_reason(why))
    click.echo(f"{quantity(count, 'event')} discarded: no vendor is called")


def _end(app: App, number: int, act: str, why: str) -> int:
    if app.remote is not None:
        told: int = app.remote.post(f"/floods/{number}/{act}", {"why": why})["events"]
        return told
    with app.ledger() as ledger:
        end = ledger.floods.release if act == "release" else ledger.floods.discard
        count = end(number, acting_as(None), why)
    if count is None:
        raise Failed(f"there is no open flood {number}")
    return count


def _rows(app: App) -> list[dict[str, Any]]:
    if app.remote is not None:
        rows: list[dict[str, Any]] = app.remote.get("/floods")["rows"]
        return rows
    from bellhop.letters.serializers.floods import list_floods

    with app.ledger() as ledger:
        here: list[dict[str, Any]] = app.redact(list_floods(ledger, app.settings.venues))
    return here


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    ended = f"{row['who']}: {row['why']}" if row["who"] else ""
    return (
        str(row["id"]),
        row["state"],
        row["source"],
        str(row["held"]),
        when_text(row["since"]),
        local_time(row, "starts"),
        row["limit"],
        ended,
    )
