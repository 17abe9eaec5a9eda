"""`bellhop catalog`: what an account has on offer, with the ids that bookings name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from bellhop.cli.clients import account_named, client_of, counted_gate, one_line
from bellhop.cli.common import App, as_json, echo_json, echo_table, pass_app
from bellhop.vendors.registry import VENDORS, vendor_of

if TYPE_CHECKING:
    from bellhop.schemas.settings import Account
    from bellhop.vendors.catalog import CatalogKind

WORDS: Final = tuple(dict.fromkeys(word for vendor in VENDORS for word in vendor.catalog))


@click.command(short_help="List an account's services and ids.")
@click.argument("name", metavar="ACCOUNT")
@click.argument("what", metavar=f"[{'|'.join(WORDS)}]", type=click.Choice(WORDS))
@click.option("--service", default="", help="For fields: of this service only, by its id.")
@as_json
@pass_app
def catalog(app: App, name: str, what: str, service: str, json_: bool) -> None:
    """List what ACCOUNT offers, with the ids that a venue's mapping and its bookings use.

    Calls count towards the account's limits.
    """
    account = account_named(app, name)
    kind = _kind(account, what, service)
    with app.ledger() as ledger, one_line():
        client = client_of(app, account, ledger, counted_gate(app, ledger, last=True))
        rows = app.redact(kind.rows(client.call, service))
    if json_:
        echo_json(rows)
        return
    headers = [f">{column}" if column in ("minutes", "price", "qty") else column for column in kind.columns]
    echo_table(headers, [[_cell(row[column]) for column in kind.columns] for row in rows], f"{name} has no {what}")


def _kind(account: Account, what: str, service: str) -> CatalogKind:
    """Raises click.UsageError for what the account's vendor does not have."""
    kinds = vendor_of(account).catalog
    if what not in kinds:
        raise click.UsageError(f"{account.name} is a {account.kind} account: it has {', '.join(kinds)}, but no {what}")
    if service and not kinds[what].by_service:
        raise click.UsageError(f"--service is for fields, not for {what}")
    if service and not (service.isascii() and service.isdigit()):
        raise click.BadParameter("must be a service's id, a whole number", param_hint="--service")
    return kinds[what]


def _cell(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else ""
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)
