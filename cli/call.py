"""`bellhop call`: any method of a vendor's, by its own name."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from typing import TYPE_CHECKING, Any

import click

from bellhop.cli.clients import account_named, client_of, counted_gate, one_line
from bellhop.cli.common import App, Failed, acting_as, as_json, echo, echo_json, pass_app, table

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bellhop.schemas.settings import Account
    from bellhop.vendors.peoplevine.client import PeoplevineClient
    from bellhop.vendors.simplybook.client import SimplybookClient


class _Refused(Failed):
    exit_code = 2


@click.command(epilog="Words that begin with - go after --.")
@click.argument("name", metavar="ACCOUNT")
@click.argument("method", required=False)
@click.argument("words", metavar="[ARG]...", nargs=-1)
@click.option("--yes", is_flag=True, help="Calls a method that changes something at the vendor, too.")
@click.option(
    "--reveal", is_flag=True, help="Shows the hashes and signatures in the answer; never the settings' secrets."
)
@as_json
@pass_app
def call(app: App, name: str, method: str | None, words: tuple[str, ...], yes: bool, reveal: bool, json_: bool) -> None:
    """Calls METHOD of ACCOUNT's vendor and prints the answer as JSON; without METHOD, lists those there are.

    ARG: JSON where it is some, else text; Peoplevine's also as NAME=VALUE. A SimplyBook.me signature may be written
    hash:HASH, with the hash of the booking or batch whose id is the first argument: it is made with the account's
    secret key. Calls count towards the account's limits.
    """
    account = account_named(app, name)
    if method is None:
        _list(account, json_)
        return
    changes = _known(account, method).changes
    # A person who means to change something may use the calls that are kept for bookings.
    with app.ledger() as ledger:
        client = client_of(app, account, ledger, counted_gate(app, ledger, last=not changes))
        ready = _ready(client, method, words)
        if changes and not yes:
            raise _Refused(_refusal(account, method))
        if changes:  # before it: a call whose answer never comes must be in the audit, too
            ledger.letters.note_act(acting_as(None), "call", "", f"account {account.name}: {method}")
        with one_line():
            answer = _plain(ready())
    echo_json(_without_secrets(answer, app.settings.secrets) if reveal else app.redacted(answer))


def _methods(account: Account) -> Mapping[str, Any]:
    from bellhop.vendors.peoplevine.client import METHODS as PEOPLEVINE
    from bellhop.vendors.simplybook.methods import METHODS as SIMPLYBOOK

    return SIMPLYBOOK if account.kind == "simplybook" else PEOPLEVINE


def _known(account: Account, method: str) -> Any:
    """The method's row. Raises click.BadParameter, which names those that are spelled alike."""
    methods = _methods(account)
    if method in methods:
        return methods[method]
    by_lower = {name.lower(): name for name in methods}
    near = [by_lower[name] for name in difflib.get_close_matches(method.lower(), by_lower, n=3)]
    hint = f"did you mean {' or '.join(near)}?" if near else f"`bellhop call {account.name}` lists them"
    raise click.BadParameter(f"is not a method of {account.kind}; {hint}", param_hint="METHOD")


def _ready(client: SimplybookClient | PeoplevineClient, method: str, words: Sequence[str]) -> Callable[[], Any]:
    """The call, with its arguments checked. Raises click.UsageError where they are wrong."""
    from bellhop.cli.call_arguments import salon_arguments, spa_arguments
    from bellhop.vendors.simplybook.client import SimplybookClient
    from bellhop.vendors.simplybook.methods import METHODS

    try:
        if isinstance(client, SimplybookClient):
            values = salon_arguments(METHODS[method], words, client.sign)
            return lambda: client.call(method, *values)
        named = spa_arguments(method, words)
    except ValueError as error:
        raise click.UsageError(f"{method}: {error}") from None
    return lambda: getattr(client, method)(**named)


def _refusal(account: Account, method: str) -> str:
    row = _methods(account)[method]
    twice = "" if row.repeatable else ", again each time it is called, and Bellhop's ledger does not know of it"
    return f"{method} changes something at the vendor{twice}; nothing was called: say --yes if you mean it"


def _list(account: Account, json_: bool) -> None:
    from bellhop.cli.call_arguments import signature

    told = [
        {"method": name, "signature": signature(account.kind, name), "changes": row.changes}
        for name, row in _methods(account).items()
    ]
    if json_:
        echo_json(told)
    else:
        rows = [(one["signature"], "changes: needs --yes" if one["changes"] else "") for one in told]
        echo(table(("method; in brackets: may be left out", ""), rows))


def _plain(answer: Any) -> Any:
    return asdict(answer) if is_dataclass(answer) and not isinstance(answer, type) else answer


def _without_secrets(value: Any, secrets: frozenset[str]) -> Any:
    """Without the settings' secrets, should the vendor echo one, but with its own hashes."""
    from bellhop.schemas.redact import MASK

    if isinstance(value, str):
        for secret in sorted((one for one in secrets if len(one) >= 4), key=len, reverse=True):
            value = value.replace(secret, MASK)
        return value
    if isinstance(value, Mapping):
        return {key: _without_secrets(one, secrets) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_without_secrets(one, secrets) for one in value]
    return value
