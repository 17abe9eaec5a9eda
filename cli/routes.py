"""`bellhop routes`: pause a route, resume it, retry now what waits for a retry."""

from __future__ import annotations

from datetime import datetime
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
    pass_app,
    rich_table,
    when,
    when_text,
    why_option,
)
from bellhop.cli.selection import Ahead
from bellhop.schemas.clock import iso
from bellhop.schemas.quantities import quantity
from bellhop.vendors.registry import ROUTES

_NAMES: Final = f"Routes: {', '.join(ROUTES)}."
_route = click.argument("route", metavar="ROUTE", type=click.Choice(ROUTES))


@click.group(epilog=_NAMES, short_help="List, pause, resume and retry routes.")
def routes() -> None:
    """List, pause, resume and retry routes.

    Example: bellhop routes pause members --why "vendor is down" --until 1h
    """


@routes.command("list", short_help="List every route and its pause.")
@as_json
@pass_app
def list_(app: App, json_: bool) -> None:
    """List every route; of a paused one: by whom, since when, until when and why."""
    rows = _rows(app)
    if json_:
        echo_json(rows)
        return
    cells = []
    for row in rows:
        pause = row["pause"]
        told = ("active", "", "", "", "") if pause is None else (
            "paused", pause["who"], when_text(pause["since"]), when_text(pause["until"]), pause["why"]
        )  # fmt: skip
        cells.append((row["route"], *told))
    echo(rich_table(("route", "state", "by", "since (UTC)", "until (UTC)", "why"), cells))


@routes.command(epilog=_NAMES, short_help="Pause a route: its messages wait.")
@_route
@why_option
@click.option("--until", type=Ahead(), help="Resume by itself at: ISO 8601, or 30m, 2h, 3d from now.")
@pass_app
def pause(app: App, route: str, why: str | None, until: datetime | None) -> None:
    """Pause a route.

    Webhooks are still accepted and wait in the queue. What workers have begun finishes; from the moment this command
    returns nothing else of the route is begun. Pausing again replaces the reason and the end.
    """
    why = ask_reason(why)
    if app.remote is not None:
        app.remote.post(f"/routes/{route}/pause", {"why": why, "until": iso(until)})
    else:
        with app.ledger() as ledger:
            ledger.pauses.pause(route, acting_as(None), why, until)
    ends = f" until {when(until)} UTC" if until else ""
    click.echo(f"{route} is paused{ends}: nothing of it is begun any more; what workers have begun finishes")


@routes.command(epilog=_NAMES, short_help="Resume a paused route.")
@_route
@why_option
@pass_app
def resume(app: App, route: str, why: str | None) -> None:
    """Resume a paused route. Exit code 1 if it is not paused."""
    why = ask_reason(why)
    if app.remote is not None:
        app.remote.post(f"/routes/{route}/resume", {"why": why})
    else:
        with app.ledger() as ledger:
            if not ledger.pauses.resume(route, acting_as(None), why):
                raise Failed(f"route {route} is not paused")
    click.echo(f"{route} is resumed")


@routes.command("retry-now", epilog=_NAMES, short_help="Retry now what waits for a retry.")
@_route
@why_option
@pass_app
def retry_now(app: App, route: str, why: str | None) -> None:
    """Retry now: move everything that waits for a retry back to the work queue.

    Attempts count as usual. Use it once a vendor is back, instead of waiting for the ladder.
    """
    why = ask_reason(why)
    if app.remote is not None:
        moved: int = app.remote.post(f"/routes/{route}/retry-now", {"why": why})["moved"]
    else:
        from bellhop.letters.retry_now import retry_now as move

        with app.broker() as broker, app.ledger() as ledger:
            moved = move(broker, ledger.letters, route, who=acting_as(None), why=why)
    click.echo(f"{quantity(moved, 'message')} of {route} {'is' if moved == 1 else 'are'} retried now")


def _rows(app: App) -> list[dict[str, Any]]:
    if app.remote is not None:
        rows: list[dict[str, Any]] = app.remote.get("/routes")["rows"]
        return rows
    from bellhop.letters.serializers.flow import route_rows

    with app.ledger() as ledger:
        return route_rows(ledger)
