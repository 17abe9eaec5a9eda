"""`bellhop users`: who may sign in at the console."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

import click

from ops.cli.common import App, Failed, acting_as, as_json, echo, echo_json, pass_app, table, when

if TYPE_CHECKING:
    from ledger.records import User

_ROLES: Final = ("viewer", "operator", "admin")

_role: Final = click.option(
    "--role", type=click.Choice(_ROLES), help="viewer looks, operator acts, admin manages users and tokens."
)
_from_stdin: Final = click.option(
    "--password-stdin", is_flag=True, help="Reads the password from stdin instead of asking."
)


@click.group()
def users() -> None:
    """People who sign in at the console with a password."""


@users.command()
@click.argument("name")
@_role
@_from_stdin
@pass_app
def add(app: App, name: str, role: str | None, password_stdin: bool) -> None:
    """Makes a user and asks for the password."""
    from ledger.records import Role
    from ops.access.passwords import hashed
    from ops.access.people import NameUnfit, fit_name

    try:
        name = fit_name(name)
    except NameUnfit as error:
        raise click.UsageError(str(error)) from None
    with app.ledger() as ledger:
        if ledger.people.user(name) is not None:
            raise Failed(f"there is a user {name} already; bellhop users change {name}")
        password = _password(name, from_stdin=password_stdin)
        made = ledger.people.add_user(name, Role(role or "viewer"), hashed(password), acting_as(None))
    click.echo(f"user {made.name}, {made.role.value}")


@users.command("list")
@as_json
@pass_app
def list_(app: App, json_: bool) -> None:
    """Lists them."""
    with app.ledger() as ledger:
        rows = ledger.people.users()
    if json_:
        from ops.seen import user_seen

        echo_json([user_seen(user) for user in rows])
        return
    echo(table(("name", "role", "made (UTC)", ""), [_line(user) for user in rows]))


@users.command()
@click.argument("name")
@_role
@click.option("--disable/--enable", "disabled", default=None, help="Shuts out, or lets in again.")
@click.option("--password", "new_password", is_flag=True, help="Asks for a new password.")
@_from_stdin
@pass_app
def change(
    app: App, name: str, role: str | None, disabled: bool | None, new_password: bool, password_stdin: bool
) -> None:
    """Changes a user's role or password, or shuts them out; ends their sessions."""
    from ledger.records import Role
    from ops.access.passwords import hashed

    changed: dict[str, Any] = {}
    if role is not None:
        changed["role"] = Role(role)
    if disabled is not None:
        changed["disabled"] = disabled
    if not changed and not (new_password or password_stdin):
        raise click.UsageError("nothing to change: --role, --disable, --enable or --password")
    with app.ledger() as ledger:
        if ledger.people.user(name) is None:
            raise Failed(f"there is no user {name}")
        if new_password or password_stdin:
            changed["password_hash"] = hashed(_password(name, from_stdin=password_stdin))
        made = ledger.people.change_user(name, acting_as(None), **changed)
    click.echo(f"user {made.name}, {made.role.value}{', shut out' if made.disabled else ''}; their sessions have ended")


@users.command("sign-out")
@click.argument("name")
@pass_app
def sign_out(app: App, name: str) -> None:
    """Ends somebody's sessions: of a user, or of one whom the provider signed in."""
    with app.ledger() as ledger:
        ended = ledger.people.end_sessions(name, acting_as(None))
    click.echo(f"{ended} session{'s' if ended != 1 else ''} of {name} ended")


@users.command()
@click.argument("name")
@pass_app
def remove(app: App, name: str) -> None:
    """Removes a user. What they did stays in the audit, and the API tokens they made stay."""
    with app.ledger() as ledger:
        ledger.people.remove_user(name, acting_as(None))
    click.echo(f"user {name} is removed; their sessions have ended")


def _line(user: User) -> tuple[object, ...]:
    return (user.name, user.role.value, when(user.created), "shut out" if user.disabled else "")


def _password(name: str, *, from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\n")
    told: str = click.prompt(f"Password for {name}", hide_input=True, confirmation_prompt=True, err=True)
    return told
