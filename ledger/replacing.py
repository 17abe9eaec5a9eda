"""A booking that takes the place of another: what stands under the old reference becomes the new one's. No SQL, no I/O.

The entries move when the new booking's event is claimed, in the claim's own commit. From then on it is a change like
any other: the new is booked, the old is cancelled, and what was killed in between goes on from the ledger.
"""

from __future__ import annotations

from dataclasses import replace

from bellhop.ledger.known import RANKS, HeldBooking, KnownEvent
from bellhop.ledger.records import Booking, Entry
from bellhop.schemas.asked import asked_of, is_other_guest
from bellhop.schemas.envelope import Envelope


def adopt_replaced(envelope: Envelope, key: tuple[str, str], known: KnownEvent) -> list[HeldBooking]:
    """Moves into the event's booking what stands under the key; the bookings that must be stored for it.

    The old one keeps the event's place, so that what was told of it before comes too late, and the new reference, so
    that who replaces it later is led on.
    """
    own_key = (envelope.source, envelope.subject)
    new = known.bookings.get(own_key) or HeldBooking(Booking(*own_key, envelope.account))
    old = known.bookings.get(key) or HeldBooking(Booking(*key, envelope.account))
    moved = _of_guest(envelope, [entry for entry in old.booking.entries if entry.stands])
    keys = {entry.key for entry in moved}
    kept = tuple(entry for entry in old.booking.entries if entry.key not in keys)
    taken = tuple(replace(entry, changed_by=envelope.id) for entry in moved)
    new = replace(
        new,
        booking=replace(new.booking, entries=(*new.booking.entries, *taken)),
        last_start=max((one.last_start for one in (new, old) if one.last_start), default=None),
    )
    if not any(entry.stands for entry in kept):
        place = max(old.place, (envelope.time, RANKS["booking.changed"]))
        booking = replace(old.booking, entries=kept, replaced_by=envelope.subject, as_of=place[0])
        old = replace(old, booking=booking, rank=place[1])
    else:
        old = replace(old, booking=replace(old.booking, entries=kept))
    known.bookings[own_key], known.bookings[key] = new, old
    return [new, old]


def is_wanted_again(envelope: Envelope, held: HeldBooking) -> bool:
    """Whether an event newer than what replaced its booking asks for it: it is a booking like any other again."""
    if not held.booking.replaced_by or held.place > (envelope.time, RANKS[envelope.type]):
        return False
    return envelope.type != "booking.cancelled"


def _of_guest(envelope: Envelope, standing: list[Entry]) -> list[Entry]:
    """Those that the event replaces: all, unless several guests' stand there."""
    asked = asked_of(envelope.type, envelope.data, ())
    own = [entry for entry in standing if entry.asked is None or not is_other_guest(entry.asked, asked)]
    if own or not standing:
        return own
    first = standing[0].asked or {}
    return [] if any(is_other_guest(first, entry.asked or {}) for entry in standing) else standing
