"""What a person says of an event that may have been worked before the ledger was put back: no call of it is known, so
each booking is taken for the next one that the event wants."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bellhop.ledger.proofs import WordRefused
from bellhop.ledger.records import RESTORED, Booking, Doubt, Entry, VendorCall
from bellhop.ledger.store import Ledger
from bellhop.schemas.clock import Clock
from bellhop.schemas.envelope import Envelope
from bellhop.schemas.observe import silent
from bellhop.schemas.settings import Account, Settings
from bellhop.vendors.held import Gate, OpenGate
from bellhop.vendors.http import HttpClient
from bellhop.vendors.registry import vendor_of
from bellhop.vendors.vendor import FoundBookings, HandlerContext, Said, trust_said


@dataclass(frozen=True, slots=True)
class ListLook:
    """What a vendor's own list shows of what is in doubt. step: the last of the calls that made it, None for the one in
    doubt. is_all: nothing else of it is in doubt."""

    entries: Sequence[Entry]
    is_all: bool
    step: VendorCall | None = None


class Forgotten:
    """account: the event's. gate: None for one that holds nobody."""

    def __init__(
        self, ledger: Ledger, settings: Settings, account: Account, http: HttpClient, gate: Gate | None, clock: Clock
    ) -> None:
        self._ledger = ledger
        self._account = account
        self._vendor = vendor_of(account)
        self._client = self._vendor.client(account, http, ledger, gate)
        accounts = {account.name: account}
        context = HandlerContext(accounts, settings, http, gate or OpenGate(), ledger, silent, clock.now)
        self._handler = self._vendor.bookings(context)

    def find(self, event: Envelope, said: Sequence[Said], *, rest_absent: bool = False) -> FoundBookings:
        """rest_absent: what else the event wants is not there, and is booked. Raises FoundWrong, WordRefused."""
        held = self._ledger.booking(event.source, event.subject)
        booking = held or Booking(event.source, event.subject, event.account)
        entries: list[Entry] = []
        notes: list[str] = []
        left = list(said)
        while left:
            step = self._next_call(event, booking, entries)
            if step is None:  # a cancel, say: which booking it is of, nobody can check
                call = VendorCall(self._account.name, RESTORED, {}, repeatable=False)
                found, left = trust_said(self._account, self._client, call, event.id, left), []
            else:
                count = max(1, int(step.arguments.get("count", 1)))
                found = self._vendor.find_said(self._account, self._client, step, event.id, left[:count])
                left = left[count:]
            entries += found.entries
            notes += [found.note] if found.note else []
        if not rest_absent and self._next_call(event, booking, entries) is not None:
            words = "the event wants more bookings than these: say the id of each"
            raise WordRefused(f"{words}, or, where the others are not there, that the rest is absent (--rest-absent)")
        return FoundBookings(tuple(entries), "; ".join(notes))

    def calls(self, event: Envelope, entries: Sequence[Entry] = ()) -> list[VendorCall]:
        """What the event would have booked beside these, service by service."""
        held = self._ledger.booking(event.source, event.subject)
        booking = held or Booking(event.source, event.subject, event.account)
        alone = [replace(event, data={**event.data, "services": [one]}) for one in event.data.get("services", ())]
        return [step for one in alone if (step := self._next_call(one, booking, entries)) is not None]

    def show(self, event: Envelope, doubt: Doubt) -> ListLook:
        """What of all that the event would have booked the vendor itself shows. Raises LedgerUnavailable."""
        held = self._ledger.booking(event.source, event.subject)
        booking = held or Booking(event.source, event.subject, event.account)
        look = ListLook((), is_all=False)
        for _ in event.data.get("services", ()):
            if (step := self._next_call(event, booking, look.entries)) is None:
                break
            found = self._vendor.show(self._account, self._client, self._ledger, replace(doubt, call=step))
            if not found or {one.vendor_id for one in found} & {one.vendor_id for one in look.entries}:
                break
            look = ListLook((*look.entries, *found), step=step, is_all=False)
        return replace(look, is_all=bool(look.entries) and self._next_call(event, booking, look.entries) is None)

    def _next_call(self, event: Envelope, booking: Booking, entries: Sequence[Entry]) -> VendorCall | None:
        """What the event would have booked beside these; None where nothing."""
        step = self._handler.translate(event, replace(booking, entries=(*booking.entries, *entries)))
        return step if isinstance(step, VendorCall) and not step.repeatable else None
