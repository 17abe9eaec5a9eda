"""The laws of claiming, held against whatever order deliveries, deaths, replays and discards come in."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from bellhop.ledger.bookings import apply_event
from bellhop.ledger.decide import Answer, EventRecord, HeldBooking, KnownEvent, Take, apply, decide, mark_after
from bellhop.ledger.records import Booking, ClaimBusy, Claimed, Refused, Settled, Settlement, State, VendorCall
from bellhop.schemas.envelope import Envelope
from bellhop.schemas.reasons import Reason
from tests.support.ledger import BOOK, NOON, event

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
        self.delivered: list[Envelope] = []

    # --- what happens -------------------------------------------------------------------------------------------

    @rule(envelope=events)
    def deliver(self, envelope: Envelope) -> None:
        self.delivered.append(envelope)
        own = self.known.own(envelope)
        state, until, calling = (own.state, own.claim_until, own.calling) if own else (None, None, None)
        generation = own.generation if own else 0
        replay = own is not None and state is State.DEAD and envelope.generation > own.generation
        answer = decide(envelope, self.known, self.now)
        changed = apply(envelope, answer, self.known, worker="w", now=self.now, until=self.now + LEASE)
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
                assert held.booking.as_of is None or held.place < row.place, "a booking's events are applied in order"
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
            assert sum(row.holds_its_fact for row in rows) <= 1
            assert sum(row in self.done for row in rows) <= 1

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
            assert held.place <= row.place, "what is older than what was applied is not worked"

    def rows(self) -> list[EventRecord]:
        return [row for rows in self.known.by_id.values() for row in rows]


TestClaiming = Claiming.TestCase
TestClaiming.settings = settings(max_examples=200, stateful_step_count=50, deadline=None)


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
