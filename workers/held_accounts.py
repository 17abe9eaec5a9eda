"""Accounts whose vendor was away, or refused their credentials: once that is over, what waits for them goes on at once
instead of at its next step of the ladder. Whether credentials are taken by now is asked without any event."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Protocol

from bellhop.ledger.records.accounts import AccountView
from bellhop.ledger.store import Ledger
from bellhop.schemas.errors import BellhopError
from bellhop.schemas.observe import Observe
from bellhop.schemas.redact import Redactor
from bellhop.schemas.settings import Settings
from bellhop.vendors.http import HttpClient
from bellhop.vendors.registry import lanes
from bellhop.workers.gate import AccountGate
from bellhop.workers.questions import harmless_questions

_LOOK_SECONDS: Final = 1.0
WELL_SECONDS: Final = 3.0
"""So long no call may have failed before what a vendor's absence has put on the ladder goes on: of one that comes and
goes, each return would use up a try of all that waits."""


class AccountsLedger(Protocol):
    """What is needed of `ledger.accounts`."""

    def views(self) -> list[AccountView]: ...

    def try_now(self, account: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Holdable:
    """An account. ask: a question that every login may ask, through the gate; raises what a client's call raises. None
    where its vendor knows none. routes: on which events of it wait."""

    ask: Callable[[], object] | None
    routes: tuple[str, ...]


class HeldAccounts:
    """hasten: a route's events of some accounts that wait, as `Broker.hasten`."""

    def __init__(
        self,
        ledger: AccountsLedger,
        accounts: Mapping[str, Holdable],
        hasten: Callable[[str, Collection[str]], int],
        observe: Observe,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ledger = ledger
        self._accounts = accounts
        self._hasten = hasten
        self._observe = observe
        self._monotonic = monotonic
        # Those that were held, and for how long in seconds they have to be well; and since when they are.
        self._held: dict[str, float] = {}
        self._well_since: dict[str, float] = {}

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
        """Asks for each whose credentials were refused and whose time has come, and has the events of those go on that
        are held no more.

        Raises LedgerUnavailable, BrokerError; then the next look does what is left.
        """
        if at_once:
            for view in self._held_now().values():
                if view.refused and self._accounts[view.account].ask:
                    self._ledger.try_now(view.account)
        held = self._held_now()
        for name, view in held.items():
            self._held[name] = 0.0 if view.refused else WELL_SECONDS
            self._well_since.pop(name, None)
            if view.refused and view.breaker == "probing":
                self._ask(name)
        if not self._held:
            return
        freed = self._find_well(self._held_now() if held else {})
        for route in sorted({route for account in freed for route in self._accounts[account].routes}):
            self._hasten(route, [account for account in freed if route in self._accounts[account].routes])
        for account in freed:
            del self._held[account], self._well_since[account]
            self._observe("account.freed", account=account)

    def _find_well(self, held: Mapping[str, AccountView]) -> list[str]:
        """Those that were held and are well for long enough."""
        now = self._monotonic()
        for name in self._held.keys() - held.keys():
            self._well_since.setdefault(name, now)
        return sorted(name for name, since in self._well_since.items() if now - since >= self._held[name])

    def _held_now(self) -> dict[str, AccountView]:
        """By name; those too that were, and of which a call has failed since."""
        views = {view.account: view for view in self._ledger.views() if view.account in self._accounts}
        return {
            name: view
            for name, view in views.items()
            if view.breaker != "closed" or (name in self._held and view.failures > 0)
        }

    def _ask(self, account: str) -> None:
        ask = self._accounts[account].ask
        with suppress(BellhopError):  # the gate has entered how it ended
            if ask is not None:
                ask()


def held_accounts(
    settings: Settings,
    ledger: Ledger,
    hasten: Callable[[str, Collection[str]], int],
    observe: Observe,
    routes: frozenset[str],
) -> HeldAccounts:
    """Of all accounts. routes: those of this process."""
    http = HttpClient(pool_size=1, redactor=Redactor(settings.secrets))
    gate = AccountGate(ledger.accounts, settings.accounts, last=False, observe=observe)
    found, lanes_of = {}, lanes(settings.accounts)
    questions = harmless_questions(settings, http, ledger, gate)
    for name in settings.accounts:
        own = routes & {route for route, accounts in lanes_of.items() if name in accounts}
        if own:
            found[name] = Holdable(questions.get(name), tuple(sorted(own)))
    return HeldAccounts(ledger.accounts, found, hasten, observe)
