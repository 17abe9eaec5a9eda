"""A worker's threads: as many as it needs, and as many as the process may have."""

from __future__ import annotations

import threading

import pytest

from bellhop.workers.threads import WorkThreads
from tests.support.ingress import Told


def test_threads_are_started_as_they_are_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[str] = []
    monkeypatch.setattr(threading.Thread, "start", lambda thread: started.append(thread.name))
    pool = WorkThreads("members", lambda: None, Told())
    assert [pool.grow(wanted, 1000) for wanted in (2, 2, 1, 3)] == [1000] * 4
    assert (pool.count, started) == (3, ["members-work"] * 3)


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
    pool = WorkThreads("members", lambda: None, told)
    assert pool.grow(8, 1000) == 5
    assert told.calls == [("worker.short_of_threads", {"route": "members", "threads": 5, "wanted": 1000})]
    with pytest.raises(RuntimeError):
        WorkThreads("pulls", lambda: None, told).grow(1, 1000)
