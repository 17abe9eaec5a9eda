"""`bellhop accounts`: each account's breaker, limits, token and pulls."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import click

from bellhop.cli.common import App, age, as_json, echo, echo_json, pass_app, rich_table, when


@click.command(short_help="Show each account's breaker, limits and pulls.")
@as_json
@pass_app
def accounts(app: App, json_: bool) -> None:
    """Show each account: breaker and last error, calls used today (UTC) and in progress where it has limits, limits,
    login token, and the age of each pull."""
    told = _here(app) if app.remote is None else app.remote.get("/accounts")["rows"]
    if json_:
        echo_json(told)
        return
    headers = ("account", "kind", "breaker", ">used", ">per day", ">in use", ">at once", ">per s", "token", "pulled")
    echo(rich_table((*headers, "last error"), map(_row, told)))


def _here(app: App) -> list[dict[str, Any]]:
    from bellhop.letters.serializers.flow import account_rows

    with app.ledger() as ledger:
        rows = account_rows(app.settings, ledger, datetime.now(UTC))
    return [row | {"error": app.redact(row["error"])} for row in rows]


def _row(told: dict[str, Any]) -> tuple[object, ...]:
    limits, until = told["limits"], told["open_until"]
    pulls = [f"{pull['what']} {age(pull['age_seconds']) or 'never'}" for pull in told["pulls"]]
    return (
        told["account"],
        " ".join(filter(None, (told["kind"], told["system"]))),
        told["breaker"] + (f" until {when(datetime.fromisoformat(until))}" if until else ""),
        "" if told["used"] is None else told["used"],
        limits["per_day"] or "",
        "" if told["on_their_way"] is None else told["on_their_way"],
        limits["at_once"] or "",
        f"{limits['per_second']:g}" if limits["per_second"] else "",
        {None: "", True: "shared", False: "none yet"}[told["token"]],
        ", ".join(pulls),
        told["error"],
    )
