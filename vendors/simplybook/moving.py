"""A booking moved by one call: `rescheduleBook`, which some companies have and the vendor's document has not.

A company's service map says whether it is there. It is used where a new slot overlaps the booking's own old one and
nothing else differs: nothing stands twice then, and nothing is given up. Killed in between, what stands is asked first.

Source: the vendor's newer clients, and the service map that GET answers; the form of its answer is that of `book`.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import replace
from typing import Final

from bellhop.ledger.records import Booking, Entry, VendorCall
from bellhop.schemas.asked import asked_of, compare_asked
from bellhop.schemas.envelope import Envelope
from bellhop.vendors.failure import Kind, VendorFailure
from bellhop.vendors.simplybook.booked import describe_difference
from bellhop.vendors.simplybook.client import SimplybookClient
from bellhop.vendors.simplybook.slots import slot_of
from bellhop.vendors.standing import with_entries

MOVE: Final = "rescheduleBook"
_TIMES: Final = re.compile(r"services\.\d+\.(?:start|end)")


def moving_call(
    call: VendorCall, event: Envelope, booking: Booking, in_the_way: Collection[str], client: SimplybookClient
) -> VendorCall | None:
    """The call that moves the one booking that is in the way of the `book`; None where there are several, more than its
    time differs, or the company has no such call. Raises VendorFailure, Held."""
    old = [entry for entry in booking.entries if entry.vendor_id in in_the_way and entry.account == call.account]
    if len(old) != 1 or not _is_moved_alone(old[0], call, event) or not _is_offered(client):
        return None
    arguments = {**call.arguments, "id": old[0].vendor_id}
    return VendorCall(call.account, MOVE, arguments, repeatable=True, line=call.line, warnings=call.warnings)


def move(client: SimplybookClient, call: VendorCall, event: Envelope, booking: Booking, old: Entry) -> Booking:
    """Makes it, unless it stands there by now. Raises VendorFailure, Held."""
    at = f"{call.arguments['date']} {call.arguments['time']}"
    details = client.get_booking_details(old.vendor_id, old.secret_hash)
    end, differs = str(details.get("end_date_time") or ""), ""
    if str(details.get("start_date_time")) != at:
        offset = call.arguments.get("client_time_offset")
        row = client.reschedule_book(
            old.vendor_id, old.secret_hash, call.arguments["date"], call.arguments["time"], offset
        )
        end, differs = row.end, describe_difference(row, call.arguments)
    asked = asked_of(event.type, event.data, [event.data["services"][call.line]])
    new = replace(old, line=call.line, slot=slot_of(call.arguments), start=at, end=end, asked=asked, differs=differs)
    return with_entries(booking, event, new)


def _is_moved_alone(old: Entry, call: VendorCall, event: Envelope) -> bool:
    """Whether it stands for the same guest at the same service and provider, by itself: what is of a batch or a course
    was made as a whole."""
    same_place = old.slot.split("/")[:2] == [call.arguments["event_id"], call.arguments["unit_id"]]
    if not same_place or old.batch or event.data.get("recurring") or not old.secret_hash or old.asked is None:
        return False
    asked = asked_of(event.type, event.data, [event.data["services"][call.line]])
    return all(_TIMES.fullmatch(one.field) for one in compare_asked(old.asked, asked))


def _is_offered(client: SimplybookClient) -> bool:
    """A company that does not show its service map, or none that can be read, has not said so."""
    try:
        return client.offers(MOVE)
    except VendorFailure as failure:
        if failure.kind in (Kind.TRANSIENT, Kind.THROTTLED):
            raise
        return False
