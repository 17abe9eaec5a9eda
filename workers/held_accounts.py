"""Accounts that are held because their credentials were refused: whether they are taken by now is asked without any
event, and once they are, what waits for them goes on at once instead of at its next step of the ladder."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Final, Protocol

from bellhop.ledger.accounts import AccountView
from bellhop.ledger.store import Ledger
from bellhop.schemas.errors import BellhopError
from bellhop.schemas.observe import Observe
from bellhop.schemas.redact import Redactor
from bellhop.schemas.settings import Settings
from bellhop.vendors.http import HttpClient
from bellhop.vendors.registry import lanes, vendor_of
from bellhop.workers.gate import AccountGate

_LOOK_SECONDS: Final = 1.0


class AccountsLedger(Protocol):
    """What is needed of `ledger.accounts`."""

    def views(self) -> list[AccountView]: ...

    def try_now(self, account: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Holdable:
    """An account. ask: a question that every login may ask, through the gate; raises what a client's call raises.
    routes: on which events of it wait."""

    ask: Callable[[], object]
    routes: tuple[str, ...]


class HeldAccounts:
    """hasten: a route's events that wait, as `Broker.hasten`."""

    def __init__(
        self,
        ledger: AccountsLedger,
        accounts: Mapping[str, Holdable],
        hasten: Callable[[str], int],
        observe: Observe,
    ) -> None:
        self._ledger = ledger
        self._accounts = accounts
        self._hasten = hasten
        self._observe = observe
        self._held: frozenset[str] = frozenset()

    def run(self, stop: threading.Event) -> None:
        """Looks until `stop`. At the start each is tried: the process may have been started for new credentials."""
        is_first = True
        while True:
            try:
                self.look(at_once=is_first)
                is_first = False
            except Exception as error:  # noqa: BLE001  # the ledger or the broker is away, say: the next look does it
                self._observe("account.unfreed", error=type(error).__name__)
            if stop.wait(_LOOK_SECONDS):
                return

    def look(self, *, at_once: bool = False) -> None:
        """Asks for each held one whose time has come, and has the events of those go on that are held no more.

        Raises LedgerUnavailable, BrokerError; then the next look does what is left.
        """
        if at_once:
            for view in self._held_now():
                self._ledger.try_now(view.account)
        held = self._held_now()
        for view in held:
            if view.breaker == "probing":
                self._ask(view.account)
        self._held |= {view.account for view in held}
        if not self._held:
            return
        freed = self._held - {view.account for view in self._held_now()}
        for route in sorted({route for account in freed for route in self._accounts[account].routes}):
            self._hasten(route)
        self._held -= freed
        for account in freed:
            self._observe("account.freed", account=account)

    def _held_now(self) -> list[AccountView]:
        views = self._ledger.views()
        return [v for v in views if v.refused and v.breaker != "closed" and v.account in self._accounts]

    def _ask(self, account: str) -> None:
        with suppress(BellhopError):  # the gate has entered how it ended
            self._accounts[account].ask()


def held_accounts(
    settings: Settings, ledger: Ledger, hasten: Callable[[str], int], observe: Observe, routes: frozenset[str]
) -> HeldAccounts:
    """Of all accounts whose vendor knows a harmless question. routes: those of this process."""
    http = HttpClient(pool_size=1, redactor=Redactor(settings.secrets))
    gate = AccountGate(ledger.accounts, settings.accounts, last=False, observe=observe)
    found, lanes_of = {}, lanes(settings.accounts)
    for name, account in settings.accounts.items():
        vendor = vendor_of(account)
        own = routes & {route for route, accounts in lanes_of.items() if name in accounts}
        if vendor.harmless and own:
            client = vendor.client(account, http, ledger, gate)
            found[name] = Holdable(partial(client.call, vendor.harmless), tuple(sorted(own)))
    return HeldAccounts(ledger.accounts, found, hasten, observe)
