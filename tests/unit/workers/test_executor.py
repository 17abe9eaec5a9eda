"""The steps of one delivery, with a scripted vendor and a ledger that only records what it is told."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from bellhop.broker import headers, topology
from bellhop.broker.messages import work_message
from bellhop.broker.port import Delivery, Message
from bellhop.ledger.records import (
    Booking,
    Claim,
    ClaimBusy,
    Claimed,
    Entry,
    EntryState,
    Refused,
    Settled,
    Settlement,
    State,
    VendorCall,
)
from bellhop.ledger.records.accounts import LeaveAsked, Permit
from bellhop.schemas.clock import Clock
from bellhop.schemas.envelope import Envelope, content_hash, encode
from bellhop.schemas.errors import ClaimLost, LeaveLater, LedgerUnavailable
from bellhop.schemas.events import UNKNOWN_TYPE
from bellhop.schemas.reasons import Reason
from bellhop.schemas.settings import Limits
from bellhop.vendors.failure import Kind, VendorFailure
from bellhop.vendors.held import CallHeld
from bellhop.vendors.outcome import Dead, Done, InDoubt, Outcome, Recorded, Retry, Shown, Wait
from bellhop.workers.delivery import ClaimedDelivery, EndedDelivery, ReceivedDelivery
from bellhop.workers.executor import Executor
from bellhop.workers.failures import AUTH_TRIES
from bellhop.workers.messages import follow_up_messages, onward_message
from bellhop.workers.ports import FREE, AccountLeave

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
CLOCK = Clock(now=lambda: NOW, monotonic=lambda: 0.0, chance=lambda: 1.0)
BOOK = VendorCall("sb", "book", {"slot": "a"}, repeatable=False)
CONFIRM = VendorCall("sb", "confirmBooking", {"id": "1"}, repeatable=True)
ENTRY = Entry("1", 0, "e-1", EntryState.CONFIRMED, secret_hash="h", slot="a")


def envelope(not_after: datetime | None = None) -> Envelope:
    return Envelope(
        id="e-1",
        source="crm",
        type="booking.requested",
        subject="R-1",
        route="bookings.simplybook",
        account="sb",
        time=NOW,
        received=NOW,
        data={},
        content_hash=content_hash("booking.requested", NOW, {}),
        not_after=not_after,
    )


def claimed(**changes: object) -> Claimed:
    booking = Booking("crm", "R-1", "sb")
    return replace(Claimed(7, 1, NOW + timedelta(minutes=2), booking, None, 0), **changes)  # type: ignore[arg-type]


@dataclass
class Ledger:
    """Records each act, in order, in `acts`."""

    answer: Claim = field(default_factory=claimed)
    acts: list[str] = field(default_factory=list)
    on_calling: Callable[[], None] = lambda: None
    is_crowded: bool = False

    def claim(self, envelopes: Sequence[Envelope], worker: str, lease_seconds: float) -> list[Claim]:
        return [self.answer for _ in envelopes]

    def calling(
        self,
        held: Claimed,
        call: VendorCall,
        booking: Booking | None,
        lease_seconds: float,
        leave: LeaveAsked | None = None,
    ) -> Claimed:
        if leave is not None and self.is_crowded:
            raise LeaveLater("not now")
        also = " and leave" if leave else ""
        self.acts.append(f"marked {call.method} with {len(booking.entries) if booking else 0} entries{also}")
        self.on_calling()
        return replace(held, token=held.token)

    def settle(self, settlements: Sequence[Settlement]) -> list[int]:
        return []


class Vendor:
    """A handler that follows a script: what `translate` says in turn, and what `perform` does."""

    def __init__(
        self,
        steps: Sequence[VendorCall | Outcome],
        acts: list[str],
        failure: Exception | None = None,
        verdict: Dead | InDoubt | Shown | None = None,
    ) -> None:
        self.steps, self.acts, self.failure, self.verdict = list(steps), acts, failure, verdict

    def translate(self, event: Envelope, booking: Booking) -> VendorCall | Outcome:
        return self.steps.pop(0)

    def prepare(self, call: VendorCall, event: Envelope, booking: Booking) -> VendorCall | Outcome:
        return call

    def perform(self, call: VendorCall, event: Envelope, booking: Booking) -> Booking | Outcome:
        self.acts.append(f"called {call.method}")
        if self.failure is not None:
            raise self.failure
        return replace(booking, entries=(*booking.entries, ENTRY))

    def resolve(self, call: VendorCall, event: Envelope) -> Dead | InDoubt | Shown | None:
        self.acts.append(f"asked about {call.method}")
        if self.failure is not None:
            raise self.failure
        return self.verdict


def failed(kind: Kind, **more: object) -> VendorFailure:
    return VendorFailure(kind, vendor="simplybook", method="book", message="its words", **more)  # type: ignore[arg-type]


class Turns:
    """The gate: notes what it is asked, and holds where told to."""

    def __init__(self, acts: list[str], held: CallHeld | None = None, leave: LeaveAsked | None = None) -> None:
        self.acts, self.held, self.free = acts, held, leave

    def leave(self, account: str) -> AccountLeave:
        return FREE if self.held is None or account != self.held.account else AccountLeave(held=self.held.after)

    def ask(self, account: str) -> LeaveAsked | None:
        return self.free

    def take(self, leave: LeaveAsked, wait: float) -> None:
        self.acts.append(f"leave {leave.permit.id} taken")

    def ahead(self, account: str) -> None:
        self.acts.append(f"leave for {account}")
        if self.held is not None:
            raise self.held

    def give_back(self, account: str) -> None:
        self.acts.append(f"leave of {account} given back")


def executor(vendor: Vendor, ledger: Ledger, turns: Turns | None = None) -> Executor:
    return Executor(
        vendor,
        ledger,
        turns=turns,
        worker="w",
        claim_seconds=60,
        ladder=(5.0, 30.0),
        clock=CLOCK,
    )


def delivered(event: Envelope | None = None, body: bytes | None = None, **more: str | int | float) -> Delivery:
    event = event or envelope()
    return Delivery(Message(event.message_id, body if body is not None else encode(event), more), tag=None)


def answered(at_work: Executor, delivery: Delivery) -> ClaimedDelivery | EndedDelivery:
    received = at_work.receive(delivery)
    assert isinstance(received, ReceivedDelivery)
    (answer,) = at_work.claim([received])
    return answer


def work(at_work: Executor, delivery: Delivery) -> EndedDelivery:
    claimed = answered(at_work, delivery)
    assert isinstance(claimed, ClaimedDelivery)
    return at_work.work(claimed)


def worked(
    steps: Sequence[VendorCall | Outcome],
    *,
    failure: Exception | None = None,
    ledger: Ledger | None = None,
    event: Envelope | None = None,
    verdict: Dead | InDoubt | None = None,
) -> tuple[EndedDelivery, Ledger]:
    ledger = ledger or Ledger()
    at_work = executor(Vendor(steps, ledger.acts, failure, verdict), ledger)
    ended = work(at_work, delivered(event))
    return ended, ledger


def test_a_call_that_must_not_happen_twice_is_committed_before_it_is_made() -> None:
    ended, ledger = worked([BOOK, Done("booked")])
    assert ledger.acts == ["marked book with 0 entries", "called book"]
    assert ended.outcome == Done("booked")


LEAVE = LeaveAsked(Permit("sb", "p-1", 0.0, False), Limits(at_once=2), False, 60.0)


def test_leave_that_is_free_is_committed_with_the_mark() -> None:
    ledger = Ledger()
    at_work = executor(Vendor([BOOK, Done("booked")], ledger.acts), ledger, Turns(ledger.acts, leave=LEAVE))
    work(at_work, delivered())
    assert ledger.acts == [
        *("marked book with 0 entries and leave", "leave p-1 taken", "called book"),
        "leave of sb given back",
    ]


def test_leave_that_must_be_waited_for_is_there_before_the_mark() -> None:
    """Who dies while it waits must leave nothing in doubt."""
    ledger = Ledger(is_crowded=True)
    at_work = executor(Vendor([BOOK, Done("booked")], ledger.acts), ledger, Turns(ledger.acts, leave=LEAVE))
    work(at_work, delivered())
    assert ledger.acts == ["leave for sb", "marked book with 0 entries", "called book", "leave of sb given back"]


def test_an_event_of_a_type_that_nobody_knows_is_recorded_and_asked_of_no_handler() -> None:
    ended, ledger = worked([], event=replace(envelope(), type=UNKNOWN_TYPE))
    assert isinstance(ended.outcome, Recorded)
    assert ledger.acts == []


def test_what_a_call_booked_is_committed_before_the_next_call() -> None:
    _, ledger = worked([BOOK, CONFIRM, Done("booked")])
    assert ledger.acts == [
        "marked book with 0 entries",
        "called book",
        "marked confirmBooking with 1 entries",
        "called confirmBooking",
    ]


def test_what_a_call_cancelled_bears_the_event_that_cancelled_it_and_what_was_cancelled_before_keeps_its_own() -> None:
    stood, gone = replace(ENTRY, vendor_id="2"), replace(ENTRY, vendor_id="3", state=EntryState.CANCELLED)

    class Cancelling(Vendor):
        def perform(self, call: VendorCall, event: Envelope, booking: Booking) -> Booking:
            return replace(booking, entries=(replace(stood, state=EntryState.CANCELLED), gone, ENTRY))

    ledger = Ledger(claimed(booking=Booking("crm", "R-1", "sb", (stood, gone))))
    ended = work(executor(Cancelling([CONFIRM, Done("cancelled")], ledger.acts), ledger), delivered())
    assert ended.booking is not None
    assert {one.vendor_id: one.cancelled_by for one in ended.booking.entries} == {"2": "e-1", "3": "", "1": ""}


@pytest.mark.parametrize(
    ("failure", "outcome"),
    [
        (failed(Kind.REJECTED), Dead),
        (failed(Kind.AUTH), Retry),
        (failed(Kind.TRANSIENT), Retry),
        (failed(Kind.THROTTLED, retry_after=17.0), Retry),
        (failed(Kind.UNKNOWN), InDoubt),
        (KeyError("a guest's name"), InDoubt),
    ],
)
def test_each_kind_of_failure_of_a_booking_has_its_outcome(failure: Exception, outcome: type) -> None:
    ended, _ = worked([BOOK], failure=failure)
    assert isinstance(ended.outcome, outcome)
    assert "a guest's name" not in str(ended.outcome)


@pytest.mark.parametrize(("attempts", "reason"), [(AUTH_TRIES - 1, None), (AUTH_TRIES, Reason.AUTH)])
def test_credentials_are_a_persons_once_they_are_refused_of_one_event_alone(
    attempts: int, reason: Reason | None
) -> None:
    ended, _ = worked([BOOK], ledger=Ledger(claimed(attempts=attempts)), failure=failed(Kind.AUTH))
    assert (ended.outcome.reason if isinstance(ended.outcome, Dead) else None) is reason


def test_refused_credentials_are_the_reason_of_what_no_retry_is_left_for() -> None:
    retried = replace(worked([BOOK], failure=failed(Kind.AUTH))[0], claim=claimed(attempts=9))
    planned = executor(Vendor([], []), Ledger()).plan(retried)
    assert isinstance(planned.outcome, Dead)
    assert planned.outcome.reason is Reason.AUTH


def test_an_unknown_end_of_a_repeatable_call_is_simply_tried_again() -> None:
    ended, _ = worked([CONFIRM], failure=failed(Kind.UNKNOWN))
    assert isinstance(ended.outcome, Retry)


def test_a_throttled_call_waits_as_long_as_the_vendor_said() -> None:
    ended, _ = worked([BOOK], failure=failed(Kind.THROTTLED, retry_after=17.0))
    assert executor(Vendor([], []), Ledger()).plan(ended).retry_seconds == 30.0


def test_a_call_in_doubt_is_asked_about_before_anything_is_called() -> None:
    ledger = Ledger(claimed(in_doubt=BOOK))
    _, ledger = worked([BOOK, Done("booked")], ledger=ledger)
    assert ledger.acts[:2] == ["asked about book", "marked book with 0 entries"]


def test_a_call_in_doubt_that_may_have_booked_goes_to_a_person_and_is_not_made_again() -> None:
    verdict = Dead(Reason.IN_DOUBT, "the slot is taken")
    ended, ledger = worked([BOOK], ledger=Ledger(claimed(in_doubt=BOOK)), verdict=verdict)
    assert ended.outcome == verdict
    assert ledger.acts == ["asked about book"]


def test_a_call_in_doubt_whose_booking_the_vendor_shows_is_over_at_once_and_not_made_again() -> None:
    ledger = Ledger(claimed(in_doubt=BOOK, called_at=NOW))
    ended, ledger = worked([Done("booked")], ledger=ledger, verdict=Shown((ENTRY,)))
    assert ledger.acts == ["asked about book"]
    assert ended.outcome == Done("booked")
    assert ended.booking is not None
    assert [one.vendor_id for one in ended.booking.entries] == [ENTRY.vendor_id]
    assert ended.claim is not None
    assert ended.claim.in_doubt is None
    assert [one.method for one in ended.attempts] == ["look"]


def test_a_vendor_that_cannot_be_asked_leaves_the_call_in_doubt() -> None:
    ended, ledger = worked([BOOK], ledger=Ledger(claimed(in_doubt=BOOK)), failure=failed(Kind.TRANSIENT))
    assert isinstance(ended.outcome, InDoubt)
    assert ended.outcome.call == BOOK
    assert "called book" not in ledger.acts


def test_a_refusal_after_doubt_is_still_in_doubt_for_the_first_call_may_hold_the_slot() -> None:
    ledger = Ledger(claimed(in_doubt=BOOK))

    class RefusedSecondTime(Vendor):
        def resolve(self, call: VendorCall, event: Envelope) -> None:
            return None

    at_work = executor(RefusedSecondTime([BOOK], ledger.acts, failed(Kind.REJECTED)), ledger)
    ended = work(at_work, delivered())
    assert isinstance(ended.outcome, Dead)
    assert ended.outcome.reason is Reason.IN_DOUBT


class RefusingVendor(Vendor):
    """Says no to each call; asked what became of it, it says in turn what `verdicts` hold."""

    verdicts: list[Dead | InDoubt | VendorFailure | None]

    def resolve(self, call: VendorCall, event: Envelope) -> Dead | InDoubt | None:
        self.acts.append(f"asked about {call.method}")
        verdict = self.verdicts.pop(0)
        if isinstance(verdict, VendorFailure):
            raise verdict
        return verdict


def refused_again(
    *verdicts: Dead | InDoubt | VendorFailure | None, kind: Kind = Kind.UNKNOWN, before: bool = True
) -> tuple[Outcome, list[str]]:
    """A booking in doubt is made again, and the vendor says no in words that nobody knows."""
    ledger = Ledger(claimed(in_doubt=replace(BOOK, heard={"said_no": True} if before else None)))
    vendor = RefusingVendor([BOOK], ledger.acts, failed(kind, said_no=kind is Kind.UNKNOWN, answer={"body": "no"}))
    vendor.verdicts = list(verdicts)
    return work(executor(vendor, ledger), delivered()).outcome, ledger.acts


def test_a_no_in_unknown_words_is_noted_with_the_call_in_doubt() -> None:
    ended, _ = worked([BOOK], failure=failed(Kind.UNKNOWN, said_no=True))
    assert isinstance(ended.outcome, InDoubt)
    assert ended.outcome.call.heard == {"said_no": True}


def test_a_no_that_comes_again_while_the_slot_is_free_is_a_refusal_with_its_words() -> None:
    outcome, acts = refused_again(None, None)
    assert isinstance(outcome, Dead)
    assert outcome.reason is Reason.REJECTED
    assert "its words" in outcome.error
    assert outcome.answer == {"body": "no"}
    assert acts == ["asked about book", "marked book with 0 entries", "called book", "asked about book"]


def test_a_no_that_comes_again_while_the_slot_is_taken_is_a_persons() -> None:
    taken = Dead(Reason.IN_DOUBT, "the slot is taken")
    assert refused_again(None, taken)[0] == taken


def test_a_no_whose_slot_cannot_be_asked_about_stays_in_doubt() -> None:
    outcome, _ = refused_again(None, failed(Kind.TRANSIENT))
    assert isinstance(outcome, InDoubt)


def test_a_no_after_a_call_that_nobody_answered_is_the_first() -> None:
    outcome, acts = refused_again(None, before=False)
    assert isinstance(outcome, InDoubt)
    assert acts.count("asked about book") == 1


def test_a_known_refusal_after_a_no_and_a_free_slot_is_a_refusal() -> None:
    outcome, _ = refused_again(None, kind=Kind.REJECTED)
    assert isinstance(outcome, Dead)
    assert outcome.reason is Reason.REJECTED


def test_a_no_to_a_call_that_may_be_repeated_is_believed_the_second_time() -> None:
    first, _ = worked([CONFIRM], failure=failed(Kind.UNKNOWN, said_no=True))
    again, _ = worked([CONFIRM], failure=failed(Kind.UNKNOWN, said_no=True), ledger=Ledger(claimed(attempts=1)))
    assert isinstance(first.outcome, Retry)
    assert isinstance(again.outcome, Dead)
    assert again.outcome.reason is Reason.REJECTED


def test_ids_in_an_answer_that_nobody_can_read_are_told_to_the_person_who_gets_it() -> None:
    ended, _ = worked([BOOK], failure=failed(Kind.UNKNOWN, answer={"look_for": ["434"]}))
    assert isinstance(ended.outcome, InDoubt)
    assert "names 434: look for that first" in ended.outcome.error
    taken = Dead(Reason.IN_DOUBT, "the slot is taken", {"slot": "a"})
    later, _ = worked([BOOK], ledger=Ledger(claimed(in_doubt=ended.outcome.call)), verdict=taken)
    assert isinstance(later.outcome, Dead)
    assert later.outcome.error == "the slot is taken; what answered names 434: look for that first"
    assert later.outcome.answer == {"slot": "a", "look_for": ["434"]}


def test_a_worker_that_lost_its_claim_does_not_call() -> None:
    def lose() -> None:
        raise ClaimLost("taken")

    ended, ledger = worked([BOOK], ledger=Ledger(on_calling=lose))
    assert isinstance(ended.outcome, Retry)
    assert "called book" not in ledger.acts


@pytest.mark.parametrize(("wall", "monotonic"), [(0.0, 61.0), (121.0, 0.0)], ids=["stopped", "put to sleep"])
def test_a_worker_that_stood_still_after_its_mark_does_not_call_any_more(wall: float, monotonic: float) -> None:
    """Stopped, its monotonic clock goes on; put to sleep with its machine, the wall clock alone."""
    passed = [0.0, 0.0]

    def stand_still() -> None:
        passed[:] = wall, monotonic

    ledger = Ledger(on_calling=stand_still)
    clock = replace(CLOCK, now=lambda: NOW + timedelta(seconds=passed[0]), monotonic=lambda: passed[1])
    at_work = Executor(Vendor([BOOK], ledger.acts), ledger, worker="w", claim_seconds=60, ladder=(5.0,), clock=clock)
    ended = work(at_work, delivered())
    assert isinstance(ended.outcome, Retry)
    assert ended.attempts == ()
    assert ledger.acts == ["marked book with 0 entries"]


def test_a_worker_that_lost_its_claim_after_booking_still_hands_the_vendors_id_to_the_ledger() -> None:
    marks: list[int] = []

    def lose_the_second_time() -> None:
        marks.append(1)
        if len(marks) == 2:
            raise ClaimLost("taken")

    ended, _ = worked([BOOK, CONFIRM], ledger=Ledger(on_calling=lose_the_second_time))
    settlement = replace(ended, retry_seconds=5.0).settlement(CLOCK)
    assert settlement is not None
    assert settlement.booking is not None
    assert settlement.booking.entries == (replace(ENTRY, changed_by="e-1"),)


def test_a_ledger_that_is_away_stops_the_call() -> None:
    def away() -> None:
        raise LedgerUnavailable("away")

    ended, ledger = worked([BOOK], ledger=Ledger(on_calling=away))
    assert isinstance(ended.outcome, Retry)
    assert "called book" not in ledger.acts


def test_a_booking_whose_start_has_passed_is_not_made() -> None:
    ended, ledger = worked([BOOK], event=envelope(not_after=NOW))
    assert isinstance(ended.outcome, Dead)
    assert ended.outcome.reason is Reason.TOO_LATE
    assert ledger.acts == []


def test_a_handler_that_never_comes_to_an_end_is_stopped() -> None:
    class Circle(Vendor):
        def translate(self, event: Envelope, booking: Booking) -> VendorCall | Outcome:
            return CONFIRM

    ledger = Ledger()
    at_work = executor(Circle([], ledger.acts), ledger)
    ended = work(at_work, delivered())
    assert isinstance(ended.outcome, Retry)
    assert ledger.acts.count("called confirmBooking") == 200


@pytest.mark.parametrize(
    ("claim", "outcome"),
    [
        (Settled(State.DONE, "booked"), Recorded),
        (ClaimBusy("another worker has it"), Wait),
        (Refused(Reason.CONFLICT, "another content"), Dead),
    ],
)
def test_what_cannot_be_claimed_is_not_worked(claim: Claim, outcome: type) -> None:
    ledger = Ledger(claim)
    at_work = executor(Vendor([], ledger.acts), ledger)
    ended = answered(at_work, delivered())
    assert isinstance(ended, EndedDelivery)
    assert isinstance(ended.outcome, outcome)
    assert ended.settlement(CLOCK) is None


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b'{"bellhopversion":99}'])
def test_what_cannot_be_read_is_dead_at_once_and_goes_on_byte_for_byte(body: bytes) -> None:
    at_work = executor(Vendor([], []), Ledger())
    ended = at_work.receive(delivered(body=body))
    assert isinstance(ended, EndedDelivery)
    assert isinstance(ended.outcome, Dead)
    assert ended.outcome.reason is Reason.POISON
    sent = onward_message(at_work.plan(ended), "members", NOW)
    assert sent is not None
    message, to = sent
    assert (message.body, to) == (body, topology.DEAD)
    assert message.headers[headers.REASON] == "poison"


# --- doubts --------------------------------------------------------------------------------------------------------


class Free(Vendor):
    """Asked about a call in doubt, its vendor says that the slot is free."""

    def prepare(self, call: VendorCall, event: Envelope, booking: Booking) -> VendorCall | Outcome:
        self.acts.append(f"prepared {call.method}")
        return replace(call, arguments={"slot": "another"})

    def resolve(self, call: VendorCall, event: Envelope) -> Dead | InDoubt | None:
        return None


def in_doubt(vendor: Vendor, ledger: Ledger) -> tuple[EndedDelivery, Executor]:
    at_work = executor(vendor, ledger)
    ended = work(at_work, delivered())
    return ended, at_work


def test_a_call_whose_end_nobody_knows_is_made_again_as_it_was_and_not_prepared_for_another_slot() -> None:
    ledger = Ledger(claimed(in_doubt=BOOK))
    calls: list[VendorCall] = []

    class Watched(Free):
        def perform(self, call: VendorCall, event: Envelope, booking: Booking) -> Booking | Outcome:
            calls.append(call)
            return super().perform(call, event, booking)

    in_doubt(Watched([BOOK, Done("booked")], ledger.acts), ledger)
    assert calls == [BOOK]
    assert "prepared book" not in ledger.acts


def test_a_slot_that_was_free_too_early_proves_nothing_however_late_that_was_answered() -> None:
    """The vendor may carry the call out while it is being asked."""
    passed = [119.0]

    class Slow(Free):
        def resolve(self, call: VendorCall, event: Envelope) -> Dead | InDoubt | None:
            passed[0] = 130.0
            return None

    ledger = Ledger(claimed(in_doubt=BOOK, called_at=NOW))
    at_work = Executor(
        Slow([], ledger.acts),
        ledger,
        worker="w",
        claim_seconds=60,
        ladder=(5.0,),
        late_after=lambda _account: 120.0,
        clock=replace(CLOCK, now=lambda: NOW + timedelta(seconds=passed[0])),
    )
    ended = work(at_work, delivered())
    assert isinstance(ended.outcome, InDoubt)
    assert ended.outcome.after == 1.0


@pytest.mark.parametrize("kind", [Kind.REJECTED, Kind.AUTH])
def test_a_vendor_that_will_never_be_able_to_say_leaves_the_doubt_to_a_person_at_once(kind: Kind) -> None:
    ledger = Ledger(claimed(in_doubt=BOOK))
    ended, _ = in_doubt(Vendor([BOOK], ledger.acts, failed(kind)), ledger)
    assert isinstance(ended.outcome, Dead)
    assert ended.outcome.reason is Reason.IN_DOUBT
    assert [attempt.outcome for attempt in ended.attempts] == [kind.value]


def test_asking_in_vain_counts_so_that_it_comes_to_an_end() -> None:
    ledger = Ledger(claimed(in_doubt=BOOK))
    ended, _ = in_doubt(Vendor([BOOK], ledger.acts, failed(Kind.TRANSIENT)), ledger)
    assert isinstance(ended.outcome, InDoubt)
    assert len(ended.attempts) == 1


def test_a_doubt_that_was_booked_after_all_does_not_turn_another_services_refusal_into_one() -> None:
    class SecondRefused(Free):
        def perform(self, call: VendorCall, event: Envelope, booking: Booking) -> Booking | Outcome:
            if call.line == 1:
                raise failed(Kind.REJECTED)
            return super().perform(call, event, booking)

    ledger = Ledger(claimed(in_doubt=BOOK))
    ended, _ = in_doubt(SecondRefused([BOOK, replace(BOOK, line=1)], ledger.acts), ledger)
    assert isinstance(ended.outcome, Dead)
    assert ended.outcome.reason is Reason.REJECTED
    assert ended.claim is not None
    assert ended.claim.in_doubt is None


def test_a_doubt_that_outlasts_the_retries_of_its_repeated_call_keeps_its_reason() -> None:
    ledger = Ledger(claimed(in_doubt=BOOK, attempts=9))

    class Throttled(Free):
        def perform(self, call: VendorCall, event: Envelope, booking: Booking) -> Booking | Outcome:
            raise failed(Kind.THROTTLED)

    ended, at_work = in_doubt(Throttled([BOOK], ledger.acts), ledger)
    assert isinstance(ended.outcome, Retry)
    ended = at_work.plan(ended)
    assert isinstance(ended.outcome, Dead)
    assert ended.outcome.reason is Reason.IN_DOUBT


def test_a_ledger_that_is_away_inside_a_call_came_before_anything_was_sent() -> None:
    ended, _ = worked([BOOK], failure=LedgerUnavailable("away"))
    assert isinstance(ended.outcome, Retry)


def test_what_nobody_foresaw_counts_as_a_try() -> None:
    class Crashes(Vendor):
        def translate(self, event: Envelope, booking: Booking) -> VendorCall | Outcome:
            raise KeyError("a guest's name")

    ledger = Ledger()
    ended, _ = in_doubt(Crashes([], ledger.acts), ledger)
    assert isinstance(ended.outcome, Retry)
    assert len(ended.attempts) == 1
    assert "guest" not in str(ended.attempts)


# --- whose turn it is, and what must be known before a call -------------------------------------------------------


def held_job(
    held: CallHeld, ledger: Ledger | None = None, event: Envelope | None = None
) -> tuple[EndedDelivery, Ledger, Executor]:
    ledger = ledger or Ledger()
    at_work = executor(Vendor([BOOK], ledger.acts), ledger, Turns(ledger.acts, held))
    ended = work(at_work, delivered(event))
    return ended, ledger, at_work


def test_leave_to_call_is_got_before_the_ledgers_mark_so_that_dying_while_waiting_leaves_no_doubt() -> None:
    ledger = Ledger()
    at_work = executor(Vendor([BOOK, Done("booked")], ledger.acts), ledger, Turns(ledger.acts))
    work(at_work, delivered())
    assert ledger.acts == [
        "leave for sb", "marked book with 0 entries", "called book", "leave of sb given back",
    ]  # fmt: skip


def test_an_account_that_is_held_counts_no_attempt_and_its_event_waits_in_its_lane_without_the_ladder() -> None:
    ended, ledger, at_work = held_job(CallHeld("sb", "its breaker is open", 12.0))
    assert ended.outcome == Wait("account sb: its breaker is open", 12.0, in_lane=True)
    assert "called book" not in ledger.acts
    assert ended.attempts == ()
    ended = at_work.plan(ended)
    assert ended.retry_seconds is None
    settlement = ended.settlement(CLOCK)
    assert settlement is not None
    assert (settlement.state, settlement.attempts, settlement.next_at) == (
        State.RETRYING, (), NOW + timedelta(seconds=12),
    )  # fmt: skip
    sent = onward_message(ended, "bookings.simplybook", NOW)
    assert sent is not None
    assert sent[1] == topology.work("bookings.simplybook")
    assert sent[0].headers[headers.LANE] == "sb"
    assert sent[0].headers[headers.ATTEMPT] == 0


def test_what_is_held_for_another_account_or_by_nobody_that_its_lane_knows_goes_through_the_ladder() -> None:
    """Its own lane is free: from its end it would come again at once, and again."""
    ended, _, at_work = held_job(CallHeld("another", "its breaker is open", 12.0))
    assert ended.outcome == Wait("account another: its breaker is open", 12.0)
    ended = at_work.plan(ended)
    assert ended.retry_seconds == 30.0
    sent = onward_message(ended, "bookings.simplybook", NOW)
    assert sent is not None
    assert sent[1] == topology.retry("bookings.simplybook", 30.0)


@pytest.mark.parametrize(
    ("minutes", "as_new", "when_held"), [(20, None, None), (50, None, "sb:soon"), (90, "sb", "sb")]
)
def test_what_starts_soon_waits_in_no_lane_as_it_comes_and_in_one_that_goes_first_once_it_was_looked_at(
    minutes: int, as_new: str | None, when_held: str | None
) -> None:
    event = envelope(not_after=NOW + timedelta(minutes=minutes))
    ended, _, at_work = held_job(CallHeld("sb", "its breaker is open", 12.0), event=event)
    sent = onward_message(at_work.plan(ended), "bookings.simplybook", NOW)
    assert sent is not None
    assert sent[0].headers.get(headers.LANE) == when_held
    assert (sent[1].exchange == topology.WORK_EXCHANGE) == (when_held is not None)
    assert work_message(event, NOW).headers.get(headers.LANE) == as_new


def test_a_booking_that_is_held_past_its_start_is_a_persons_in_time() -> None:
    event = envelope(not_after=NOW + timedelta(minutes=5))
    ended, _, at_work = held_job(CallHeld("sb", "all 5000 calls of the day are used", 7200.0), event=event)
    ended = at_work.plan(ended)
    assert ended.retry_seconds is None
    assert isinstance(ended.outcome, Dead)
    assert ended.outcome.reason is Reason.TOO_LATE
    assert "all 5000 calls of the day are used" in ended.outcome.error


def test_a_doubt_that_cannot_be_asked_about_before_the_start_keeps_its_reason() -> None:
    class HeldWhenAsked(Vendor):
        def resolve(self, call: VendorCall, event: Envelope) -> None:
            raise CallHeld("sb", "its breaker is open", 3600.0)

    ledger = Ledger(claimed(in_doubt=BOOK))
    at_work = executor(HeldWhenAsked([BOOK], ledger.acts), ledger)
    ended = work(at_work, delivered(envelope(not_after=NOW + timedelta(minutes=5))))
    assert isinstance(ended.outcome, Wait)
    ended = at_work.plan(ended)
    assert isinstance(ended.outcome, Dead)
    assert ended.outcome.reason is Reason.IN_DOUBT


def test_what_must_be_known_before_a_call_fails_without_leaving_a_doubt() -> None:
    class AsksFirst(Vendor):
        def prepare(self, call: VendorCall, event: Envelope, booking: Booking) -> VendorCall | Outcome:
            raise VendorFailure(Kind.UNKNOWN, vendor="simplybook", method="getTimeframe", message="no answer in time")

    ledger = Ledger()
    at_work = executor(AsksFirst([BOOK], ledger.acts), ledger)
    ended = work(at_work, delivered())
    assert isinstance(ended.outcome, Retry)
    assert ledger.acts == []
    assert [(attempt.method, attempt.outcome) for attempt in ended.attempts] == [("getTimeframe", "unknown")]


def test_a_call_is_marked_and_made_as_it_was_completed_beforehand() -> None:
    class Completes(Vendor):
        def prepare(self, call: VendorCall, event: Envelope, booking: Booking) -> VendorCall | Outcome:
            return replace(call, method=f"{call.method} completed")

    ledger = Ledger()
    at_work = executor(Completes([BOOK, Done("booked")], ledger.acts), ledger)
    work(at_work, delivered())
    assert ledger.acts == ["marked book completed with 0 entries", "called book completed"]


def test_a_handler_whose_turn_has_not_come_counts_no_attempt() -> None:
    class NotYet(Vendor):
        def perform(self, call: VendorCall, event: Envelope, booking: Booking) -> Booking | Outcome:
            return Wait("another pull is running")

    at_work = executor(NotYet([CONFIRM], []), Ledger())
    ended = work(at_work, delivered())
    assert (ended.outcome, ended.attempts) == (Wait("another pull is running"), ())
    assert at_work.plan(ended).retry_seconds == 5.0


def test_what_the_ingress_found_odd_stands_in_the_events_history() -> None:
    warned = replace(envelope(), warnings=("data.attributes: the label is spelled Client Type",))
    ended, _ = worked([Done("synchronised")], event=warned)
    settlement = ended.settlement(CLOCK)
    assert settlement is not None
    assert settlement.detail == "synchronised; data.attributes: the label is spelled Client Type"


def test_events_that_follow_go_to_their_own_queues_as_new() -> None:
    ended, _ = worked([Done("told", forward=(envelope(), envelope()))])
    sent = follow_up_messages(ended, NOW)
    assert [to for _, to in sent] == [topology.work(envelope().route)] * 2
    assert sent[0][0].headers[headers.ATTEMPT] == 0


# --- settling ---------------------------------------------------------------------------------------------------


def test_the_retries_end_as_a_dead_letter_that_names_the_last_error() -> None:
    ledger = Ledger(claimed(attempts=2))
    ended, _ = worked([BOOK], ledger=ledger, failure=failed(Kind.TRANSIENT))
    at_work = executor(Vendor([], []), ledger)
    ended = at_work.plan(ended)
    assert ended.retry_seconds is None
    assert isinstance(ended.outcome, Dead)
    assert ended.outcome.reason is Reason.EXHAUSTED
    assert "its words" in ended.outcome.error


def test_a_doubt_that_lasts_until_the_retries_end_keeps_its_reason() -> None:
    ledger = Ledger(claimed(attempts=2))
    ended, _ = worked([BOOK], ledger=ledger, failure=failed(Kind.UNKNOWN))
    ended = executor(Vendor([], []), ledger).plan(ended)
    assert isinstance(ended.outcome, Dead)
    assert ended.outcome.reason is Reason.IN_DOUBT


def test_a_retry_goes_to_its_step_of_the_ladder_with_one_attempt_more() -> None:
    ended, ledger = worked([BOOK], failure=failed(Kind.TRANSIENT))
    ended = executor(Vendor([], []), ledger).plan(ended)
    sent = onward_message(ended, "bookings.simplybook", NOW)
    assert sent is not None
    message, to = sent
    assert to == topology.retry("bookings.simplybook", 5.0)
    assert message.headers[headers.ATTEMPT] == 1
    assert message.headers[headers.ENQUEUED] == NOW.timestamp() + 5


def test_waiting_for_its_turn_counts_no_attempt() -> None:
    ledger = Ledger(ClaimBusy("an older event is at work"))
    at_work = executor(Vendor([], []), ledger)
    ended = answered(at_work, delivered(**{headers.ATTEMPT: 3}))
    assert isinstance(ended, EndedDelivery)
    sent = onward_message(at_work.plan(ended), "members", NOW)
    assert sent is not None
    assert sent[0].headers[headers.ATTEMPT] == 3


def test_a_settlement_says_all_that_the_ledger_must_know() -> None:
    ended, _ = worked([BOOK, Done("booked")])
    settlement = ended.settlement(CLOCK)
    assert settlement is not None
    assert (settlement.state, settlement.applies, settlement.detail) == (State.DONE, True, "booked")
    assert settlement.booking is not None
    assert settlement.booking.entries == (replace(ENTRY, changed_by="e-1"),)
    assert [attempt.outcome for attempt in settlement.attempts] == ["ok"]


def test_a_cancel_that_a_person_must_make_still_stops_older_events_of_its_booking() -> None:
    ended, _ = worked([Dead(Reason.UNSUPPORTED, "by hand", tombstone=True)])
    settlement = ended.settlement(CLOCK)
    assert settlement is not None
    assert (settlement.state, settlement.applies) == (State.DEAD, True)
    assert settlement.booking is not None
    assert settlement.booking.cancelled


def test_evidence_that_grows_too_large_loses_its_earliest_attempts_first() -> None:
    ended, _ = worked([BOOK], failure=failed(Kind.REJECTED))
    attempts = tuple(replace(ended.attempts[0], error=f"{n}-" + "x" * 3000) for n in range(9))
    sent = onward_message(replace(ended, attempts=attempts), "members", NOW)
    assert sent is not None
    evidence = str(sent[0].headers[headers.EVIDENCE])
    assert len(evidence.encode()) <= 16_384
    assert [attempt["error"][:2] for attempt in json.loads(evidence)["attempts"]][-1] == "8-"


# --- what is told of each call -------------------------------------------------------------------------------------


def test_a_call_that_went_well_keeps_what_was_asked_and_what_came_of_it() -> None:
    guest = {"client": {"name": "Mei Lee"}, "notes": "window"}
    ended, _ = worked([BOOK, Done("booked")], event=replace(envelope(), data={**guest, "venue": "spa"}))
    (attempt,) = ended.attempts
    assert attempt.request == {"slot": "a", **guest}
    assert attempt.answer == {"bookings": [{"id": "1", "state": "confirmed"}]}
    assert "h" not in json.dumps(attempt.answer).split('"')  # the hash signs later calls


def test_a_call_that_changes_nothing_that_stands_says_so() -> None:
    standing = Booking("crm", "R-1", "sb", (ENTRY,))
    ledger = Ledger(claimed(booking=standing))
    ended, _ = worked(
        [VendorCall("sb", "getBookingDetails", {"id": "1"}, repeatable=True), Done("seen")], ledger=ledger
    )
    assert ended.attempts[0].request == {"id": "1"}


def test_a_call_that_failed_keeps_what_was_asked_and_the_vendors_own_answer() -> None:
    ended, _ = worked([BOOK], failure=failed(Kind.REJECTED, answer={"status": 200, "body": "no"}))
    assert (ended.attempts[0].request, ended.attempts[0].answer) == ({"slot": "a"}, {"status": 200, "body": "no"})


def test_a_vendor_that_could_not_be_asked_about_a_doubt_keeps_which_call_it_was_asked_about() -> None:
    ledger = Ledger(claimed(in_doubt=BOOK))
    ended, _ = worked([], failure=failed(Kind.TRANSIENT), ledger=ledger)
    assert ended.attempts[0].request == {"slot": "a"}


def test_the_letter_of_what_ended_half_way_says_what_of_it_stands() -> None:
    ended, _ = worked([BOOK, Dead(Reason.REJECTED, "Selected time start is not available (-32054)")])
    planned = executor(Vendor([], []), Ledger()).plan(ended)
    assert isinstance(planned.outcome, Dead)
    assert planned.outcome.error == "Selected time start is not available (-32054); 1 of it stands at the vendor"
    ended, _ = worked([Dead(Reason.REJECTED, "no")])
    assert executor(Vendor([], []), Ledger()).plan(ended).outcome == Dead(Reason.REJECTED, "no")


class AwayTurns(Turns):
    """The account is held, as a call of it has just found the vendor away."""

    def leave(self, account: str) -> AccountLeave:
        return AccountLeave(held=5.0, at_once=1, is_ill=True)


def away(kind: Kind = Kind.TRANSIENT) -> VendorFailure:
    return VendorFailure(kind, vendor="simplybook", method="book", message="HTTP 503", status=503)


@pytest.mark.parametrize(
    ("failure", "seconds", "is_waiting"),
    [
        (away(), 10, True),
        (away(), 60, False),
        (VendorFailure(Kind.REJECTED, vendor="simplybook", method="book", message="no"), 10, False),
        (away(Kind.UNKNOWN), 10, False),
    ],
)
def test_a_try_that_finds_the_vendor_away_and_did_nothing_sends_its_event_back_to_its_lane(
    failure: VendorFailure, seconds: float, is_waiting: bool
) -> None:
    """Not one older than the ladder is long, nor what may have happened or is refused."""
    ledger = Ledger()
    event = replace(envelope(), received=NOW - timedelta(seconds=seconds))
    ended = work(executor(Vendor([BOOK], ledger.acts, failure), ledger, AwayTurns(ledger.acts)), delivered(event))
    assert isinstance(ended.outcome, Wait) == is_waiting
    if is_waiting:
        assert ended.outcome == Wait(f"account sb: its vendor is away; last: {failure}", 5.0, in_lane=True)
    assert len(ended.attempts) == (0 if is_waiting else 1)
