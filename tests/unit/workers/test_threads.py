"""A worker's threads: as many as it needs, and as many as the process may have."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from bellhop.workers.lanes import Lanes
from bellhop.workers.ports import NoTurns
from bellhop.workers.threads import WorkThreads
from tests.support.ingress import Told


def pool(told: Told, threads: int = 500, share: int = 1, route: str = "members") -> tuple[WorkThreads, Lanes]:
    def work(_: Any) -> Any: ...

    lanes = Lanes(threads, NoTurns(), share=share)
    return WorkThreads(route, lanes, work, lambda _: None, told), lanes


def test_threads_are_started_as_they_are_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[str] = []
    monkeypatch.setattr(threading.Thread, "start", lambda thread: started.append(thread.name))
    threads, lanes = pool(Told())
    for in_hand in (2, 2, 1, 3):
        threads.grow(in_hand)
    assert (threads.count, started, lanes.pool) == (3, ["members-work"] * 3, 1000)


def test_no_more_are_started_than_are_at_work_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threading.Thread, "start", lambda _: None)
    threads, _ = pool(Told(), threads=4)
    threads.grow(16)
    assert threads.count == 8


def test_events_that_share_threads_need_one_for_so_many_and_two_at_least(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(threading.Thread, "start", lambda _: None)
    threads, lanes = pool(Told(), share=64)
    counts = []
    for in_hand in (1, 2, 128, 129, 5000):
        threads.grow(in_hand)
        counts.append(threads.count)
    assert (counts, lanes.pool) == ([1, 2, 2, 3, 16], 1000)


def test_a_process_that_may_have_no_more_threads_works_with_those_it_has_and_tells(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    left = [True] * 5

    def start(_: threading.Thread) -> None:
        if not left:
            raise RuntimeError("can't start new thread")
        left.pop()

    monkeypatch.setattr(threading.Thread, "start", start)
    told = Told()
    threads, lanes = pool(told)
    threads.grow(8)
    assert lanes.pool == 5
    assert told.calls == [("worker.short_of_threads", {"route": "members", "threads": 5, "wanted": 8})]
    none, _ = pool(told, route="pulls")
    with pytest.raises(RuntimeError):
        none.grow(1)
