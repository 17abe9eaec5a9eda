"""An event compared with what stands of its booking: whose it is, what differs, and what a person must do by hand.

A handler compares slots itself, calls what its vendor has a call for, and ends with `settle_rest`: what is left that no
call carries is a person's, field by field.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass, replace
from typing import Final

from bellhop.ledger.records import TO_CANCEL, Booking, Entry
from bellhop.schemas.asked import (
    Asked,
    Difference,
    asked_of,
    compare_asked,
    have_common_phone,
    have_other_name,
    is_other_guest,
)
from bellhop.schemas.envelope import Envelope
from bellhop.schemas.reasons import Reason
from bellhop.schemas.statuses import Meaning, cancels, meaning
from bellhop.vendors.outcome import Dead, Done, Outcome, Recorded, Repeated

_UNKNOWN: Final = Difference("", None, None)
"""Stands for all that cannot be compared."""

_WANTED_AGAIN: Final = "wanted:"
"""Before the event in an entry's `left_by`, as TO_CANCEL: it is wanted after that, and a person was asked to see
whether it still stands."""
TOLD: Final = Repeated("what is left of it to be cancelled by hand, a person has been told")


@dataclass(frozen=True, slots=True)
class Match:
    """An entry that stands where the event wants it, with what the event asks of it. lines: the event's services it is
    for."""

    entry: Entry
    asked: Asked
    lines: Sequence[int] = ()


def meaning_here(event: Envelope, booking: Booking) -> tuple[Meaning, str]:
    """What the event means for this booking, and the words for the record. One that came too late, after another
    booking took its place, is not wanted any more: nor is what it has replaced itself."""
    meant, words = meaning(event.type, event.data.get("status"), event.data["services"])
    if not booking.replaced_by or meant is Meaning.RECORD:
        return meant, words
    return Meaning.CANCEL, f"booking {booking.replaced_by} took its place: nothing of it is wanted"


def what_is_lacking(event: Envelope, meant: Meaning, accounts: Container[str], venues: Container[str]) -> Dead | None:
    """For an event whose account or venue the settings no longer have. A cancel needs neither: what stands has an
    account of its own."""
    if meant is Meaning.CANCEL or (event.account in accounts and event.data.get("venue") in venues):
        return None
    return Dead(Reason.MISCONFIGURED, f"the settings lack account {event.account} or the booking's venue")


def entries_of_guest(event: Envelope, asked: Asked, booking: Booking) -> list[Entry] | Dead:
    """What stands of the booking and is this event's: a reference may hold the bookings of several guests, as a group's
    seats. A request of another guest has nothing yet, but for what it replaces. A change that names nobody known is of
    the one guest there is, who may have been renamed; a cancel is not, as nothing would bring back what it took from
    the wrong one."""
    if not asked["client"] and not asked.get("member_id"):
        return [entry for entry in booking.entries if entry.stands]
    before = [entry for entry in booking.entries if entry.made_by != event.id]
    own = [entry for entry in before if not _is_other(entry, asked) or entry.changed_by == event.id]
    named = [entry for entry in own if not _has_other_name(entry, asked) or entry.changed_by == event.id]
    if any(entry.stands for entry in own) and (named or event.type == "booking.requested"):
        if not named and not event.generation:
            return _ask_whose(own)
        own = named or own  # a person's replay says that it is one guest
    if not own and event.type != "booking.requested":
        # What the event has cancelled itself counts as well: the answer is the same after each of its calls.
        own = [entry for entry in before if entry.stands or entry.cancelled_by == event.id]
        which = ", ".join(entry.vendor_id for entry in own)
        if any(is_other_guest(own[0].asked or {}, entry.asked or {}) for entry in own):
            text = f"several guests' bookings stand under its reference ({which}), and none is of this event's guest"
            return Dead(Reason.UNSUPPORTED, f"{text}: change the one that is meant by hand there, then discard this")
        is_cancel = cancels(event.type, event.data.get("status")) and any(entry.stands for entry in own)
        if is_cancel and not any(have_common_phone(entry.asked or {}, asked) for entry in own):
            text = f"what stands under its reference ({which}) is of another guest than the one it names"
            return Dead(Reason.UNSUPPORTED, f"{text}: cancel it by hand there if it is meant, then discard this")
    own_keys = {entry.key for entry in own}
    return [e for e in booking.entries if e.stands and (e.made_by == event.id or e.key in own_keys)]


def _ask_whose(entries: Sequence[Entry]) -> Dead:
    """The end of a request for another name with the address of what stands: moved for it, that would be lost where two
    guests share an address; booked beside it, it would be twice where one guest was renamed. Neither vendor tells:
    SimplyBook.me takes any name with any address."""
    which = ", ".join(entry.vendor_id for entry in entries if entry.stands)
    text = f"{which} stands under its reference for another name with the same e-mail address. One guest: replay this,"
    text = f"{text} and what stands is changed. Two guests: have this one sent under a reference of its own, then"
    return Dead(Reason.UNSUPPORTED, f"{text} discard this")


def say_what_gave_way(event: Envelope, booking: Booking | None) -> str:
    """For the letter of an event that ended after its old slot had given way to the new one; "" where none had, or the
    new one stands."""
    given = [e for e in booking.entries if e.gave_way == event.id and not e.stands] if booking else []
    if booking is None or not given or any(entry.stands and entry.made_by == event.id for entry in booking.entries):
        return ""
    which = ", ".join(entry.vendor_id for entry in given)
    return f"; its old slot ({which}) had given way to the new one and is cancelled"


def say_what_stands(event: Envelope, booking: Booking | None, reason: Reason) -> str:
    """For the letter of an event that ended half-way: what it has booked; "" where nothing of that stands, or the
    reason is of what stands."""
    if reason in (Reason.UNSUPPORTED, Reason.UNPAID, Reason.DOUBLED):
        return ""
    made = [e.vendor_id for e in booking.entries if e.made_by == event.id and e.stands] if booking else []
    return f"; {', '.join(made)} of it {'stands' if len(made) == 1 else 'stand'} at the vendor" if made else ""


def warnings_of(envelope: Envelope, booking: Booking | None) -> tuple[str, ...]:
    """What of an event is not at the vendor as it was sent: told at the way in, and found since by the calls that made
    what stands of it."""
    made = [one for one in booking.entries if one.stands and one.made_by == envelope.id] if booking else []
    return tuple(dict.fromkeys((*envelope.warnings, *(words for entry in made for words in entry.warnings))))


def with_entries(booking: Booking, event: Envelope, *changed: Entry) -> Booking:
    """The booking with these of its entries as they are now."""
    by_key = {entry.key: entry for entry in changed}
    entries: Sequence[Entry] = tuple(by_key.get(entry.key, entry) for entry in booking.entries)
    return name_changes(booking, replace(booking, entries=entries), event.id)


def name_changes(before: Booking, after: Booking, event_id: str) -> Booking:
    """The booking after a call, with the event's id at the entries that the call made, changed or cancelled."""
    known = {entry.key: entry for entry in before.entries}
    entries = tuple(_name_change(known.get(entry.key), entry, event_id) for entry in after.entries)
    return replace(after, entries=entries)


def _name_change(old: Entry | None, new: Entry, event_id: str) -> Entry:
    if new == old:
        return new
    is_cancel = not new.stands and (old is None or old.stands)
    return replace(new, changed_by=event_id, cancelled_by=event_id if is_cancel else new.cancelled_by)


def _is_other(entry: Entry, asked: Asked) -> bool:
    known = [one for one in (entry.asked, entry.left) if one is not None]
    return bool(known) and all(is_other_guest(one, asked) for one in known)


def _has_other_name(entry: Entry, asked: Asked) -> bool:
    known = [one for one in (entry.asked, entry.left) if one is not None]
    return bool(known) and all(have_other_name(one, asked) for one in known)


def settle_rest(event: Envelope, booking: Booking, matches: Sequence[Match], words: str, vendor: str) -> Outcome:
    """The end of an event whose slots stand and for which nothing is left to call.

    words: what it is done as. vendor: its name, for people. A fact that came again under another id called nothing and
    is no news: the source is told nothing.
    """
    if again := [match for match in matches if _is_wanted_again(match, event)]:
        return _see_by_hand(event, booking, again, vendor)
    matches = [_know_asked(match, event) for match in matches]
    known = {match.entry.key: match.entry for match in matches}
    before, booking = booking, replace(booking, entries=tuple(known.get(one.key, one) for one in booking.entries))
    left = [(match, found) for match in matches if (found := _find_left(match, event))]
    if left:
        return _by_hand(event, booking, left, vendor)
    with_person = sorted({m.entry.left_by.removeprefix(_WANTED_AGAIN) for m in matches if m.entry.left_by})
    if any(event.id in (entry.made_by, entry.changed_by) for entry in booking.entries):
        if with_person:
            text = f"{words}; but what event {', '.join(with_person)} asked is a person's to change by hand"
            text = f"{text}: see its dead letter, then discard this"
            return Dead(Reason.UNSUPPORTED, text, applies=True, booking=booking)
        return Done(words, booking=None if booking == before else booking)
    if with_person:
        return Repeated(f"it asks what event {', '.join(with_person)} asked, which a person has")
    status = event.data.get("status")
    if any(status != (match.entry.asked or {}).get("status") for match in matches):
        return Recorded(f"{words}: it stands as asked, nothing to call", applies=True)
    return Repeated("it asks nothing else than what stands: nothing to call")


def _know_asked(match: Match, event: Envelope) -> Match:
    """What a callback, or a person, told of as made by this very event was booked for what the event asks: the ledger,
    which entered it, had the call alone."""
    if match.entry.made_by != event.id or match.entry.asked is not None or match.entry.left is not None:
        return match
    return replace(match, entry=replace(match.entry, asked=match.asked))


def cancel_elsewhere(event: Envelope, booking: Booking, entries: Sequence[Entry], words: str) -> Outcome:
    """The end of an event whose older bookings stand at accounts that this handler has no call for: they are a
    person's to cancel. entries: these."""
    if not is_news(event, entries) and not any(event.id in (one.made_by, one.changed_by) for one in booking.entries):
        return TOLD
    which = ", ".join(f"{entry.vendor_id} of account {entry.account or booking.account}" for entry in entries)
    text = f"{words}; but what it was before stands elsewhere: cancel {which} there by hand, then discard this"
    return Dead(Reason.UNSUPPORTED, text, applies=True, booking=note_to_cancel(event, booking, entries))


def end_elsewhere(event: Envelope, booking: Booking, *, is_cancel: bool) -> Outcome | None:
    """The end of an event that names none of our venues. None for a cancel of what stands here, which is worked.

    What moved away is not cancelled for it: whether it stands where it moved to, nobody here can see.
    """
    if is_cancel and any(entry.stands or entry.cancelled_by == event.id for entry in booking.entries):
        return None
    own = entries_of_guest(event, asked_of(event.type, event.data, ()), booking)
    if isinstance(own, Dead):
        return own
    if not own:
        return Recorded("it is of none of this Bellhop's venues, and nothing of it stands here", applies=True)
    if not is_news(event, own):
        return TOLD
    which = ", ".join(f"{entry.vendor_id} of account {entry.account or booking.account}" for entry in own)
    text = f"it is of none of this Bellhop's venues now, and {which} stands: cancel that there by hand if the booking"
    text = f"{text} moved away, then discard this; if its venue is yours, name it in the settings and send it again"
    return Dead(Reason.UNSUPPORTED, text, applies=True, booking=note_to_cancel(event, booking, own))


def is_news(event: Envelope, entries: Sequence[Entry]) -> bool:
    """Whether a person has not been asked yet to cancel all of these, or was by this very event."""
    told = [entry.left_by for entry in entries]
    return any(not by.startswith(TO_CANCEL) or by == f"{TO_CANCEL}{event.id}" for by in told)


def note_to_cancel(event: Envelope, booking: Booking, entries: Sequence[Entry]) -> Booking:
    """The booking that remembers which of its entries a person was asked to cancel by hand."""
    noted = {entry.key: replace(entry, left=None, left_by=f"{TO_CANCEL}{event.id}") for entry in entries}
    return replace(booking, entries=tuple(noted.get(entry.key, entry) for entry in booking.entries))


def asked_to_cancel(event: Envelope, booking: Booking) -> list[Entry]:
    """Those of its entries that this event's letter asks a person to cancel by hand."""
    return [entry for entry in booking.entries if entry.stands and entry.left_by == f"{TO_CANCEL}{event.id}"]


def _is_wanted_again(match: Match, event: Envelope) -> bool:
    """Whether a person was asked to cancel what stands there, and has not been told yet what is asked of it now."""
    by, left = match.entry.left_by, match.entry.left
    if by.startswith(TO_CANCEL) or by == f"{_WANTED_AGAIN}{event.id}":
        return True
    return by.startswith(_WANTED_AGAIN) and (left is None or bool(compare_asked(left, match.asked, match.lines)))


def _see_by_hand(event: Envelope, booking: Booking, again: Sequence[Match], vendor: str) -> Dead:
    """Whether a person has cancelled it by then, as the dead letter of the cancel asked, nobody tells."""
    ids = ", ".join(match.entry.vendor_id for match in again)
    text = f"it was to be cancelled by hand and is wanted again: if {ids} stands at {vendor}, see to it that it is as"
    text = f"{text} this event asks, then discard this; if not, book it there by hand, then discard this"
    noted = {m.entry.key: replace(m.entry, left=m.asked, left_by=f"{_WANTED_AGAIN}{event.id}") for m in again}
    entries = tuple(noted.get(entry.key, entry) for entry in booking.entries)
    kept = replace(booking, entries=entries, cancelled=False)
    return Dead(Reason.UNSUPPORTED, text, {"vendor_ids": ids.split(", ")}, applies=True, booking=kept)


def _find_left(match: Match, event: Envelope) -> list[Difference]:
    """What is asked otherwise, and no call carried."""
    entry, asked = match.entry, match.asked
    if entry.left is not None and entry.left_by != event.id:
        return compare_asked(entry.left, asked, match.lines)
    if entry.asked is None:
        return [_UNKNOWN]
    return compare_asked(entry.asked, asked, match.lines)


def _by_hand(
    event: Envelope, booking: Booking, left: Sequence[tuple[Match, Sequence[Difference]]], vendor: str
) -> Dead:
    """The letter, and the booking that remembers it: the same asked again is no news. Its text masks the guest; what a
    person has to enter stands in its answer."""
    ids = ", ".join(match.entry.vendor_id for match, _ in left)
    found = list({one.field: one for _, some in left for one in some if one is not _UNKNOWN}.values())
    text = f"{vendor}'s API cannot change what stands: change {ids} there by hand, then discard this"
    if found:
        text += ". " + "; ".join(one.masked for one in found)
    if any(_UNKNOWN in some for _, some in left):
        text += ". What it was booked for is not known here any more: compare all of the event with it"
    by_hand = [{"field": one.field, "before": one.before, "after": one.after} for one in found]
    noted = {m.entry.key: replace(m.entry, left=m.asked, left_by=event.id) for m, _ in left}
    entries = tuple(noted.get(entry.key, entry) for entry in booking.entries)
    return Dead(
        Reason.UNSUPPORTED,
        text,
        {"vendor_ids": [match.entry.vendor_id for match, _ in left], "by_hand": by_hand},
        booking=replace(booking, entries=entries),
        applies=True,
    )
