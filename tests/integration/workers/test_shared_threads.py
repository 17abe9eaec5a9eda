"""Events that share threads: all of them end, whatever each waits for, and none waits for another's vendor."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import cast

from bellhop.broker.port import Delivery, Message
from bellhop.ledger.records import Booking, Claimed
from bellhop.schemas.fibres import pause
from bellhop.schemas.observe import silent
from bellhop.vendors.outcome import Done
from bellhop.workers.delivery import ClaimedDelivery, EndedDelivery
from bellhop.workers.lanes import Lanes
from bellhop.workers.ports import FREE, AccountLeave, NoTurns
from bellhop.workers.suspects import Room
from bellhop.workers.threads import WorkThreads
from tests.support.ledger import event
from tests.support.service import wait_for

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


class Turns(NoTurns):
    def __init__(self, **leaves: AccountLeave) -> None:
        self.leaves = leaves

    def leave(self, account: str) -> AccountLeave:
        return self.leaves.get(account, FREE)


class Pool:
    """A pool of threads, each with up to `share` events, that works what it is given."""

    def __init__(self, work: Callable[[ClaimedDelivery], None], threads: int, share: int, turns: Turns | None = None):
        self.lanes = Lanes(threads, turns or Turns(), share=share)
        self.ended: Counter[str] = Counter()
        self.threads: set[int] = set()
        self._work_one = work
        self._pool = WorkThreads("members", self.lanes, self._work, self._take, silent)
        self._in_hand = 0

    def put(self, account: str, count: int = 1) -> None:
        many = [claimed(account) for _ in range(count)]
        for one in many:
            self.lanes.take_in(one.delivery, account)
        self.lanes.put(many)
        self._in_hand += count
        self._pool.grow(self._in_hand)

    def _work(self, one: ClaimedDelivery) -> EndedDelivery:
        self.threads.add(threading.get_ident())
        self._work_one(one)
        return EndedDelivery(one.delivery, one.started, Done("done"), one.envelope)

    def _take(self, many: Sequence[EndedDelivery]) -> None:
        for one in many:
            assert one.envelope
            self.lanes.let_go(one.delivery)
            self.ended[one.envelope.account] += 1


def claimed(account: str) -> ClaimedDelivery:
    envelope = replace(event("1", "member.updated"), account=account)
    delivery = Delivery(Message(envelope.message_id, b"", {}), object())
    return ClaimedDelivery(delivery, 0.0, envelope, cast(Claimed, None), Booking("crm", "R-1", account))


def test_an_event_ends_while_those_of_its_thread_wait_for_a_vendor_that_hangs() -> None:
    returned = threading.Event()

    def work(one: ClaimedDelivery) -> None:
        while one.envelope.account == "hangs" and not returned.is_set():
            pause(0.01)

    pool = Pool(work, threads=8, share=8)
    pool.put("hangs", 8)
    for count in range(1, 20):
        pool.put("well")
        wait_for(lambda count=count: pool.ended["well"] == count, "an event of the other account ends")  # type: ignore[misc]
    assert pool.ended["hangs"] == 0
    returned.set()
    wait_for(lambda: pool.ended["hangs"] == 8, "the others end")
    assert len(pool.threads) <= 2
    pool.lanes.close()


def test_an_event_goes_on_though_others_of_its_thread_begin_and_end_without_a_pause() -> None:
    """On one thread: of two, one may have ended a thousand before the other has Python's lock."""
    lanes, ended = Lanes(8, Turns(), share=4), list[str]()

    def put(account: str) -> None:
        one = claimed(account)
        lanes.take_in(one.delivery, account)
        lanes.put([one])

    def work(one: ClaimedDelivery) -> EndedDelivery:
        if one.envelope.account == "waits":
            pause(0)
        elif len(ended) < 1000:
            put("ends at once")
        ended.append(one.envelope.account)
        return EndedDelivery(one.delivery, one.started, Done("done"), one.envelope)

    def take(many: Sequence[EndedDelivery]) -> None:
        for one in many:
            lanes.let_go(one.delivery)
        if "waits" in ended:
            lanes.close()

    put("waits")
    put("ends at once")
    WorkThreads("members", lanes, work, take, silent)._work_on()
    assert ended.index("waits") <= 2 * lanes.share


def test_all_end_that_are_put_from_many_sides_and_wait_for_odd_times() -> None:
    """A call of an idle thread that is lost would leave one lying for ever."""
    dice = random.Random(13)

    def work(_: ClaimedDelivery) -> None:
        if dice.random() < 0.7:
            pause(dice.random() / 500)

    turns = Turns(one=AccountLeave(at_once=1), three=AccountLeave(at_once=3))
    pool = Pool(work, threads=6, share=3, turns=turns)
    names = ["one", "three", "a", "b", "c"]

    def put() -> None:
        for _ in range(40):
            pool.put(dice.choice(names), dice.randint(1, 6))
            pause(dice.random() / 200)

    sides = [threading.Thread(target=put) for _ in range(3)]
    for side in sides:
        side.start()
    for side in sides:
        side.join()
    wait_for(lambda: pool.ended.total() == pool._in_hand, "all end")
    pool.lanes.close()


def test_a_suspect_is_worked_when_none_of_its_thread_is_at_work_and_what_comes_meanwhile_waits() -> None:
    room, order = Room(20, quiet_seconds=0.05), []
    at_work: set[int] = set()
    alone, go_on = threading.Event(), threading.Event()

    def work(one: ClaimedDelivery) -> None:
        with room.place(one.delivery):
            at_work.add(id(one))
            if room.is_suspect(one.delivery):
                assert at_work == {id(one)}
                alone.set()
                while not go_on.is_set():
                    pause(0.01)
            else:
                pause(0.05)
            at_work.discard(id(one))
            order.append(one.envelope.account)

    pool = Pool(work, threads=8, share=8)
    pool.put("before", 4)
    wait_for(lambda: len(at_work) == 4, "they are at work")
    suspect = claimed("suspect")
    suspect = replace(suspect, delivery=Delivery(suspect.delivery.message, object(), 5))
    pool.lanes.take_in(suspect.delivery, "suspect")
    pool.lanes.put([suspect])
    assert alone.wait(10)
    pool.put("after", 4)
    go_on.set()
    wait_for(lambda: len(order) == 9, "all end")
    assert order == ["before"] * 4 + ["suspect"] + ["after"] * 4
    pool.lanes.close()


def test_what_has_ended_is_handed_over_once_what_begins_in_its_place_is_with_its_vendor() -> None:
    lanes, seen = Lanes(1, Turns(), share=4), list[str]()  # one at work at a time

    def work(one: ClaimedDelivery) -> EndedDelivery:
        seen.append("begun")
        return EndedDelivery(one.delivery, one.started, Done("done"), one.envelope)

    def take(many: Sequence[EndedDelivery]) -> None:
        seen.append(f"{len(many)} handed over")
        lanes.close()

    many = [claimed("a") for _ in range(3)]
    for one in many:
        lanes.take_in(one.delivery, "a")
    lanes.put(many)
    WorkThreads("members", lanes, work, take, silent)._work_on()
    assert seen == ["begun", "begun", "begun", "3 handed over"]
