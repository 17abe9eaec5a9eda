"""`bellhop alerts`: who is told when something needs a person, and whether that works."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

import click

from bellhop.cli.common import App, Failed, as_json, echo, echo_json, pass_app, rich_table, when


@click.group(short_help="Test who is told when something needs a person.")
def alerts() -> None:
    """Test who is told when something needs a person, and see what they were told.

    `bellhop archive` tells them: Slack, Teams, e-mail, PagerDuty or a signed webhook, as [alerts] of the settings says.
    """


@alerts.command(short_help="Send each receiver a test message.")
@click.argument("names", metavar="[RECEIVER]...", nargs=-1)
@pass_app
def test(app: App, names: tuple[str, ...]) -> None:
    """Send each receiver (default: all) a message that says it is a test, and print what came of it.

    At PagerDuty it stays an open incident of severity info until somebody resolves it. Exit code 1 where one was not
    reached.
    """
    from bellhop.letters.alerts.post import AlertPosts, AlertUnsent
    from bellhop.letters.alerts.run import try_receiver
    from bellhop.schemas.redact import Redactor

    receivers = app.settings.alerts
    if not receivers:
        raise Failed("the settings name nobody who is told: write [alerts.team] (bellhop config example shows how)")
    if unknown := [name for name in names if name not in receivers]:
        raise Failed(f"{', '.join(unknown)}: not in [alerts] of the settings, which has {', '.join(receivers)}")
    post = AlertPosts(Redactor(app.settings.secrets, app.settings.names))
    failed = 0
    for name in names or receivers:
        try:
            try_receiver(receivers[name], post, f"test-{uuid.uuid4().hex}")
        except AlertUnsent as unsent:
            failed += 1
            click.echo(f"{name}: not reached: {unsent}", err=True)
        else:
            click.echo(f"{name}: {receivers[name].kind} took it")
    if failed:
        raise click.exceptions.Exit(1)


@alerts.command("list", short_help="List what receivers have been told and what waits.")
@as_json
@pass_app
def list_(app: App, json_: bool) -> None:
    """List what each receiver has been told that still stands, and what waits to be told."""
    from bellhop.letters.serializers.alerts import alert_row

    with app.ledger() as ledger:
        rows: list[dict[str, Any]] = app.redact([alert_row(row) for row in ledger.alerts.all()])
    if json_:
        echo_json(rows)
        return
    if not rows:
        click.echo("nothing that stands was told, and nothing waits to be")
        return
    headers = ("receiver", "severity", "what", "told (UTC)", "waits", "tries", "last error")
    echo(rich_table(headers, [_cells(row) for row in rows]))


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    told = when(datetime.fromisoformat(row["told"])) if row["told"] else ""
    return (row["receiver"], row["severity"], row["title"], told, row["pending"], str(row["tries"]), row["error"])
