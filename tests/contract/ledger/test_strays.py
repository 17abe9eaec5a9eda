"""Which events may be brought on by nothing: long due, or dead without a letter."""

from __future__ import annotations

from datetime import timedelta

from bellhop.ledger.records import State
from bellhop.ledger.store import Ledger
from tests.support.ledger import Clock, claim, die, end, event, finish, letter

HOUR = 3600.0


def strays(ledger: Ledger, clock: Clock) -> set[tuple[str, str]]:
    return {(one.id, one.state.value) for one in ledger.strays(clock() - timedelta(minutes=15))}


def test_what_is_long_due_is_one_and_what_ended_is_none(ledger: Ledger, clock: Clock) -> None:
    claim(ledger, event("working", subject="R-1"))
    end(ledger, event("due", subject="R-2"), State.RETRYING, next_at=clock() + timedelta(seconds=30))
    end(ledger, event("later", subject="R-3"), State.RETRYING, next_at=clock() + timedelta(hours=2))
    end(ledger, event("doubtful", subject="R-4"), State.IN_DOUBT)
    finish(ledger, event("done", subject="R-5"))
    assert strays(ledger, clock) == set()
    clock.advance(seconds=HOUR)
    assert strays(ledger, clock) == {("working", "working"), ("due", "retrying"), ("doubtful", "in_doubt")}
    claim(ledger, event("working", subject="R-1"))
    assert strays(ledger, clock) == {("due", "retrying"), ("doubtful", "in_doubt")}


def test_a_dead_event_is_one_as_long_as_no_letter_shows_it(ledger: Ledger, clock: Clock) -> None:
    died, other = event("died", subject="R-1"), event("other", subject="R-2")
    die(ledger, died)
    die(ledger, other)
    clock.advance(seconds=HOUR)
    assert strays(ledger, clock) == {("died", "dead"), ("other", "dead")}
    ledger.letters.archive([letter(died)])
    assert strays(ledger, clock) == {("other", "dead")}
    ledger.letters.discard([1], "ann", "by hand")
    assert strays(ledger, clock) == {("other", "dead")}


def test_a_replay_whose_message_was_lost_is_one(ledger: Ledger, clock: Clock) -> None:
    died = event("died")
    die(ledger, died)
    ledger.letters.archive([letter(died)])
    ledger.letters.begin_replay([1], "ann", "again")
    clock.advance(seconds=HOUR)
    assert strays(ledger, clock) == set()
    ledger.letters.close_replayed([1])
    assert strays(ledger, clock) == {("died", "dead")}


def test_what_a_persons_edit_has_taken_over_is_none_and_is_listed_once(ledger: Ledger, clock: Clock) -> None:
    died, edited = event("died"), event("died", data={"notes": "mended"}, generation=1)
    die(ledger, died)
    ledger.letters.archive([letter(died)])
    ledger.letters.begin_replay([1], "ann", "the salon says so")
    ledger.letters.close_replayed([1])
    clock.advance(seconds=HOUR)
    assert strays(ledger, clock) == {("died", "dead")}, "the edit's message may be lost"
    finish(ledger, edited)
    assert strays(ledger, clock) == set()
    listed = (ledger.find_events("died", 9), ledger.events_of("crm", "R-1"))
    assert [[one.state for one in found] for found in listed] == [[State.DONE]] * 2
    assert [one.state for _, one in ledger.events_of_source("crm")] == [State.DONE]


def test_what_has_neither_a_row_nor_a_letter_is_unknown(ledger: Ledger) -> None:
    claim(ledger, event("worked"))
    ledger.letters.archive([letter(event("buried", subject="R-2"))])
    assert set(ledger.unknown("crm", ["worked", "buried", "lost"])) == {"lost"}
    assert set(ledger.unknown("other", ["worked"])) == {"worked"}
