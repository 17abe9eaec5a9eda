"""A slot that its own booking stands in the way of: a start moved by half an hour, a course moved by a week.

Booked first, the new slot would be refused for ever: the old one holds it. So what stands in the way is noted in the
ledger, then cancelled, then the new is booked; where that is refused after all, the old is booked again. Each step is
committed before the next call, so whoever finds it after a death goes on: what is noted and stands is cancelled, what
is noted and gone makes room for the new, and what was refused is booked again as it was.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from bellhop.ledger.records import Booking, Entry, VendorCall
from bellhop.schemas.envelope import Envelope
from bellhop.schemas.reasons import Reason
from bellhop.vendors.outcome import Dead
from bellhop.vendors.simplybook.client import SimplybookClient
from bellhop.vendors.simplybook.company_rules import CompanyRules
from bellhop.vendors.simplybook.slots import Wanted, entries_to_cancel, is_course, place_of, times_of

NOTE: Final = "getStartTimeMatrix"
"""What is asked before a note is made; the note itself calls nothing."""
IN_THE_WAY: Final = "in_the_way"
REFUSED: Final = "refused"
RESTORES: Final = "restores"
_LOST: Final = "lost:"


def turns(arguments: Mapping[str, Any], old: Sequence[Entry], minutes: int) -> list[tuple[datetime, datetime]]:
    """When the wanted slot begins and ends, each of its times. old: what the booking has of the same service, which
    tells how a course goes on and how long it lasts; minutes: how long else."""
    start = datetime.fromisoformat(f"{arguments['date']}T{arguments['time']}")
    known = [times for entry in old if (times := times_of(entry))]
    if not known:
        return [(start, start + timedelta(minutes=minutes))]
    first = min(known)[0]
    shifted = {(start + (begin - first), start + (end - first)) for begin, end in known}
    return sorted(shifted) if is_course(old) else [(start, start + (known[0][1] - known[0][0]))]


def overlapping(entries: Sequence[Entry], spans: Sequence[tuple[datetime, datetime]], unit: str) -> list[Entry]:
    """What stands at that provider at one of these times."""
    return [
        entry
        for entry in entries
        if (times := times_of(entry)) and entry.slot.split("/")[1:2] == [unit]
        if any(begin < times[1] and times[0] < end for begin, end in spans)
    ]


def with_course(entries: Sequence[Entry], standing: Sequence[Entry]) -> list[Entry]:
    """With all turns of a course of which one is in the way: a course is booked whole, and could not be again."""
    slots = {entry.slot for entry in entries if is_course([one for one in standing if one.slot == entry.slot])}
    return [entry for entry in standing if entry in entries or entry.slot in slots]


def ids_in_the_way(
    call: VendorCall, standing: Sequence[Entry], rules: CompanyRules, client: SimplybookClient
) -> list[str]:
    """Of what stands and is not wanted any more: what is where the call would book, as far as the vendor would refuse
    it. Raises VendorFailure, Held."""
    arguments, event_id, unit_id = call.arguments, int(call.arguments["event_id"]), call.arguments["unit_id"]
    old = [entry for entry in standing if entry.account == call.account]
    same = [entry for entry in old if entry.slot.startswith(f"{event_id}/")]
    spans = turns(arguments, same, rules.minutes(event_id) if old and not same else 0)
    if not overlapping(old, spans, unit_id):
        return []
    first, last = f"{spans[0][0]:%Y-%m-%d}", f"{spans[-1][0]:%Y-%m-%d}"
    starts = client.get_start_time_matrix(first, last, event_id, int(unit_id), arguments["count"])
    taken = [span for span in spans if f"{span[0]:%H:%M:%S}" not in starts.get(f"{span[0]:%Y-%m-%d}", ())]
    return [entry.vendor_id for entry in with_course(overlapping(old, taken, unit_id), old)]


def candidates(own: Sequence[Entry], wanted: Mapping[str, Wanted], event: Envelope) -> list[Entry]:
    """What stands, is not wanted any more, and is not to give way yet."""
    return [entry for entry in entries_to_cancel(own, wanted) if entry.gave_way != event.id]


def note(booking: Booking, event: Envelope, arguments: Mapping[str, Any]) -> Booking:
    """The booking with the note: what is to give way, or why the new was refused."""
    ids, words = arguments.get(IN_THE_WAY, ()), str(arguments.get(REFUSED, ""))
    entries = []
    for entry in booking.entries:
        if entry.vendor_id in ids:
            entries.append(replace(entry, gave_way=event.id))
        else:
            entries.append(replace(entry, refusal=words) if words and entry in given_way(booking, event) else entry)
    return replace(booking, entries=tuple(entries))


def given_way(booking: Booking, event: Envelope) -> list[Entry]:
    """What was cancelled for the event's own slot."""
    return [entry for entry in booking.entries if entry.gave_way == event.id and not entry.stands]


def lose(booking: Booking, event: Envelope, words: str) -> Booking:
    """After the old slot could not be booked again either."""
    gone = {entry.key for entry in given_way(booking, event)}
    return replace(
        booking,
        entries=tuple(
            replace(one, gave_way=f"{_LOST}{event.id}", refusal=f"{one.refusal}; {words}") if one.key in gone else one
            for one in booking.entries
        ),
    )


def next_restoring(event: Envelope, booking: Booking) -> VendorCall | Dead | None:
    """What follows once the new slot was refused: the next call that books the old again, or the end. None where
    nothing gave way, or nothing was refused."""
    if lost := [entry for entry in booking.entries if entry.gave_way == f"{_LOST}{event.id}"]:
        text = f"{lost[0].refusal}: the old slot gave way to the new one, and neither stands now: book it by hand"
        return Dead(Reason.REJECTED, text, booking=_forget(booking, event))
    refused = [entry for entry in given_way(booking, event) if entry.refusal]
    if not refused:
        return None
    standing = [entry for entry in booking.entries if entry.stands]
    for place in dict.fromkeys(place_of(entry.slot) for entry in refused):
        old = [entry for entry in refused if place_of(entry.slot) == place]
        there = [entry for entry in standing if place_of(entry.slot) == place]
        missing = (0 if there else 1) if is_course(old) else len(old) - len(there)
        if missing > 0:
            event_id, unit_id, date, time, *_ = old[0].slot.split("/")
            slot = {"event_id": event_id, "unit_id": unit_id, "date": date, "time": time, "count": missing}
            return VendorCall(old[0].account, "book", {**slot, RESTORES: old[0].vendor_id}, repeatable=False)
    again = ", ".join(e.vendor_id for e in standing if place_of(e.slot) in {place_of(one.slot) for one in refused})
    text = f"{refused[0].refusal}: its old slot had given way to the new one, and is booked again as {again}"
    return Dead(Reason.REJECTED, text, booking=_forget(booking, event))


def restored_event(event: Envelope, booking: Booking, vendor_id: str) -> Envelope:
    """The event as which the old slot is booked again: with the guest and all that it was booked for."""
    old = next(entry for entry in booking.entries if entry.vendor_id == vendor_id)
    asked = dict(old.asked or {})
    services = [{**one, "count": one.get("count", 1)} for one in asked.get("services", [])]
    kept = {name: event.data[name] for name in ("booking_id", "venue") if name in event.data}
    if old.asked is None:
        return replace(event, data={**event.data, "services": event.data["services"][:1]})
    known = {name: asked[name] for name in ("client", "member_id", "notes", "additional", "promo_code", "recurring")
             if asked.get(name)}  # fmt: skip
    return replace(event, data={**kept, **known, "services": services})


def _forget(booking: Booking, event: Envelope) -> Booking:
    """Without the notes of this event: replayed, it begins anew."""
    own = (event.id, f"{_LOST}{event.id}")
    entries = tuple(replace(one, gave_way="", refusal="") if one.gave_way in own else one for one in booking.entries)
    return replace(booking, entries=entries)
