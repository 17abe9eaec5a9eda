from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest

from bellhop.sandbox.app import create_sandbox
from bellhop.sandbox.limits import CallLimiter, Limit
from tests.support.salon import Caller, Clock

NOON = datetime(2026, 3, 9, 12, 0, tzinfo=UTC)


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def test_without_limits_every_call_is_let_in() -> None:
    limits = CallLimiter()
    assert [limits.enter(NOON, Limit()) for _ in range(100)] == [None] * 100


def test_of_six_calls_in_one_second_the_sixth_is_refused_and_a_second_later_it_is_not() -> None:
    limits, five = CallLimiter(), Limit(per_second=5)
    assert [limits.enter(after(part / 10), five) for part in range(5)] == [None] * 5
    refusal = limits.enter(after(0.9), five)
    assert refusal is not None
    assert (refusal.why, refusal.retry_after) == ("more than 5 a second", 1)
    assert limits.enter(after(1), five) is None
    assert limits.enter(after(1), five) is not None


def test_calls_sent_a_fifth_of_a_second_apart_are_never_refused_though_the_way_takes_unequally_long() -> None:
    limits, five = CallLimiter(), Limit(per_second=5)
    late = (0.0, 0.04, 0.01, 0.03, 0.0, 0.02)
    assert all(limits.enter(after(n / 5 + late[n % 6]), five) is None for n in range(60))


def test_a_refused_call_counts_for_nothing() -> None:
    limits, two = CallLimiter(), Limit(per_second=2, at_once=2, per_day=3)
    assert [limits.enter(NOON, two) is None for _ in range(50)] == [True, True] + [False] * 48
    assert limits.counts() == {"now": 2, "today": 2}
    limits.leave()
    assert limits.enter(after(1), two) is None


def test_only_so_many_calls_are_in_progress_at_once() -> None:
    limits, two = CallLimiter(), Limit(at_once=2)
    assert limits.enter(NOON, two) is None
    assert limits.enter(NOON, two) is None
    assert limits.enter(after(60), two) is not None
    limits.leave()
    assert limits.enter(after(60), two) is None


def test_a_day_ends_at_midnight_utc_and_the_refusal_says_when() -> None:
    limits, three = CallLimiter(), Limit(per_day=3)
    assert [limits.enter(NOON, three) for _ in range(3)] == [None] * 3
    refusal = limits.enter(after(0.5), three)
    assert refusal is not None
    assert refusal.retry_after == 12 * 3600
    assert limits.enter(datetime(2026, 3, 10, tzinfo=UTC), three) is None


def test_threads_that_come_at_once_are_counted_one_by_one() -> None:
    limits, together = CallLimiter(), threading.Barrier(16)
    let_in: list[bool] = []

    def come() -> None:
        together.wait(10)
        let_in.extend(limits.enter(NOON, Limit(per_second=40, at_once=30)) is None for _ in range(10))

    threads = [threading.Thread(target=come) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(let_in), let_in.count(True)) == (160, 30)
    assert limits.counts() == {"now": 30, "today": 30}


def test_above_the_limit_the_answer_is_429_with_retry_after_and_nothing_is_done() -> None:
    api = Caller(create_sandbox(now=Clock()).test_client())
    api.switch(simplybook_per_second=2)
    assert api.rpc("getTimeframe")["result"] == "15"  # the login was the first
    answer = api.client.post("/", json={"method": "createBatch", "params": [], "id": "1"})
    assert (answer.status_code, answer.headers["Retry-After"], answer.mimetype) == (429, "1", "text/html")
    call = api.client.get("/_sandbox/calls").json["calls"][-1]
    assert (call["method"], call["effect"], call["refusal"]) == (
        "createBatch",
        None,
        "too many requests: more than 2 a second",
    )


@pytest.mark.parametrize(("how", "status"), [("403", 403), ("rpc", 200)])
def test_how_a_throttled_call_is_answered_is_a_switch(how: str, status: int) -> None:
    api = Caller(create_sandbox(now=Clock()).test_client())
    api.switch(simplybook_per_second=1, simplybook_throttle_answer=how)
    answer = api.client.post("/", json={"method": "getTimeframe", "params": [], "id": "a"})
    assert answer.status_code == status
    assert "too many requests" in answer.text.lower()
    if how == "rpc":
        assert answer.json["id"] == "a"
        assert answer.json["error"]["message"] == "Too many requests"


def test_each_answered_call_leaves_room_for_the_next_and_a_reset_counts_anew() -> None:
    clock = Clock()
    api = Caller(create_sandbox(now=clock).test_client())
    api.switch(simplybook_at_once=1, simplybook_per_day=4)
    for _ in range(3):
        assert api.result("getTimeframe") == "15"
    assert api.client.get("/_sandbox/limits").json == {"now": 0, "today": 4}
    assert api.client.post("/", json={"method": "getTimeframe", "params": [], "id": 1}).status_code == 429
    api.client.post("/_sandbox/reset")
    assert api.client.get("/_sandbox/limits").json == {"now": 0, "today": 0}


def test_a_throttled_call_uses_up_no_fault() -> None:
    clock = Clock()
    api = Caller(create_sandbox(now=clock).test_client())
    api.switch(simplybook_per_second=1)
    api.client.post("/_sandbox/faults", json={"method": "getTimeframe", "kind": "http", "status": 502})
    assert api.client.post("/", json={"method": "getTimeframe", "params": [], "id": 1}).status_code == 429
    clock.now += timedelta(seconds=1)
    assert api.client.post("/", json={"method": "getTimeframe", "params": [], "id": 1}).status_code == 502
