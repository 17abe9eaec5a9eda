"""Forgetting what is finished and old, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from bellhop.ledger.records import (
    Attempt,
    Claimed,
    JobState,
    LetterFilter,
    LetterState,
    Settled,
    Settlement,
    State,
    Verdict,
)
from bellhop.ledger.store import Ledger
from tests.support.ledger import BOOK, NOON, Clock, booking, claim, die, end, entry, event, finish, letter, take

TRIED = Attempt("book", NOON, 0.25, "ok")
OLD = 91


def test_a_finished_event_goes_with_its_attempts_and_its_past_booking_once_it_is_old(
    ledger: Ledger, clock: Clock
) -> None:
    finish(ledger, event(not_after=NOON), attempts=(TRIED,), booking=booking(entry("v-1")))
    clock.advance(days=89)
    assert ledger.prune() == 0
    clock.advance(days=2)
    assert ledger.prune() == 3
    assert ledger.event("crm", "e-1") is None
    assert take(ledger, event("e-2", "booking.cancelled")).booking == booking()


def test_what_is_unfinished_stays_for_ever(ledger: Ledger, clock: Clock) -> None:
    take(ledger, event("e-1", subject="R-1"))
    end(ledger, event("e-2", subject="R-2"), State.RETRYING)
    end(ledger, event("e-3", subject="R-3"), State.IN_DOUBT, in_doubt=BOOK)
    clock.advance(days=OLD)
    assert ledger.prune() == 0


def test_the_booking_of_an_event_that_stays_stays(ledger: Ledger, clock: Clock) -> None:
    finish(ledger, event(), booking=booking(entry("v-1")))
    clock.advance(days=OLD)
    take(ledger, event("e-2", "booking.changed", at=5))
    assert ledger.prune() == 1
    clock.advance(days=1)
    assert take(ledger, event("e-2", "booking.changed", at=5)).booking == replace(booking(entry("v-1")), as_of=NOON)


def test_what_a_booking_was_asked_for_goes_with_its_events_though_it_stays(ledger: Ledger, clock: Clock) -> None:
    asked = {"client": {"name": "Ada Lee"}}
    coming = event(data={"services": [{"start": (NOON + timedelta(days=400)).isoformat()}]})
    finish(ledger, coming, booking=booking(entry("v-1", asked=asked)))
    held = ledger.booking("crm", "R-1")
    assert held is not None
    assert held.entries == (entry("v-1", asked=asked),)
    clock.advance(days=OLD)
    assert ledger.prune() == 2
    held = ledger.booking("crm", "R-1")
    assert held is not None
    assert held.entries == (entry("v-1"),)
    assert ledger.prune() == 0


def test_a_booking_whose_last_start_is_to_come_stays_though_its_event_goes(ledger: Ledger, clock: Clock) -> None:
    services = [{"start": (NOON + timedelta(days=days)).isoformat()} for days in (1, 120)]
    asked = event(data={"services": services}, not_after=NOON + timedelta(days=1))
    finish(ledger, asked, booking=booking(entry("v-1")))
    clock.advance(days=OLD)
    assert ledger.prune() == 1
    clock.advance(days=28)
    assert ledger.prune() == 0
    clock.advance(days=2)
    assert ledger.prune() == 1


def test_a_dead_event_stays_until_its_letter_is_closed_and_old(ledger: Ledger, clock: Clock) -> None:
    die(ledger, event())
    ledger.letters.archive([letter(event())])
    clock.advance(days=OLD)
    assert ledger.prune() == 0
    ledger.letters.begin_replay([1], "ann", "again")
    assert ledger.prune() == 0
    ledger.letters.close_replayed([1])
    assert ledger.prune() == 1  # the event; its letter was closed just now
    clock.advance(days=OLD)
    assert ledger.prune() == 1
    assert ledger.letters.count(LetterFilter(states=tuple(LetterState))) == 0


def test_letters_numbers_and_events_rows_are_not_given_twice(ledger: Ledger, clock: Clock) -> None:
    ledger.letters.archive([letter(event())])
    ledger.letters.discard([1], "ann", "no")
    first = finish(ledger, event("m-1", "member.updated", subject="77"))
    clock.advance(days=OLD)
    assert ledger.prune() == 2
    ledger.letters.archive([letter(event())])
    assert ledger.letters.get(2) is not None
    assert take(ledger, event("m-1", "member.updated", subject="77")).event_pk > first.event_pk


def test_more_than_one_batch_is_pruned(ledger: Ledger, clock: Clock) -> None:
    for start in range(0, 1200, 200):
        some = [event(f"m-{n}", "member.updated", subject=f"{n}") for n in range(start, start + 200)]
        claims = ledger.claim(some, "w-1", 60)
        pairs = zip(claims, some, strict=True)
        ledger.settle([Settlement(c, e, State.DONE) for c, e in pairs if isinstance(c, Claimed)])
    clock.advance(days=OLD)
    assert ledger.prune() == 1200
    assert isinstance(claim(ledger, event("m-1", "member.updated", subject="1")), Claimed)


def test_what_is_done_and_young_is_known_after_pruning(ledger: Ledger) -> None:
    finish(ledger, event())
    ledger.prune()
    assert isinstance(claim(ledger, event()), Settled)


def test_a_job_goes_with_its_items_once_it_has_ended_and_is_old_and_its_acts_stay_in_the_audit(
    ledger: Ledger, clock: Clock
) -> None:
    items = [(1, Verdict.WOULD_APPLY), (2, Verdict.WOULD_APPLY)]
    ended, held = (ledger.jobs.create("replay", items, "ann", "mended").id for _ in range(2))
    ledger.jobs.finish(ended, JobState.DONE, "2 done")
    ledger.jobs.pause(held, "ann", "wait")
    clock.advance(days=89)
    assert ledger.prune() == 0
    clock.advance(days=2)
    assert ledger.prune() == 3
    assert ledger.jobs.get(ended) is None
    assert ledger.jobs.items(ended, 9).rows == []
    assert ledger.jobs.get(held) is not None
    assert [row.act for row in ledger.letters.audit_page(9).rows] == ["pause job", "approve replay", "approve replay"]
