"""The vendors as those who mind dead letters ask them, beside the workers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bellhop.ledger.store import Ledger
from bellhop.letters.forgotten import Forgotten
from bellhop.schemas.clock import SYSTEM_CLOCK, Clock
from bellhop.schemas.redact import Redactor
from bellhop.schemas.settings import Account, Settings
from bellhop.vendors.http import HttpClient
from bellhop.vendors.registry import vendor_of

if TYPE_CHECKING:
    from bellhop.vendors.held import Gate
    from bellhop.vendors.vendor import Client


class VendorAccess:
    """gate: before the vendors' calls; None for one that holds nobody and counts nothing."""

    def __init__(
        self, ledger: Ledger, settings: Settings, gate: Gate | None = None, clock: Clock = SYSTEM_CLOCK
    ) -> None:
        self.ledger = ledger
        self.clock = clock
        self._settings = settings
        self._gate = gate
        self._http = HttpClient(pool_size=1, redactor=Redactor(settings.secrets))

    def account(self, name: str) -> Account | None:
        """None where the settings have none of this name."""
        return self._settings.accounts.get(name)

    def client(self, account: Account) -> Client:
        return vendor_of(account).client(account, self._http, self.ledger, self._gate)

    def restored_events(self, account: Account) -> Forgotten:
        """What is said of events that the ledger may have forgotten when it was put back."""
        return Forgotten(self.ledger, self._settings, account, self._http, self._gate, self.clock)
