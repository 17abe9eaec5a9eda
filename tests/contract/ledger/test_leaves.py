"""Leave to call, got in the commit that marks the call, and given back in the one that settles it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from bellhop.ledger.breaker import FAILURES
from bellhop.ledger.records import Claimed, Settlement, State
from bellhop.ledger.records.accounts import Denied, Ended, LeaveAsked, Permit
from bellhop.ledger.store import Ledger
from bellhop.schemas.errors import ClaimLost, LeaveLater
from bellhop.schemas.settings import Limits
from tests.support.ledger import BOOK, LEASE, Clock, OpenLedger, claim, event, take

TWO = Limits(at_once=2)


def leave(id_: str, limits: Limits = TWO, *, last: bool = False) -> LeaveAsked:
    return LeaveAsked(Permit("sb", id_, 0.0, False), limits, last, 30.0)


def taken(ledger: Ledger, number: int) -> Claimed:
    return take(ledger, event(f"e-{number}", subject=f"R-{number}"))


def mark(ledger: Ledger, claimed: Claimed, asked: LeaveAsked) -> Claimed:
    return ledger.calling(claimed, BOOK, None, LEASE, asked)


def marked_calls(ledger: Ledger, number: int) -> int:
    return len(ledger.calls("crm", f"e-{number}"))


def at_once(ledger: Ledger) -> int:
    return ledger.accounts.views()[0].at_once


def test_a_call_is_marked_with_its_leave_or_neither_is_there(ledger: Ledger) -> None:
    first, second, third = (taken(ledger, number) for number in range(3))
    mark(ledger, first, leave("p-0"))
    mark(ledger, second, leave("p-1"))
    with pytest.raises(LeaveLater):
        mark(ledger, third, leave("p-2"))
    assert [marked_calls(ledger, number) for number in range(3)] == [1, 1, 0]
    assert (at_once(ledger), ledger.accounts.views()[0].used) == (2, 2)


def test_a_claim_that_was_lost_takes_no_leave(ledger: Ledger, clock: Clock) -> None:
    late = taken(ledger, 0)
    clock.advance(seconds=LEASE + 1)
    claim(ledger, event("e-0", subject="R-0"), "w-2")
    with pytest.raises(ClaimLost):
        mark(ledger, late, leave("p-0"))
    assert ledger.accounts.views() == []


def test_what_threads_mark_at_one_moment_is_held_to_the_limit_together(ledger: Ledger) -> None:
    claims = [taken(ledger, number) for number in range(12)]

    def attempt(number: int) -> bool:
        try:
            mark(ledger, claims[number], leave(f"p-{number}"))
        except LeaveLater:
            return False
        return True

    with ThreadPoolExecutor(12) as pool:
        granted = list(pool.map(attempt, range(12)))
    assert sum(granted) == 2
    assert [marked_calls(ledger, number) for number in range(12)] == [int(one) for one in granted]


@pytest.mark.parametrize("limits", [Limits(per_second=5), Limits(per_day=1)], ids=["rate", "day"])
def test_no_second_call_has_leave_before_its_moment(ledger: Ledger, clock: Clock, limits: Limits) -> None:
    mark(ledger, taken(ledger, 0), leave("", limits))
    second = taken(ledger, 1)
    with pytest.raises(LeaveLater):
        mark(ledger, second, leave("", limits))
    clock.advance(days=1)
    mark(ledger, taken(ledger, 2), leave("", limits))


def test_what_waits_when_the_day_runs_short_has_no_leave(ledger: Ledger) -> None:
    limits = Limits(per_day=5)
    for number in range(4):
        mark(ledger, taken(ledger, number), leave("", limits))
    with pytest.raises(LeaveLater):
        mark(ledger, taken(ledger, 4), leave("", limits, last=True))
    mark(ledger, taken(ledger, 5), leave("", limits))


def test_an_account_whose_breaker_opened_is_tried_by_who_waits_for_it_alone(ledger: Ledger, clock: Clock) -> None:
    for _ in range(FAILURES):
        got = ledger.accounts.acquire("sb", TWO, last=False, lease_seconds=30, patience_seconds=5)
        assert isinstance(got, Permit)
        ledger.accounts.release(got, Ended.AWAY)
    clock.advance(hours=1)
    with pytest.raises(LeaveLater):
        mark(ledger, taken(ledger, 0), leave("p-0"))


def test_a_permit_that_was_spent_ends_with_the_next_commit_of_its_process(
    open_ledger: OpenLedger, clock: Clock
) -> None:
    ledger, other = open_ledger(), open_ledger()
    first, second = taken(ledger, 0), taken(ledger, 1)
    claimed = mark(ledger, first, leave("p-0"))
    ledger.accounts.spend(Permit("sb", "p-0", 0.0, False))
    assert at_once(other) == 1
    done = Settlement(claimed, event("e-0", subject="R-0"), State.DONE, applies=True)
    assert ledger.settle([done]) == []
    assert at_once(other) == 0
    mark(ledger, second, leave("p-1"))
    ledger.accounts.spend(Permit("sb", "p-1", 0.0, False))
    mark(ledger, taken(ledger, 2), leave("p-2", Limits(at_once=1)))
    assert at_once(other) == 1


def test_a_process_that_dies_before_its_settlement_holds_its_permit_no_longer_than_its_lease(
    open_ledger: OpenLedger, clock: Clock
) -> None:
    dying, other = open_ledger(), open_ledger()
    one = Limits(at_once=1)
    mark(dying, taken(dying, 0), leave("p-0", one))
    dying.accounts.spend(Permit("sb", "p-0", 0.0, False))
    dying.close()
    refused = other.accounts.acquire("sb", one, last=False, lease_seconds=30, patience_seconds=5)
    assert isinstance(refused, Denied)
    clock.advance(seconds=31)
    mark(other, taken(other, 1), leave("p-1", one))
