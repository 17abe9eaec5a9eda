"""The route `bookings.simplybook`: the slots a booking wants, compared with those it has.

What is wanted and missing is booked first and confirmed; what stands and is no longer wanted is cancelled after.
So a change never ends with neither slot, and finishes from wherever it was killed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from bellhop.ledger.records import Booking, Entry, EntryState, VendorCall
from bellhop.schemas.asked import asked_of
from bellhop.schemas.clock import utc_now
from bellhop.schemas.envelope import Envelope
from bellhop.schemas.events import VenueFacts
from bellhop.schemas.reasons import Reason
from bellhop.schemas.statuses import Meaning
from bellhop.vendors.failure import Kind, VendorFailure
from bellhop.vendors.held import CallHeld
from bellhop.vendors.kept_answers import Share, ask_alone, side_by_side
from bellhop.vendors.outcome import Dead, Done, InDoubt, Outcome, Recorded, Refusal, Shown, Wait
from bellhop.vendors.simplybook import batches, freeing, giving_way
from bellhop.vendors.simplybook.booked import entries_of
from bellhop.vendors.simplybook.client import SimplybookClient
from bellhop.vendors.simplybook.codes import is_slot_taken
from bellhop.vendors.simplybook.company_rules import CompanyRules
from bellhop.vendors.simplybook.found import is_free
from bellhop.vendors.simplybook.marks import mark_client, mark_of
from bellhop.vendors.simplybook.moving import MOVE, move, moving_call
from bellhop.vendors.simplybook.payment import NOT_FOUND, ask_for_payment, payment_deadline
from bellhop.vendors.simplybook.preparation import prepare_book
from bellhop.vendors.simplybook.settings import ACCOUNT, SimplybookAccount
from bellhop.vendors.simplybook.slots import Wanted, entries_to_cancel, wanted_slots
from bellhop.vendors.standing import (
    Match,
    cancel_elsewhere,
    entries_of_guest,
    meaning_here,
    settle_rest,
    what_is_lacking,
    with_entries,
)

BOOK: Final = "book"
CONFIRM: Final = "confirmBooking"
CONFIRM_BATCH: Final = "confirmBookingBatch"
CANCEL: Final = "cancelBooking"
DETAILS: Final = "getBookingDetails"

BookingsOfGuest = Callable[[Envelope], Sequence[Booking]]
Show = Callable[[VendorCall, Envelope], Sequence[Entry]]


class SimplybookBookings:
    """`clients` and `accounts` by account, `venues` by name. share: see `KeptAnswers`."""

    shares_threads = True

    def __init__(
        self,
        clients: Mapping[str, SimplybookClient],
        accounts: Mapping[str, SimplybookAccount],
        venues: Mapping[str, VenueFacts],
        now: Callable[[], datetime] = utc_now,
        of_guest: BookingsOfGuest = lambda _event: (),
        share: Callable[[SimplybookAccount], Share] = lambda _account: ask_alone,
        show: Show = lambda _call, _event: (),
    ) -> None:
        """show: what of a call in doubt the vendor's list shows. Raises LedgerUnavailable.

        of_guest: what the ledger holds of an event's guest under other references. Raises LedgerUnavailable."""
        self._clients = clients
        self._accounts = accounts
        self._venues = venues
        self._now = now
        self._of_guest = of_guest
        self._show = show
        self._rules = {
            name: CompanyRules(clients[name], one.connect_seconds + one.read_seconds, share=share(one))
            for name, one in accounts.items()
        }

    def translate(self, event: Envelope, booking: Booking) -> VendorCall | Outcome:
        meant, words = meaning_here(event, booking)
        if lack := what_is_lacking(event, meant, self._clients, self._venues):
            return lack
        if meant is Meaning.RECORD:
            return Recorded(words)
        own = entries_of_guest(event, asked_of(event.type, event.data, ()), booking)
        if isinstance(own, Dead):
            return own
        wanted = {} if meant is Meaning.CANCEL else self._wanted_slots(event, booking, own)
        if meant is Meaning.BOOK and len(wanted) < len(event.data["services"]):
            return Dead(
                Reason.REJECTED, "two of its services are the same slot: say so with `count`, and send it again"
            )
        if (step := giving_way.next_restoring(event, booking)) is not None:
            return step
        return self._next_call(event, booking, own, wanted) or _end(event, booking, own, wanted, words)

    def _next_call(
        self, event: Envelope, booking: Booking, own: Sequence[Entry], wanted: Mapping[str, Wanted]
    ) -> VendorCall | None:
        """None where nothing is left to call."""
        if any(one.missing for one in wanted.values()):
            for entry in own:
                if entry.gave_way == event.id:
                    return VendorCall(entry.account, CANCEL, {"id": entry.vendor_id}, repeatable=True, line=entry.line)
        for one in wanted.values():
            if one.missing:
                arguments = {**one.arguments, "count": one.missing}
                return VendorCall(event.account, BOOK, arguments, repeatable=False, line=one.line)
        for entry in (entry for one in wanted.values() for entry in one.have):
            if entry.state is EntryState.BOOKED:
                if entry.batch_hash:
                    arguments = {"batch": entry.batch}
                    return VendorCall(event.account, CONFIRM_BATCH, arguments, repeatable=True, line=entry.line)
                arguments = {"id": entry.vendor_id}
                return VendorCall(event.account, CONFIRM, arguments, repeatable=True, line=entry.line)
        for entry in (entry for one in wanted.values() for entry in one.have):
            if entry.state is EntryState.UNPAID:  # before what it replaces is cancelled
                return VendorCall(event.account, DETAILS, {"id": entry.vendor_id}, repeatable=True, line=entry.line)
        for entry in entries_to_cancel(own, wanted):
            account = entry.account or booking.account
            if account in self._clients:
                return VendorCall(account, CANCEL, {"id": entry.vendor_id}, repeatable=True, line=entry.line)
        return None

    def prepare(self, call: VendorCall, event: Envelope, booking: Booking) -> VendorCall | Outcome:
        """Of a `book`: holds it against the company's rules, and makes or finds the batch it belongs to."""
        if call.method != BOOK:
            return call
        if giving_way.RESTORES in call.arguments:
            event = giving_way.restored_event(event, booking, call.arguments[giving_way.RESTORES])
            return self._prepare_book(call, event)
        ready = self._prepare_book(call, event)
        if isinstance(ready, Dead):
            if not giving_way.given_way(booking, event):
                return (self._wait_for_slot(call, event) if "free" in (ready.answer or {}) else None) or ready
            return VendorCall(call.account, giving_way.NOTE, {giving_way.REFUSED: ready.error}, repeatable=True)
        if (before := self._make_room(ready, event, booking)) is not None:
            return before
        if not self._in_batch(call, event):
            return ready
        batch = batches.open_batch(event, booking) or self._clients[call.account].create_batch()
        return replace(ready, arguments={**ready.arguments, "batch_id": batch})

    def _wait_for_slot(self, call: VendorCall, event: Envelope) -> Wait | None:
        """For a `book` that was refused as its slot is not free: that stays so whatever else cannot be asked."""
        try:
            minutes = self._rules[call.account].minutes(int(call.arguments["event_id"]))
        except (VendorFailure, CallHeld):
            return None
        return freeing.wait_for_slot(call, event, self._of_guest(event), minutes, self._now())

    def _prepare_book(self, call: VendorCall, event: Envelope) -> VendorCall | Dead:
        rules, account = self._rules[call.account], self._accounts[call.account]
        ready = prepare_book(call, event, rules, account)
        if isinstance(ready, Dead) or ready.warnings != call.warnings:
            # What the company said hours ago may let a booking pass, which it then refuses itself; not refuse one.
            return prepare_book(call, event, rules.fresh(), account)
        return ready

    def ask_ahead(self) -> None:
        """See `vendors.handler.AsksAhead`."""
        side_by_side([rules.ask_ahead for rules in self._rules.values()])

    def perform(self, call: VendorCall, event: Envelope, booking: Booking) -> Booking | Dead | Refusal | Wait:
        client = self._clients[call.account]
        if call.method == giving_way.NOTE:
            return giving_way.note(booking, event, call.arguments)
        if call.method == BOOK:
            return self._book_or_restore(client, call, event, booking)
        if call.method == CONFIRM_BATCH:
            return batches.confirm_batch(client, event, booking, call.arguments["batch"])
        key = (call.account, call.arguments["id"])
        entry = next(e for e in booking.entries if (e.account or booking.account, e.vendor_id) == key)
        if call.method == MOVE:
            return move(client, call, event, booking, entry)
        if call.method == DETAILS:
            return ask_for_payment(client, event, booking, entry)
        if call.method == CONFIRM:
            client.confirm_booking(entry.vendor_id, entry.secret_hash)
            return with_entries(booking, event, replace(entry, state=EntryState.CONFIRMED))
        try:
            client.cancel_booking(entry.vendor_id, entry.secret_hash)
        except VendorFailure as failure:
            # "Appointment couldn't be found": it is gone already, which is what was wanted.
            if failure.code != NOT_FOUND:
                raise
        return with_entries(booking, event, replace(entry, state=EntryState.CANCELLED))

    def resolve(self, call: VendorCall, event: Envelope) -> Dead | InDoubt | Shown | None:
        if shown := self._show(call, event):
            return Shown(tuple(shown))
        free = None if event.data.get("recurring") else is_free(self._clients[call.account], call)
        if free:
            return None
        why = "may hold several bookings" if free is None else "is taken, perhaps by this very booking"
        return _in_doubt(f"the slot {why}", call.arguments)

    def _make_room(self, call: VendorCall, event: Envelope, booking: Booking) -> VendorCall | None:
        """What is done instead where the booking itself is in the call's way, as far as the vendor would refuse it."""
        own = entries_of_guest(event, asked_of(event.type, event.data, ()), booking)
        if isinstance(own, Dead) or not own:
            return None
        old = giving_way.candidates(own, self._wanted_slots(event, booking, own), event)
        client, rules = self._clients[call.account], self._rules[call.account]
        ids = giving_way.ids_in_the_way(call, old, rules, client)
        return (moving_call(call, event, booking, ids, client) or giving_way.note_call(call, ids)) if ids else None

    def _wanted_slots(self, event: Envelope, booking: Booking, own: Sequence[Entry]) -> dict[str, Wanted]:
        return wanted_slots(event, booking, own, self._venues[event.data["venue"]].zone)

    def _book_or_restore(
        self, client: SimplybookClient, call: VendorCall, event: Envelope, booking: Booking
    ) -> Booking | Refusal | Wait:
        """Raises VendorFailure; a refusal for whose sake an old slot gave way is not the end."""
        restores = call.arguments.get(giving_way.RESTORES)
        try:
            if restores is None:
                return self._book(client, call, event, booking)
            restored = giving_way.restored_event(event, booking, restores)
            made = self._book(client, call, restored, booking)
        except VendorFailure as failure:
            if failure.kind is not Kind.REJECTED:
                raise
            if not giving_way.given_way(booking, event):
                if is_slot_taken(failure) and (wait := self._wait_for_slot(call, event)) is not None:
                    return wait
                raise
            if restores is not None:
                return Refusal(failure, giving_way.lose(booking, event, str(failure)))
            return Refusal(failure, giving_way.note(booking, event, {giving_way.REFUSED: str(failure)}))
        return made

    def _in_batch(self, call: VendorCall, event: Envelope) -> bool:
        """Whether a slot joins its booking's batch. "count more then 1 or valid batchId (only one parameter can be
        specified)"; a recurring booking is a batch of its own."""
        several = len(event.data["services"]) > 1
        alone = call.arguments["count"] > 1 or event.data.get("recurring")
        return several and not alone and self._accounts[call.account].batch

    def _book(self, client: SimplybookClient, call: VendorCall, event: Envelope, booking: Booking) -> Booking:
        arguments = call.arguments
        person = {key: value for key, value in event.data["client"].items() if key != "timezone"}
        person = mark_client(self._accounts[call.account].mark, person, mark_of(event.source, event.id, call.line))
        if "client_time_offset" in arguments:
            person["client_time_offset"] = arguments["client_time_offset"]
        answer = client.book(
            int(arguments["event_id"]),
            int(arguments["unit_id"]),
            arguments["date"],
            arguments["time"],
            person,
            arguments.get("additional", {}),
            arguments["count"] if arguments["count"] > 1 else None,
            int(arguments["batch_id"]) if arguments.get("batch_id") else None,
            event.data.get("recurring"),
        )
        until = payment_deadline(answer, call, self._rules[call.account], self._now())
        made = entries_of(answer, call, event, self._accounts[call.account], until)
        return replace(booking, entries=(*booking.entries, *made), cancelled=False)


def _end(event: Envelope, booking: Booking, own: Sequence[Entry], wanted: Mapping[str, Wanted], words: str) -> Outcome:
    """Of an event for which nothing is left to call."""
    if elsewhere := list(entries_to_cancel(own, wanted)):
        return cancel_elsewhere(event, booking, elsewhere, words)
    if not wanted:
        if booking.replaced_by and event.type != "booking.cancelled":
            return Recorded(words)  # not told: it was neither booked nor cancelled by its source
        if not booking.entries and not booking.replaced_by:
            words = "cancelled before it was booked: nothing to call"
        others = [entry.vendor_id for entry in booking.entries if entry.stands]
        if others:
            words = f"{words}; {', '.join(others)} of other guests under its reference {_stand(others)}"
        return Done(words, tombstone=not others)
    if wrong := [entry for one in wanted.values() for entry in one.have if entry.differs]:
        told = "; ".join(f"booking {entry.vendor_id} has {entry.differs}" for entry in wrong)
        text = f"SimplyBook.me booked otherwise than asked: {told}. Put it right there by hand, then discard this"
        return Dead(Reason.UNSUPPORTED, text, {"differs": told}, applies=True)
    matches = [Match(entry, one.comparable, [one.line]) for one in wanted.values() for entry in one.have]
    return settle_rest(event, booking, matches, words, ACCOUNT.title)


def _stand(ids: Sequence[str]) -> str:
    return "stands" if len(ids) == 1 else "stand"


def _in_doubt(why: str, evidence: Mapping[str, Any]) -> Dead:
    text = f"nobody knows whether book made a booking, and {why}: look in SimplyBook.me and say whether it is there"
    return Dead(Reason.IN_DOUBT, text, evidence)
