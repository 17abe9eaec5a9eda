"""`bellhop accounts`: each account's breaker, limits, token and pulls; and a new login of one."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import click

from bellhop.cli.clients import account_named, log_in_anew, one_line
from bellhop.cli.common import App, age, as_json, echo, echo_json, pass_app, rich_table, when


@click.group(short_help="Show each account's breaker, limits and pulls.", invoke_without_command=True)
@as_json
@pass_app
@click.pass_context
def accounts(context: click.Context, app: App, json_: bool) -> None:
    """Show each account: breaker and last error, calls used today (UTC) and in progress where it has limits, limits,
    login token, and the age of each pull."""
    if context.invoked_subcommand is None:
        _show(app, json_)


@accounts.command(short_help="Log in anew.")
@click.argument("name", metavar="ACCOUNT")
@pass_app
def login(app: App, name: str) -> None:
    """Log in to ACCOUNT anew, and share the new token with the workers in place of the one before.

    An account that is held because its credentials were refused is tried again at once.
    """
    account = account_named(app, name)
    with app.ledger() as ledger, one_line():
        log_in_anew(app, account, ledger)
    echo(f"{name}: logged in; the workers use the new token")


def _show(app: App, json_: bool) -> None:
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
        _breaker(told) + (f" until {when(datetime.fromisoformat(until))}" if until else ""),
        "" if told["used"] is None else told["used"],
        limits["per_day"] or "",
        "" if told["on_their_way"] is None else told["on_their_way"],
        limits["at_once"] or "",
        f"{limits['per_second']:g}" if limits["per_second"] else "",
        {None: "", True: "shared", False: "none yet"}[told["token"]],
        ", ".join(pulls),
        told["error"],
    )


def _breaker(told: dict[str, Any]) -> str:
    is_held = told["refused"] and told["breaker"] != "closed"
    return f"{told['breaker']}: credentials refused" if is_held else str(told["breaker"])
