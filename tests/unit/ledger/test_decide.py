"""The laws of claiming, held against whatever order deliveries, deaths, replays and discards come in."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from bellhop.ledger.bookings import apply_event
from bellhop.ledger.decide import apply, decide, mark_after
from bellhop.ledger.guest_places import apply_for_guest
from bellhop.ledger.known import Answer, EventRecord, HeldBooking, KnownEvent, Take
from bellhop.ledger.records import (
    Booking,
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
from bellhop.schemas.envelope import Envelope
from bellhop.schemas.reasons import Reason
from tests.support.examples import EXAMPLES
from tests.support.ledger import BOOK, NOON, entry, event

LEASE = timedelta(seconds=60)
FINAL = (State.DONE, State.RECORDED, State.SUPERSEDED, State.DUPLICATE, State.DISCARDED)

events = st.builds(
    event,
    st.sampled_from([*"abcdefgh"]),
    st.sampled_from(["booking.requested", "booking.changed", "booking.cancelled", "member.updated"]),
    subject=st.sampled_from(["R-1", "R-1", "R-1", "R-2"]),  # seldom another: what meets is what can go wrong
    at=st.integers(0, 2),
    data=st.sampled_from([{}, {}, {}, {"x": 1}]),
    generation=st.sampled_from([0, 0, 0, 1]),
)


def is_booking(row: EventRecord) -> bool:
    return row.type.startswith("booking.")


class Claiming(RuleBasedStateMachine):
    """A ledger in memory, with its workers. Settling is entered as `ledger.settle` writes it."""

    def __init__(self) -> None:
        super().__init__()
        self.known = KnownEvent()
        self.now = NOON
        self.live: list[tuple[EventRecord, Envelope, int]] = []
        """What workers hold, each with its claim's token, also after the claim ran out. A worker dies when nothing is
        heard of it again."""
        self.doubts: list[EventRecord] = []
        """Rows with a call of which nobody knows whether it happened, and no person has said."""
        self.done: list[EventRecord] = []
        self.answered: list[EventRecord] = []
        """Rows of a conflict that a person ended by a replay."""
        self.delivered: list[Envelope] = []

    # --- what happens -------------------------------------------------------------------------------------------

    @rule(envelope=events)
    def deliver(self, envelope: Envelope) -> None:
        self.delivered.append(envelope)
        own = self.known.own(envelope)
        state, until, calling = (own.state, own.claim_until, own.calling) if own else (None, None, None)
        generation = own.generation if own else 0
        replay = own is not None and state is State.DEAD and envelope.generation > own.generation
        rows = self.known.by_id.get((envelope.source, envelope.id), [])
        ends_conflict = envelope.generation and any(
            row.state is State.DEAD and row.reason == Reason.CONFLICT.value for row in rows
        )
        answer = decide(envelope, self.known, self.now)
        changed = apply(envelope, answer, self.known, worker="w", now=self.now, until=self.now + LEASE)
        if ends_conflict and changed and isinstance(answer, Take | Settled):
            self.answered.append(changed[0])
        if isinstance(answer, Take):
            assert state not in FINAL, "what is final is never worked again"
            assert not (state is State.WORKING and until is not None and until > self.now), "two live claims"
            assert state is not State.DEAD or replay, "a dead event is only worked when a person replays it"
            row = changed[0]
            assert row.state is State.WORKING
            assert row.generation == max(envelope.generation, generation), "what is stale works nothing"
            self.check_doubts(row, answer, calling)
            self.check_place(row, answer)
            self.live = [one for one in self.live if one[0] is not row]
            self.live.append((row, envelope, row.claim_token))
        elif isinstance(answer, ClaimBusy):
            assert changed == []
        else:
            again = decide(envelope, self.known, self.now)
            # A stale copy of what a later replay is in the ladder for may be refused; the replay's own copy tells it
            # then, and the stale one, delivered again, only learns that it is dead.
            stale = isinstance(answer, Refused) and again == Settled(State.DEAD, "a later replay of it died")
            assert again == answer or stale, "delivered again, it is answered the same"

    @precondition(lambda self: self.delivered)
    @rule(data=st.data(), replay=st.booleans())
    def deliver_again(self, data: st.DataObject, replay: bool) -> None:
        envelope = data.draw(st.sampled_from(self.delivered))
        self.deliver(envelope=envelope.next_generation() if replay else envelope)

    @precondition(lambda self: self.live)
    @rule(data=st.data())
    def call(self, data: st.DataObject) -> None:
        self.mark(*data.draw(st.sampled_from(self.live)))

    def mark(self, row: EventRecord, _: Envelope, token: int) -> None:
        if row.claim_token == token and row.state is State.WORKING:
            row.calling, row.calling_token, row.claim_until = BOOK, token, self.now + LEASE
            self.doubts.append(row)

    @precondition(lambda self: self.live)
    @rule(
        data=st.data(),
        calls=st.booleans(),
        end=st.sampled_from(
            [
                *((state, None) for state in (State.DONE, State.RECORDED, State.RETRYING, State.IN_DOUBT)),
                *((State.DEAD, reason) for reason in (Reason.REJECTED, Reason.IN_DOUBT)),
            ]
        ),
    )
    def settle(self, data: st.DataObject, calls: bool, end: tuple[State, Reason | None]) -> None:
        live = data.draw(st.sampled_from(self.live))
        if calls:
            self.mark(*live)
        self.live.remove(live)
        row, envelope, token = live
        state, reason = end
        if row.claim_token != token or row.state is not State.WORKING:
            return
        marked = row.calling_token == token
        unsure = state is State.IN_DOUBT or reason is Reason.IN_DOUBT
        if unsure and row.calling is None:
            return  # nothing was called, so nothing is in doubt
        if state in (State.DONE, State.RECORDED) or (marked and not unsure):
            self.doubts = [one for one in self.doubts if one is not row]
        claimed = Claimed(row.pk, token, self.now, None, None, 0)
        ended = Settlement(claimed, envelope, state, reason=reason)
        row.calling = mark_after(ended, row.calling, marked=marked)
        row.state, row.reason, row.claim_until = state, reason.value if reason else "", self.now
        if state is State.DONE:
            self.done.append(row)
            if is_booking(row):
                key = (row.source, row.subject)
                held = self.known.bookings.get(key) or HeldBooking(Booking(*key, "sb"))
                assert self.may_follow(held, row, envelope), "a booking's events are applied in order"
                self.known.bookings[key] = apply_event(held, *row.place)

    @rule(seconds=st.sampled_from([30, 61]))
    def time_passes(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @precondition(lambda self: any(row.state is State.DEAD for row in self.rows()))
    @rule(data=st.data())
    def person_discards(self, data: st.DataObject) -> None:
        row = data.draw(st.sampled_from([row for row in self.rows() if row.state is State.DEAD]))
        row.state = State.DISCARDED  # which says nothing of its call

    @precondition(lambda self: any(row.died_in_doubt for row in self.rows()))
    @rule(data=st.data())
    def person_says(self, data: st.DataObject) -> None:
        """That the booking is there, or is not: either ends the doubt, as `ledger.proofs` writes it."""
        row = data.draw(st.sampled_from([row for row in self.rows() if row.died_in_doubt]))
        row.calling = None
        self.doubts = [one for one in self.doubts if one is not row]

    # --- what must hold -----------------------------------------------------------------------------------------

    @invariant()
    def one_row_works_a_fact(self) -> None:
        for rows in self.known.by_fact.values():
            held = [row for row in rows if row.holds_its_fact and row not in self.answered]
            assert len(held) <= 1
            assert sum(row in self.done and row not in self.answered for row in rows) <= 1

    @invariant()
    def one_event_of_a_booking_is_at_work(self) -> None:
        for rows in self.known.by_booking.values():
            assert sum(row.state is State.WORKING for row in rows) <= 1

    def check_doubts(self, row: EventRecord, answer: Take, calling: VendorCall | None) -> None:
        assert answer.in_doubt == calling, "a doubt is handed on"
        if answer.in_doubt is None:
            same = self.known.by_booking.get((row.source, row.subject), []) if is_booking(row) else []
            related = [*same, *self.known.by_fact[row.business_key]]
            doubtful = [one.event_id for one in self.doubts if one in related]
            assert doubtful == [], "nothing is called while a call for the same booking or fact may have happened"

    def check_place(self, row: EventRecord, answer: Take) -> None:
        held = self.known.bookings.get((row.source, row.subject))
        if is_booking(row) and held and answer.in_doubt is None:
            is_cancel_of_request = row.type == "booking.cancelled" and held.rank == 0
            assert held.place <= row.place or is_cancel_of_request, "what is older than what was applied is not worked"

    def may_follow(self, held: HeldBooking, row: EventRecord, envelope: Envelope) -> bool:
        if held.booking.as_of is None or held.place < row.place:
            return True
        if row.type == "booking.cancelled" and held.rank == 0:
            return True
        return held.place == row.place and row in self.answered

    def rows(self) -> list[EventRecord]:
        return [row for rows in self.known.by_id.values() for row in rows]


TestClaiming = Claiming.TestCase
TestClaiming.settings = settings(max_examples=2 * EXAMPLES, stateful_step_count=50)


# --- single steps that the laws do not name ---------------------------------------------------------------------


def step(known: KnownEvent, envelope: Envelope) -> Answer:
    answer = decide(envelope, known, NOON)
    apply(envelope, answer, known, worker="w", now=NOON, until=NOON + LEASE)
    return answer


def test_a_conflicting_id_is_recorded_as_dead_and_leaves_the_first_content_alone() -> None:
    known = KnownEvent()
    step(known, event("a"))
    answer = step(known, event("a", data={"x": 1}))
    assert isinstance(answer, Refused)
    assert [row.state for row in known.by_id["crm", "a"]] == [State.WORKING, State.DEAD]


def test_an_earlier_generation_of_an_event_in_the_ladder_is_not_worked_beside_its_replay() -> None:
    known = KnownEvent()
    step(known, event("a", generation=2))
    (row,) = known.by_id["crm", "a"]
    row.state = State.RETRYING
    answer = step(known, event("a", generation=0))
    assert answer == Settled(State.RETRYING, "a later replay of it is being worked")
    assert (row.generation, row.claim_token) == (2, 1)


def test_a_refused_replay_keeps_the_doubt_it_died_of() -> None:
    known = KnownEvent()
    step(known, event("a"))
    (row,) = known.by_id["crm", "a"]
    row.state, row.reason, row.calling = State.DEAD, Reason.IN_DOUBT.value, BOOK
    other = event("b", data={"x": 1})
    known.add(twin := apply(other, Take(), known, worker="w", now=NOON, until=NOON)[0])
    twin.state = State.DONE
    answer = step(known, event("a", generation=1))
    assert isinstance(answer, Refused)
    assert answer.reason is Reason.CONFLICT
    assert row.died_in_doubt


# --- order: whose word counts where stamps do not tell ------------------------------------------------------------


def work(known: KnownEvent, envelope: Envelope, *, asked: dict[str, Any] | None = None) -> Answer:
    """Takes it, and settles it as done; asked: with an entry that was booked for it."""
    answer = step(known, envelope)
    if isinstance(answer, Take):
        row = known.own(envelope)
        assert row is not None
        row.state = State.DONE
        key = (envelope.source, envelope.subject)
        held = known.bookings.get(key) or HeldBooking(Booking(*key, "sb"))
        if asked is not None:
            held = replace(held, booking=replace(held.booking, entries=(entry(envelope.id, asked=asked),)))
        known.bookings[key] = apply_event(held, *row.place, envelope.received)
    return answer


def test_a_cancel_is_not_superseded_by_a_request_with_a_newer_stamp() -> None:
    known = KnownEvent()
    work(known, event("a", at=86400))
    assert work(known, event("b", "booking.cancelled", at=5)) == Take()


def test_a_change_with_a_newer_stamp_still_supersedes_a_cancel_and_a_cancel_an_older_request() -> None:
    known = KnownEvent()
    work(known, event("a", "booking.changed", at=10))
    assert isinstance(work(known, event("b", "booking.cancelled", at=5)), Settled)
    work(known, event("c", "booking.cancelled", at=20))
    late = work(known, event("d", at=15))
    assert isinstance(late, Settled)
    assert late.state is State.SUPERSEDED


def test_a_cancel_by_status_counts_as_one() -> None:
    known = KnownEvent()
    work(known, event("a", at=86400))
    assert work(known, event("b", "booking.changed", at=5, data={"status": "CANCELED"})) == Take()


def test_a_cancel_waits_for_the_request_at_work_whose_stamp_is_newer() -> None:
    known = KnownEvent()
    step(known, event("a", at=86400))
    assert isinstance(step(known, event("b", "booking.cancelled", at=5)), ClaimBusy)
    known.by_id["crm", "a"][0].state = State.RETRYING
    assert isinstance(step(known, event("b", "booking.cancelled", at=5)), ClaimBusy)


def test_two_contents_of_one_stamp_are_a_conflict_that_a_persons_replay_ends() -> None:
    known = KnownEvent()
    work(known, event("a", "booking.changed"))
    second = event("b", "booking.changed", data={"x": 1})
    assert isinstance(step(known, second), Refused)
    assert work(known, second.next_generation()) == Take()
    assert [row.state for row in known.by_fact[second.business_key]] == [State.DONE, State.DONE]


def test_a_persons_edit_of_a_conflict_wins_too() -> None:
    known = KnownEvent()
    work(known, event("a", "booking.changed"))
    assert isinstance(step(known, event("b", "booking.changed", data={"x": 1})), Refused)
    assert work(known, event("b", "booking.changed", data={"x": 2}, generation=1)) == Take()


def test_a_conflict_under_one_id_is_ended_by_a_replay_too() -> None:
    known = KnownEvent()
    work(known, event("a", "booking.changed"))
    second = event("a", "booking.changed", data={"x": 1})
    assert isinstance(step(known, second), Refused)
    assert work(known, second.next_generation()) == Take()


def test_an_answer_to_a_conflict_that_died_of_something_else_wins_again() -> None:
    known = KnownEvent()
    work(known, event("a", "booking.changed"))
    second = event("b", "booking.changed", data={"x": 1})
    step(known, second)
    step(known, second.next_generation())
    (row,) = known.by_id["crm", "b"]
    row.state, row.reason, row.updated = State.DEAD, Reason.REJECTED.value, NOON + timedelta(minutes=1)
    assert step(known, second.next_generation().next_generation()) == Take()


def test_a_letter_that_died_before_another_told_its_fact_is_a_conflict_at_its_first_replay() -> None:
    known = KnownEvent()
    first = event("a", "booking.changed")
    step(known, first)
    (row,) = known.by_id["crm", "a"]
    row.state, row.reason = State.DEAD, Reason.REJECTED.value
    work(known, event("b", "booking.changed", data={"x": 1}))
    known.by_id["crm", "b"][0].updated = NOON + timedelta(minutes=1)
    assert isinstance(step(known, first.next_generation()), Refused)


def test_a_replayed_conflict_is_superseded_where_something_newer_was_worked_meanwhile() -> None:
    known = KnownEvent()
    work(known, event("a", "booking.changed"))
    second = event("b", "booking.changed", data={"x": 1})
    step(known, second)
    work(known, event("c", "booking.changed", at=9))
    answer = step(known, second.next_generation())
    assert isinstance(answer, Settled)
    assert answer.state is State.SUPERSEDED


def arrived(id_: str, seconds: int, x: int) -> Envelope:
    """Of a source whose stamps are cut short."""
    made = event(id_, "booking.changed", data={"x": x})
    return replace(made, coarse=True, received=NOON + timedelta(seconds=seconds))


def test_of_coarse_stamps_the_order_of_arrival_counts() -> None:
    known = KnownEvent()
    assert work(known, arrived("a", 1, 1)) == Take()
    assert work(known, arrived("b", 3, 2)) == Take()
    late = work(known, arrived("c", 2, 3))
    assert isinstance(late, Settled)
    assert late.state is State.SUPERSEDED
    assert work(known, arrived("d", 4, 1)) == Take(), "back to the first content is a change too"
    again = work(known, arrived("e", 5, 1))
    assert isinstance(again, Settled)
    assert again.state is State.DUPLICATE


ADA = {"client": {"name": "Ada Lee", "email": "ada@example.com"}}
BEN = {"client": {"name": "Ben Ode", "email": "ben@example.com"}}


def test_requests_of_two_guests_under_one_reference_and_stamp_are_two_facts() -> None:
    known = KnownEvent()
    assert work(known, event("a", data=ADA)) == Take()
    assert work(known, event("b", data=BEN)) == Take()
    other = event("c", data={**ADA, "notes": "x"})
    assert isinstance(step(known, other), Refused), "of one guest they are one, told twice"


def test_an_older_request_of_another_guest_is_not_superseded_in_a_group() -> None:
    known = KnownEvent()
    work(known, event("b", at=9, data=BEN), asked={"type": "booking.requested", **BEN})
    assert work(known, event("a", at=5, data=ADA)) == Take()


def test_an_older_request_is_superseded_by_a_change_of_its_guest() -> None:
    known = KnownEvent()
    work(known, event("b", "booking.changed", at=9, data=BEN), asked={"type": "booking.changed", **BEN})
    answer = work(known, event("a", at=5, data=ADA))
    assert isinstance(answer, Settled)
    assert answer.state is State.SUPERSEDED


def test_a_request_waits_for_the_newer_one_of_another_guest() -> None:
    known = KnownEvent()
    step(known, event("b", at=9, data=BEN))
    assert isinstance(step(known, event("a", at=5, data=ADA)), ClaimBusy)


def settle(known: KnownEvent, envelope: Envelope, *entries: Entry) -> Answer:
    """What a worker is told; where it takes the event also its end, and what then stands, as `ledger.settle` has it."""
    answer = step(known, envelope)
    if isinstance(answer, Take):
        row = known.own(envelope)
        assert row is not None
        row.state = State.DONE
        key = (envelope.source, envelope.subject)
        held = known.bookings.get(key) or HeldBooking(Booking(*key, "sb"))
        of_all = {one.key: one for one in (*held.booking.entries, *entries)}
        held = replace(held, booking=replace(held.booking, entries=tuple(of_all.values())))
        guests = apply_for_guest(held, envelope)
        known.bookings[key] = replace(apply_event(held, *row.place, envelope.received), guests=guests)
    return answer


def seat(vendor_id: str, guest: dict[str, Any], state: EntryState = EntryState.CONFIRMED) -> Entry:
    return entry(vendor_id, state, asked={"type": "booking.requested", **guest})


def cancel_of(id_: str, at: float, guest: dict[str, Any]) -> Envelope:
    return event(id_, "booking.cancelled", at=at, data=guest)


def is_superseded(answer: Answer) -> bool:
    return isinstance(answer, Settled) and answer.state is State.SUPERSEDED


def test_a_cancel_of_one_guest_that_comes_before_all_requests_stops_that_guests_alone() -> None:
    known = KnownEvent()
    assert settle(known, cancel_of("c", 9, BEN)) == Take()
    assert is_superseded(settle(known, event("b", at=5, data=BEN)))
    assert settle(known, event("a", at=1, data=ADA), seat("1", ADA)) == Take()
    assert is_superseded(settle(known, event("n", at=6, data={"client": {"name": "Ben Ode"}}))), "by name alone, too"


def test_a_late_request_of_one_guest_is_booked_though_another_has_cancelled_since() -> None:
    known = KnownEvent()
    settle(known, event("b", at=5, data=BEN), seat("2", BEN))
    settle(known, cancel_of("c", 9, BEN), seat("2", BEN, EntryState.CANCELLED))
    assert settle(known, event("a", at=1, data=ADA)) == Take()


def group() -> KnownEvent:
    known = KnownEvent()
    settle(known, event("a", at=1, data=ADA), seat("1", ADA))
    settle(known, event("b", at=2, data=BEN), seat("2", BEN))
    return known


@pytest.mark.parametrize("kind", ["booking.changed", "booking.cancelled"])
@pytest.mark.parametrize("newer", ["booking.changed", "booking.cancelled"])
def test_what_one_guest_of_a_group_asks_late_counts_beside_what_another_asked_since(kind: str, newer: str) -> None:
    known = group()
    assert settle(known, event("n", newer, at=9, data=BEN)) == Take()
    assert settle(known, event("o", kind, at=5, data=ADA)) == Take()
    assert is_superseded(settle(known, event("late", kind, at=4, data=ADA))), "an older one of the same guest does not"


def test_changes_of_two_guests_of_a_group_with_one_stamp_are_no_conflict() -> None:
    known = group()
    assert settle(known, event("n", "booking.changed", at=9, data=BEN)) == Take()
    assert settle(known, event("o", "booking.changed", at=9, data=ADA)) == Take()
    third = settle(known, event("p", "booking.changed", at=9, data={**ADA, "notes": "nuts"}))
    assert isinstance(third, Refused)
    assert third.reason is Reason.CONFLICT


@pytest.mark.parametrize("kind", ["booking.changed", "booking.cancelled"])
def test_what_stands_is_not_taken_from_who_shares_an_address_with_a_dead_request(kind: str) -> None:
    eve = {"client": {**ADA["client"], "name": "Eve Lee"}}
    known = KnownEvent()
    work(known, event("b", at=1, data=ADA), asked={"type": "booking.requested", **ADA})
    step(known, event("a", at=2, data=eve))
    known.by_id["crm", "a"][0].state = State.DEAD
    answer = step(known, event("c", kind, at=3, data=eve))
    assert isinstance(answer, Refused)
    assert step(known, event("d", kind, at=4, data=ADA)) == Take()


def test_while_what_another_guest_asked_since_is_at_work_it_waits() -> None:
    for newer in ("booking.changed", "booking.cancelled"):
        known = group()
        step(known, event("n", newer, at=9, data=BEN))
        assert isinstance(step(known, event("o", "booking.cancelled", at=5, data=ADA)), ClaimBusy)
        assert isinstance(step(known, event("p", "booking.changed", at=5, data=ADA)), ClaimBusy)


def test_what_is_all_guests_supersedes_what_each_asked_before() -> None:
    known = group()
    settle(known, event("all", "booking.cancelled", at=9))
    for at, guest in ((5, ADA), (6, BEN)):
        assert is_superseded(settle(known, event(f"e-{at}", "booking.changed", at=at, data=guest)))


def test_of_one_guest_whom_a_change_renamed_what_was_asked_before_is_superseded() -> None:
    known = KnownEvent()
    settle(known, event("a", at=1, data=ADA), seat("1", ADA))
    settle(known, event("r", "booking.changed", at=9, data=BEN))
    assert is_superseded(settle(known, event("o", "booking.changed", at=5, data=ADA)))


def test_what_a_newer_cancel_does_not_want_is_not_booked_while_a_person_has_the_cancel() -> None:
    for guest, stops in (({}, True), (BEN, True), (ADA, False)):
        known = KnownEvent()
        step(known, cancel_of("c", 9, guest))
        known.by_id["crm", "c"][0].state = State.DEAD
        assert is_superseded(step(known, event("b", at=5, data=BEN))) is stops
        if stops:
            assert step(known, event("later", at=10, data=BEN)) == Take()


def test_what_may_have_been_booked_before_a_dead_cancel_is_asked_about_all_the_same() -> None:
    known = KnownEvent()
    step(known, event("b", at=5, data=BEN))
    row = known.by_id["crm", "b"][0]
    row.calling, row.claim_until = BOOK, NOON
    step(known, cancel_of("c", 9, BEN))
    (cancel,) = known.by_id.get(("crm", "c"), ()) or (None,)
    assert cancel is None, "it waits for the request"
    assert step(known, event("b", at=5, data=BEN)) == Take(BOOK)


def refused_request_beside(standing: dict[str, Any]) -> KnownEvent:
    """Ada's request has died; what stands under the reference is of another."""
    known = KnownEvent()
    step(known, event("a", at=1, data=ADA))
    known.by_id["crm", "a"][0].state = State.DEAD
    work(known, event("b", at=2, data=standing), asked={"type": "booking.requested", **standing})
    return known


def test_a_change_of_one_of_a_group_whose_request_died_moves_nobody_elses_booking() -> None:
    known = refused_request_beside(BEN)
    answer = step(known, event("c", "booking.changed", at=3, data=ADA))
    assert isinstance(answer, Refused)
    assert (answer.reason, "event a, is dead" in answer.error, "Ada" in answer.error) == (
        Reason.UNSUPPORTED,
        True,
        False,
    )
    assert step(known, event("c", "booking.changed", at=3, data=ADA, generation=1)) == Take(), "a person means it"
    assert step(refused_request_beside(BEN), event("d", "booking.changed", at=3, data=BEN)) == Take()
    assert isinstance(step(refused_request_beside(BEN), event("e", "booking.cancelled", at=3, data=ADA)), Take)


def test_a_change_that_renames_the_one_guest_there_is_is_worked() -> None:
    known = KnownEvent()
    work(known, event("b", at=2, data=BEN), asked={"type": "booking.requested", **BEN})
    assert step(known, event("c", "booking.changed", at=3, data=ADA)) == Take()
