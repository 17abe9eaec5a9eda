"""The route `callbacks.simplybook`: what SimplyBook.me tells of its bookings, wherever they were made.

The callback's body is thin: the details are fetched with a signed call. Then the Peoplevine account is pulled, or
another venue is fed, or both, as the source says. What tells only what the ledger knows already is an echo of our own
calls, and goes no further: else two systems that feed each other would never come to rest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

from bellhop.ledger.records import Booking, Entry, EntryState, VendorCall
from bellhop.schemas.envelope import Envelope, content_hash
from bellhop.schemas.errors import EventInvalid
from bellhop.schemas.events import VenueFacts, parse
from bellhop.schemas.reasons import Reason
from bellhop.schemas.routes import bookings_route
from bellhop.vendors.failure import VendorFailure
from bellhop.vendors.outcome import Dead, Done, InDoubt, Outcome, Recorded, Wait
from bellhop.vendors.scheduler import pull_event
from bellhop.vendors.simplybook.client import SimplybookClient

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


class SimplybookCallbacks:
    """`clients` by account, `feeds` by source."""

    def __init__(
        self,
        clients: Mapping[str, SimplybookClient],
        feeds: Mapping[str, Feed],
        ledger: CallbackLedger,
        now: Callable[[], datetime],
    ) -> None:
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
        ours = self._ledger.booking_of(event.account, id_)
        if ours is None and is_booking:
            return Wait("a call that books is on its way; whether this tells of it is known when it has come back")
        if ours is not None and is_young and self._ledger.is_at_work(ours.source, ours.reference):
            return Wait("its booking is being worked; whether this tells of that is known when it has ended")
        details = self._details(call, event)
        kind = kind if details is not None else "cancel"
        if kind not in TYPES:
            return Recorded(f"booking {id_}: {kind}, nothing has changed")
        if ours is not None and is_echo(kind, id_, details, ours):
            return Recorded(f"booking {id_}: {kind} is our own, of {ours.source}'s booking {ours.reference}")
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
        return None if str(details.get("is_cancelled") or "0").lower() in ("1", "true") else details

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


def is_echo(kind: str, id_: str, details: Mapping[str, Any] | None, ours: Booking) -> bool:
    """Whether a callback about a booking of ours tells only what the ledger holds."""
    entry = next((one for one in ours.entries if one.vendor_id == id_), None)
    if entry is None:
        return False
    if kind == "cancel":
        return entry.state is EntryState.CANCELLED
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
