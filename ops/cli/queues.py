"""`bellhop queues`: what waits, and where."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

import click

from ops.cli.common import App, age, as_json, counted, echo, echo_json, pass_app, table

if TYPE_CHECKING:
    from broker.port import Broker, QueueStats
    from ledger.store import Ledger

_WATCH_SECONDS: Final = 2.0
_NUMBERS: Final = ("in_flight", "working", "retrying", "in_doubt", "dead")


@click.command()
@click.option("--watch", is_flag=True, help="Again every 2 seconds, until Ctrl-C.")
@as_json
@pass_app
def queues(app: App, watch: bool, json_: bool) -> None:
    """What waits: for each route the messages ready, their oldest age, those in flight, the events retrying and in
    doubt, and the dead letters that stand in front of a person."""
    from rich.live import Live

    with app.broker() as broker, app.ledger() as ledger:
        if not watch:
            seen = _look(broker, ledger)
            echo_json(seen) if json_ else echo(_table(seen))
            return
        if json_:
            while True:
                echo_json(_look(broker, ledger))
                time.sleep(_WATCH_SECONDS)
        with Live(_table(_look(broker, ledger)), auto_refresh=False) as live:
            while True:
                time.sleep(_WATCH_SECONDS)
                live.update(_table(_look(broker, ledger)), refresh=True)


def _look(broker: Broker, ledger: Ledger) -> dict[str, Any]:
    from ledger.records import LetterFilter, State
    from ops.archive import WAITING
    from schemas.settings import ROUTES

    stats, unfinished = broker.stats(), ledger.unfinished()
    routes = []
    for route in ROUTES:
        queue = stats.get(route)
        counts = {state.value: unfinished.get((route, state), 0) for state in State if state.unfinished}
        routes.append(
            {
                "route": route,
                "ready": queue.ready if queue else 0,
                "oldest_seconds": queue.oldest_seconds if queue else None,
                "in_flight": queue.in_flight if queue else None,
                **counts,
                "dead": ledger.letters.count(LetterFilter(route=route, states=WAITING)),
            }
        )
    others = {name: _messages(stats.get(name)) for name in ("retry", "unroutable")}
    letters = ledger.letters.count(LetterFilter(states=WAITING))
    return {"routes": routes, **others, "dead": {"queue": _messages(stats.get("dead")), "letters": letters}}


def _messages(queue: QueueStats | None) -> int:
    return queue.ready + (queue.in_flight or 0) if queue else 0


def _table(seen: dict[str, Any]) -> Any:
    from rich.console import Group
    from rich.text import Text

    rows = [
        (r["route"], r["ready"], age(r["oldest_seconds"]), *("" if r[n] is None else r[n] for n in _NUMBERS))
        for r in seen["routes"]
    ]
    headers = ("route", ">ready", ">oldest", ">held", ">working", ">retry", ">doubt", ">dead")
    lines = [f"{counted(seen['dead']['letters'], 'dead letter')} in front of a person (bellhop dead list)"]
    if seen["dead"]["queue"]:
        lines.append(f"{seen['dead']['queue']} more on the way to the archive: is `bellhop archive` running?")
    if seen.get("unroutable"):
        lines.append(f"{counted(seen['unroutable'], 'message')} without a queue (see the runbook)")
    return Group(table(headers, rows), *(Text(line) for line in lines))
