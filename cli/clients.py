"""The vendors' clients as the commands use them: by an account's name, with failures told in one line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from bellhop.cli.common import App, Failed
from bellhop.schemas.settings import Account
from bellhop.vendors.registry import vendor_of

if TYPE_CHECKING:
    from bellhop.ledger.store import Ledger
    from bellhop.vendors.failure import VendorFailure
    from bellhop.vendors.held import Gate
    from bellhop.vendors.http import HttpClient
    from bellhop.vendors.vendor import Client


def account_named(app: App, name: str) -> Account:
    """Raises click.BadParameter, which names those there are."""
    account = app.settings.accounts.get(name)
    if account is None:
        names = ", ".join(app.settings.accounts) or "there are none"
        raise click.BadParameter(f"is not one of the accounts: {names}", param_hint="ACCOUNT")
    return account


def client_of(app: App, account: Account, ledger: Ledger, gate: Gate | None = None) -> Client:
    """gate: None for one that holds nobody and counts nothing."""
    return vendor_of(account).client(account, _http(app), ledger, gate)


def log_in_anew(app: App, account: Account, ledger: Ledger) -> None:
    """Has the account log in, and its workers with it. Raises Failed, VendorFailure."""
    vendor = vendor_of(account)
    if vendor.login is None:
        told = f"{vendor.title} has no login: its credentials go with each call"
        raise Failed(f"{told}; `bellhop doctor {account.name}` tries them")
    vendor.login(account, _http(app), ledger)


def _http(app: App) -> HttpClient:
    from bellhop.schemas.redact import Redactor
    from bellhop.vendors.http import HttpClient

    return HttpClient(pool_size=1, redactor=Redactor(app.settings.secrets))


def counted_gate(app: App, ledger: Ledger, *, last: bool) -> Gate:
    """The gate of the workers. last: waits, as members and pulls do, when a day's calls run short."""
    from bellhop.workers.gate import AccountGate

    return AccountGate(ledger.accounts, app.settings.accounts, last=last)


@contextmanager
def one_line() -> Iterator[None]:
    """A call's failure as Failed: the vendor's words, and what to do."""
    from bellhop.vendors.failure import VendorFailure
    from bellhop.vendors.held import CallHeld

    try:
        yield
    except VendorFailure as failure:
        raise Failed("; ".join(filter(None, (str(failure), advice_for(failure))))) from None
    except CallHeld as held:
        raise Failed(f"not called: {held}; it may be otherwise in {held.after:.0f} s") from None


def advice_for(failure: VendorFailure) -> str:
    """What a person does, by the code's row, else by the kind."""
    from bellhop.vendors.failure import Kind

    return failure.advice or {
        Kind.TRANSIENT: "nothing was done: try again, or see `bellhop doctor`",
        Kind.THROTTLED: "nothing was done: try again more slowly",
        Kind.AUTH: "check the account's credentials: see `bellhop doctor`",
        Kind.UNKNOWN: "nobody knows whether the vendor did it: look there before calling again",
    }.get(failure.kind, "")
