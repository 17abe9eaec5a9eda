"""A reservation of Peoplevine's that a call in doubt is said to have made. No method of `peoplevine-bookings` shows
one, so it cannot be checked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from bellhop.ledger.records import Entry, EntryState, VendorCall
from bellhop.vendors.ids import plain_id
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
