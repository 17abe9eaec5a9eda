"""How many events a source may post."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bellhop.ingest.app import create_app
from bellhop.ingest.limits import SourceLimits
from bellhop.schemas.clock import Clock
from bellhop.vendors.settings import build
from tests.support.ingress import DOCUMENT, NOW, TOKEN, MemoryEvents, MemoryPublisher, Told

SOURCE = {"verifier": "bearer", "secrets": [TOKEN], "member_account": "club", "per_second": 2}
SETTINGS = build(DOCUMENT | {"sources": {"crm": SOURCE, "free": SOURCE | {"per_second": 0}}})


class Time:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_ten_seconds_worth_may_come_at_once_and_then_what_the_rate_allows() -> None:
    time = Time()
    limits = SourceLimits(SETTINGS.sources, time)
    assert [limits.wait_seconds("crm", 1) for _ in range(20)] == [0.0] * 20
    assert limits.wait_seconds("crm", 1) == 0.5
    time.now += 0.5
    assert limits.wait_seconds("crm", 1) == 0.0
    assert limits.wait_seconds("crm", 1) == 0.5


def test_a_list_of_any_length_is_taken_from_a_source_that_was_silent_and_counts_afterwards() -> None:
    time = Time()
    limits = SourceLimits(SETTINGS.sources, time)
    assert limits.wait_seconds("crm", 100) == 0.0
    assert limits.wait_seconds("crm", 1) == 40.5
    time.now += 40.5
    assert limits.wait_seconds("crm", 1) == 0.0


def test_a_source_without_a_limit_never_waits() -> None:
    limits = SourceLimits(SETTINGS.sources, Time())
    assert {limits.wait_seconds("free", 1000) for _ in range(100)} == {0.0}


@given(st.lists(st.tuples(st.floats(0, 20), st.integers(1, 30)), max_size=60))
def test_who_waits_as_told_is_taken_and_never_more_than_the_rate_comes_through(posts: list[tuple[float, int]]) -> None:
    time = Time()
    limits = SourceLimits(SETTINGS.sources, time)
    taken = longest = 0
    for pause, events in posts:
        time.now += pause
        longest = max(longest, events)
        if seconds := limits.wait_seconds("crm", events):
            time.now += seconds + 1e-6
            assert limits.wait_seconds("crm", events) == 0.0
        taken += events
    assert taken <= 2 * (time.now - 1000.0) + 20 + longest


@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_processes_made_by_a_fork_count_together() -> None:
    limits = SourceLimits(SETTINGS.sources, Time())
    child = os.fork()
    if not child:
        for _ in range(20):
            limits.wait_seconds("crm", 1)
        os._exit(0)
    os.waitpid(child, 0)
    assert limits.wait_seconds("crm", 1) == 0.5


def test_what_is_beyond_the_limit_is_answered_429_says_when_to_come_back_and_is_kept_nowhere() -> None:
    publisher, told, time = MemoryPublisher(), Told(), Time()
    refused: list[object] = []
    app = create_app(
        SETTINGS,
        publisher,
        MemoryEvents(),
        observe=told,
        clock=Clock(now=lambda: NOW, monotonic=time),
        note_refused=lambda *post: refused.append(post),
    )

    def post(name: str, token: str = TOKEN) -> Any:
        body = {"type": "member.updated", "timestamp": NOW.isoformat(), "data": {"member_id": "7"}}
        headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
        return app.test_client().post(f"/webhooks/{name}", data=json.dumps(body), headers=headers)

    assert {post("crm", "x" * 32).status_code for _ in range(30)} == {401}  # whoever it is: they count nothing
    assert {post("crm").status_code for _ in range(20)} == {202}
    answer = post("crm")
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "1")
    assert answer.get_json()["type"] == "urn:bellhop:problem:too-many-events"
    assert "2 events a second" in answer.get_json()["detail"]
    assert len(publisher.published) == 20
    assert not refused
    assert post("free").status_code == 202
    time.now += 1
    assert post("crm").status_code == 202
