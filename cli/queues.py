"""`bellhop queues`: what waits on each route."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, NoReturn

import click

from bellhop.cli.common import App, Failed, age, as_json, echo, echo_json, pass_app, rich_table
from bellhop.schemas.quantities import quantity

_WATCH_SECONDS: Final = 2.0
_NUMBERS: Final = ("in_flight", "working", "retrying", "in_doubt", "dead")


@click.group(short_help="Show what waits on each route.", invoke_without_command=True)
@click.option("--watch", is_flag=True, help="Refresh every 2 seconds, until Ctrl-C.")
@as_json
@pass_app
@click.pass_context
def queues(context: click.Context, app: App, watch: bool, json_: bool) -> None:
    """Show what waits on each route: messages ready, age of the oldest, in flight; events working, retrying and in
    doubt; dead letters. Below a route, whose messages are ready: each account has a lane of its own, and for results
    each source.

    in flight: taken by workers, not yet acked; unknown on RabbitMQ.
    """
    if context.invoked_subcommand is None:
        _show(app, watch=watch, json_=json_)


@queues.command(short_help="Change queues that stand with other settings.")
@pass_app
def migrate(app: App) -> None:
    """Change the queues that stand with other settings than the file has, with the messages in them.

    RabbitMQ changes no setting of a queue that is there: such a queue is emptied into a spare one, made anew and
    filled again. Stop the workers and the archive first; the ingress may go on. Cut off, the same command goes on.
    """
    if app.remote is not None:
        raise Failed("queues migrate needs the broker itself: run it without --server")
    with app.broker() as broker:
        moved = broker.migrate()
    for name, count in moved.items():
        echo(f"{name}: made anew, with {quantity(count, 'message')}")
    if not moved:
        echo("every queue stands as the settings want it")


def _show(app: App, *, watch: bool, json_: bool) -> None:
    with _looking(app) as look:
        if watch and not json_ and sys.stdout.isatty():
            _redraw(look)
        while True:
            seen = look()
            echo_json(seen) if json_ else echo(_table(seen))
            if not watch:
                return
            time.sleep(_WATCH_SECONDS)


def _redraw(look: Callable[[], dict[str, Any]]) -> NoReturn:
    from rich.live import Live

    with Live(_table(look()), auto_refresh=False) as live:
        while True:
            time.sleep(_WATCH_SECONDS)
            live.update(_table(look()), refresh=True)


@contextmanager
def _looking(app: App) -> Iterator[Callable[[], dict[str, Any]]]:
    if app.remote is not None:
        remote = app.remote
        yield lambda: remote.get("/queues")
        return
    from bellhop.letters.serializers.flow import queue_summary

    with app.broker() as broker, app.ledger() as ledger:
        yield lambda: queue_summary(broker.stats(), ledger)


def _table(seen: dict[str, Any]) -> Any:
    from rich.console import Group
    from rich.text import Text

    rows: list[tuple[Any, ...]] = []
    for r in seen["routes"]:
        rows.append(
            (r["route"], r["ready"], age(r["oldest_seconds"]), *("" if r[n] is None else r[n] for n in _NUMBERS))
        )
        own = [lane for lane in r["lanes"] if lane["accounts"]]
        rows += [(f"  {lane['accounts']}", lane["ready"], "", *[""] * len(_NUMBERS)) for lane in own]
    headers = ("route", ">ready", ">oldest", ">in flight", ">working", ">retry", ">doubt", ">dead")
    lines = [f"{quantity(seen['dead']['letters'], 'dead letter')} waiting for a person (bellhop dead list)"]
    if seen["dead"]["queue"]:
        lines.append(f"{seen['dead']['queue']} more on the way to the archive: is `bellhop archive` running?")
    if seen.get("unroutable"):
        lines.append(f"{quantity(seen['unroutable'], 'message')} without a queue (see the runbook)")
    return Group(rich_table(headers, rows), *(Text(line) for line in lines))
