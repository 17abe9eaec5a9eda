"""The route `bookings.peoplevine`: one reservation holds all services of a booking.

The API can create; it can neither change nor cancel (`peoplevine-bookings` has no such method), so these stand in
front of a person.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from ledger.records import Booking, Call, Entry, EntryState, Json
from schemas.envelope import Envelope
from schemas.events import VenueFacts
from schemas.reasons import Reason
from schemas.settings import PeoplevineAccount
from workers.handlers.statuses import Meaning, meaning
from workers.outcome import Dead, Done, InDoubt, Outcome, Recorded
from workers.vendors.peoplevine import PeoplevineClient

CREATE: Final = "create_service_reservation"


class PeoplevineBookings:
    """`clients` and `accounts` by account, `venues` by name."""

    def __init__(
        self,
        clients: Mapping[str, PeoplevineClient],
        accounts: Mapping[str, PeoplevineAccount],
        venues: Mapping[str, VenueFacts],
    ) -> None:
        self._clients = clients
        self._accounts = accounts
        self._venues = venues

    def translate(self, event: Envelope, booking: Booking | None) -> Call | Outcome:
        if event.account not in self._clients or event.data["venue"] not in self._venues:
            return Dead(Reason.MISCONFIGURED, f"the settings lack account {event.account} or the booking's venue")
        meant, words = meaning(event.type, event.data.get("status"), event.data["services"])
        standing = [e for e in booking.entries if e.state is not EntryState.CANCELLED] if booking else []
        if meant is Meaning.RECORD:
            return Recorded(words)
        if meant is Meaning.CANCEL:
            return _cancel_by_hand(standing)
        offers = self._offers(event)
        slot = _slot(offers)
        if any(entry.slot == slot for entry in standing):
            return Done(f"{words}: reservation {standing[0].vendor_id}")
        if standing:
            text = "Peoplevine's API cannot change a reservation: change it in Peoplevine by hand, then discard this"
            return Dead(Reason.UNSUPPORTED, f"{text}. Reservation: {', '.join(e.vendor_id for e in standing)}")
        return Call(event.account, CREATE, {"offers": offers}, repeatable=False)

    def perform(self, call: Call, event: Envelope, booking: Booking | None) -> Booking | Done:
        offers = call.arguments["offers"]
        created = self._clients[call.account].create_service_reservation(
            event.data["member_id"], event.data.get("notes", ""), offers
        )
        assert booking is not None  # noqa: S101  # the ledger gives every booking event its booking
        entry = Entry(created, 0, event.id, EntryState.CONFIRMED, slot=_slot(offers))
        return replace(booking, entries=(*booking.entries, entry), cancelled=False)

    def resolve(self, call: Call, event: Envelope) -> Dead | InDoubt | None:
        offers = call.arguments["offers"]
        if not self._accounts[call.account].slots_hold_one:
            return _in_doubt("a slot may hold several bookings", {"slots": offers})
        offered = [self._is_offered(call.account, offer) for offer in offers]
        if all(offered):
            return None
        return _in_doubt("the slot is taken, perhaps by this very booking", {"slots": offers, "still_offered": offered})

    def _is_offered(self, account: str, offer: Json) -> bool:
        start = datetime.fromisoformat(offer["start"])
        end = datetime.fromisoformat(offer["end"])
        found = self._clients[account].get_service_availability(
            start.date().isoformat(), f"{start:%H:%M}", f"{end:%H:%M}", False, False, [offer["service_id"]]
        )
        return any(
            str(there["technician_id"]) == offer["technician_id"]
            and str(there["facility_id"]) == offer["facility_id"]
            # Availability answers with an offset, creation takes venue-local times: compare the wall clock.
            and datetime.fromisoformat(str(there["start"])).replace(tzinfo=None) == start
            for there in found
        )

    def _offers(self, event: Envelope) -> list[dict[str, Any]]:
        """The services as offers, in venue-local times without offset, as the API takes them."""
        zone = self._venues[event.data["venue"]].zone

        def local(moment: str) -> str:
            return datetime.fromisoformat(moment).astimezone(zone).replace(tzinfo=None).isoformat(timespec="seconds")

        return [
            {
                "start": local(service["start"]),
                "end": local(service["end"]),
                "price": service["price"],
                "technician_id": service["provider_id"],
                "service_id": service["service_id"],
                "facility_id": service["facility_id"],
            }
            for service in event.data["services"]
        ]


def _slot(offers: list[dict[str, Any]]) -> str:
    """What is booked, for comparing; the price is not part of it."""
    keys = ("service_id", "technician_id", "facility_id", "start", "end")
    return "|".join(sorted("/".join(str(offer[key]) for key in keys) for offer in offers))


def _cancel_by_hand(standing: list[Entry]) -> Dead:
    which = f"reservation {', '.join(e.vendor_id for e in standing)}" if standing else "the booking, if it stands there"
    text = f"Peoplevine's API has no cancel: cancel {which} in Peoplevine by hand, then discard this"
    return Dead(Reason.UNSUPPORTED, text, tombstone=True)


def _in_doubt(why: str, evidence: Json) -> Dead:
    text = (
        f"nobody knows whether {CREATE} made a reservation, and {why}: look in Peoplevine; replay only if none is there"
    )
    return Dead(Reason.IN_DOUBT, text, evidence)
