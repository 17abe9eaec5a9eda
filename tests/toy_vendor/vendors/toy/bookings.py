"""The route `bookings.toy`: each service is one toy, lent once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from bellhop.vendors.toy.client import ToyClient

from bellhop.ledger.records import Booking, Entry, EntryState, VendorCall
from bellhop.schemas.envelope import Envelope
from bellhop.schemas.reasons import Reason
from bellhop.schemas.statuses import Meaning, meaning
from bellhop.vendors.outcome import Dead, Done, InDoubt, Outcome, Recorded


class ToyBookings:
    def __init__(self, clients: Mapping[str, ToyClient]) -> None:
        self._clients = clients

    def translate(self, event: Envelope, booking: Booking) -> VendorCall | Outcome:
        if event.account not in self._clients:
            return Dead(Reason.MISCONFIGURED, f"the settings lack account {event.account}")
        meant, words = meaning(event.type, event.data.get("status"), event.data["services"])
        if meant is Meaning.RECORD:
            return Recorded(words)
        standing = {e.line: e for e in booking.entries if e.state is not EntryState.CANCELLED}
        if meant is Meaning.CANCEL:
            for entry in standing.values():
                return VendorCall(event.account, "take_back", {"id": entry.vendor_id}, repeatable=True, line=entry.line)
            return Done(words, tombstone=True)
        for line, service in enumerate(event.data["services"]):
            if line not in standing:
                asked = {"toy": service["service_id"], "start": service["start"]}
                return VendorCall(event.account, "lend", asked, repeatable=False, line=line)
        return Done(words)

    def prepare(self, call: VendorCall, event: Envelope, booking: Booking) -> VendorCall | Outcome:
        return call

    def perform(self, call: VendorCall, event: Envelope, booking: Booking) -> Booking | Outcome:
        answer = self._clients[call.account].call(call.method, *call.arguments.values())
        if call.method == "lend":
            entry = Entry(str(answer["id"]), call.line, event.id, EntryState.CONFIRMED)
            return replace(booking, entries=(*booking.entries, entry), cancelled=False)
        back = call.arguments["id"]
        entries = [replace(e, state=EntryState.CANCELLED) if e.vendor_id == back else e for e in booking.entries]
        return replace(booking, entries=tuple(entries))

    def resolve(self, call: VendorCall, event: Envelope) -> Dead | InDoubt | None:
        return Dead(Reason.IN_DOUBT, "nobody knows whether the toy was lent")
