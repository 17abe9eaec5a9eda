"""`bellhop users`: who may sign in to the console."""

from __future__ import annotations

import sys
from datetime import datetime
from typing import Any, Final

import click

from bellhop.cli.common import App, Failed, acting_as, as_json, echo_json, echo_table, pass_app, when
from bellhop.cli.remote import part
from bellhop.schemas.quantities import quantity

_ROLES: Final = ("viewer", "operator", "admin")

_role: Final = click.option(
    "--role", type=click.Choice(_ROLES), help="viewer reads, operator acts, admin also manages users."
)
_from_stdin: Final = click.option(
    "--password-stdin", is_flag=True, help="Read the password from stdin instead of asking."
)


@click.group(short_help="Manage the console's users.")
def users() -> None:
    """Manage the console's users: who may sign in, and as what."""


@users.command(short_help="Add a user.")
@click.argument("name")
@_role
@_from_stdin
@pass_app
def add(app: App, name: str, role: str | None, password_stdin: bool) -> None:
    """Add a user; asks for the password.

    Example: bellhop users add ann --role operator
    """
    from bellhop.console.access.people import NameUnfit, fit_name

    try:
        name = fit_name(name)
    except NameUnfit as error:
        raise click.UsageError(str(error)) from None
    if any(row["name"] == name for row in _rows(app)):
        raise Failed(f"there is a user {name} already; bellhop users change {name}")
    password = _password(name, from_stdin=password_stdin)
    if app.remote is not None:
        told = app.remote.post("/users", {"name": name, "role": role or "viewer", "password": password})
    else:
        from bellhop.console.access.passwords import hash_password
        from bellhop.ledger.records import Role
        from bellhop.letters.serializers.people import user_row

        with app.ledger() as ledger:
            made = ledger.people.add_user(name, Role(role or "viewer"), hash_password(password), acting_as(None))
        told = user_row(made)
    click.echo(f"user {told['name']}, {told['role']}")


@users.command("list", short_help="List users.")
@as_json
@pass_app
def list_(app: App, json_: bool) -> None:
    """List users: role, whether enabled, open sessions."""
    rows = _rows(app)
    if json_:
        echo_json(rows)
        return
    echo_table(("name", "role", "made (UTC)", ""), [_line(row) for row in rows], "no users")


@users.command(short_help="Change a user: role, password, disable.")
@click.argument("name")
@_role
@click.option("--disable/--enable", "disabled", default=None, help="Disable or enable sign-in.")
@click.option("--password", "new_password", is_flag=True, help="Ask for a new password.")
@_from_stdin
@pass_app
def change(
    app: App, name: str, role: str | None, disabled: bool | None, new_password: bool, password_stdin: bool
) -> None:
    """Change a user's role or password, or disable them. Ends their sessions."""
    changed: dict[str, Any] = {}
    if role is not None:
        changed["role"] = role
    if disabled is not None:
        changed["disabled"] = disabled
    if not changed and not (new_password or password_stdin):
        raise click.UsageError("nothing to change: --role, --disable, --enable or --password")
    if all(row["name"] != name for row in _rows(app)):
        raise Failed(f"there is no user {name}")
    if new_password or password_stdin:
        changed["password"] = _password(name, from_stdin=password_stdin)
    told = (
        app.remote.patch(f"/users/{part(name)}", changed)
        if app.remote is not None
        else _change_user(app, name, changed)
    )
    click.echo(
        f"user {told['name']}, {told['role']}{', shut out' if told['disabled'] else ''}; their sessions have ended"
    )


@users.command("sign-out", short_help="End a person's sessions.")
@click.argument("name")
@pass_app
def sign_out(app: App, name: str) -> None:
    """End all sessions of a user, or of a person signed in through the provider."""
    if app.remote is not None:
        ended: int = app.remote.post("/sessions/end", {"name": name})["ended"]
    else:
        with app.ledger() as ledger:
            ended = ledger.people.end_sessions(name, acting_as(None))
    click.echo(f"{quantity(ended, 'session')} of {name} ended")


@users.command(short_help="Remove a user.")
@click.argument("name")
@pass_app
def remove(app: App, name: str) -> None:
    """Remove a user and end their sessions. Their audit entries and API tokens stay."""
    if app.remote is not None:
        app.remote.delete(f"/users/{part(name)}")
    else:
        with app.ledger() as ledger:
            ledger.people.remove_user(name, acting_as(None))
    click.echo(f"user {name} is removed; their sessions have ended")


def _change_user(app: App, name: str, changed: dict[str, Any]) -> dict[str, Any]:
    from bellhop.console.access.passwords import hash_password
    from bellhop.ledger.records import Role
    from bellhop.letters.serializers.people import user_row

    kept = {key: value for key, value in changed.items() if key == "disabled"}
    if "role" in changed:
        kept["role"] = Role(changed["role"])
    if "password" in changed:
        kept["password_hash"] = hash_password(changed["password"])
    with app.ledger() as ledger:
        return user_row(ledger.people.change_user(name, acting_as(None), **kept))


def _rows(app: App) -> list[dict[str, Any]]:
    if app.remote is not None:
        rows: list[dict[str, Any]] = app.remote.get("/users")["rows"]
        return rows
    from bellhop.letters.serializers.people import user_row

    with app.ledger() as ledger:
        return [user_row(user) for user in ledger.people.users()]


def _line(row: dict[str, Any]) -> tuple[object, ...]:
    made = when(datetime.fromisoformat(row["created"]))
    return (row["name"], row["role"], made, "shut out" if row["disabled"] else "")


def _password(name: str, *, from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\n")
    told: str = click.prompt(f"Password for {name}", hide_input=True, confirmation_prompt=True, err=True)
    return told
