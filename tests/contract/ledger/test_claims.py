"""What a claim answers, rule by rule, over every database."""

from __future__ import annotations

import socket
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta

import pytest

from bellhop.ledger.records import (
    Booking,
    ClaimBusy,
    Claimed,
    EntryState,
    Part,
    Refused,
    Settled,
    Settlement,
    State,
)
from bellhop.ledger.records.parts import SILENT_AFTER
from bellhop.ledger.store import Ledger
from bellhop.schemas.errors import ClaimLost
from bellhop.schemas.process import own_name
from bellhop.schemas.reasons import Reason
from tests.support.ledger import (
    BOOK,
    LEASE,
    NOON,
    Clock,
    OpenLedger,
    booking,
    claim,
    die,
    die_in_doubt,
    end,
    entry,
    event,
    finish,
    letter,
    take,
)

FINAL = [State.DONE, State.RECORDED, State.SUPERSEDED]


# --- one event --------------------------------------------------------------------------------------------------


def test_a_new_event_is_claimed_with_its_empty_booking(ledger: Ledger) -> None:
    claimed = take(ledger, event())
    assert claimed == Claimed(
        claimed.event_pk, 1, NOON + timedelta(seconds=LEASE), Booking("crm", "R-1", "sb"), None, 0
    )


def test_an_event_about_no_booking_is_claimed_without_one(ledger: Ledger) -> None:
    assert take(ledger, event(kind="member.updated", subject="77")).booking is None


def test_answers_come_in_the_order_of_the_envelopes(ledger: Ledger) -> None:
    finish(ledger, event("b", subject="B"))
    answers = ledger.claim([event("c", subject="C"), event("b", subject="B"), event("a", subject="A")], "w", LEASE)
    assert [type(answer) for answer in answers] == [Claimed, Settled, Claimed]
    assert answers[0].event_pk != answers[2].event_pk  # type: ignore[union-attr]
    assert answers[0].booking.reference == "C"  # type: ignore[union-attr]


def test_no_envelopes_are_claimed_without_a_commit(ledger: Ledger) -> None:
    assert ledger.claim([], "w", LEASE) == []


@pytest.mark.parametrize("state", FINAL)
@pytest.mark.parametrize("generation", [0, 1])
def test_what_is_final_is_never_worked_again_whatever_the_generation(
    ledger: Ledger, state: State, generation: int
) -> None:
    end(ledger, event(), state, detail="as it ended")
    assert claim(ledger, event(generation=generation)) == Settled(state, "as it ended")


def test_a_claimed_event_is_busy_for_everyone_until_the_claim_ends(ledger: Ledger, clock: Clock) -> None:
    take(ledger, event(), "w-1")
    clock.advance(seconds=LEASE - 1)
    assert isinstance(claim(ledger, event(), "w-1"), ClaimBusy)
    assert claim(ledger, event(), "w-2") == ClaimBusy("w-1 is working it")


def beat(ledger: Ledger, name: str) -> None:
    ledger.parts.beat(Part(name, "work", "elsewhere", "1", (), (), NOON, NOON, NOON))


def test_a_silent_workers_event_passes_on_before_its_claim_ends(ledger: Ledger, clock: Clock) -> None:
    beat(ledger, "elsewhere:7:a")
    first = take(ledger, event(), "elsewhere:7:a")
    clock.advance(seconds=SILENT_AFTER.total_seconds())
    assert isinstance(claim(ledger, event(), "w-2"), ClaimBusy)
    clock.advance(seconds=1)
    assert SILENT_AFTER.total_seconds() + 1 < LEASE
    second = take(ledger, event(), "w-2")
    assert (second.token, second.in_doubt) == (first.token + 1, None)
    with pytest.raises(ClaimLost):  # should it live after all, it makes no call
        ledger.calling(first, BOOK, first.booking, LEASE)


def test_what_a_worker_that_was_told_to_stop_held_passes_on_at_once(ledger: Ledger) -> None:
    beat(ledger, "elsewhere:7:a")
    take(ledger, event(), "elsewhere:7:a")
    ledger.parts.leave("elsewhere:7:a")
    assert take(ledger, event(), "w-2").in_doubt is None


def test_after_a_mark_only_the_claims_end_lets_another_have_it(ledger: Ledger, clock: Clock) -> None:
    beat(ledger, "elsewhere:7:a")
    first = take(ledger, event(), "elsewhere:7:a")
    ledger.calling(first, BOOK, first.booking, LEASE)
    clock.advance(seconds=LEASE - 1)
    assert isinstance(claim(ledger, event(), "w-2"), ClaimBusy)
    clock.advance(seconds=1)
    assert take(ledger, event(), "w-2").in_doubt is not None


def test_what_a_process_of_this_host_held_passes_on_once_it_has_ended(ledger: Ledger) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        pass
    name = f"{socket.gethostname()}:{ended.pid}:a"
    take(ledger, event(), name)
    assert take(ledger, event(), "w-2").in_doubt is None
    take(ledger, event("e-2", subject="R-2"), own_name())
    assert isinstance(claim(ledger, event("e-2", subject="R-2"), "w-2"), ClaimBusy)


def test_an_expired_claim_passes_to_the_next_worker_with_a_higher_token(ledger: Ledger, clock: Clock) -> None:
    first = take(ledger, event())
    clock.advance(seconds=LEASE)
    second = take(ledger, event(), "w-2")
    assert (second.event_pk, second.token) == (first.event_pk, first.token + 1)
    assert second.in_doubt is None


def test_an_expired_claim_in_a_call_is_in_doubt(ledger: Ledger, clock: Clock) -> None:
    ledger.calling(take(ledger, event()), BOOK, None, LEASE)
    clock.advance(seconds=LEASE)
    assert take(ledger, event()).in_doubt == BOOK


def test_a_retrying_event_is_claimed_again_and_knows_its_attempts(ledger: Ledger) -> None:
    end(ledger, event(), State.RETRYING)
    assert take(ledger, event()).token == 2


def test_an_event_in_doubt_is_claimed_with_its_call(ledger: Ledger) -> None:
    end(ledger, event(), State.IN_DOUBT, in_doubt=BOOK)
    assert take(ledger, event()).in_doubt == BOOK


def test_a_doubt_survives_a_worker_that_could_not_resolve_it(ledger: Ledger) -> None:
    end(ledger, event(), State.IN_DOUBT, in_doubt=BOOK)
    end(ledger, event(), State.RETRYING)
    assert take(ledger, event()).in_doubt == BOOK


def test_a_dead_event_is_refused_again_as_its_dead_letter_may_be_unconfirmed(ledger: Ledger) -> None:
    die(ledger, event())
    assert claim(ledger, event()) == Refused(Reason.REJECTED, "the vendor said no")


def test_a_replay_of_a_dead_event_is_worked_once(ledger: Ledger) -> None:
    die(ledger, event())
    finish(ledger, event(generation=1))
    assert claim(ledger, event(generation=2)) == Settled(State.DONE, "")


def test_a_replay_that_died_is_refused_and_its_older_generation_is_stale(ledger: Ledger) -> None:
    die(ledger, event())
    die(ledger, event(generation=1))
    assert isinstance(claim(ledger, event(generation=1)), Refused)
    assert isinstance(claim(ledger, event(generation=0)), Settled)
    assert isinstance(claim(ledger, event(generation=2)), Claimed)


def test_a_replay_of_what_died_in_doubt_has_the_vendor_asked_and_books_nothing_unseen(ledger: Ledger) -> None:
    die_in_doubt(ledger, event())
    assert take(ledger, event(generation=1)).in_doubt == BOOK


def test_copies_of_an_earlier_generation_are_not_worked_while_a_replay_is(ledger: Ledger) -> None:
    die(ledger, event())
    end(ledger, event(generation=1), State.IN_DOUBT, in_doubt=BOOK)
    assert claim(ledger, event()) == Settled(State.IN_DOUBT, "a later replay of it is being worked")
    assert take(ledger, event(generation=1)).in_doubt == BOOK


# --- the same id, another content -------------------------------------------------------------------------------


def test_another_content_under_the_same_id_is_a_conflict_and_stays_one(ledger: Ledger) -> None:
    finish(ledger, event())
    other = event(data={"x": 1}, at=1)
    refused = claim(ledger, other)
    assert isinstance(refused, Refused)
    assert refused.reason is Reason.CONFLICT
    assert claim(ledger, other) == refused
    assert claim(ledger, event()) == Settled(State.DONE, "")


def test_a_conflicting_id_can_be_replayed_by_a_person(ledger: Ledger) -> None:
    finish(ledger, event())
    claim(ledger, event(data={"x": 1}, at=1))
    assert isinstance(claim(ledger, event(data={"x": 1}, at=1, generation=1)), Claimed)


def test_an_edited_replay_is_worked_under_the_same_id(ledger: Ledger) -> None:
    die(ledger, event())
    edited = event(data={"x": "mended"}, generation=1)
    finish(ledger, edited)
    assert claim(ledger, edited) == Settled(State.DONE, "")
    view = ledger.event("crm", "e-1")
    assert view is not None
    assert (view.state, view.generation) == (State.DONE, 1)


def test_an_edited_replay_waits_while_the_first_content_is_worked(ledger: Ledger) -> None:
    take(ledger, event())
    assert isinstance(claim(ledger, event(data={"x": "mended"}, generation=1)), ClaimBusy)


def test_an_edited_replay_is_refused_while_the_first_content_may_stand_at_the_vendor(ledger: Ledger) -> None:
    die_in_doubt(ledger, event())
    refused = claim(ledger, event(data={"x": "mended"}, generation=1))
    assert isinstance(refused, Refused)
    assert refused.reason is Reason.IN_DOUBT


def test_a_booking_discarded_in_doubt_is_not_forgotten_when_its_cancel_comes(ledger: Ledger) -> None:
    """It would be told as cancelled before it was booked, and stand."""
    die_in_doubt(ledger, event())
    ledger.letters.archive([letter(event(), Reason.IN_DOUBT)])
    ledger.letters.discard([1], "ann", "found it at the vendor")
    refused = claim(ledger, event("e-2", "booking.cancelled", at=5))
    assert isinstance(refused, Refused)
    assert "restore it" in refused.error


# --- the same fact under another id -----------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["booking.requested", "member.updated"])
@pytest.mark.parametrize("state", [*FINAL, State.WORKING, State.RETRYING, State.IN_DOUBT])
def test_the_same_fact_under_another_id_is_a_duplicate(ledger: Ledger, kind: str, state: State) -> None:
    if state is State.WORKING:
        take(ledger, event(kind=kind))
    else:
        end(ledger, event(kind=kind), state, in_doubt=BOOK if state is State.IN_DOUBT else None)
    answer = claim(ledger, event("e-2", kind))
    assert isinstance(answer, Settled)
    assert answer.state is State.DUPLICATE
    assert claim(ledger, event("e-2", kind)) == answer


def test_the_same_fact_with_another_content_is_a_conflict_until_a_person_replays_it(ledger: Ledger) -> None:
    finish(ledger, event())
    second = event("e-2", data={"x": 1})
    answer = claim(ledger, second)
    assert isinstance(answer, Refused)
    assert answer.reason is Reason.CONFLICT
    finish(ledger, second.next_generation())
    again = claim(ledger, event("e-3", data={"x": 1}))
    assert isinstance(again, Settled)
    assert again.state is State.DUPLICATE


def test_a_dead_fact_sent_again_under_another_id_is_worked_and_the_dead_one_then_a_duplicate(ledger: Ledger) -> None:
    die(ledger, event())
    finish(ledger, event("e-2"))
    replay = claim(ledger, event(generation=1))
    assert isinstance(replay, Settled)
    assert replay.state is State.DUPLICATE


def test_a_fact_that_died_in_doubt_is_not_worked_under_another_id(ledger: Ledger) -> None:
    die_in_doubt(ledger, event())
    refused = claim(ledger, event("e-2"))
    assert isinstance(refused, Refused)
    assert refused.reason is Reason.IN_DOUBT


def test_a_fact_discarded_in_doubt_is_not_worked_under_another_id(ledger: Ledger) -> None:
    die_in_doubt(ledger, event())
    ledger.letters.archive([letter(event())])
    ledger.letters.discard([1], "ann", "found it at the vendor")
    answer = claim(ledger, event("e-2"))
    assert isinstance(answer, Settled)
    assert answer.state is State.DUPLICATE


def test_a_fact_discarded_without_a_doubt_may_be_sent_again(ledger: Ledger) -> None:
    die(ledger, event())
    ledger.letters.archive([letter(event())])
    ledger.letters.discard([1], "ann", "they will send it again")
    assert isinstance(claim(ledger, event("e-2")), Claimed)


# --- the order of a booking's events ----------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["booking.requested", "booking.changed", "booking.cancelled"])
def test_an_event_older_than_what_was_applied_is_superseded(ledger: Ledger, kind: str) -> None:
    finish(ledger, event("e-2", "booking.changed", at=5))
    answer = claim(ledger, event("e-1", kind, at=4))
    assert isinstance(answer, Settled)
    assert answer.state is State.SUPERSEDED
    assert claim(ledger, event("e-1", kind, at=4)) == answer


def test_events_of_one_moment_go_by_their_kind(ledger: Ledger) -> None:
    finish(ledger, event("e-2", "booking.changed"))
    assert isinstance(claim(ledger, event("e-1", "booking.requested")), Settled)
    assert isinstance(claim(ledger, event("e-3", "booking.cancelled")), Claimed)


def test_what_was_only_recorded_supersedes_nothing(ledger: Ledger) -> None:
    end(ledger, event("e-2", "booking.changed", at=5), State.RECORDED)
    assert isinstance(claim(ledger, event("e-1", at=4)), Claimed)


def test_an_event_older_than_one_at_work_is_superseded(ledger: Ledger) -> None:
    take(ledger, event("e-2", "booking.changed", at=5))
    assert isinstance(claim(ledger, event("e-1", at=4)), Settled)


def test_a_change_waits_for_an_older_event_at_work_or_in_the_ladder(ledger: Ledger) -> None:
    change = event("e-2", "booking.changed", at=5)
    claimed = take(ledger, event())
    assert isinstance(claim(ledger, change), ClaimBusy)
    ledger.settle([Settlement(claimed, event(), State.RETRYING)])
    assert isinstance(claim(ledger, change), ClaimBusy)
    finish(ledger, event())
    assert isinstance(claim(ledger, change), Claimed)


def test_events_of_one_booking_in_one_batch_see_each_other(ledger: Ledger) -> None:
    first, second, other = ledger.claim(
        [event(), event("e-2", "booking.changed", at=5), event("e-3", subject="R-2")], "w", LEASE
    )
    assert [type(first), type(second), type(other)] == [Claimed, ClaimBusy, Claimed]


def test_one_event_twice_in_one_batch_is_claimed_once(ledger: Ledger) -> None:
    assert [type(answer) for answer in ledger.claim([event(), event()], "w", LEASE)] == [Claimed, ClaimBusy]


def test_the_same_fact_twice_in_one_batch_is_claimed_once(ledger: Ledger) -> None:
    assert [type(answer) for answer in ledger.claim([event(), event("e-2")], "w", LEASE)] == [Claimed, Settled]


def test_a_cancel_overtakes_a_booking_that_is_not_made_yet_and_leaves_a_tombstone(ledger: Ledger) -> None:
    end(ledger, event(), State.RETRYING)
    cancel = event("e-2", "booking.cancelled", at=5)
    finish(ledger, cancel, booking=booking(cancelled=True))
    answer = claim(ledger, event())
    assert isinstance(answer, Settled)
    assert answer.state is State.SUPERSEDED


def test_a_cancel_that_comes_before_its_booking_stops_it(ledger: Ledger) -> None:
    finish(ledger, event("e-2", "booking.cancelled", at=5), booking=booking(cancelled=True))
    answer = claim(ledger, event())
    assert isinstance(answer, Settled)
    assert answer.state is State.SUPERSEDED


def test_a_cancel_waits_for_a_booking_at_work_even_when_its_claim_has_run_out(ledger: Ledger, clock: Clock) -> None:
    take(ledger, event())
    cancel = event("e-2", "booking.cancelled", at=5)
    assert isinstance(claim(ledger, cancel), ClaimBusy)
    clock.advance(seconds=LEASE)
    assert isinstance(claim(ledger, cancel), ClaimBusy)


@pytest.mark.parametrize("then", [State.IN_DOUBT, State.RETRYING])
def test_a_cancel_waits_for_a_booking_in_doubt(ledger: Ledger, then: State) -> None:
    end(ledger, event(), State.IN_DOUBT, in_doubt=BOOK)
    end(ledger, event(), then)  # nothing was tried: the doubt goes on
    assert isinstance(claim(ledger, event("e-2", "booking.cancelled", at=5)), ClaimBusy)


def test_a_doubt_is_resolved_before_its_event_can_be_superseded(ledger: Ledger) -> None:
    newer = event("e-2", "booking.changed", at=5)  # its place is entered for the booking; no run of workers comes here
    ledger.settle([Settlement(take(ledger, event()), newer, State.IN_DOUBT, in_doubt=BOOK, applies=True)])
    assert take(ledger, event()).in_doubt == BOOK


@pytest.mark.parametrize("kind", ["booking.changed", "booking.cancelled"])
def test_nothing_is_done_to_a_booking_in_front_of_a_person_for_a_doubt(ledger: Ledger, kind: str) -> None:
    die_in_doubt(ledger, event())
    later = event("e-2", kind, at=5)
    refused = claim(ledger, later)
    assert isinstance(refused, Refused)
    assert refused.reason is Reason.IN_DOUBT
    assert "event e-1" in refused.error
    assert claim(ledger, later) == refused


def test_once_the_doubt_is_replayed_what_it_stopped_can_be_replayed_too(ledger: Ledger) -> None:
    die_in_doubt(ledger, event())
    claim(ledger, event("e-2", "booking.cancelled", at=5))
    finish(ledger, event(generation=1))
    assert isinstance(claim(ledger, event("e-2", "booking.cancelled", at=5, generation=1)), Claimed)


def test_a_dead_event_without_a_doubt_stops_nothing(ledger: Ledger) -> None:
    die(ledger, event())
    assert isinstance(claim(ledger, event("e-2", "booking.cancelled", at=5)), Claimed)


def test_a_replay_that_comes_after_a_newer_event_is_superseded(ledger: Ledger) -> None:
    die(ledger, event())
    finish(ledger, event("e-2", "booking.changed", at=5))
    replay = claim(ledger, event(generation=1))
    assert isinstance(replay, Settled)
    assert replay.state is State.SUPERSEDED


def test_one_bookings_events_do_not_bear_on_anothers(ledger: Ledger) -> None:
    die_in_doubt(ledger, event())
    finish(ledger, event("e-2", "booking.changed", subject="R-2", at=9))
    assert isinstance(claim(ledger, event("e-3", "booking.requested", subject="R-3", at=1)), Claimed)


def test_events_about_members_are_not_ordered(ledger: Ledger) -> None:
    take(ledger, event("m-2", "member.updated", subject="77", at=9))
    assert isinstance(claim(ledger, event("m-1", "member.updated", subject="77", at=1)), Claimed)


def test_a_claim_brings_the_booking_as_it_stands(ledger: Ledger) -> None:
    made = booking(entry("v-1", EntryState.CONFIRMED, secret_hash="h", slot="10:00", code="C", batch="9"))
    finish(ledger, event(), booking=made)
    assert take(ledger, event("e-2", "booking.cancelled", at=5)).booking == replace(made, as_of=NOON)


def test_two_ledgers_on_one_database_see_each_others_claims(open_ledger: OpenLedger) -> None:
    one, two = open_ledger(), open_ledger()
    take(one, event())
    assert isinstance(claim(two, event()), ClaimBusy)


def test_a_claim_of_a_clock_ahead_holds_as_long_as_any_other(ledger: Ledger, clock: Clock) -> None:
    clock.advance(hours=1)
    first = ledger.calling(take(ledger, event()), BOOK, None, LEASE)
    clock.advance(hours=-1)
    assert isinstance(claim(ledger, event()), ClaimBusy), "its worker may be in the midst of a call"
    clock.advance(seconds=LEASE)
    second = take(ledger, event())
    assert (second.in_doubt, second.token) == (BOOK, first.token + 1)


def test_a_clock_that_jumped_leaves_no_event_without_a_row_or_an_end(ledger: Ledger, clock: Clock) -> None:
    """What waits behind a claim of its clock has no row: it must not wait for the hour that the clock was ahead."""
    clock.advance(hours=1)
    take(ledger, event())
    clock.advance(hours=-1)
    later = event("e-2", "booking.changed", at=5)
    assert isinstance(claim(ledger, later), ClaimBusy)
    claim(ledger, event())
    clock.advance(seconds=LEASE)
    finish(ledger, event())
    finish(ledger, later)
