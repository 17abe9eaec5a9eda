"""Which parts are missed, as their beats are judged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from bellhop.ledger.records import BulkJob, JobState, Part
from bellhop.letters.attention import attention
from bellhop.letters.needs import BrokerCheck
from bellhop.letters.parts import count_running, find_missing, jobs_wait, part_rows
from tests.support.ledger import NOON
from tests.unit.letters.test_attention import ledger

SIMPLYBOOK = "bookings.simplybook"


def part(
    kind: str, *routes: str, seen: float = 0, since: float = 3600, stopped: float | None = None, id_: str = ""
) -> Part:
    """seen, since, stopped: so many seconds ago."""
    seen_at, since_at = NOON - timedelta(seconds=seen), NOON - timedelta(seconds=since)
    stopped_at = None if stopped is None else NOON - timedelta(seconds=stopped)
    needs = ("ingest", "archive", SIMPLYBOOK)
    return Part(id_ or kind, kind, "host-1", "0.1.0", routes, needs, since_at, since_at, seen_at, stopped_at)


@dataclass
class Beating:
    parts: Sequence[Part]
    own: str = ""

    def all(self) -> Sequence[Part]:
        return self.parts


def missed(*parts: Part, own: str = "", waiting: Sequence[str] = ()) -> list[str]:
    return [gone.what for gone in find_missing(Beating(parts, own), NOON, waiting)]


INGEST, ARCHIVE, WORK = part("ingest"), part("archive"), part("work", SIMPLYBOOK)


def test_nothing_is_missed_while_all_run_or_nothing_is_known() -> None:
    assert missed(INGEST, ARCHIVE, WORK) == []
    assert missed() == []


@pytest.mark.parametrize(
    ("gone", "is_missed"),
    [
        (part("work", SIMPLYBOOK, seen=29), False),
        (part("work", SIMPLYBOOK, seen=31), True),
        (part("work", SIMPLYBOOK, seen=59, stopped=59), False),  # a deploy
        (part("work", SIMPLYBOOK, seen=61, stopped=61), True),
        (part("work", "members"), True),
    ],
)
def test_a_route_is_missed_once_its_worker_is_silent_or_was_stopped_for_longer_than_a_deploy(
    gone: Part, is_missed: bool
) -> None:
    assert missed(INGEST, ARCHIVE, gone) == [SIMPLYBOOK] * is_missed


def test_another_worker_of_the_route_is_enough() -> None:
    assert missed(INGEST, ARCHIVE, part("work", SIMPLYBOOK, seen=600, id_="old"), WORK) == []


def test_a_route_whose_queue_holds_messages_needs_a_worker_whatever_the_settings_say() -> None:
    assert missed(INGEST, ARCHIVE, WORK, waiting=["pulls"]) == ["pulls"]


def test_when_the_ledger_comes_back_nobody_is_missed_before_their_beats_could_come() -> None:
    console = part("console", since=4)
    silent = [part("ingest", seen=300), part("archive", seen=300), part("work", SIMPLYBOOK, seen=300)]
    assert missed(console, *silent) == []
    assert missed(part("console", seen=300), *silent, own="console") == []  # its own beat is still to come
    assert missed(part("console", since=31), *silent, own="console") == ["ingest", "archive", SIMPLYBOOK]


def test_where_nothing_runs_all_that_is_needed_is_missed() -> None:
    silent = [part("ingest", seen=300), part("archive", seen=300), part("work", SIMPLYBOOK, seen=300)]
    assert missed(*silent) == ["ingest", "archive", SIMPLYBOOK]


def test_what_is_missed_needs_a_person_at_once() -> None:
    told = attention(ledger(parts=[INGEST, ARCHIVE, part("work", SIMPLYBOOK, seen=90)]), BrokerCheck(), NOON)
    assert [(one.need, one.name, one.severity, one.title) for one in told] == [
        ("part", SIMPLYBOOK, "critical", f"No worker for {SIMPLYBOOK}")
    ]
    assert told[0].since == NOON - timedelta(seconds=90)
    assert f"start `bellhop work {SIMPLYBOOK}`" in told[0].why


def test_a_job_waits_where_no_archive_runs_and_not_where_nothing_is_known() -> None:
    job = BulkJob(1, "replay", JobState.RUNNING, "ann", "why", NOON, NOON, None, 1, {}, "")
    assert jobs_wait(Beating([]), NOON)(job) == jobs_wait(Beating([INGEST, ARCHIVE]), NOON)(job) == ""
    for gone in (part("archive", seen=40), part("archive", stopped=1)):
        waits = jobs_wait(Beating([INGEST, gone]), NOON)
        assert "bellhop archive" in waits(job)
        assert waits(replace(job, run_until=NOON + timedelta(seconds=9))) == ""  # a command runs it
        assert waits(replace(job, state=JobState.PAUSED)) == ""


def test_parts_that_run_are_counted_and_listed_first() -> None:
    parts = [part("archive", stopped=5, id_="a"), INGEST, part("work", SIMPLYBOOK, seen=45, id_="w"), WORK]
    assert {row["part"]: row["count"] for row in count_running(parts, NOON)} == {
        "archive": 0, "ingest": 1, SIMPLYBOOK: 1
    }  # fmt: skip
    states = [(row["kind"], row["state"]) for row in part_rows(Beating(parts), NOON)]
    assert states == [("ingest", "running"), ("work", "running"), ("work", "silent"), ("archive", "stopped")]


def test_a_part_whose_settings_are_not_those_of_most_differs() -> None:
    def part(name: str, digest: str, **more: Any) -> Part:
        seen = more.pop("seen", NOON)
        return Part(name, "work", "host", "0.1.0", (), (), NOON, NOON, seen, digest=digest, **more)

    gone = NOON - timedelta(minutes=5)
    parts = [part("a", "d1"), part("b", "d1"), part("c", "d2"), part("old", ""), part("gone", "d0", seen=gone)]
    rows = {row["name"]: row["differs"] for row in part_rows(SimpleNamespace(own="", all=lambda: parts), NOON)}
    assert rows == {"a": False, "b": False, "c": True, "old": False, "gone": False}
