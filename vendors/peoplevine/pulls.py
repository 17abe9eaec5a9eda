"""The route `pulls`: Peoplevine is told to fetch profiles, reservations or services from the system behind it.

Each account has a watermark for each kind: everything older has been fetched. It moves only after a success, so a
pull that fails, or whose worker dies, is made again from where the last one reached.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Final, Protocol

from bellhop.ledger.pulls import Watermark
from bellhop.ledger.records import Booking, VendorCall
from bellhop.schemas.envelope import Envelope
from bellhop.schemas.reasons import Reason
from bellhop.vendors.outcome import Dead, Done, InDoubt, Outcome, Wait
from bellhop.vendors.peoplevine.client import PeoplevineClient
from bellhop.vendors.peoplevine.settings import PULLS, PeoplevineAccount

OVERLAP: Final = timedelta(minutes=2)
"""How far each pull reaches back behind the last: the vendor's clock is not ours, and pulling twice does no harm."""

_LEASE_MARGIN_SECONDS: Final = 60.0


class PullLedger(Protocol):
    """What is needed of `ledger.pulls.Pulls`. Every method may raise LedgerUnavailable."""

    def begin(self, account: str, by: str, lease_seconds: float) -> bool: ...

    def end(self, account: str, by: str, moved: Watermark | None) -> None: ...

    def watermark(self, account: str, what: str) -> Watermark | None: ...


class Pulls:
    """`clients` and `accounts` by account."""

    def __init__(
        self,
        clients: Mapping[str, PeoplevineClient],
        accounts: Mapping[str, PeoplevineAccount],
        ledger: PullLedger,
        now: Callable[[], datetime],
    ) -> None:
        self._clients = clients
        self._accounts = accounts
        self._ledger = ledger
        self._now = now

    def translate(self, event: Envelope, booking: Booking) -> VendorCall | Outcome:
        what = event.data.get("what")
        if event.account not in self._clients:
            return Dead(Reason.MISCONFIGURED, f"the settings have no Peoplevine account {event.account}")
        if what not in PULLS:
            return Dead(Reason.MISCONFIGURED, f"what is pulled must be one of {', '.join(PULLS)}")
        return VendorCall(
            event.account, f"sync_{what}", {"what": what, "from": event.data.get("from")}, repeatable=True
        )

    def prepare(self, call: VendorCall, event: Envelope, booking: Booking) -> VendorCall | Outcome:
        """Many webhooks that ask for the same need one pull: what began after this was asked for has it too."""
        reached = self._ledger.watermark(call.account, call.arguments["what"])
        if reached is not None and call.arguments["from"] is None and reached.pulled >= event.received:
            return Done(f"the pull of {reached.pulled.isoformat(timespec='seconds')} has it")
        return call

    def perform(self, call: VendorCall, event: Envelope, booking: Booking) -> Booking | Outcome:
        account, by = self._accounts[call.account], event.message_id
        lease = account.connect_seconds + account.read_seconds + _LEASE_MARGIN_SECONDS
        if not self._ledger.begin(account.name, by, lease):
            return Wait("another pull of the account is running")
        moved = None
        try:
            detail, moved = self._pull(account, call.arguments["what"], call.arguments["from"])
        finally:
            self._ledger.end(account.name, by, moved)
        return Done(detail)

    def resolve(self, call: VendorCall, event: Envelope) -> Dead | InDoubt | None:
        return None

    def _pull(self, account: PeoplevineAccount, what: str, from_: str | None) -> tuple[str, Watermark | None]:
        """Its words, and where the watermark moves to."""
        client, began = self._clients[account.name], self._now()
        if what == "services":
            return f"services: {client.sync_services()}", Watermark(account.name, what, began, began)
        known = self._ledger.watermark(account.name, what)
        reached = known.reached if known else began - timedelta(seconds=account.pull_back_seconds)
        since = datetime.fromisoformat(from_) if from_ else reached
        count = client.sync_profiles(since) if what == "profiles" else client.sync_reservations(since)
        # One by hand that began later than the last reached leaves a gap behind it: that is still to be pulled.
        moved = Watermark(account.name, what, began - OVERLAP, began) if since <= reached else None
        return f"{what} since {since.isoformat(timespec='seconds')}: {count}", moved
