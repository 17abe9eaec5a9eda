"""The route `bookings.simplybook`: the slots a booking wants, compared with those it has.

What is wanted and missing is booked first and confirmed; what stands and is no longer wanted is cancelled after.
So a change never ends with neither slot, and finishes from wherever it was killed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from ledger.records import Booking, Call, Entry, EntryState
from schemas.envelope import Envelope
from schemas.events import VenueFacts
from schemas.reasons import Reason
from schemas.settings import SimplybookAccount
from workers.handlers.statuses import Meaning, meaning
from workers.outcome import Dead, Done, InDoubt, Outcome, Recorded
from workers.vendors.failure import VendorFailure
from workers.vendors.simplybook import BookAnswer, SimplybookClient

BOOK: Final = "book"
CONFIRM: Final = "confirmBooking"
CANCEL: Final = "cancelBooking"
_NOT_FOUND: Final = "-32080"


class SimplybookBookings:
    """`clients` and `accounts` by account, `venues` by name."""

    def __init__(
        self,
        clients: Mapping[str, SimplybookClient],
        accounts: Mapping[str, SimplybookAccount],
        venues: Mapping[str, VenueFacts],
    ) -> None:
        self._clients = clients
        self._accounts = accounts
        self._venues = venues

    def translate(self, event: Envelope, booking: Booking | None) -> Call | Outcome:
        if event.account not in self._clients or event.data["venue"] not in self._venues:
            return Dead(Reason.MISCONFIGURED, f"the settings lack account {event.account} or the booking's venue")
        meant, words = meaning(event.type, event.data.get("status"), event.data["services"])
        if meant is Meaning.RECORD:
            return Recorded(words)
        standing = [e for e in booking.entries if e.state is not EntryState.CANCELLED] if booking else []
        wanted = {} if meant is Meaning.CANCEL else self._wanted(event)
        have = {entry.slot for entry in standing}
        for slot, (line, arguments) in wanted.items():
            if slot not in have:
                return Call(event.account, BOOK, arguments, repeatable=False, line=line)
        for entry in standing:
            if entry.slot in wanted and entry.state is EntryState.BOOKED:
                return Call(event.account, CONFIRM, {"id": entry.vendor_id}, repeatable=True, line=entry.line)
        for entry in standing:
            if entry.slot not in wanted:
                return Call(event.account, CANCEL, {"id": entry.vendor_id}, repeatable=True, line=entry.line)
        if meant is Meaning.CANCEL and not (booking and booking.entries):
            words = "cancelled before it was booked: nothing to call"
        return Done(words, tombstone=meant is Meaning.CANCEL)

    def perform(self, call: Call, event: Envelope, booking: Booking | None) -> Booking | Done:
        assert booking is not None  # noqa: S101  # the ledger gives every booking event its booking
        client = self._clients[call.account]
        if call.method == BOOK:
            answer = client.book(
                int(call.arguments["event_id"]),
                int(call.arguments["unit_id"]),
                call.arguments["date"],
                call.arguments["time"],
                event.data["client"],
                _additional(event.data),
                call.arguments["count"] if call.arguments["count"] > 1 else None,
                None,
                event.data.get("recurring"),
            )
            return self._booked(booking, answer, call, event)
        entry = next(e for e in booking.entries if e.vendor_id == call.arguments["id"])
        if call.method == CONFIRM:
            client.confirm_booking(entry.vendor_id, entry.secret_hash)
            return _with(booking, replace(entry, state=EntryState.CONFIRMED))
        try:
            client.cancel_booking(entry.vendor_id, entry.secret_hash)
        except VendorFailure as failure:
            # "Appointment couldn't be found": it is gone already, which is what was wanted.
            if failure.code != _NOT_FOUND:
                raise
        return _with(booking, replace(entry, state=EntryState.CANCELLED))

    def resolve(self, call: Call, event: Envelope) -> Dead | InDoubt | None:
        client = self._clients[call.account]
        wanted = call.arguments
        day, time = wanted["date"], wanted["time"]
        unit = next((u for u in client.get_unit_list() if u.id == wanted["unit_id"]), None)
        if wanted["count"] > 1 or unit is None or unit.qty != 1:
            return _in_doubt("the slot may hold several bookings", wanted)
        starts = client.get_start_time_matrix(day, day, int(wanted["event_id"]), int(wanted["unit_id"]), 1)
        if time in starts.get(day, ()):
            return None
        return _in_doubt("the slot is taken, perhaps by this very booking", wanted)

    def _wanted(self, event: Envelope) -> dict[str, tuple[int, dict[str, Any]]]:
        """The slots the event wants: line and arguments by slot. Times are the company's own, without a zone."""
        zone = self._venues[event.data["venue"]].zone
        wanted: dict[str, tuple[int, dict[str, Any]]] = {}
        for line, service in enumerate(event.data["services"]):
            start = datetime.fromisoformat(service["start"]).astimezone(zone)
            arguments = {
                "event_id": service["service_id"],
                "unit_id": service["provider_id"],
                "date": f"{start:%Y-%m-%d}",
                "time": f"{start:%H:%M:%S}",
                "count": service["count"],
            }
            wanted[_slot(arguments)] = (line, arguments)
        return wanted

    def _booked(self, booking: Booking, answer: BookAnswer, call: Call, event: Envelope) -> Booking:
        """The booking with what `book` made. Where the account leaves confirming to the venue, no more is called."""
        to_confirm = answer.require_confirm and self._accounts[call.account].confirm
        batch = f"{answer.batch_type}:{answer.batch_id}" if answer.batch_id else ""
        made = [
            Entry(
                vendor_id=row.id,
                line=call.line,
                made_by=event.id,
                state=EntryState.BOOKED if to_confirm and not row.confirmed else EntryState.CONFIRMED,
                secret_hash=row.hash,
                slot=_slot(call.arguments),
                code=row.code,
                batch=batch,
            )
            for row in answer.bookings
        ]
        return replace(booking, entries=(*booking.entries, *made), cancelled=False)


def _slot(arguments: Mapping[str, Any]) -> str:
    """What is booked, for comparing."""
    return "/".join(str(arguments[key]) for key in ("event_id", "unit_id", "date", "time", "count"))


def _with(booking: Booking, entry: Entry) -> Booking:
    entries: Sequence[Entry] = tuple(entry if e.vendor_id == entry.vendor_id else e for e in booking.entries)
    return replace(booking, entries=entries)


def _additional(data: Mapping[str, Any]) -> dict[str, Any]:
    """The intake fields by name; a promo code travels as one of them, in the document's form."""
    additional = dict(data.get("additional", {}))
    if code := data.get("promo_code"):
        additional["promocode"] = {"name": "promocode", "value": code, "type": "text"}
    return additional


def _in_doubt(why: str, evidence: Mapping[str, Any]) -> Dead:
    text = f"nobody knows whether book made a booking, and {why}: look in SimplyBook.me; replay only if none is there"
    return Dead(Reason.IN_DOUBT, text, evidence)
