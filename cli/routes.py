"""`bellhop routes`: hold a route, let it go on, try now what waits for a retry."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import click

from bellhop.cli.common import (
    App,
    Failed,
    acting_as,
    as_json,
    asked,
    counted,
    echo,
    echo_json,
    pass_app,
    table,
    when,
)
from bellhop.cli.selection import Ahead
from bellhop.schemas.clock import iso
from bellhop.vendors.registry import ROUTES

_route = click.argument("route", type=click.Choice(ROUTES))
_why = click.option("--why", help="For the audit. Asked for unless given.")


@click.group()
def routes() -> None:
    """The routes, and who holds them."""


@routes.command("list")
@as_json
@pass_app
def list_(app: App, json_: bool) -> None:
    """Lists every route, and who holds it, since when and why."""
    rows = _rows(app)
    if json_:
        echo_json(rows)
        return
    cells = []
    for row in rows:
        pause = row["pause"]
        held = ("works", "", "", "", "") if pause is None else (
            "held", pause["who"], _when(pause["since"]), _when(pause["until"]), pause["why"]
        )  # fmt: skip
        cells.append((row["route"], *held))
    echo(table(("route", "", "by", "since (UTC)", "until (UTC)", "why"), cells))


@routes.command()
@_route
@_why
@click.option("--until", type=Ahead(), help="When it ends by itself: ISO 8601, or 30m, 2h, 3d from now.")
@pass_app
def pause(app: App, route: str, why: str | None, until: datetime | None) -> None:
    """Holds a route: webhooks are still taken, nothing of it is worked. What is being worked is finished."""
    why = asked(why)
    if app.remote is not None:
        app.remote.post(f"/routes/{route}/pause", {"why": why, "until": iso(until)})
    else:
        with app.ledger() as ledger:
            ledger.pauses.pause(route, acting_as(None), why, until)
    click.echo(f"{route} is held{f' until {when(until)} UTC' if until else ''}")


@routes.command()
@_route
@_why
@pass_app
def resume(app: App, route: str, why: str | None) -> None:
    """Lets a route go on. Exit code 1 where nobody holds it."""
    why = asked(why)
    if app.remote is not None:
        app.remote.post(f"/routes/{route}/resume", {"why": why})
    else:
        with app.ledger() as ledger:
            if not ledger.pauses.resume(route, acting_as(None), why):
                raise Failed(f"route {route} is not held")
    click.echo(f"{route} goes on")


@routes.command("retry-now")
@_route
@_why
@pass_app
def retry_now(app: App, route: str, why: str | None) -> None:
    """Tries now what waits for a retry."""
    why = asked(why)
    if app.remote is not None:
        moved: int = app.remote.post(f"/routes/{route}/retry-now", {"why": why})["moved"]
    else:
        from bellhop.letters.retry_now import retry_now as move

        with app.broker() as broker, app.ledger() as ledger:
            moved = move(broker, ledger.letters, route, who=acting_as(None), why=why)
    click.echo(f"{counted(moved, 'message')} of {route} {'is' if moved == 1 else 'are'} tried now")


def _rows(app: App) -> list[dict[str, Any]]:
    if app.remote is not None:
        rows: list[dict[str, Any]] = app.remote.get("/routes")["rows"]
        return rows
    from bellhop.letters.serializers.flow import route_rows

    with app.ledger() as ledger:
        return route_rows(ledger)


def _when(text: str | None) -> str:
    return when(datetime.fromisoformat(text)) if text else ""
