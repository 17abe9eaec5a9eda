"""Every call is shown, also those of which no worker lived to tell."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bellhop.ledger.calls import CUT_OFF, UNDER_WAY
from bellhop.ledger.records import Attempt, Settlement, State
from bellhop.ledger.store import Ledger
from bellhop.schemas.reasons import Reason
from tests.support.ledger import BOOK, LEASE, NOON, Clock, claim, end, event, letter, take


def told(ledger: Ledger, id_: str = "e-1") -> list[tuple[str, str, str]]:
    return [(call.method, call.outcome, call.error) for call in ledger.calls("crm", id_)]


def test_a_call_whose_worker_died_is_shown_before_and_after_another_worker_has_asked_about_it(
    ledger: Ledger, clock: Clock
) -> None:
    ledger.calling(take(ledger, event()), BOOK, None, LEASE)
    assert told(ledger) == [("book", "unknown", UNDER_WAY)]
    clock.advance(seconds=LEASE + 1)
    claimed = take(ledger, event(), "w-2")
    ended = Settlement(claimed, event(), State.DEAD, reason=Reason.IN_DOUBT, detail="the slot is taken")
    assert ledger.settle([ended]) == []
    assert told(ledger) == [("book", "unknown", CUT_OFF)]
    (call,) = ledger.calls("crm", "e-1")
    assert (call.request, call.started) == (BOOK.arguments, NOON)
    view = ledger.event("crm", "e-1")
    assert view is not None
    assert view.attempts == [call]


def test_a_call_that_was_told_of_is_shown_once_however_often_its_event_is_claimed(ledger: Ledger) -> None:
    claimed = ledger.calling(take(ledger, event()), BOOK, None, LEASE)
    attempt = Attempt("book", NOON, 2.0, "unknown", "no answer in time")
    ledger.settle([Settlement(claimed, event(), State.IN_DOUBT, in_doubt=BOOK, attempts=[attempt])])
    take(ledger, event(), "w-2")
    assert told(ledger) == [("book", "unknown", "no answer in time")]


def test_the_calls_of_what_an_edit_replaced_stay_in_sight(ledger: Ledger, clock: Clock) -> None:
    refused = Attempt("book", NOON, 0.1, "rejected", "closed that day")
    end(ledger, event(), State.DEAD, reason=Reason.REJECTED, attempts=[refused])
    edited = replace(event(data={"notes": "another day"}), generation=1)
    clock.advance(seconds=5)
    end(ledger, edited, State.DONE, applies=True, attempts=[Attempt("book", clock(), 0.1, "ok")])
    assert [outcome for _, outcome, _ in told(ledger)] == ["rejected", "ok"]


@pytest.mark.parametrize("called", [True, False])
def test_of_what_the_broker_buried_the_call_is_shown_in_which_its_workers_died(ledger: Ledger, called: bool) -> None:
    claimed = take(ledger, event())
    if called:
        ledger.calling(claimed, BOOK, None, LEASE)
    ledger.letters.archive([letter(event(), Reason.DELIVERY_LIMIT)])
    ledger.letters.archive([letter(event(), Reason.DELIVERY_LIMIT)])  # it comes again
    seen = [("book", "unknown", CUT_OFF)] if called else []
    assert told(ledger) == seen
    claim(ledger, event(generation=1))
    assert told(ledger) == seen


def test_an_id_that_never_came_has_made_no_call(ledger: Ledger) -> None:
    assert told(ledger, "never") == []
