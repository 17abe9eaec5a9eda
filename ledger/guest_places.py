"""How far a reference of several guests has come, for each: a group's seats bear one reference, and what one guest
changes or cancels says nothing of the others. No SQL, no I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from bellhop.ledger.known import BEGINNING, CHANGED, RANKS, REQUESTED, GuestPlaces, HeldBooking, KnownEvent, Place
from bellhop.ledger.records import Booking
from bellhop.schemas.asked import Asked, asked_of, is_other_guest
from bellhop.schemas.envelope import Envelope, guest_of
from bellhop.schemas.statuses import cancels

KEY: Final = ""
"""In the column of what entries were asked for, whose keys are account/vendor id: it goes when that is erased."""
_MOST: Final = 50
_GUEST: Final = ("client", "member_id")


def is_group(booking: Booking) -> bool:
    """Whether several guests have requested under its reference. One whom a change renamed is no second one."""
    asked = [entry.asked for entry in booking.entries if entry.asked and entry.asked.get("type") == REQUESTED]
    return any(is_other_guest(asked[0], one) for one in asked[1:])


def is_of_other_guest(envelope: Envelope, known: KnownEvent) -> bool:
    """Whether a change with the time of another that was applied is of another guest of a group than that one: two
    facts, which happen to bear one stamp."""
    held = known.bookings.get((envelope.source, envelope.subject))
    is_change = envelope.type == CHANGED and bool(guest_of(envelope.data))
    if held is None or held.guests is None or not is_change or not is_group(held.booking):
        return False
    asked, place = asked_of(envelope.type, envelope.data, ()), (envelope.time, RANKS[envelope.type])
    there = [guest for at, guest in held.guests.of_guests if at == place]
    return bool(there) and all(is_other_guest(guest, asked) for guest in there)


def apply_for_guest(held: HeldBooking, envelope: Envelope) -> GuestPlaces | None:
    """How far each guest has come once the event is applied to the booking."""
    place = envelope.time, RANKS[envelope.type]
    is_named = bool(guest_of(envelope.data))
    is_cancel_of_one = is_named and cancels(envelope.type, envelope.data.get("status"))
    if held.guests is None and not is_cancel_of_one and not is_group(held.booking):
        return None
    known = held.guests or _so_far(held)
    if not is_named:
        return replace(known, whole=max(known.whole, place))
    asked = asked_of(envelope.type, envelope.data, ())
    guest = {name: asked[name] for name in _GUEST if asked.get(name)}
    of_guests = (*known.of_guests, (place, guest))
    # Of more than these nobody is told apart any more.
    return replace(known, of_guests=of_guests) if len(of_guests) <= _MOST else None


def _so_far(held: HeldBooking) -> GuestPlaces:
    """What was applied before, when one guest was known: that one's, where it was a request; else nobody knows."""
    asked = [entry.asked for entry in held.booking.entries]
    first = asked[0] if asked else None
    is_of_one = first is not None and not any(one is None or is_other_guest(first, one) for one in asked)
    if first is not None and is_of_one and held.rank == RANKS[REQUESTED]:
        guest = {name: first[name] for name in _GUEST if first.get(name)}
        return GuestPlaces((BEGINNING, 0), ((held.place, guest),))
    return GuestPlaces(held.place)


def guests_to_json(guests: GuestPlaces | None) -> dict[str, Any]:
    """Under its key, beside what the entries were asked for; nothing for None."""
    if guests is None:
        return {}
    of_guests = [{"place": _text(place), "guest": dict(guest)} for place, guest in guests.of_guests]
    return {KEY: {"whole": _text(guests.whole), "of_guests": of_guests}}


def guests_from_json(asked: Mapping[str, Any] | None) -> GuestPlaces | None:
    stored = (asked or {}).get(KEY)
    if stored is None:
        return None
    of_guests: list[tuple[Place, Asked]] = [(_place(one["place"]), one["guest"]) for one in stored["of_guests"]]
    return GuestPlaces(_place(stored["whole"]), tuple(of_guests))


def _text(place: Place) -> list[Any]:
    return [place[0].isoformat(), place[1]]


def _place(stored: list[Any]) -> Place:
    return datetime.fromisoformat(stored[0]), int(stored[1])
