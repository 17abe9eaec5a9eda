"""`bellhop tokens`: create, list and revoke API tokens."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

import click

from bellhop.cli.common import App, acting_as, as_json, echo_json, echo_table, pass_app, when_text
from bellhop.cli.selection import Ahead
from bellhop.schemas.clock import iso

_ROLES: Final = ("viewer", "operator", "admin")


@click.group(short_help="Create, list and revoke API tokens.")
def tokens() -> None:
    """Create, list and revoke API tokens for dashboards, scripts and `bellhop --server`."""


@tokens.command(short_help="Create a token; it is printed once.")
@click.argument("name")
@click.option(
    "--role", type=click.Choice(_ROLES), default="viewer", show_default=True, help="viewer reads, operator acts."
)
@click.option("--until", type=Ahead(), help="Expires at: ISO 8601, or 12h, 90d from now.")
@as_json
@pass_app
def add(app: App, name: str, role: str, until: datetime | None, json_: bool) -> None:
    """Create a token and print it, once: only its hash is stored.

    Example: bellhop tokens add grafana --until 90d
    """
    if app.remote is not None:
        told = app.remote.post("/tokens", {"name": name, "role": role, "expires": iso(until)})
    else:
        from bellhop.console.access.people import NameUnfit, fit_name
        from bellhop.console.api.tokens import hash_token, new_token
        from bellhop.ledger.records import Role
        from bellhop.letters.serializers.people import token_row

        try:
            name = fit_name(name)
        except NameUnfit as error:
            raise click.UsageError(str(error)) from None
        token = new_token()
        with app.ledger() as ledger:
            made = ledger.people.add_token(name, Role(role), hash_token(token), acting_as(None), until)
        told = token_row(made) | {"token": token}
    if json_:
        echo_json(told)
        return
    ends = f" until {when_text(told['expires'])} UTC" if told["expires"] else ""
    click.echo(f"token {told['id']} ({told['role']}) for {told['name']}{ends}; it is shown this once:", err=True)
    click.echo(told["token"])


@tokens.command("list", short_help="List tokens, without their secrets.")
@as_json
@pass_app
def list_(app: App, json_: bool) -> None:
    """List tokens, without their secrets."""
    rows: list[dict[str, Any]]
    if app.remote is not None:
        rows = app.remote.get("/tokens")["rows"]
    else:
        from bellhop.letters.serializers.people import token_row

        with app.ledger() as ledger:
            rows = [token_row(token) for token in ledger.people.tokens()]
    if json_:
        echo_json(rows)
        return
    cells = [
        (row["id"], row["name"], "revoked" if row["revoked"] else row["role"], row["who"], when_text(row["created"]),
         when_text(row["last_used"]) or "never", when_text(row["expires"]))
        for row in rows
    ]  # fmt: skip
    headers = (">token", "name", "role", "made by", "made (UTC)", "last used (UTC)", "ends (UTC)")
    echo_table(headers, cells, "no API tokens")


@tokens.command(short_help="Revoke a token at once.")
@click.argument("number", type=click.IntRange(1))
@as_json
@pass_app
def revoke(app: App, number: int, json_: bool) -> None:
    """Revoke a token at once."""
    if app.remote is not None:
        told = app.remote.post(f"/tokens/{number}/revoke", {})
    else:
        from bellhop.letters.serializers.people import token_row

        with app.ledger() as ledger:
            told = token_row(ledger.people.revoke_token(number, acting_as(None)))
    echo_json(told) if json_ else click.echo(f"token {told['id']} of {told['name']} is revoked")
