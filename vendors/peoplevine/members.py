"""The route `members`: every member event is Peoplevine's `sync_member`."""

from __future__ import annotations

from collections.abc import Mapping

from bellhop.ledger.records import Booking, VendorCall
from bellhop.schemas.envelope import Envelope
from bellhop.schemas.reasons import Reason
from bellhop.vendors.outcome import Dead, Done, InDoubt, Outcome
from bellhop.vendors.peoplevine.client import PeoplevineClient


class Members:
    """`clients` by account."""

    shares_threads = True

    def __init__(self, clients: Mapping[str, PeoplevineClient]) -> None:
        self._clients = clients

    def translate(self, event: Envelope, booking: Booking) -> VendorCall | Outcome:
        if event.account not in self._clients:
            return Dead(Reason.MISCONFIGURED, f"the settings have no Peoplevine account {event.account}")
        # Peoplevine reads the member anew at each call, so calling twice, or out of order, does no harm.
        return VendorCall(event.account, "sync_member", {"member_id": event.subject}, repeatable=True)

    def prepare(self, call: VendorCall, event: Envelope, booking: Booking) -> VendorCall | Outcome:
        return call

    def perform(self, call: VendorCall, event: Envelope, booking: Booking) -> Booking | Outcome:
        self._clients[call.account].sync_member(event.subject)
        return Done("the member is synchronised")

    def resolve(self, call: VendorCall, event: Envelope) -> Dead | InDoubt | None:
        return None
