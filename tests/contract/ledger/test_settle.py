"""The mark before a call and the end of an event, over every database."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta

import pytest

from bellhop.ledger.records import (
    Attempt,
    Booking,
    Claim,
    ClaimBusy,
    Claimed,
    EntryState,
    Settled,
    Settlement,
    State,
    VendorCall,
)
from bellhop.ledger.store import Ledger
from bellhop.schemas.errors import ClaimLost
from bellhop.schemas.reasons import Reason
from tests.support.ledger import (
    BOOK,
    LEASE,
    NOON,
    Clock,
    OpenLedger,
    booking,
    claim,
    end,
    entry,
    event,
    finish,
    take,
)

BOOKED = entry("v-1", EntryState.BOOKED, secret_hash="h")
CONFIRMED = entry("v-1", EntryState.CONFIRMED, secret_hash="h")
TRIED = Attempt("book", NOON, 0.25, "ok", "", {"id": "v-1", "name": "Zoë \u0000"})


def stored(ledger: Ledger) -> Booking:
    """The booking as the next event of it would see it."""
    seen = take(ledger, event("look", "booking.cancelled", at=10_000)).booking
    assert seen is not None
    return seen


# --- calling ----------------------------------------------------------------------------------------------------


def test_calling_renews_the_claim_and_keeps_its_doubt_in_sight(ledger: Ledger, clock: Clock) -> None:
    end(ledger, event(), State.IN_DOUBT, in_doubt=BOOK)
    claimed = take(ledger, event())
    clock.advance(seconds=LEASE - 1)
    renewed = ledger.calling(claimed, BOOK, None, LEASE)
    assert renewed == replace(claimed, until=NOON + timedelta(seconds=2 * LEASE - 1))
    clock.advance(seconds=LEASE - 1)
    assert isinstance(claim(ledger, event()), ClaimBusy)


def test_calling_after_the_claim_ran_out_holds_as_long_as_nobody_took_the_event(ledger: Ledger, clock: Clock) -> None:
    claimed = take(ledger, event())
    clock.advance(seconds=2 * LEASE)
    ledger.calling(claimed, BOOK, None, LEASE)
    assert isinstance(claim(ledger, event()), ClaimBusy)


def test_a_lost_claim_must_not_call_but_its_booking_is_kept(ledger: Ledger, clock: Clock) -> None:
    claimed = take(ledger, event())
    clock.advance(seconds=LEASE)
    second = take(ledger, event(), "w-2")
    with pytest.raises(ClaimLost):
        ledger.calling(claimed, BOOK, booking(BOOKED), LEASE)
    ledger.settle([Settlement(second, event(), State.DONE)])
    assert stored(ledger).entries == (BOOKED,)


def test_a_settled_event_must_not_be_called_for(ledger: Ledger) -> None:
    claimed = finish(ledger, event())
    with pytest.raises(ClaimLost):
        ledger.calling(claimed, BOOK, None, LEASE)


def test_a_worker_that_dies_in_its_second_call_leaves_the_first_ones_booking(ledger: Ledger, clock: Clock) -> None:
    second_call = VendorCall("sb", "book", {"slot": "b"}, repeatable=False, line=1)
    claimed = ledger.calling(take(ledger, event()), BOOK, None, LEASE)
    claimed = ledger.calling(claimed, second_call, booking(BOOKED), LEASE)
    assert claimed.booking == booking(BOOKED)
    clock.advance(seconds=LEASE)
    again = take(ledger, event())
    assert again.in_doubt == second_call
    assert again.booking == booking(BOOKED)


def test_threads_that_mark_calls_at_once_each_get_their_own_answer(ledger: Ledger, clock: Clock) -> None:
    """Group commit mixes no answers up, and one lost claim takes no other down."""
    envelopes = [event(f"e-{n}", subject=f"R-{n}") for n in range(24)]
    claims = ledger.claim(envelopes, "w-1", LEASE)
    clock.advance(seconds=LEASE)
    ledger.claim(envelopes[::3], "w-2", LEASE)  # every third is lost
    start, answers = threading.Barrier(len(claims)), {}

    def mark(number: int) -> None:
        start.wait()
        try:
            answers[number] = ledger.calling(claims[number], BOOK, None, LEASE)  # type: ignore[arg-type]
        except ClaimLost as error:
            answers[number] = error

    threads = [threading.Thread(target=mark, args=(number,)) for number in range(len(claims))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number, claimed in enumerate(claims):
        if number % 3 == 0:
            assert isinstance(answers[number], ClaimLost)
        else:
            assert answers[number] == replace(claimed, until=clock() + timedelta(seconds=LEASE))  # type: ignore[type-var]


# --- settling ---------------------------------------------------------------------------------------------------


def test_an_event_can_be_read_as_it_was_settled(ledger: Ledger, clock: Clock) -> None:
    claimed = take(ledger, event())
    clock.advance(seconds=3)
    due = NOON + timedelta(minutes=2, microseconds=1)
    failed = replace(TRIED, outcome="transient", error="503", answer=None)
    ledger.settle([Settlement(claimed, event(), State.RETRYING, "503", next_at=due, attempts=(failed,))])
    finish(ledger, event(), attempts=(TRIED,), booking=booking(CONFIRMED), detail="booked")
    view = ledger.event("crm", "e-1")
    assert view is not None
    assert (view.state, view.detail, view.reason) == (State.DONE, "booked", "")
    assert (view.time, view.received, view.updated) == (NOON, NOON, NOON + timedelta(seconds=3))
    assert (view.attempt_count, list(view.attempts)) == (2, [failed, TRIED])
    assert list(view.entries) == [CONFIRMED]


def test_a_retry_is_seen_with_its_time(ledger: Ledger) -> None:
    due = NOON + timedelta(minutes=2)
    end(ledger, event(), State.RETRYING, detail="503", next_at=due)
    view = ledger.event("crm", "e-1")
    assert view is not None
    assert (view.state, view.next_at) == (State.RETRYING, due)
    take(ledger, event())
    view = ledger.event("crm", "e-1")
    assert view is not None
    assert (view.state, view.next_at) == (State.WORKING, None)


def test_an_event_nobody_has_taken_is_not_there(ledger: Ledger) -> None:
    assert ledger.event("crm", "e-1") is None


def test_a_dead_event_tells_its_reason(ledger: Ledger) -> None:
    end(ledger, event(), State.DEAD, reason=Reason.AUTH, detail="no such key")
    view = ledger.event("crm", "e-1")
    assert view is not None
    assert (view.state, view.reason, view.detail) == (State.DEAD, "auth", "no such key")


def test_text_that_a_database_cannot_hold_does_not_stop_the_settlement(ledger: Ledger) -> None:
    end(ledger, event(), State.DEAD, reason=Reason.REJECTED, detail="a\x00b\ud800c")
    view = ledger.event("crm", "e-1")
    assert view is not None
    assert view.detail == "a\ufffdb?c"


def test_many_settle_in_one_commit_and_the_lost_are_told(ledger: Ledger, clock: Clock) -> None:
    envelopes = [event(f"e-{n}", subject=f"R-{n}") for n in range(4)]
    claims = ledger.claim(envelopes, "w-1", LEASE)
    clock.advance(seconds=LEASE)
    ledger.claim([envelopes[2]], "w-2", LEASE)
    lost = ledger.settle(
        [Settlement(c, e, State.DONE, attempts=(TRIED,)) for c, e in zip(claims, envelopes, strict=True)]  # type: ignore[arg-type]
    )
    assert lost == [claims[2].event_pk]  # type: ignore[union-attr]
    views = [ledger.event("crm", e.id) for e in envelopes]
    assert [view.state for view in views if view] == [State.DONE, State.DONE, State.WORKING, State.DONE]
    assert [view.attempt_count for view in views if view] == [1, 1, 1, 1]
    assert all(view and len(view.attempts) == 1 for view in views)


def test_settling_the_same_again_counts_once(ledger: Ledger) -> None:
    claimed = take(ledger, event())
    ended = Settlement(claimed, event(), State.DONE, attempts=(TRIED,))
    assert ledger.settle([ended]) == []
    assert ledger.settle([ended]) == []
    view = ledger.event("crm", "e-1")
    assert view is not None
    assert (view.attempt_count, len(view.attempts)) == (1, 1)


def test_a_lost_claim_changes_no_state_but_forgets_no_vendor_id(ledger: Ledger, clock: Clock) -> None:
    late = take(ledger, event())
    clock.advance(seconds=LEASE)
    second = take(ledger, event(), "w-2")
    ledger.settle([Settlement(second, event(), State.DONE, booking=booking(entry("v-2"), cancelled=True))])
    assert ledger.settle([Settlement(late, event(), State.RETRYING, booking=booking(BOOKED))]) == [late.event_pk]
    view = ledger.event("crm", "e-1")
    assert view is not None
    assert view.state is State.DONE
    kept = stored(ledger)
    assert {e.vendor_id for e in kept.entries} == {"v-1", "v-2"}
    assert kept.cancelled


def test_a_late_worker_does_not_take_an_entry_back(ledger: Ledger, clock: Clock) -> None:
    late = take(ledger, event())
    clock.advance(seconds=LEASE)
    second = take(ledger, event(), "w-2")
    ledger.settle([Settlement(second, event(), State.DONE, booking=booking(CONFIRMED))])
    ledger.settle([Settlement(late, event(), State.RETRYING, booking=booking(BOOKED))])
    assert stored(ledger).entries == (CONFIRMED,)


def test_a_bookings_place_only_moves_on(ledger: Ledger) -> None:
    older = take(ledger, event(at=1))
    ledger.settle([Settlement(older, event("e-2", at=9), State.RETRYING, applies=True)])
    ledger.settle([Settlement(older, event(at=1), State.DONE, applies=True)])
    assert stored(ledger).as_of == NOON + timedelta(seconds=9)


def test_an_event_that_was_not_applied_leaves_the_bookings_place(ledger: Ledger) -> None:
    end(ledger, event(), State.RECORDED, booking=booking())
    assert stored(ledger).as_of is None


def test_a_booking_can_be_made_again_after_a_cancel(ledger: Ledger) -> None:
    finish(ledger, event("e-1", "booking.cancelled"), booking=booking(cancelled=True))
    finish(ledger, event("e-2", at=5), booking=booking(BOOKED))
    assert not stored(ledger).cancelled


def test_what_is_unfinished_is_counted_by_route_and_state(ledger: Ledger) -> None:
    take(ledger, event("e-1", subject="R-1"))
    take(ledger, event("e-2", subject="R-2"))
    end(ledger, event("e-3", subject="R-3"), State.RETRYING)
    end(ledger, event("e-4", "member.created", subject="77"), State.IN_DOUBT, in_doubt=BOOK)
    finish(ledger, event("e-5", subject="R-5"))
    assert ledger.count_unfinished() == {
        ("bookings.simplybook", State.WORKING): 2,
        ("bookings.simplybook", State.RETRYING): 1,
        ("members", State.IN_DOUBT): 1,
    }


def test_two_ledgers_that_store_one_booking_at_once_lose_neither_entry(open_ledger: OpenLedger, clock: Clock) -> None:
    """A worker that lost its claim and the one that took it may store at the same moment."""
    one, two = open_ledger(), open_ledger()
    envelopes = [event(f"e-{n}", subject=f"R-{n}") for n in range(10)]
    late = one.claim(envelopes, "w-1", LEASE)
    clock.advance(seconds=LEASE)
    second = two.claim(envelopes, "w-2", LEASE)
    start = threading.Barrier(2)

    def settle(ledger: Ledger, claims: list[Claim], vendor_id: str) -> None:
        start.wait()
        for claimed, envelope in zip(claims, envelopes, strict=True):
            assert isinstance(claimed, Claimed)
            made = Booking("crm", envelope.subject, "sb", (entry(vendor_id),))
            ledger.settle([Settlement(claimed, envelope, State.DONE, booking=made)])

    threads = [
        threading.Thread(target=settle, args=(one, late, "v-1")),
        threading.Thread(target=settle, args=(two, second, "v-2")),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number, envelope in enumerate(envelopes):
        kept = take(one, event(f"look-{number}", "booking.cancelled", subject=envelope.subject, at=9)).booking
        assert kept is not None
        assert {e.vendor_id for e in kept.entries} == {"v-1", "v-2"}


FAILED = replace(TRIED, outcome="transient", answer=None)


def attempts_of(ledger: Ledger) -> int:
    return take(ledger, event()).attempts


def test_a_delivery_counts_once_on_the_ladder_however_many_calls_it_made(ledger: Ledger) -> None:
    """Eight services booked and the ninth call failing must not leave one retry where there are six."""
    end(ledger, event(), State.RETRYING, attempts=(TRIED,) * 8 + (FAILED,))
    assert attempts_of(ledger) == 1


def test_a_delivery_whose_calls_went_well_and_that_waits_for_its_turn_counts_nothing(ledger: Ledger) -> None:
    end(ledger, event(), State.RETRYING, attempts=(TRIED, TRIED))
    assert attempts_of(ledger) == 0


def test_what_is_asked_about_and_made_again_in_vain_stays_in_doubt(ledger: Ledger) -> None:
    """The first call may still come to be, after the vendor has said that the slot is free."""
    end(ledger, event(), State.IN_DOUBT, in_doubt=BOOK)
    claimed = take(ledger, event())
    assert claimed.in_doubt == BOOK
    claimed = ledger.calling(claimed, BOOK, None, LEASE)
    assert ledger.settle([Settlement(claimed, event(), State.RETRYING)]) == []
    assert take(ledger, event()).in_doubt == BOOK


def test_a_doubt_that_was_booked_after_all_is_over(ledger: Ledger) -> None:
    end(ledger, event(), State.IN_DOUBT, in_doubt=BOOK)
    claimed = ledger.calling(take(ledger, event()), BOOK, None, LEASE)
    settled = Settlement(replace(claimed, in_doubt=None), event(), State.RETRYING, booking=booking(BOOKED))
    assert ledger.settle([settled]) == []
    assert take(ledger, event()).in_doubt is None


def test_a_call_that_may_be_made_twice_leaves_no_doubt_behind(ledger: Ledger, clock: Clock) -> None:
    """Its worker was killed in the midst of it, and the next one is refused: a cancel must go through all the same."""
    confirm = VendorCall("sb", "confirmBooking", {"id": "v-1"}, repeatable=True)
    ledger.calling(take(ledger, event()), confirm, booking(BOOKED), LEASE)
    clock.advance(seconds=LEASE + 1)
    end(ledger, event(), State.DEAD, reason=Reason.REJECTED)
    assert isinstance(claim(ledger, event("e-2", "booking.cancelled", at=5)), Claimed)


def test_what_is_stored_of_several_guests_under_one_reference_keeps_each_in_its_own_order(ledger: Ledger) -> None:
    ada, ben = ({"client": {"name": name, "email": f"{name}@example.com"}} for name in ("ada", "ben"))
    finish(ledger, event("c", "booking.cancelled", at=9, data=ben))
    assert isinstance(claim(ledger, event("b", at=5, data=ben)), Settled)
    finish(ledger, event("a", at=1, data=ada), booking=booking(entry("v-1", asked={"client": ada["client"]})))
    assert isinstance(claim(ledger, event("older", at=0.5, data=ada)), Settled)
    held = ledger.booking("crm", "R-1")
    assert held is not None
    assert [one.asked for one in held.entries] == [{"client": ada["client"]}]
