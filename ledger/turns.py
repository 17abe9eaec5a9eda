"""Whose turn it is among a booking's events: their order, and what comes too late. No SQL, no I/O."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bellhop.ledger.guest_places import is_group
from bellhop.ledger.known import (
    CANCELLED,
    CHANGED,
    RANKS,
    REQUESTED,
    Answer,
    EventRecord,
    HeldBooking,
    KnownEvent,
    Place,
)
from bellhop.ledger.records import Booking, ClaimBusy, Refused, Settled, State
from bellhop.schemas.asked import Asked, asked_of, have_common_phone, have_other_name, is_other_guest
from bellhop.schemas.envelope import Envelope, guest_digest
from bellhop.schemas.reasons import Reason
from bellhop.schemas.statuses import cancels


def turn(envelope: Envelope, known: KnownEvent, others: Sequence[EventRecord]) -> Answer | None:
    """A booking's events are worked one at a time and in order; what comes too late is not worked at all. None where
    it is the event's turn."""
    held = known.bookings.get((envelope.source, envelope.subject))
    if held is not None and _is_superseded(envelope, held):
        if held.booking.replaced_by and _has_standing(known, replaced_key(envelope, known)):
            return None  # what it replaces in its turn must go, too: its booking is worked as one that is not wanted
        return Settled(State.SUPERSEDED, "a newer event of its booking was worked before it")
    unfinished = [row for row in others if row.state.unfinished]
    for row in unfinished:
        # What is held may be discarded: then this one counts after all.
        is_held = row.state is State.HELD
        if not is_held and _is_newer(row.place, row.received, envelope) and not _stands_beside(envelope, row, held):
            return Settled(State.SUPERSEDED, f"event {row.event_id} of its booking is newer and being worked")
    for row in unfinished:
        # A cancel need not wait for a booking that is not made yet: it leaves a tombstone, and that one is superseded.
        is_older = not _is_newer(row.place, row.received, envelope)
        if row.state is State.HELD and not is_older:
            continue  # whatever a person says of it, this one comes before it
        if not (is_older and _is_cancel(envelope) and row.state is State.RETRYING and row.calling is None):
            return ClaimBusy(f"event {row.event_id} of its booking is not finished")
    return None


def superseded_by_dead(envelope: Envelope, others: Sequence[EventRecord]) -> Settled | None:
    """What a newer cancel of its guest, which a person has, does not want: it would be booked after its cancel. None
    where there is no such cancel."""
    if not others or _is_cancel(envelope):
        return None
    guest, own = guest_digest(envelope.data), (envelope.time, RANKS[envelope.type])
    for row in others:
        is_cancel = row.state is State.DEAD and row.type == CANCELLED and row.reason != Reason.CONFLICT
        is_its_guests = not _names_guest(row) or row.business_key.endswith(f"/{guest}")
        if is_cancel and is_its_guests and row.place > own:
            return Settled(State.SUPERSEDED, f"event {row.event_id} cancels its booking and is newer: a person has it")
    return None


def refuse_anothers(envelope: Envelope, known: KnownEvent, others: Sequence[EventRecord]) -> Refused | None:
    """A change or a cancel of one of a group whose own request died: what stands is the others', or of who shares an
    address with them, and must not be moved or cancelled for it. A person who replays it means just that."""
    held = known.bookings.get((envelope.source, envelope.subject))
    is_cancel = _is_cancel(envelope)
    if held is None or envelope.generation or (envelope.type == REQUESTED and not is_cancel):
        return None
    if not (guest := guest_digest(envelope.data)):
        return None
    own = asked_of(envelope.type, envelope.data, ())
    standing = [entry for entry in held.booking.entries if entry.stands]
    if not standing or not all(e.asked is not None and _is_anothers(e.asked, own, is_cancel) for e in standing):
        return None
    dead = [row for row in others if row.state is State.DEAD and row.business_key.endswith(f"/{guest}")]
    request = next((row for row in dead if row.type == REQUESTED), None)
    if request is None:
        return None
    which = ", ".join(entry.vendor_id for entry in standing)
    text = f"the request of its guest, event {request.event_id}, is dead, and what stands ({which}) is another guest's"
    if is_cancel:
        return Refused(Reason.UNSUPPORTED, f"{text}: discard both; a replay of this one cancels the other guest's")
    return Refused(
        Reason.UNSUPPORTED, f"{text}: edit and replay that one; a replay of this one moves the other guest's"
    )


def _is_anothers(asked: Asked, own: Asked, is_cancel: bool) -> bool:
    """Of a cancel: where an address or a telephone in common would have it cancelled. Of whom neither is known the
    vendor's handler asks a person."""
    if is_cancel:
        return have_other_name(asked, own) and (not is_other_guest(asked, own) or have_common_phone(asked, own))
    return is_other_guest(asked, own) or have_other_name(asked, own)


def replaced_key(envelope: Envelope, known: KnownEvent) -> tuple[str, str] | None:
    """The booking whose place the event's takes: the one it names, or what has taken that one's place since. None where
    it names none, or has its place already."""
    named = envelope.data.get("replaces")
    if envelope.type not in RANKS or not isinstance(named, str) or named == envelope.subject:
        return None
    seen: set[str] = set()
    while named not in seen:
        seen.add(named)
        held = known.bookings.get((envelope.source, named))
        if held is None or not held.booking.replaced_by:
            return envelope.source, named
        if held.booking.replaced_by == envelope.subject:
            return None
        named = held.booking.replaced_by
    return None


def replaced_turn(
    envelope: Envelope, known: KnownEvent, key: tuple[str, str], rows: Sequence[EventRecord]
) -> Answer | None:
    """Whether what the event replaces leaves it its turn; None where it does."""
    if key not in known.keys:
        return ClaimBusy("what it replaces is being replaced by another booking")
    held = known.bookings.get(key)
    if held is not None and key[1] != envelope.data["replaces"] and _is_newer(held.place, held.received, envelope):
        return Settled(State.SUPERSEDED, f"booking {key[1]} took the place of the same one, and is newer")
    for row in rows:
        if row.state.unfinished and not (row.state is State.RETRYING and row.calling is None):
            return ClaimBusy(f"event {row.event_id} of the booking it replaces is not finished")
    return None


def _is_newer(place: Place, received: datetime | None, envelope: Envelope) -> bool:
    """Whether what stands at this place is newer than the event. Of one stamp, where its source cuts them short, the
    order of arrival counts; what a person replays comes after what has its own stamp."""
    own = envelope.time, RANKS[envelope.type]
    if place != own or not envelope.coarse or envelope.generation:
        return place > own
    return received is not None and received > envelope.received


def _is_superseded(envelope: Envelope, held: HeldBooking) -> bool:
    """A cancel is not by a request, whatever their stamps say: a clock may be fast, and no cancel is undone by what
    asks for the booking first. Nor is what one guest of a group asks by what another does."""
    place = _newest_place(envelope, held)
    if not _is_newer(place, held.received, envelope):
        return False
    is_request = place[1] == RANKS[REQUESTED]
    if _is_cancel(envelope) and is_request:
        return False
    return not (envelope.type == REQUESTED and _is_of_another_guest(envelope, held.booking, is_request=is_request))


def _newest_place(envelope: Envelope, held: HeldBooking) -> Place:
    """Of what was applied that may be about the event's guest. A change or cancel that names another than those who
    requested is of one who was renamed: all of the booking counts."""
    is_of_one = held.guests is not None and bool(guest_digest(envelope.data))
    if held.guests is None or not is_of_one or not (envelope.type == REQUESTED or is_group(held.booking)):
        return held.place
    return held.guests.newest(asked_of(envelope.type, envelope.data, ()))


def _has_standing(known: KnownEvent, key: tuple[str, str] | None) -> bool:
    held = known.bookings.get(key) if key else None
    return held is not None and any(entry.stands for entry in held.booking.entries)


def _stands_beside(envelope: Envelope, row: EventRecord, held: HeldBooking | None) -> bool:
    """Whether the newer event at work leaves this one its turn, once it is finished."""
    guest = guest_digest(envelope.data)
    if row.type == CHANGED:  # whose it is shows once it is finished
        return held is not None and is_group(held.booking) and bool(guest)
    is_other = bool(guest) and not row.business_key.endswith(f"/{guest}")
    if row.type == REQUESTED:
        return is_other or _is_cancel(envelope)
    return is_other and _names_guest(row)


def _names_guest(row: EventRecord) -> bool:
    """Of a request or a cancel; the key of one that names nobody ends with its time."""
    return ":" not in row.business_key.rpartition("/")[2]


def _is_of_another_guest(envelope: Envelope, booking: Booking, *, is_request: bool) -> bool:
    """Whether a request is of a guest of whom nothing stands, under a reference of several: one whose newest event is a
    request too, or that has two guests already. Otherwise the newer event may have changed this very one's guest."""
    standing = [entry.asked for entry in booking.entries if entry.stands]
    if booking.cancelled or not standing or any(asked is None for asked in standing):
        return False
    own = asked_of(envelope.type, envelope.data, ())
    guests = [asked for asked in standing if asked is not None]
    is_group = is_request or any(is_other_guest(guests[0], asked) for asked in guests)
    return is_group and all(is_other_guest(asked, own) for asked in guests)


def _is_cancel(envelope: Envelope) -> bool:
    return cancels(envelope.type, envelope.data.get("status"))
