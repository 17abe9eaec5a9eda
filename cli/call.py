"""`bellhop call`: any method of a vendor's, by its own name."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from typing import TYPE_CHECKING, Any, Final

import click

from bellhop.cli.clients import account_named, client_of, counted_gate, one_line
from bellhop.cli.common import App, Failed, acting_as, as_json, echo, echo_json, pass_app, rich_table
from bellhop.vendors.registry import VENDORS, vendor_of

if TYPE_CHECKING:
    from bellhop.schemas.settings import Account
    from bellhop.vendors.vendor import CallMethod


class _Refused(Failed):
    exit_code = 2


_ARGUMENTS: Final = " ".join(vendor.call_help for vendor in VENDORS if vendor.call_help)
_HELP: Final = f"""Call METHOD of ACCOUNT's vendor and print the answer as JSON; without METHOD, list the methods.

ARG: JSON where it is some, else text. {_ARGUMENTS} Calls count towards the account's limits.
"""


@click.command(short_help="Call any method of a vendor.", help=_HELP, epilog="Words that begin with - go after --.")
@click.argument("name", metavar="ACCOUNT")
@click.argument("method", required=False)
@click.argument("words", metavar="[ARG]...", nargs=-1)
@click.option("--yes", is_flag=True, help="Allow methods that change something at the vendor.")
@click.option("--reveal", is_flag=True, help="Show hashes and signatures in the answer; never the settings' secrets.")
@as_json
@pass_app
def call(app: App, name: str, method: str | None, words: tuple[str, ...], yes: bool, reveal: bool, json_: bool) -> None:
    account = account_named(app, name)
    if method is None:
        _list(account, json_)
        return
    row = _find_method(account, method)
    changes = row.changes
    # A person who means to change something may use the calls that are kept for bookings.
    with app.ledger() as ledger:
        client = client_of(app, account, ledger, counted_gate(app, ledger, last=not changes))
        try:
            arguments = row.arguments(words, client)
        except ValueError as error:
            raise click.UsageError(f"{method}: {error}") from None
        if changes and not yes:
            raise _Refused(_refusal(method, row))
        if row.deprecated:
            click.echo(f"bellhop: {method} is deprecated by the vendor", err=True)
        if changes:  # before it: a call whose answer never comes must be in the audit, too
            ledger.letters.note_act(acting_as(None), "call", "", f"account {account.name}: {method}")
        with one_line():
            answer = _plain(client.call(method, *arguments))
    echo_json(_without_secrets(answer, app.settings.secrets) if reveal else app.redact(answer))


def _find_method(account: Account, method: str) -> CallMethod:
    """The method's row. Raises click.BadParameter, which names those that are spelled alike."""
    methods = vendor_of(account).methods()
    if method in methods:
        return methods[method]
    by_lower = {name.lower(): name for name in methods}
    near = [by_lower[name] for name in difflib.get_close_matches(method.lower(), by_lower, n=3)]
    hint = f"did you mean {' or '.join(near)}?" if near else f"`bellhop call {account.name}` lists them"
    raise click.BadParameter(f"is not a method of {account.kind}; {hint}", param_hint="METHOD")


def _refusal(method: str, row: CallMethod) -> str:
    twice = "" if row.repeatable else ", again each time it is called, and Bellhop's ledger does not know of it"
    deprecated = "; it is deprecated by the vendor" if row.deprecated else ""
    return f"{method} changes something at the vendor{twice}{deprecated}; nothing was called: say --yes if you mean it"


def _list(account: Account, json_: bool) -> None:
    told = [
        {"method": name, "signature": row.signature, "changes": row.changes, "deprecated": row.deprecated}
        for name, row in vendor_of(account).methods().items()
    ]
    if json_:
        echo_json(told)
    else:
        notes = (("changes", "changes: needs --yes"), ("deprecated", "deprecated by the vendor"))
        rows = [(one["signature"], "; ".join(words for key, words in notes if one[key])) for one in told]
        echo(rich_table(("method; in brackets: may be left out", ""), rows))


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
