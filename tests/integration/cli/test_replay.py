"""`bellhop dead replay` on Bellhop's own host: the same job as from afar, whoever runs it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bellhop.broker.topology import work_queue
from bellhop.cli import follow
from bellhop.ledger.records import ItemState, JobState, LetterFilter, LetterState, Settlement, State
from bellhop.schemas.envelope import decode
from bellhop.schemas.reasons import Reason
from tests.support.api import Api
from tests.support.command_line import Run, runner
from tests.support.ledger import finish, letter, take

YES = ("--why", "the salon is back", "--yes")


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    one = Api(tmp_path)
    yield one
    one.close()


@pytest.fixture
def run(api: Api, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Exit code, stdout, stderr; of a command that waits for no archive."""
    monkeypatch.setattr(follow, "LOOK_SECONDS", 0.02)
    monkeypatch.setattr(follow, "ARCHIVE_SECONDS", 0.02)
    return runner(api.folder, monkeypatch, capsys)


@contextmanager
def working(api: Api, state: State = State.DONE) -> Iterator[list[str]]:
    """Workers alone, for which every event ends so; the ids of those they took."""
    stop, taken = threading.Event(), []

    def work() -> None:
        consumer = api.broker.consumer(work_queue("bookings.simplybook"), 10)
        while not stop.is_set():
            for delivery in consumer.take(10, 0.02):
                envelope = decode(delivery.message.body)
                taken.append(envelope.id)
                if state is State.DONE:
                    finish(api.ledger, envelope, detail="booked")
                else:
                    claimed = take(api.ledger, envelope)
                    died = Settlement(claimed, envelope, state, detail="no such provider", reason=Reason.REJECTED)
                    api.ledger.settle([died])
                    api.ledger.letters.archive([letter(envelope)])
                consumer.ack([delivery])
        consumer.close()

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        yield taken
    finally:
        stop.set()
        thread.join()


def test_a_replay_with_workers_alone_is_run_by_the_command_to_its_end(api: Api, run: Run) -> None:
    api.dead(8)
    with working(api):
        code, out, err = run("dead", "replay", "--all", *YES, "--wait", "20s")
    assert (code, out.splitlines()[:3], err) == (0, ["job 1: done", "replayed 8 of 8", "  1: done: booked"], "")
    job = api.ledger.jobs.get(1)
    assert job is not None
    assert (job.state, job.counts, job.why) == (JobState.DONE, {ItemState.DONE: 8}, "the salon is back")


def test_a_cause_that_comes_back_costs_one_call_and_stops_the_rest(api: Api, run: Run) -> None:
    api.dead(26)
    with working(api, State.DEAD) as taken:
        code, out, err = run("dead", "replay", "--all", *YES, "--wait", "20s")
    assert (code, taken, out.splitlines()[:2]) == (1, ["e-1"], ["job 1: stopped", "replayed 0 of 26"])
    assert "1 died again" in err
    assert "bellhop jobs resume 1" in err
    states = [one.state for one in api.ledger.letters.find(LetterFilter(states=tuple(LetterState)), 26)]
    assert states == [LetterState.REPLAYED, *[LetterState.OPEN] * 25]


def test_what_was_sent_and_has_not_ended_is_not_called_replayed(api: Api, run: Run) -> None:
    api.dead(3)
    code, out, err = run("dead", "replay", "--all", *YES, "--wait", "100ms", "--json")
    told = json.loads(out)
    assert (code, told["state"], told["replayed"], told["counts"]["sent"]) == (1, "running", 0, 1)
    assert "bellhop jobs follow 1" in err
    with working(api):  # whoever comes next has it at once: its lease was given back
        code, out, _ = run("jobs", "follow", "1", "--wait", "20")
    assert (code, "replayed 3 of 3" in out) == (0, True)


def test_a_replay_that_is_interrupted_is_paused_and_sends_no_more(
    api: Api, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.dead(3)
    looks = iter(range(100))

    def sleep(_seconds: float) -> None:
        if next(looks) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(follow.time, "sleep", sleep)
    monkeypatch.setattr(follow, "ARCHIVE_SECONDS", 0.0)
    code, _, err = run("dead", "replay", "--all", *YES)
    job = api.ledger.jobs.get(1)
    assert job is not None
    assert (code, job.state, job.counts[ItemState.WAITING]) == (1, JobState.PAUSED, 2)
    assert "bellhop jobs resume 1" in err


def test_now_sends_all_at_once_and_says_that_they_are_queued(api: Api, run: Run) -> None:
    api.dead(3)
    with working(api):
        code, out, err = run("dead", "replay", "--all", *YES, "--now", "--wait", "20s")
    assert (code, out.splitlines(), err) == (
        0, ["queued 3 of 3", "  1: done: booked", "  2: done: booked", "  3: done: booked"], ""
    )  # fmt: skip
    assert api.ledger.jobs.page(1).rows == []


@pytest.mark.parametrize("wait", ["1.5", "30", "30s", "2m", "1h", "500ms"])
def test_a_wait_is_a_duration_as_everywhere(api: Api, run: Run, wait: str) -> None:
    code, _, err = run("dead", "replay", "77", *YES, "--wait", wait)
    assert (code, err) == (
        1,
        "bellhop: no dead letter that is open or replaying matches: `bellhop dead list` lists them\n",
    )


@pytest.mark.parametrize("wait", ["soon", "-1", "3 weeks", ""])
def test_a_wait_that_is_no_duration_is_wrong_usage(api: Api, run: Run, wait: str) -> None:
    code, _, err = run("dead", "replay", "77", *YES, "--wait", wait)
    assert (code, 'must be a duration such as 30, "30s", "2m"' in err) == (2, True)


def test_the_preflight_is_told_before_the_question_and_on_a_dry_run(api: Api, run: Run) -> None:
    api.dead(2)
    code, out, err = run("dead", "replay", "--all", "--dry-run")
    assert (code, "2: will be retried" in err) == (0, True)
    assert "would replay 2 dead letters; nothing was done" in out
    assert api.ledger.jobs.page(1).rows == []
