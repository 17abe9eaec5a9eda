"""An account that is held for its credentials, with the real gate, ledger and client, against the sandbox."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import pytest

from bellhop.ledger.store import Ledger
from bellhop.sandbox.server import Sandbox
from bellhop.schemas.observe import silent
from bellhop.schemas.redact import Redactor
from bellhop.schemas.settings import Settings
from bellhop.vendors.failure import VendorFailure
from bellhop.vendors.held import CallHeld
from bellhop.vendors.http import HttpClient
from bellhop.vendors.registry import BY_KIND
from bellhop.vendors.settings import build
from bellhop.workers.gate import AccountGate
from bellhop.workers.held_accounts import held_accounts
from tests.support.ledger import sqlite_ledger

ROUTES = frozenset(("bookings.simplybook", "bookings.peoplevine", "members", "pulls"))
REFUSED = {
    "sb": {"vendor": "simplybook", "code": -33002, "message": "Wrong API key"},
    "pv": {"vendor": "peoplevine", "message": "Invalid username or password"},
}
WAITING = {"sb": ["bookings.simplybook"], "pv": ["bookings.peoplevine", "members", "pulls"]}


def settings_of(sandbox: Sandbox) -> Settings:
    sb = {"kind": "simplybook", "company": "sandbox", "api_key": "sandbox-api-key", "secret_key": "sandbox-secret-key"}
    pv = {"kind": "peoplevine", "auth_id": "sandbox", "company": "4711", "user": "bellhop"}
    pv |= {"password": "sandbox-password"}
    return build({"accounts": {name: {**one, "base_url": sandbox.url} for name, one in (("sb", sb), ("pv", pv))}})


def call_until_held(settings: Settings, ledger: Ledger, name: str) -> None:
    vendor, account = BY_KIND[settings.accounts[name].kind], settings.accounts[name]
    gate = AccountGate(ledger.accounts, settings.accounts, last=False)
    client = vendor.client(account, HttpClient(pool_size=1, redactor=Redactor([])), ledger, gate)
    for _ in range(20):
        try:
            client.call(vendor.harmless)
        except CallHeld:
            return
        except VendorFailure:
            continue
    raise AssertionError("it is not held")


@pytest.mark.parametrize("name", ["sb", "pv"])
def test_it_is_taken_again_with_a_token_that_had_run_out_meanwhile(tmp_path: Path, name: str) -> None:
    ledger = Ledger.open(sqlite_ledger(tmp_path), keep_seconds=86_400)
    hastened: list[str] = []

    def hasten(route: str, accounts: Collection[str]) -> int:
        hastened.append(route)
        return 1

    with Sandbox() as sandbox:
        settings = settings_of(sandbox)
        held = held_accounts(settings, ledger, hasten, silent, ROUTES)
        if name == "sb":
            ledger.renew_token("sb", lambda: "a-token-that-the-vendor-has-forgotten")
        sandbox.fault(method="*", kind="error", times=None, **REFUSED[name])
        call_until_held(settings, ledger, name)
        held.look()
        assert hastened == []
        sandbox.reset()
        ledger.accounts.try_now(name)
        held.look()
        assert [(view.account, view.breaker) for view in ledger.accounts.views()] == [(name, "closed")]
        assert hastened == WAITING[name]
    ledger.close()
