"""The route `callbacks.simplybook`: what SimplyBook.me tells of its bookings, wherever they were made.

The callback's body is thin: the details are fetched with a signed call. Then the Peoplevine account is pulled, or
another venue is fed, or both, as the source says. What tells only what the ledger knows already is an echo of our own
calls, and goes no further: else two systems that feed each other would never come to rest.

What tells of a booking that a call of ours in doubt made is the proof of it: the booking then stands in the ledger, and
its event goes on. Where another was made in its place by then, it is one too many, and is cancelled.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

from bellhop.ledger.proofs import SURPLUS
from bellhop.ledger.records import Booking, Doubt, Entry, EntryState, ProofResult, Proven, VendorCall
from bellhop.schemas.envelope import Envelope, content_hash
from bellhop.schemas.errors import EventInvalid
from bellhop.schemas.events import VenueFacts, parse
from bellhop.schemas.reasons import Reason
from bellhop.schemas.routes import bookings_route
from bellhop.vendors.failure import Kind, VendorFailure
from bellhop.vendors.outcome import Dead, Done, InDoubt, Outcome, Recorded, Wait
from bellhop.vendors.scheduler import pull_event
from bellhop.vendors.simplybook.client import SimplybookClient
from bellhop.vendors.simplybook.found import found_entry, is_cancelled
from bellhop.vendors.simplybook.proof import ProofMatch, match
from bellhop.vendors.simplybook.settings import SimplybookAccount
from bellhop.vendors.vendor import Said

DETAILS: Final = "getBookingDetails"
TYPES: Final[Mapping[str, str]] = {
    "create": "booking.requested",
    "change": "booking.changed",
    "cancel": "booking.cancelled",
}
"""Our word for each `notification_type` that tells of a change; `notify` only reminds."""

_NOT_FOUND: Final = "-32080"
_UNKNOWN_ID_WAIT: Final = timedelta(minutes=10)
"""How long a callback about an unknown booking waits while a call of ours that books has not come back: its id may
be this one."""
_SOON_SECONDS: Final = 30.0
_LATEST: Final = timedelta(hours=1)
"""How long after its call a booking without our mark is taken for that call's, where it is one too many: after that a
guest may have made it, and a person decides."""
ITSELF: Final = "bellhop"


@dataclass(frozen=True, slots=True)
class Feed:
    """What a source's callbacks are for. pull_account: "" for none. venue: None where no venue is fed; else `fill`
    makes an event's fields of the booking's details, with `notification_type` beside them; it may raise EventInvalid.
    """

    pull_account: str = ""
    venue: VenueFacts | None = None
    fill: Callable[[Mapping[str, Any]], dict[str, Any]] = field(default=lambda _details: {})


class CallbackLedger(Protocol):
    """What is needed of the ledger. Every method may raise LedgerUnavailable."""

    def booking_of(self, account: str, vendor_id: str) -> Booking | None: ...

    def is_booking(self, account: str) -> bool: ...

    def is_at_work(self, source: str, reference: str) -> bool: ...


class ProofLedger(Protocol):
    """What is needed of `ledger.proofs`. Every method may raise LedgerUnavailable."""

    def candidates(self, account: str) -> Sequence[Doubt]: ...

    def prove(self, doubt: Doubt, entries: Sequence[Entry], who: str, why: str, wanted: int = 1) -> Proven: ...

    def note_cancelled(self, booking: Booking, vendor_id: str, by: str = "") -> None: ...


class NoProofs:
    """Of a ledger that knows no call in doubt."""

    def candidates(self, account: str) -> Sequence[Doubt]:
        return ()

    def prove(self, doubt: Doubt, entries: Sequence[Entry], who: str, why: str, wanted: int = 1) -> Proven:
        return Proven(ProofResult.KNOWN)

    def note_cancelled(self, booking: Booking, vendor_id: str, by: str = "") -> None: ...


class SimplybookCallbacks:
    """`clients` and `accounts` by account, `feeds` by source. proofs: where the calls in doubt are."""

    def __init__(
        self,
        clients: Mapping[str, SimplybookClient],
        feeds: Mapping[str, Feed],
        ledger: CallbackLedger,
        now: Callable[[], datetime],
        proofs: Callable[[], ProofLedger] = NoProofs,
        accounts: Mapping[str, SimplybookAccount] = {},  # never changed
    ) -> None:
        self._proofs = proofs
        self._accounts = accounts
        self._clients = clients
        self._feeds = feeds
        self._ledger = ledger
        self._now = now

    def translate(self, event: Envelope, booking: Booking) -> VendorCall | Outcome:
        if event.account not in self._clients or event.source not in self._feeds:
            return Dead(Reason.MISCONFIGURED, f"the settings lack source {event.source} or account {event.account}")
        return VendorCall(event.account, DETAILS, {"id": event.data["booking_id"]}, repeatable=True)

    def prepare(self, call: VendorCall, event: Envelope, booking: Booking) -> VendorCall | Outcome:
        return call

    def perform(self, call: VendorCall, event: Envelope, booking: Booking) -> Booking | Outcome:
        id_, kind = event.data["booking_id"], event.data["notification_type"]
        is_young = self._now() - event.received < _UNKNOWN_ID_WAIT
        # In this order: a call that comes back in between is then seen as one, or as its booking.
        is_booking = is_young and kind == "create" and self._ledger.is_booking(event.account)
        doubts = self._proofs().candidates(event.account)
        ours = self._ledger.booking_of(event.account, id_)
        if ours is None and doubts and kind != "cancel" and (proven := self._use_proof(call, event, doubts, is_young)):
            return proven
        if ours is None and is_booking:
            return Wait("a call that books is on its way; whether this tells of it is known when it has come back")
        if ours is not None and is_young and self._ledger.is_at_work(ours.source, ours.reference):
            return Wait("its booking is being worked; whether this tells of that is known when it has ended")
        if ours is not None and _is_surplus(ours, id_):
            return self._cancel(event, ours)
        details = self._details(call, event)
        kind = kind if details is not None else "cancel"
        if kind not in TYPES:
            return Recorded(f"booking {id_}: {kind}, nothing has changed")
        if ours is not None and is_echo(event.id, kind, id_, details, ours):
            return Recorded(f"booking {id_}: {kind} is our own, of {ours.source}'s booking {ours.reference}")
        if ours is not None and details is None and _is_told_to_stand(ours, id_):
            # Dying from here on, it comes again, and is no echo: the entry names it.
            self._proofs().note_cancelled(ours, id_, event.id)
        return self._tell(event, kind, details)

    def resolve(self, call: VendorCall, event: Envelope) -> Dead | InDoubt | None:
        return None

    def _details(self, call: VendorCall, event: Envelope) -> Mapping[str, Any] | None:
        """None where the booking is gone."""
        client = self._clients[call.account]
        try:
            details = client.get_booking_details(event.data["booking_id"], event.data["booking_hash"])
        except VendorFailure as failure:
            if failure.code == _NOT_FOUND:
                return None
            raise
        # A callback may come long after what it tells of: one of the making, say, of what is cancelled since.
        return None if is_cancelled(details) else details

    def _use_proof(self, call: VendorCall, event: Envelope, doubts: Sequence[Doubt], is_young: bool) -> Outcome | None:
        """What comes of a callback about a booking that is not known here; None where it is a stranger's."""
        details = self._details(call, event)
        if details is None:
            return None
        found = match(doubts, details)
        if found.unsure is not None:
            return _unsure(event, found.unsure, is_young)
        if found.doubt is None or event.account not in self._accounts:
            return None
        return self._prove(event, found, found.doubt, details)

    def _prove(self, event: Envelope, found: ProofMatch, doubt: Doubt, details: Mapping[str, Any]) -> Outcome | None:
        id_, of = event.data["booking_id"], f"{doubt.source}'s booking {doubt.subject}"
        if not (doubt.is_open or found.marked or doubt.since is None or event.received - doubt.since < _LATEST):
            return Dead(Reason.DOUBLED, _double_words(id_, of, "it came too long after our call"))
        said = Said(id_, event.data["booking_hash"])
        entry = found_entry(self._accounts[event.account], doubt.call, doubt.event_id, said, details)
        why, wanted = f"SimplyBook.me's callback told of booking {id_}", int(doubt.call.arguments.get("count", 1))
        proven = self._proofs().prove(doubt, [entry], ITSELF, why, wanted)
        if proven.result is ProofResult.AT_WORK:
            return Wait(f"{of} is being worked; whether this tells of that is known when it has ended", _SOON_SECONDS)
        ours = self._ledger.booking_of(event.account, id_)
        if proven.result is ProofResult.SURPLUS and ours is not None:
            return self._cancel(event, ours)
        return Recorded(f"booking {id_} is our own, of {of}: it was in doubt, and stands")

    def _cancel(self, event: Envelope, ours: Booking) -> Outcome:
        """A booking that is one too many. What if the process dies here? The ledger has it as such, so the callback
        comes again and cancels it, or the next event of its booking does."""
        id_, of = event.data["booking_id"], f"{ours.source}'s booking {ours.reference}"
        try:
            self._clients[event.account].cancel_booking(id_, event.data["booking_hash"])
        except VendorFailure as failure:
            if failure.kind in (Kind.REJECTED, Kind.AUTH) and failure.code != _NOT_FOUND:
                return Dead(Reason.DOUBLED, _double_words(id_, of, str(failure)), failure.answer)
            if failure.code != _NOT_FOUND:
                raise
        self._proofs().note_cancelled(ours, id_)
        return Recorded(f"booking {id_} was one too many of {of}, made by a call that was carried out late: cancelled")

    def _tell(self, event: Envelope, kind: str, details: Mapping[str, Any] | None) -> Outcome:
        feed, following = self._feeds[event.source], []
        told = [f"booking {event.data['booking_id']}: {kind}"]
        if feed.pull_account:
            id_ = f"{event.id}/pull"
            pull = pull_event(feed.pull_account, "reservations", source=event.source, id_=id_, at=event.received)
            following.append(pull)
            told.append(f"{feed.pull_account} is to be pulled")
        if feed.venue is not None:
            try:
                fed = _feed_event(event, kind, details, feed, feed.venue)
            except EventInvalid as error:
                text = f"the map of source {event.source} makes an event that breaks its contract: {error}"
                return Dead(Reason.MISCONFIGURED, text)
            following.append(fed)
            told.append(f"venue {feed.venue.name} is told")
        if not following:
            told.append("recorded, as the source feeds nothing")
            return Recorded("; ".join(told))
        return Done("; ".join(told), forward=tuple(following))


def _is_surplus(ours: Booking, id_: str) -> bool:
    return any(
        one.vendor_id == id_ and one.slot.startswith(SURPLUS) and one.state is not EntryState.CANCELLED
        for one in ours.entries
    )


def _double_words(id_: str, of: str, why: str) -> str:
    text = f"booking {id_} stands beside what should of {of}, and was not cancelled: {why}"
    return f"{text}; look at both in SimplyBook.me, cancel the one that is too many, then discard this"


def _unsure(event: Envelope, doubt: Doubt, is_young: bool) -> Outcome:
    of = f"{doubt.source}'s event {doubt.event_id}, which is in doubt"
    if is_young:
        return Wait(f"it may tell of {of}", _SOON_SECONDS)
    text = f"booking {event.data['booking_id']} may be of {of}: say of its dead letter whether it is there, then replay"
    return Dead(Reason.IN_DOUBT, f"{text} this one; a stranger's is told on then")


def _is_told_to_stand(ours: Booking, id_: str) -> bool:
    """Whether the ledger has it as standing. What is not paid is asked about by its own event."""
    standing = (EntryState.BOOKED, EntryState.CONFIRMED)
    return any(one.vendor_id == id_ and one.state in standing for one in ours.entries)


def is_echo(event_id: str, kind: str, id_: str, details: Mapping[str, Any] | None, ours: Booking) -> bool:
    """Whether a callback about a booking of ours tells only what the ledger holds, and not from it alone."""
    entry = next((one for one in ours.entries if one.vendor_id == id_), None)
    if entry is None:
        return False
    if kind == "cancel":
        return entry.state is EntryState.CANCELLED and entry.cancelled_by != event_id
    return kind == "create" or _stands_as_booked(entry, details)


def _stands_as_booked(entry: Entry, details: Mapping[str, Any] | None) -> bool:
    """Whether it has the service, provider and start we booked. Details that do not tell one of them do not tell that
    it changed."""
    event_id, unit_id, date, time, *_ = (*entry.slot.split("/"), "", "", "", "")
    booked = {"event_id": event_id, "unit_id": unit_id, "start_date_time": f"{date} {time}"}
    told = {key: str((details or {}).get(key) or "") for key in booked}
    return all(not told[key] or told[key] == booked[key] for key in booked)


def _feed_event(
    event: Envelope, kind: str, details: Mapping[str, Any] | None, feed: Feed, venue: VenueFacts
) -> Envelope:
    """The event for the venue that is fed. Raises EventInvalid."""
    made = feed.fill({**(details or {}), "notification_type": kind})
    data = made.get("data")
    own = {"booking_id": f"{event.account}-{event.data['booking_id']}", "venue": venue.name}
    body = {
        **made,
        # Not the callback's own time, which not every one has: these must stand in the order they came.
        "timestamp": event.received.isoformat(),
        "type": TYPES[kind],
        "data": {**(data if isinstance(data, Mapping) and kind != "cancel" else {}), **own},
    }
    parsed = parse(body, {venue.name: venue}.get)
    return Envelope(
        id=f"{event.id}/feed",
        source=event.source,
        type=parsed.type,
        subject=parsed.subject,
        route=bookings_route(parsed.kind),
        account=parsed.account,
        time=parsed.time,
        received=event.received,
        data=parsed.data,
        content_hash=content_hash(parsed.type, parsed.time, parsed.data),
        not_after=parsed.not_after,
    )
