"""`bellhop attention`: what needs a person."""

from __future__ import annotations

from typing import Any

import click

from bellhop.cli.common import App, as_json, echo, echo_json, local_time, pass_app, rich_table


@click.command(short_help="List what needs a person.")
@as_json
@pass_app
def attention(app: App, json_: bool) -> None:
    """List what needs a person, the gravest first: dead letters, stopped jobs, edits to approve, paused routes."""
    rows = _here(app) if app.remote is None else app.remote.get("/attention")["rows"]
    if json_:
        echo_json(rows)
        return
    if not rows:
        click.echo("nothing needs a person")
        return
    headers = ("severity", "what", "why", "since", "starts", "where")
    echo(rich_table(headers, [_cells(row) for row in rows]))


def _here(app: App) -> list[dict[str, Any]]:
    from bellhop.letters.attention import attention, check_broker
    from bellhop.letters.needs import attention_row
    from bellhop.schemas.clock import utc_now

    with app.broker() as broker, app.ledger() as ledger:
        items = attention(ledger, check_broker(broker), utc_now(), app.settings.venues)
    rows: list[dict[str, Any]] = app.redact([attention_row(item) for item in items])
    return rows


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    moments = (local_time(row, "since"), local_time(row, "starts"))
    return (row["severity"], row["title"], row["why"], *moments, row["command"])
