"""The route `bookings.peoplevine`: one reservation holds all services of a booking.

The API can create; it can neither change nor cancel (`peoplevine-bookings` has no such method), so these stand in
front of a person.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from bellhop.ledger.records import TO_CANCEL, Booking, Entry, EntryState, Json, VendorCall
from bellhop.schemas.asked import asked_of
from bellhop.schemas.envelope import Envelope
from bellhop.schemas.events import VenueFacts
from bellhop.schemas.reasons import Reason
from bellhop.schemas.statuses import Meaning
from bellhop.vendors.fates import field_warnings
from bellhop.vendors.outcome import Dead, InDoubt, Outcome, Recorded
from bellhop.vendors.peoplevine import offers
from bellhop.vendors.peoplevine.client import PeoplevineClient
from bellhop.vendors.peoplevine.fates import FATES
from bellhop.vendors.peoplevine.found import is_offered
from bellhop.vendors.peoplevine.settings import ACCOUNT, PeoplevineAccount
from bellhop.vendors.standing import (
    TOLD,
    Match,
    cancel_elsewhere,
    entries_of_guest,
    is_news,
    meaning_here,
    note_to_cancel,
    settle_rest,
    what_is_lacking,
)

CREATE: Final = "create_service_reservation"
ALTERNATIVES: Final = 5
_TITLE: Final = "Peoplevine"


class PeoplevineBookings:
    """`clients` and `accounts` by account, `venues` by name."""

    shares_threads = True

    def __init__(
        self,
        clients: Mapping[str, PeoplevineClient],
        accounts: Mapping[str, PeoplevineAccount],
        venues: Mapping[str, VenueFacts],
    ) -> None:
        self._clients = clients
        self._accounts = accounts
        self._venues = venues

    def translate(self, event: Envelope, booking: Booking) -> VendorCall | Outcome:
        meant, words = meaning_here(event, booking)
        if lack := what_is_lacking(event, meant, self._clients, self._venues):
            return lack
        if meant is Meaning.RECORD:
            return Recorded(words)
        booking = _with_notes(event, booking)
        asked = asked_of(event.type, event.data, event.data["services"])
        own = entries_of_guest(event, asked, booking)
        if isinstance(own, Dead):
            return own
        if meant is Meaning.CANCEL:
            return _cancel_by_hand(event, booking, own)
        here = [entry for entry in own if (entry.account or booking.account) == event.account]
        wanted = offers.requested_offers(event.data["services"], self._venues[event.data["venue"]].zone)
        slot = offers.slot(wanted)
        same = next((entry for entry in here if entry.slot == slot), None) or next(iter(here), None)
        if same is None:
            return VendorCall(event.account, CREATE, {"offers": wanted, "slot": slot}, repeatable=False)
        words = f"{words}: reservation {same.vendor_id}{f'; took {same.took}' if same.took else ''}"
        if elsewhere := [entry for entry in own if entry not in here]:
            return cancel_elsewhere(event, booking, elsewhere, words)
        return settle_rest(event, booking, [Match(same, asked)], words, _TITLE)

    def prepare(self, call: VendorCall, event: Envelope, booking: Booking) -> VendorCall | Outcome:
        """Chooses the best offer for each service that leaves a choice."""
        taken: list[Json] = [offer for offer in call.arguments["offers"] if not offers.is_open(offer)]
        chosen = []
        for line, wanted in enumerate(call.arguments["offers"]):
            if not offers.is_open(wanted):
                chosen.append(wanted)
                continue
            found = self._available(call.account, wanted, alternatives=False)
            offer = offers.best(wanted, found, taken)
            if offer is None:
                return self._no_offer(call.account, line, wanted)
            chosen.append(offer)
            taken.append(offer)
        if chosen == list(call.arguments["offers"]):
            return call
        return replace(
            call, arguments={**call.arguments, "offers": chosen, "took": "; ".join(map(offers.describe_offer, chosen))}
        )

    def perform(self, call: VendorCall, event: Envelope, booking: Booking) -> Booking | Outcome:
        chosen = call.arguments["offers"]
        created = self._clients[call.account].create_service_reservation(
            event.data["member_id"], event.data.get("notes", ""), chosen
        )
        entry = Entry(
            created,
            0,
            event.id,
            EntryState.CONFIRMED,
            slot=call.arguments["slot"],
            took=call.arguments.get("took", ""),
            account=call.account,
            asked=asked_of(event.type, event.data, event.data["services"]),
            warnings=field_warnings(ACCOUNT.title, FATES, self._accounts[call.account], event.type, event.data),
        )
        return replace(booking, entries=(*booking.entries, entry), cancelled=False)

    def resolve(self, call: VendorCall, event: Envelope) -> Dead | InDoubt | None:
        chosen = call.arguments["offers"]
        if not self._accounts[call.account].slots_hold_one:
            return _in_doubt("a slot may hold several bookings", {"slots": chosen})
        offered = [is_offered(self._clients[call.account], offer) for offer in chosen]
        if all(offered):
            return None
        return _in_doubt("the slot is taken, perhaps by this very booking", {"slots": chosen, "still_offered": offered})

    def _available(self, account: str, offer: Json, *, alternatives: bool) -> list[dict[str, Any]]:
        date, start, end = offers.window(offer)
        services = [offer["service_id"]]
        return self._clients[account].get_service_availability(date, start, end, alternatives, alternatives, services)

    def _no_offer(self, account: str, line: int, wanted: Json) -> Dead:
        """For a window without an offer: with what the vendor offers instead."""
        instead = self._available(account, wanted, alternatives=True)[:ALTERNATIVES]
        text = f"services.{line}: Peoplevine has no offer in its window; agree another time with the guest"
        starts = ", ".join(str(offer.get("start")) for offer in instead)
        return Dead(
            Reason.REJECTED, f"{text}. Offered instead: {starts or 'nothing'}", {"wanted": wanted, "offered": instead}
        )


def _with_notes(event: Envelope, booking: Booking) -> Booking:
    """Of a booking that an older Bellhop asked a person to cancel, which noted that of the whole alone."""
    older = [one for one in booking.entries if booking.cancelled and not one.left_by.startswith(TO_CANCEL)]
    return note_to_cancel(event, booking, older) if older else booking


def _cancel_by_hand(event: Envelope, booking: Booking, standing: Sequence[Entry]) -> Outcome:
    """standing: its guest's. What a person was asked to cancel before is no news."""
    if standing and not is_news(event, standing):
        return TOLD
    which = f"reservation {', '.join(e.vendor_id for e in standing)}" if standing else "the booking, if it stands there"
    text = f"Peoplevine's API has no cancel: cancel {which} in Peoplevine by hand, then discard this"
    kept = note_to_cancel(event, booking, standing)
    is_left = any(entry.stands and not entry.left_by.startswith(TO_CANCEL) for entry in kept.entries)
    return Dead(Reason.UNSUPPORTED, text, tombstone=not is_left, applies=True, booking=kept)


def _in_doubt(why: str, evidence: Json) -> Dead:
    text = (
        f"nobody knows whether {CREATE} made a reservation, and {why}: look in Peoplevine and say whether it is there"
    )
    return Dead(Reason.IN_DOUBT, text, evidence)
