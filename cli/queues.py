"""`bellhop queues`: what waits on each route."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import click

from bellhop.cli.common import App, age, as_json, echo, echo_json, pass_app, quantity, rich_table

_WATCH_SECONDS: Final = 2.0
_NUMBERS: Final = ("in_flight", "working", "retrying", "in_doubt", "dead")


@click.command(short_help="Show what waits on each route.")
@click.option("--watch", is_flag=True, help="Refresh every 2 seconds, until Ctrl-C.")
@as_json
@pass_app
def queues(app: App, watch: bool, json_: bool) -> None:
    """Show what waits on each route: messages ready, age of the oldest, in flight; events working, retrying and in
    doubt; dead letters.

    in flight: taken by workers, not yet acked; unknown on RabbitMQ.
    """
    from rich.live import Live

    with _looking(app) as look:
        if not watch:
            seen = look()
            echo_json(seen) if json_ else echo(_table(seen))
            return
        if json_:
            while True:
                echo_json(look())
                time.sleep(_WATCH_SECONDS)
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

    rows = [
        (r["route"], r["ready"], age(r["oldest_seconds"]), *("" if r[n] is None else r[n] for n in _NUMBERS))
        for r in seen["routes"]
    ]
    headers = ("route", ">ready", ">oldest", ">in flight", ">working", ">retry", ">doubt", ">dead")
    lines = [f"{quantity(seen['dead']['letters'], 'dead letter')} waiting for a person (bellhop dead list)"]
    if seen["dead"]["queue"]:
        lines.append(f"{seen['dead']['queue']} more on the way to the archive: is `bellhop archive` running?")
    if seen.get("unroutable"):
        lines.append(f"{quantity(seen['unroutable'], 'message')} without a queue (see the runbook)")
    return Group(rich_table(headers, rows), *(Text(line) for line in lines))
