"""What a worker may have in hand of each account, and whose event begins next."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from bellhop.broker.port import Delivery, Message
from bellhop.broker.topology import lane_account
from bellhop.ledger.records import Booking, Claimed
from bellhop.ledger.records.accounts import LeaveAsked
from bellhop.schemas.clock import Clock
from bellhop.schemas.fibres import Fibres
from bellhop.workers.delivery import ClaimedDelivery
from bellhop.workers.lanes import Lanes
from bellhop.workers.ports import FREE, AccountLeave
from bellhop.workers.retry import LOOK_SECONDS
from tests.support.ledger import event

THREADS = 4
PLACES = 16
NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


class Time:
    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


class Turns:
    """Leave as told, free for those that are not named."""

    def __init__(self, **leaves: AccountLeave) -> None:
        self.leaves = leaves

    def leave(self, account: str) -> AccountLeave:
        return self.leaves.get(account, FREE)

    def ask(self, account: str) -> LeaveAsked | None:
        return None

    def take(self, leave: LeaveAsked, wait: float) -> None: ...

    def ahead(self, account: str) -> None: ...

    def give_back(self, account: str) -> None: ...


def lanes(turns: Turns | None = None, time: Time | None = None, share: int = 1) -> Lanes:
    return Lanes(THREADS, turns or Turns(), Clock(now=lambda: NOW, monotonic=time or Time()), share=share)


def claimed(lane: str, number: int = 0, started: float = 1000.0) -> ClaimedDelivery:
    envelope = replace(event(f"{lane}-{number}", "member.updated"), account=lane_account(lane))
    delivery = Delivery(Message(envelope.message_id, b"", {}), number)
    claim = cast(Claimed, None)
    return ClaimedDelivery(delivery, started, envelope, claim, Booking("crm", "R-1", lane_account(lane)))


def take_in(of: Lanes, lane: str, count: int, first: int = 0) -> list[ClaimedDelivery]:
    taken = [claimed(lane, number, of._clock.monotonic()) for number in range(first, first + count)]
    for one in taken:
        of.take_in(one.delivery, lane)
        of.put([one])
    return taken


def begin(of: Lanes) -> str:
    """Whose event begins next, "" where a thread would wait."""
    found = begin_one(of)
    return "" if found is None else found.envelope.account


def begin_one(of: Lanes) -> ClaimedDelivery | None:
    return of._pick(of._clock.monotonic())[0]


def end(of: Lanes, one: ClaimedDelivery) -> None:
    of.finish([one])
    of.let_go(one.delivery)


def test_one_account_alone_has_half_of_the_places_and_the_next_ones_half_of_what_is_left() -> None:
    held = lanes()
    assert held.room("a", 0) == PLACES // 2
    take_in(held, "a", 8)
    assert held.room("a", 0) == 0
    assert held.room("b", 0) == 4
    assert held.room("b", 4) == 2
    take_in(held, "b", 4)
    assert held.room("c", 0) == 2


@pytest.mark.parametrize("free", range(PLACES + 1))
def test_where_it_is_full_no_account_has_room_and_elsewhere_one_has_that_has_nothing_yet(free: int) -> None:
    held = lanes()
    for number in range(PLACES - free):
        take_in(held, f"a{number % 5}", 1, number)
    for beside in range(free + 1):
        rooms = [held.room(lane, beside) for lane in ("a0", "a3", "b", "b:soon")]
        assert held.is_full(beside) == (max(rooms) == 0)
        assert held.room("", beside) > 0


def test_there_is_a_place_again_as_soon_as_one_is_let_go() -> None:
    held = lanes()
    taken = take_in(held, "a", 8)
    held.let_go(taken[0].delivery)
    assert held.room("a", 0) == 1
    held.let_go(taken[0].delivery)
    assert held.room("a", 0) == 1


def test_an_account_whose_calls_hang_has_the_settings_threads_and_another_ones_event_begins_at_once() -> None:
    held = lanes()
    take_in(held, "a", 8)
    assert [begin(held) for _ in range(5)] == ["a"] * THREADS + [""]
    take_in(held, "b", 1)
    assert begin(held) == "b"


def test_accounts_take_turns() -> None:
    held = lanes()
    take_in(held, "a", 2)
    take_in(held, "b", 2)
    assert [begin(held) for _ in range(4)] == ["a", "b", "a", "b"]


def test_of_one_account_they_begin_in_the_order_in_which_they_came() -> None:
    held = lanes()
    take_in(held, "a", 3)
    begun = [held.next() for _ in range(3)]
    assert [one.delivery.tag for (one,) in begun] == [0, 1, 2]


def test_an_account_with_few_calls_at_once_has_as_many_at_work_and_twice_in_hand() -> None:
    held = lanes(Turns(a=AccountLeave(at_once=2)))
    assert held.room("a", 0) == 4
    take_in(held, "a", 4)
    assert held.room("a", 0) == 0
    assert [begin(held) for _ in range(3)] == ["a", "a", ""]


def test_an_accounts_events_begin_at_its_rate_and_hold_no_thread_meanwhile() -> None:
    time = Time()
    held = lanes(Turns(a=AccountLeave(interval=1.0)), time)
    take_in(held, "a", 2)
    assert [begin(held), begin(held)] == ["a", ""]
    time.seconds += 0.7
    assert begin(held) == ""
    time.seconds += 0.1  # a little ahead of its turn, that it is not late
    assert begin(held) == "a"


def test_nothing_is_taken_that_would_wait_long_for_its_rate() -> None:
    time = Time()
    turns = Turns(a=AccountLeave(interval=60.0, next_at=time.seconds + 60))
    held = lanes(turns, time)
    assert held.room("a", 0) == 0
    time.seconds += 59
    assert held.room("a", 0) == 2


def test_nothing_is_taken_of_an_account_that_is_held_and_one_while_its_vendor_is_tried() -> None:
    turns = Turns(a=AccountLeave(held=30.0, is_ill=True))
    held = lanes(turns)
    assert held.room("a", 0) == 0
    assert held.room("b", 0) == PLACES // 2
    turns.leaves["a"] = AccountLeave(at_once=1, is_ill=True)
    assert held.room("a", 0) == 1
    take_in(held, "a", 1)
    assert held.room("a", 0) == 0
    turns.leaves["a"] = FREE
    assert held.room("a", 0) > 1


def test_a_lane_that_is_held_for_long_is_looked_at_now_and_then() -> None:
    time = Time()
    turns = Turns(a=AccountLeave(held=3600.0, at_once=1, is_ill=True))
    held = lanes(turns, time)
    assert held.room("a", 0) == 0
    time.seconds += LOOK_SECONDS - 1
    assert held.room("a", 0) == 0
    time.seconds += 1
    assert held.room("a", 0) == PLACES // 2
    held.end_look("a")
    assert held.room("a", 0) == 0
    time.seconds += LOOK_SECONDS
    assert held.room("a", 0) == PLACES // 2


def test_one_that_is_free_in_between_begins_its_time_anew() -> None:
    time = Time()
    turns = Turns(a=AccountLeave(held=3600.0, is_ill=True))
    held = lanes(turns, time)
    held.room("a", 0)
    time.seconds += LOOK_SECONDS / 2
    turns.leaves["a"] = FREE
    held.room("a", 0)
    turns.leaves["a"] = AccountLeave(held=3600.0, is_ill=True)
    held.room("a", 0)
    time.seconds += LOOK_SECONDS / 2
    assert held.room("a", 0) == 0


@pytest.mark.parametrize(
    ("leave", "most"),
    [(FREE, 8), (AccountLeave(at_once=2), 4), (AccountLeave(interval=0.2), 8), (AccountLeave(interval=1.0), 2)],
)
def test_a_consumer_fetches_no_more_of_a_lane_than_is_ever_wanted(leave: AccountLeave, most: int) -> None:
    assert lanes(Turns(a=leave)).most("a") == most


def test_whoever_waits_for_work_is_woken_when_it_is_closed() -> None:
    held = lanes()
    held.close()
    assert held.next() == []


def test_what_starts_soon_begins_first_and_has_a_place_beside_all_that_its_account_has_in_hand() -> None:
    held = lanes(Turns(a=AccountLeave(at_once=1)))
    take_in(held, "a", 2)
    assert held.room("a", 0) == 0
    assert held.room("a:soon", 0) == 2
    take_in(held, "a:soon", 2)
    order = []
    for _ in range(4):
        one = begin_one(held)
        assert one is not None
        order.append(one.envelope.id)
        end(held, one)
    assert order == ["a:soon-0", "a:soon-1", "a-0", "a-1"]


def test_nothing_more_is_taken_of_what_waits_behind_what_starts_soon() -> None:
    held = lanes(Turns(a=AccountLeave(interval=0.2)))
    take_in(held, "a:soon", 1)
    assert held.room("a", 0) == 0
    assert held.room("b", 0) > 0
    assert begin(held) == "a"
    assert held.room("a", 0) > 0


def test_each_lane_of_an_account_that_is_held_has_its_own_time_to_be_looked_at() -> None:
    time = Time()
    held = lanes(Turns(a=AccountLeave(held=3600.0, is_ill=True)), time)
    held.room("a", 0)
    time.seconds += LOOK_SECONDS
    assert held.room("a:soon", 0) > 0
    held.end_look("a:soon")
    assert held.room("a:soon", 0) == 0
    assert held.room("a", 0) > 0


@pytest.mark.parametrize(
    "leave",
    [AccountLeave(at_once=1), AccountLeave(interval=60.0)],
    ids=["all it may have is at work", "its rate has no room yet"],
)
def test_accounts_that_may_begin_nothing_are_not_gone_through_for_each_event(
    leave: AccountLeave, monkeypatch: pytest.MonkeyPatch
) -> None:
    accounts, time = 300, Time()
    names = [f"a{number}" for number in range(accounts)]
    of = Lanes(2 * accounts, Turns(**dict.fromkeys(names, leave)), Clock(now=lambda: NOW, monotonic=time))
    for name in names:
        take_in(of, name, 2)
    assert {begin(of) for _ in names} == set(names)
    assert begin(of) == ""
    asked: list[str] = []
    begin_of = of._precedence.begin

    def count(name: str, *arguments: Any, **named: Any) -> float:
        asked.append(name)
        return begin_of(name, *arguments, **named)

    monkeypatch.setattr(of._precedence, "begin", count)
    take_in(of, "b", 1)
    assert (begin(of), asked) == ("b", ["b"])
    time.seconds += 60
    asked.clear()
    if leave.interval:
        assert {begin(of) for _ in names} == set(names), "each in its turn, once the time has come"


def test_a_thread_begins_as_many_as_may_share_it_and_has_others_called_for_the_rest() -> None:
    held = lanes(share=3)
    take_in(held, "a", 4)
    with Fibres() as fibres:
        assert [len(held.next()), len(held.more(fibres)[0])] == [3, 1]
        assert held.more(fibres) == ([], math.inf)


def test_a_thread_with_fibres_is_rung_for_what_comes_and_asked_no_more_once_it_has_its_share() -> None:
    held = lanes(share=2)
    with Fibres() as fibres, Fibres() as full:
        fibres.count, full.count = 1, 2
        assert held.more(fibres)[0] == held.more(full)[0] == []
        take_in(held, "a", 1)
        assert (fibres.is_rung, full.is_rung) == (True, False)
        assert len(held.more(fibres)[0]) == 1


def test_nobody_is_rung_for_what_may_not_begin_as_whoever_ends_one_of_its_account_begins_it() -> None:
    held = lanes(share=8)
    take_in(held, "a", THREADS)
    begun = held.next()
    with Fibres() as fibres:
        fibres.count = len(begun)
        held.more(fibres)
        later = take_in(held, "a", 1)
        assert (len(begun), fibres.is_rung) == (THREADS, False)
        assert [held.next_after(one) for one in begun[:2]] == [*later, None]
    held.close()
    take_in(held, "a", 1)
    assert held.next_after(begun[2]) is None


def test_a_thread_that_has_its_share_leaves_it_to_another_to_wake_when_an_account_has_its_turn() -> None:
    held = lanes(Turns(slow=AccountLeave(interval=10.0)), share=2)
    take_in(held, "slow", 2)
    with Fibres() as other, Fibres() as fibres:
        fibres.count = other.count = len(held.next())
        assert held.more(other) == held.more(fibres) == ([], 1009.75)
        take_in(held, "a", 1)
        assert (fibres.is_rung, other.is_rung) == (True, False)
        assert len(held.more(fibres)[0]) == 1
        assert other.is_rung
    held = lanes(share=2)
    with Fibres() as fibres:
        fibres.count = 1
        held.more(fibres)
        fibres.count = 0
        held.more(fibres)
        take_in(held, "a", 1)
        assert not fibres.is_rung
    assert len(held.next()) == 1


def test_another_is_rung_for_whose_time_comes_where_a_full_threads_fibre_began_something_else() -> None:
    held = lanes(Turns(slow=AccountLeave(at_once=1, interval=10.0)), share=5)
    slow, *_, last = [*take_in(held, "slow", 2), *take_in(held, "b", 1), *take_in(held, "a", 4)]
    with Fibres() as full, Fibres() as other:
        full.count, other.count = len(held.next()), 1
        assert (full.count, *held.more(other)) == (5, [], math.inf)
        assert held.next_after(slow) is last
        held.more(full)
        assert other.is_rung
        assert held.more(other) == ([], 1009.75)


def test_nothing_begins_any_more_once_they_are_closed() -> None:
    held = lanes(share=2)
    take_in(held, "a", 1)
    held.close()
    with Fibres() as fibres:
        assert held.more(fibres)[0] == []
