from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from bellhop.ledger.records import Booking, ClaimBusy, Claimed, Held, Settled, State
from bellhop.ledger.store import Ledger
from bellhop.schemas.envelope import Envelope
from bellhop.schemas.settings.floods import FloodLimits
from tests.support.ledger import LEASE, NOON, Clock, OpenLedger, claim, entry, event, finish, take

CHANGED, CANCELLED = "booking.changed", "booking.cancelled"


def guard(ledger: Ledger, **limits: Any) -> None:
    ledger.floods.limits = {"crm": FloodLimits(**{"cancels": 3, "changes": 5, "share": 0.0, **limits})}


def cancel(number: int, **more: Any) -> Envelope:
    return event(f"c-{number}", CANCELLED, **{"subject": f"R-{number}", **more})


def held_of(claims: list[Any]) -> list[bool]:
    return [isinstance(one, Held) for one in claims]


def test_the_first_go_on_and_all_beyond_the_limit_are_held_in_one_batch_or_many(ledger: Ledger) -> None:
    guard(ledger)
    assert held_of(ledger.claim([cancel(n) for n in range(2)], "w", LEASE)) == [False, False]
    assert held_of(ledger.claim([cancel(n) for n in range(2, 6)], "w", LEASE)) == [False, True, True, True]
    assert isinstance(claim(ledger, cancel(6)), Held)
    (flood,) = ledger.floods.open()
    assert (flood.source, flood.held, flood.limit) == ("crm", 4, "more than 3 cancels within 10 minutes")
    assert [one.id for one in ledger.floods.events_of("crm")] == ["c-3", "c-4", "c-5", "c-6"]
    view = ledger.event("crm", "c-3")
    assert view is not None
    assert view.state is State.HELD
    assert view.detail == "held by the flood guard: more than 3 cancels within 10 minutes"


def test_while_a_flood_is_open_changes_are_held_too_and_new_bookings_and_other_sources_go_on(ledger: Ledger) -> None:
    guard(ledger)
    ledger.claim([cancel(n) for n in range(4)], "w", LEASE)
    assert isinstance(claim(ledger, event("x-1", CHANGED, subject="R-20")), Held)
    assert isinstance(claim(ledger, event("x-2", subject="R-21")), Claimed)
    assert isinstance(claim(ledger, event("x-3", "member.updated", subject="7")), Claimed)
    assert isinstance(claim(ledger, cancel(22, source="pos")), Claimed)


def test_changes_have_a_limit_of_their_own_and_a_status_that_cancels_counts_as_a_cancel(ledger: Ledger) -> None:
    guard(ledger, changes=2)
    changes = [event(f"x-{n}", CHANGED, subject=f"R-{n}") for n in range(3)]
    assert held_of(ledger.claim(changes, "w", LEASE)) == [False, False, True]
    guard(ledger, cancels=1, changes=0)
    (flood,) = ledger.floods.open()
    ledger.floods.discard(flood.id, "ann", "x")
    both = [event(f"y-{n}", CHANGED, subject=f"S-{n}", data={"status": "CANCELED"}) for n in range(2)]
    assert held_of(ledger.claim(both, "w", LEASE)) == [False, True]


def test_what_is_held_tells_at_which_venue_it_starts(ledger: Ledger) -> None:
    guard(ledger, cancels=1)
    soon, later = NOON + timedelta(hours=2), NOON + timedelta(days=2)
    for number, start in enumerate((later, later, soon)):
        asked = event(f"b-{number}", subject=f"R-{number}", not_after=start, data={"venue": f"v-{number}"})
        finish(ledger, asked, booking=Booking("crm", f"R-{number}", "sb", (entry(f"e-{number}"),)))
    starts = {0: later, 1: later, 2: soon, 3: None}  # the last one is of no booking that is known
    held = [claim(ledger, cancel(number, at=5, not_after=start)) for number, start in starts.items()]
    assert held_of(held) == [False, True, True, True]
    (flood,) = ledger.floods.open()
    assert (flood.soonest, flood.venue) == (soon, "v-2")
    assert [one.venue for one in ledger.floods.events_of("crm")] == ["v-2", "v-1", ""]


def test_only_what_lies_within_the_time_counts(ledger: Ledger, clock: Clock) -> None:
    guard(ledger)
    for number in range(30):
        assert isinstance(claim(ledger, cancel(number)), Claimed)
        clock.advance(seconds=240)
    assert ledger.floods.open() == []


def test_what_comes_again_and_what_a_person_replays_does_not_count(ledger: Ledger) -> None:
    guard(ledger)
    for _ in range(5):
        claim(ledger, cancel(1))
    assert isinstance(claim(ledger, cancel(1, generation=1)), ClaimBusy | Claimed)
    assert all(isinstance(claim(ledger, cancel(n, generation=1)), Claimed) for n in range(10, 20))
    assert isinstance(claim(ledger, cancel(2)), Claimed)


def test_a_share_of_an_accounts_bookings_to_come_is_too_much_from_ten_on(ledger: Ledger) -> None:
    guard(ledger, cancels=0, share=0.5)
    start = NOON + timedelta(days=2)
    for number in range(20):
        asked = event(f"b-{number}", subject=f"R-{number}", not_after=start)
        stands = Booking("crm", f"R-{number}", "sb", (entry(f"v-{number}"),))
        finish(ledger, asked, booking=stands)
    claims = [claim(ledger, cancel(n, at=5)) for n in range(12)]
    assert held_of(claims) == [False] * 10 + [True] * 2
    assert ledger.floods.open()[0].limit == "more than 50% of the bookings to come at sb within 10 minutes"


def test_a_share_is_of_each_venues_own_bookings(ledger: Ledger) -> None:
    guard(ledger, cancels=0, share=0.5)
    start = NOON + timedelta(days=2)
    for venue, count in (("big", 60), ("small", 22)):
        for number in range(count):
            asked = event(f"{venue}-{number}", subject=f"{venue}-{number}", not_after=start, data={"venue": venue})
            stands = Booking("crm", f"{venue}-{number}", "sb", (entry(f"v-{venue}-{number}"),))
            finish(ledger, asked, booking=stands)

    def cancels(venue: str, count: int) -> list[bool]:
        return held_of(
            [
                claim(ledger, event(f"c-{venue}-{n}", CANCELLED, subject=f"{venue}-{n}", at=5, data={"venue": venue}))
                for n in range(count)
            ]
        )

    assert cancels("big", 20) == [False] * 20  # a third of its own, and a quarter of all
    assert cancels("small", 12) == [False] * 11 + [True]  # 12 of 82 of the account's, and more than half of its own
    assert ledger.floods.open()[0].limit == "more than 50% of the bookings to come at small within 10 minutes"


def test_of_released_events_of_one_booking_the_newest_counts_and_counting_begins_anew(
    ledger: Ledger, clock: Clock
) -> None:
    guard(ledger)
    ledger.claim([cancel(n) for n in range(4)], "w", LEASE)
    change, over = (event(f"x-{n}", CHANGED, subject="R-9", at=n) for n in (1, 2))
    assert held_of(ledger.claim([change, over], "w", LEASE)) == [True, True]
    (flood,) = ledger.floods.open()
    assert ledger.floods.release(flood.id, "ann", "the venue is closed") == 3
    assert ledger.floods.release(flood.id, "ann", "again") is None
    assert claim(ledger, change) == Settled(State.SUPERSEDED, "event x-2 of its booking is newer and being worked")
    assert isinstance(take(ledger, over), Claimed)
    assert ledger.audit(1)[0].act == "release flood"
    assert held_of([claim(ledger, cancel(n)) for n in range(30, 34)]) == [False, False, False, True]


def test_a_request_that_comes_after_its_held_change_is_booked_and_changed_once_that_is_released(ledger: Ledger) -> None:
    guard(ledger)
    ledger.claim([cancel(n) for n in range(4)], "w", LEASE)
    change = event("x-2", CHANGED, subject="R-9", at=2)
    assert isinstance(claim(ledger, change), Held)
    finish(ledger, event("x-1", subject="R-9", at=1))
    (flood,) = ledger.floods.open()
    ledger.floods.release(flood.id, "ann", "the venue is closed")
    assert isinstance(take(ledger, change), Claimed)


def test_a_request_waits_for_what_is_older_and_held(ledger: Ledger) -> None:
    guard(ledger)
    ledger.claim([cancel(n) for n in range(4)], "w", LEASE)
    assert isinstance(claim(ledger, event("x-1", CHANGED, subject="R-9", at=1)), Held)
    assert isinstance(claim(ledger, event("x-2", subject="R-9", at=2)), ClaimBusy)


def test_discarded_events_are_settled_and_never_called(ledger: Ledger) -> None:
    guard(ledger)
    ledger.claim([cancel(n) for n in range(5)], "w", LEASE)
    (flood,) = ledger.floods.open()
    assert ledger.floods.discard(flood.id, "ann", "a fault of theirs") == 2
    again = claim(ledger, cancel(3))
    assert isinstance(again, Settled)
    assert (again.state, again.detail) == (State.DISCARDED, "discarded by ann: a fault of theirs")
    assert ledger.floods.open() == []
    assert [(one.state, one.who, one.held) for one in ledger.floods.all()] == [("discarded", "ann", 0)]


def test_a_request_that_comes_after_its_held_cancel_is_booked_and_stands_where_that_is_discarded(
    ledger: Ledger,
) -> None:
    """Superseded by what a person then discards, a booking would never be made; waiting, it would be made too late."""
    guard(ledger, cancels=1)
    ledger.claim([cancel(1), cancel(7, at=9)], "w", LEASE)
    asked = event("b-7", subject="R-7", at=1)
    finish(ledger, asked)
    ledger.floods.discard(ledger.floods.open()[0].id, "ann", "x")
    assert isinstance(claim(ledger, asked), Settled)
    assert ledger.event("crm", "b-7").state is State.DONE  # type: ignore[union-attr]


def test_a_held_event_that_comes_back_is_held_still_and_its_message_is_not_missed(ledger: Ledger, clock: Clock) -> None:
    guard(ledger, cancels=1)
    ledger.claim([cancel(1), cancel(2)], "w", LEASE)
    for _ in range(12):
        clock.advance(minutes=10)
        assert isinstance(claim(ledger, cancel(2)), Held)
        assert [one.id for one in ledger.strays(clock() - timedelta(minutes=15)) if one.state is State.HELD] == []
    clock.advance(hours=1)
    assert [one.id for one in ledger.strays(clock() - timedelta(minutes=15)) if one.state is State.HELD] == ["c-2"]


def test_many_workers_count_as_one(open_ledger: OpenLedger) -> None:
    workers = [open_ledger() for _ in range(4)]
    for worker in workers:
        guard(worker, cancels=10)
    with ThreadPoolExecutor(4) as pool:
        claims = list(pool.map(lambda n: claim(workers[n % 4], cancel(n)), range(40)))
    assert sum(held_of(claims)) == 30
    assert len(workers[0].floods.open()) == 1


def test_what_was_ended_is_hastened_at_once_and_once_more(ledger: Ledger, clock: Clock) -> None:
    guard(ledger, cancels=1)
    ledger.claim([cancel(1), cancel(2)], "w", LEASE)
    assert ledger.floods.to_hasten() == []
    ledger.floods.release(1, "ann", "x")
    for _ in range(2):
        assert ledger.floods.to_hasten() == [1]
        ledger.floods.note_hastened([1])
        assert ledger.floods.to_hasten() == []
        clock.advance(seconds=30)
    assert ledger.floods.to_hasten() == []


@pytest.mark.parametrize("limits", [{}, {"crm": FloodLimits(cancels=0, changes=0, share=0)}])
def test_where_there_is_no_limit_nothing_is_held(ledger: Ledger, limits: dict[str, FloodLimits]) -> None:
    ledger.floods.limits = limits
    assert held_of(ledger.claim([cancel(n) for n in range(200)], "w", LEASE)) == [False] * 200
