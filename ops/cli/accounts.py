"""`bellhop accounts`: each account's breaker, limits, token and pulls."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from ops.cli.common import App, age, as_json, echo, echo_json, iso, pass_app, table, when
from schemas.settings import Account, PeoplevineAccount

if TYPE_CHECKING:
    from ledger.accounts import AccountView
    from ledger.store import Ledger


@click.command()
@as_json
@pass_app
def accounts(app: App, json_: bool) -> None:
    """The accounts: breaker and its last error, calls used of the day (UTC) and on their way, limits, whether a token
    is shared, and how long ago each pull was made."""
    with app.ledger() as ledger:
        views = {view.account: view for view in ledger.accounts.views()}
        told = [_told(account, views.get(name), ledger) for name, account in app.settings.accounts.items()]
    told = [{**one, "error": app.redacted(one["error"])} for one in told]
    if json_:
        echo_json(told)
        return
    headers = ("account", "kind", "breaker", ">used", ">per day", ">on way", ">at once", ">per s", "token", "pulled")
    echo(table((*headers, "last error"), map(_row, told)))


def _told(account: Account, view: AccountView | None, ledger: Ledger) -> dict[str, Any]:
    """A limit of 0 is none. token: None where the vendor has none."""
    limits = account.limits
    return {
        "account": account.name,
        "kind": account.kind,
        "system": account.system if isinstance(account, PeoplevineAccount) else "",
        "breaker": view.breaker if view else "closed",
        "open_until": iso(view.open_until) if view else None,
        "failures": view.failures if view else 0,
        "error": view.error if view else "",
        "used": view.used if view else 0,
        "on_their_way": view.at_once if view else 0,
        "limits": {"per_second": limits.per_second, "at_once": limits.at_once, "per_day": limits.per_day},
        "token": None if isinstance(account, PeoplevineAccount) else ledger.token(account.name) is not None,
        "pulls": _pulls(account, ledger),
    }


def _pulls(account: Account, ledger: Ledger) -> list[dict[str, Any]]:
    """Those with a schedule, and those made by hand."""
    marks = {mark.what: mark for mark in ledger.pulls.watermarks() if mark.account == account.name}
    crons = account.pulls if isinstance(account, PeoplevineAccount) else {}
    now = datetime.now(UTC)
    return [
        {
            "what": what,
            "schedule": crons.get(what),
            "reached": iso(marks[what].reached) if what in marks else None,
            "pulled": iso(marks[what].pulled) if what in marks else None,
            "age_seconds": round((now - marks[what].pulled).total_seconds()) if what in marks else None,
        }
        for what in dict.fromkeys((*crons, *marks))
    ]


def _row(told: dict[str, Any]) -> tuple[object, ...]:
    limits, until = told["limits"], told["open_until"]
    pulls = [f"{pull['what']} {age(pull['age_seconds']) or 'never'}" for pull in told["pulls"]]
    return (
        told["account"],
        " ".join(filter(None, (told["kind"], told["system"]))),
        told["breaker"] + (f" until {when(datetime.fromisoformat(until))}" if until else ""),
        told["used"],
        limits["per_day"] or "",
        told["on_their_way"],
        limits["at_once"] or "",
        f"{limits['per_second']:g}" if limits["per_second"] else "",
        {None: "", True: "shared", False: "none yet"}[told["token"]],
        ", ".join(pulls),
        told["error"],
    )
