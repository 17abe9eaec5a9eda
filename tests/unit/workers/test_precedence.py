"""Which of an account's events begins first: bookings before member syncs, what starts soon before all, none never."""

from __future__ import annotations

from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bellhop.schemas.clock import Clock
from bellhop.workers.delivery import ClaimedDelivery
from bellhop.workers.lanes import WAIT_AT_MOST_SECONDS, Lanes
from bellhop.workers.ports import AccountLeave
from bellhop.workers.precedence import GIVES_WAY_SECONDS, PASSED_AT_MOST, Precedence, Rank
from tests.unit.workers.test_lanes import NOW, Time, Turns, begin_one, end, take_in

ONE_AT_ONCE = AccountLeave(at_once=1)


class Bench:
    """The workers of two routes in one process."""

    def __init__(self, leave: AccountLeave = ONE_AT_ONCE) -> None:
        self.time = Time()
        clock, turns, precedence = Clock(now=lambda: NOW, monotonic=self.time), Turns(a=leave), Precedence()
        self.precedence = precedence
        self.bookings = Lanes(4, turns, clock, rank=Rank.BOOKING, precedence=precedence)
        self.members = Lanes(4, turns, clock, precedence=precedence)

    def begin(self, is_booking_first: bool = False) -> ClaimedDelivery | None:
        """What begins next; whose thread asks first."""
        lanes = (self.bookings, self.members) if is_booking_first else (self.members, self.bookings)
        return begin_one(lanes[0]) or begin_one(lanes[1])

    def end(self, one: ClaimedDelivery) -> None:
        end(self.members if self.members.is_in_hand(one.delivery) else self.bookings, one)

    def work_all(self) -> list[str]:
        ids = []
        while (one := self.begin()) is not None:
            ids.append(one.envelope.id)
            self.end(one)
        return ids


def test_bookings_begin_before_the_member_syncs_that_wait_in_another_route() -> None:
    bench = Bench()
    take_in(bench.members, "a", 2)
    take_in(bench.bookings, "a", 1, first=10)
    take_in(bench.bookings, "a:soon", 1, first=20)
    assert bench.work_all() == ["a:soon-20", "a-10", "a-0", "a-1"]


def test_no_more_member_syncs_are_taken_while_bookings_wait() -> None:
    bench = Bench()
    take_in(bench.bookings, "a", 1)
    assert bench.members.room("a", 0) == 0
    assert bench.members.room("b", 0) > 0
    bench.work_all()
    assert bench.members.room("a", 0) > 0


def test_bookings_that_wait_with_another_process_go_first_and_one_now_and_then_begins_all_the_same() -> None:
    bench = Bench()
    bench.precedence.note_elsewhere(frozenset("a"))
    assert bench.members.room("a", 0) == 1
    assert bench.members.room("b", 0) > 1
    (member,) = take_in(bench.members, "a", 1)
    assert bench.members.room("a", 0) == 0
    assert bench.begin() is None
    bench.time.seconds += WAIT_AT_MOST_SECONDS
    assert bench.begin() is member
    bench.precedence.note_elsewhere(frozenset())
    bench.end(member)
    assert bench.members.room("a", 0) > 1


def test_an_account_without_limits_has_nothing_to_wait_for() -> None:
    bench = Bench(AccountLeave())
    take_in(bench.bookings, "a", 1)
    assert bench.members.room("a", 0) > 0
    take_in(bench.members, "a", 1, first=10)
    assert bench.work_all() == ["a-10", "a-0"]
    take_in(bench.members, "a", 1)
    take_in(bench.bookings, "a", 2 * PASSED_AT_MOST, first=10)
    for _ in range(2 * PASSED_AT_MOST):
        bench.end(begin_one(bench.bookings) or pytest.fail("it gives way to nobody"))


def test_at_a_slow_rate_too_it_is_the_turn_that_is_given_away_and_not_the_time_before() -> None:
    bench = Bench(AccountLeave(interval=10.0))
    for number in range(PASSED_AT_MOST):
        take_in(bench.bookings, "a", 1, first=number)
        bench.end(begin_one(bench.bookings) or pytest.fail("it is its turn"))
        bench.time.seconds += 10
    bench.time.seconds -= 5
    take_in(bench.members, "a", 1)
    take_in(bench.bookings, "a", 1, first=PASSED_AT_MOST)
    for _ in range(47):
        assert bench.begin(is_booking_first=True) is None
        bench.time.seconds += 0.1
    bench.time.seconds += 0.1
    assert begin_one(bench.bookings) is None, "its turn has come, and is the other one's"
    assert begin_one(bench.members) is not None


def test_the_routes_of_a_process_share_an_accounts_rate_and_its_calls_at_once() -> None:
    bench = Bench(AccountLeave(interval=1.0))
    take_in(bench.members, "a", 1)
    assert bench.begin() is not None
    take_in(bench.bookings, "a", 1)
    assert bench.begin() is None
    bench.time.seconds += 1.0
    assert bench.begin() is not None

    bench = Bench()
    (member,) = take_in(bench.members, "a", 1)
    assert bench.begin() is member
    (booking,) = take_in(bench.bookings, "a", 1)
    assert bench.begin() is None
    bench.end(member)
    assert bench.begin() is booking


@pytest.mark.parametrize("is_booking_first", [False, True])
def test_one_is_next_of_what_was_passed_over_by_fifty(is_booking_first: bool) -> None:
    bench = Bench()
    take_in(bench.members, "a", 2)
    take_in(bench.bookings, "a", 2 * PASSED_AT_MOST, first=10)
    begun = []
    for _ in range(PASSED_AT_MOST + 2):
        one = bench.begin(is_booking_first)
        assert one is not None
        begun.append(one)
        bench.end(one)
    is_member = [int(one.envelope.id.rpartition("-")[2]) < 10 for one in begun]
    assert is_member == [False] * PASSED_AT_MOST + [True, False]


def test_a_route_without_a_free_thread_takes_nobodys_turn() -> None:
    bench = Bench()
    take_in(bench.members, "a", 1)
    take_in(bench.bookings, "a", 3 * PASSED_AT_MOST, first=10)
    for _ in range(PASSED_AT_MOST):
        bench.end(begin_one(bench.bookings) or pytest.fail("it begins"))
    assert begin_one(bench.bookings) is None
    bench.time.seconds += GIVES_WAY_SECONDS
    for _ in range(PASSED_AT_MOST):
        bench.end(begin_one(bench.bookings) or pytest.fail("it waits in vain but once"))
    assert begin_one(bench.bookings) is None


def test_what_is_claimed_waits_no_longer_than_its_claim_can_bear() -> None:
    bench = Bench()
    (old,) = take_in(bench.members, "a", 1)
    bench.time.seconds += WAIT_AT_MOST_SECONDS
    take_in(bench.bookings, "a", 1)
    assert bench.begin() is old


@given(
    arrivals=st.lists(st.lists(st.sampled_from(["a:soon", "a", "member"]), max_size=3), max_size=200),
    is_booking_first=st.booleans(),
)
def test_in_whatever_order_they_come_each_begins_in_the_order_of_its_lane_and_none_waits_for_ever(
    arrivals: list[list[str]], is_booking_first: bool
) -> None:
    """Three lines as a broker has them; one event ends between two arrivals, so that lines grow."""
    bench = Bench()
    lines: dict[str, deque[int]] = {"a:soon": deque(), "a": deque(), "member": deque()}
    ranks = {"a:soon": 0, "a": 1, "member": 2}
    number, passed, begun = 0, {"a": 0, "member": 0}, {name: -1 for name in lines}

    def take() -> None:
        for name, line in lines.items():
            of, lane = (bench.members, "a") if name == "member" else (bench.bookings, name)
            for _ in range(min(len(line), of.room(lane, 0))):
                take_in(of, lane, 1, first=line.popleft())

    def work() -> bool:
        take()
        one = bench.begin(is_booking_first)
        if one is None:
            return False
        own = one.envelope.id.rpartition("-")
        name = "member" if bench.members.is_in_hand(one.delivery) else own[0]
        assert int(own[2]) > begun[name], "first in, first out"
        begun[name] = int(own[2])
        bench.end(one)
        for other, count in passed.items():
            is_passed = ranks[other] > ranks[name] and bool(lines[other] or in_hand(bench, other))
            passed[other] = count + 1 if is_passed else 0
            assert passed[other] <= 2 * PASSED_AT_MOST, f"{other} waits for ever"
        return True

    for some in arrivals:
        for name in some:
            lines[name].append(number)
            number += 1
        work()
    while work():
        pass
    assert not any(lines.values())


def in_hand(bench: Bench, name: str) -> int:
    lanes = bench.members if name == "member" else bench.bookings
    account = lanes._accounts.get("a")
    return 0 if account is None else account.later.in_hand
