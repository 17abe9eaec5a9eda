"""Bookings of SimplyBook.me's that a call in doubt is said, or proven, to have made: checked, as the ledger has them.

getBookingDetails needs the booking's hash. Which fields it tells is not documented: those that are there must be as
they were asked for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from bellhop.ledger.records import Entry, EntryState, VendorCall
from bellhop.vendors.failure import Kind, VendorFailure
from bellhop.vendors.held import CallHeld
from bellhop.vendors.ids import number_of
from bellhop.vendors.simplybook.client import SimplybookClient
from bellhop.vendors.simplybook.forms import is_set
from bellhop.vendors.simplybook.settings import SimplybookAccount
from bellhop.vendors.simplybook.slots import ANY_UNIT, slot_of
from bellhop.vendors.vendor import FoundBookings, FoundWrong, Said

_WITHOUT_HASH: Final = "its hash was not said, so SimplyBook.me could not be asked, and it can only be cancelled there"
_TOLD: Final = (("event_id", "service"), ("unit_id", "provider"), ("start_date_time", "start"))


def is_cancelled(details: Mapping[str, Any]) -> bool:
    return is_set(details.get("is_cancelled"))


def differences(call: VendorCall, details: Mapping[str, Any]) -> list[str]:
    """Where a booking's details tell another service, provider or start than the call asked for."""
    asked = call.arguments
    wanted = {
        "event_id": str(asked["event_id"]),
        "unit_id": str(asked["unit_id"]),
        "start_date_time": f"{asked['date']} {asked['time']}",
    }
    return [
        f"{word} {details[key]} instead of {wanted[key]}"
        for key, word in _TOLD
        if details.get(key) and str(details[key]) != wanted[key] and wanted[key] != ANY_UNIT
    ]


def found_entry(
    account: SimplybookAccount, call: VendorCall, made_by: str, said: Said, details: Mapping[str, Any] | None
) -> Entry:
    """details: None where they are not known: without its hash nothing can be confirmed."""
    told = str((details or {}).get("is_confirmed", "1")).lower()
    waits = account.confirm and bool(said.secret_hash) and told in ("0", "false", "")
    return Entry(
        vendor_id=said.vendor_id,
        line=call.line,
        made_by=made_by,
        state=EntryState.BOOKED if waits else EntryState.CONFIRMED,
        secret_hash=said.secret_hash,
        slot=slot_of(call.arguments),
        code=str((details or {}).get("code") or ""),
        start=str((details or {}).get("start_date_time") or ""),
        end=str((details or {}).get("end_date_time") or ""),
    )


def find_said(
    account: SimplybookAccount, client: SimplybookClient, call: VendorCall, made_by: str, said: Sequence[Said]
) -> FoundBookings:
    """See `vendors.vendor.FindSaid`."""
    wanted = call.arguments.get("count", 1)
    if len(said) < wanted:
        raise FoundWrong(f"{wanted} bookings were asked for in one call: say the id of each")
    entries, notes = [], []
    for one in said:
        if number_of(one.vendor_id) is None:
            raise FoundWrong(f"{one.vendor_id} is no booking's id: SimplyBook.me's are whole numbers")
        details, note = _details(client, one)
        if details is not None:
            _check(call, one, details)
        hash_ = one.secret_hash or str((details or {}).get("hash") or "")
        entries.append(found_entry(account, call, made_by, Said(one.vendor_id, hash_), details))
        notes += [f"booking {one.vendor_id}: {note}"] if note else []
    return FoundBookings(tuple(entries), "; ".join(notes))


def is_free(client: SimplybookClient, call: VendorCall) -> bool | None:
    """See `vendors.vendor.IsFree`: whether `getStartTimeMatrix` still has the start, of a provider who serves one at a
    time."""
    wanted = call.arguments
    unit = next((unit for unit in client.get_unit_list() if unit["id"] == wanted["unit_id"]), None)
    if wanted["count"] > 1 or wanted.get("recurring") or unit is None or unit.get("qty") != 1:
        return None
    day = wanted["date"]
    starts = client.get_start_time_matrix(day, day, int(wanted["event_id"]), int(wanted["unit_id"]), 1)
    return wanted["time"] in starts.get(day, ())


def _details(client: SimplybookClient, said: Said) -> tuple[Mapping[str, Any] | None, str]:
    """A booking's details; where they cannot be had, why. Raises FoundWrong where the vendor says that it is not so."""
    try:
        if said.secret_hash:
            return client.get_booking_details(said.vendor_id, said.secret_hash), ""
        return (None, _WITHOUT_HASH) if client.admin is None else (client.admin.details(said.vendor_id), "")
    except VendorFailure as failure:
        if failure.kind is Kind.REJECTED:
            by = " by this hash" if said.secret_hash else ""
            raise FoundWrong(f"SimplyBook.me does not know booking {said.vendor_id}{by}: {failure}") from None
        return None, f"not checked, as SimplyBook.me could not be asked ({failure})"
    except CallHeld as held:
        return None, f"not checked, as SimplyBook.me could not be asked ({held})"


def _check(call: VendorCall, said: Said, details: Mapping[str, Any]) -> None:
    if is_cancelled(details):
        raise FoundWrong(f"booking {said.vendor_id} is cancelled at SimplyBook.me: say that it is not there")
    if wrong := differences(call, details):
        raise FoundWrong(f"booking {said.vendor_id} is not what was asked for: {', '.join(wrong)}")
