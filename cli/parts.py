"""`bellhop parts`: which processes run."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import click

from bellhop.cli.common import App, as_json, echo, echo_json, pass_app, rich_table, when


@click.command(short_help="List the processes that run.")
@as_json
@pass_app
def parts(app: App, json_: bool) -> None:
    """List the processes of this Bellhop by what they say of themselves: those that run, and those gone within the
    hour; then how many work each route.

    silent: it has said nothing for 30 seconds, and was not told to stop. What is needed and does not run is also in
    `bellhop attention`. settings: the digest of those it works with; differs: most have others.
    """
    told = _here(app) if app.remote is None else app.remote.get("/parts")
    if json_:
        echo_json({"rows": told["rows"], "running": told["running"]})
        return
    headers = ("part", "state", "host", "version", "routes", "started (UTC)", "last seen (UTC)", "settings", "name")
    echo(rich_table(headers, [_cells(row) for row in told["rows"]]))
    for one in told["running"]:
        if not one["count"]:
            click.echo(f"none runs for {one['part']}")


def _here(app: App) -> dict[str, Any]:
    from bellhop.letters.parts import count_running, part_rows
    from bellhop.schemas.clock import utc_now

    with app.ledger() as ledger:
        now = utc_now()
        return {"rows": part_rows(ledger.parts, now), "running": count_running(ledger.parts.all(), now)}


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    started, seen = (when(datetime.fromisoformat(row[name])) for name in ("started", "seen"))
    return (
        row["kind"],
        row["state"],
        row["host"],
        row["version"],
        ", ".join(row["routes"]),
        started,
        seen,
        _settings(row),
        row["name"],
    )


def _settings(row: dict[str, Any]) -> str:
    told = f"{row['digest']}{' differs' if row['differs'] else ''}"
    return f"{told}: {row['problem']}" if row["problem"] else told
