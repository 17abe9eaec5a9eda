"""A reservation of Peoplevine's that a call in doubt is said to have made. No method of `peoplevine-bookings` shows
one, so it cannot be checked; whether its slot is still offered can, and tells something where that holds one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from bellhop.ledger.records import Entry, EntryState, Json, VendorCall
from bellhop.vendors.ids import plain_id
from bellhop.vendors.peoplevine import offers
from bellhop.vendors.peoplevine.client import PeoplevineClient
from bellhop.vendors.peoplevine.settings import PeoplevineAccount
from bellhop.vendors.vendor import FoundBookings, FoundWrong, Said

_NOTE: Final = "not checked, as Peoplevine has no method that shows a reservation"


def find_said(
    _account: PeoplevineAccount, _client: PeoplevineClient, call: VendorCall, made_by: str, said: Sequence[Said]
) -> FoundBookings:
    """See `vendors.vendor.FindSaid`."""
    if len(said) != 1:
        raise FoundWrong("one reservation holds all services of a booking: say its id alone")
    if plain_id(said[0].vendor_id) is None:
        raise FoundWrong(f"{said[0].vendor_id} is no reservation's id: say what Peoplevine shows as its number")
    slot, took = call.arguments.get("slot", ""), call.arguments.get("took", "")
    entry = Entry(said[0].vendor_id, call.line, made_by, EntryState.CONFIRMED, slot=slot, took=took)
    return FoundBookings((entry,), _NOTE)


def is_free(account: PeoplevineAccount, client: PeoplevineClient, call: VendorCall) -> bool | None:
    """See `vendors.vendor.IsFree`."""
    chosen = call.arguments["offers"]
    if not account.slots_hold_one or any(map(offers.is_open, chosen)):
        return None
    return all(is_offered(client, offer) for offer in chosen)


def is_offered(client: PeoplevineClient, offer: Json) -> bool:
    date, start, end = offers.window(offer)
    found = client.get_service_availability(date, start, end, False, False, [offer["service_id"]])
    return any(offers.same_place_and_time(there, offer) for there in found)
