"""Bulk acts whose process dies, loses its lease, or is overruled by a person, at every place where that can be."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from typing import Any
from unittest.mock import ANY

import pytest

from bellhop.broker.port import Address, Message
from bellhop.ledger.records import Claimed, ItemState, JobState, LetterState, Refused, Settlement, State, Verdict
from bellhop.letters.bulk_ends import SET_ASIDE
from bellhop.letters.preflight import WORDS
from bellhop.letters.replay import replay, replay_edited
from bellhop.schemas.envelope import encode
from bellhop.schemas.errors import PublishUnconfirmed
from bellhop.schemas.reasons import Reason
from tests.support.bulk import Bench
from tests.support.ledger import claim, die_in_doubt, event, letter, take


class Killed(BaseException):
    """Stands for kill -9: nothing after it runs."""


class Dying:
    """Another object, whose process dies just before, or just after, the so-manieth call of a writing method."""

    WRITES = frozenset(
        {
            "lease",
            "take",
            "mark",
            "grow",
            "finish",
            "begin_replay",
            "close_replayed",
            "close_edited",
            "discard",
            "publish",
        }
    )

    def __init__(self, other: Any, tick: Callable[[], None]) -> None:
        self._other = other
        self._tick = tick

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._other, name)
        if name in ("jobs", "letters"):
            return Dying(found, self._tick)
        if name not in self.WRITES:
            return found

        def act(*given: Any, **named: Any) -> Any:
            self._tick()
            answer = found(*given, **named)
            self._tick()
            return answer

        return act


class Fuse:
    def __init__(self, length: int) -> None:
        self.left = length

    def __call__(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise Killed


def work(bench: Bench, facts: list[tuple[str, int]]) -> None:
    """A worker that knows what it has done: the second delivery of a generation calls nothing."""
    for envelope in bench.arrived():
        answer = claim(bench.ledger, envelope)
        if isinstance(answer, Claimed):
            facts.append((envelope.id, envelope.generation))
            bench.ledger.settle([Settlement(answer, envelope, State.DONE, detail="synchronised")])


@pytest.mark.parametrize("kind", ["replay", "discard"])
def test_killed_at_any_place_a_job_is_finished_by_another_and_nothing_is_worked_twice(bench: Bench, kind: str) -> None:
    bench.dead(3)
    job = bench.job(kind, 1, 2, 3)
    facts: list[tuple[str, int]] = []
    length, runs = 0, 0
    while bench.state(job) is JobState.RUNNING:
        fuse = Fuse(length)
        runner = bench.make_runner(f"w-{runs}", Dying(bench.publisher, fuse), Dying(bench.ledger, fuse))
        try:
            for _ in range(30):
                runner.step()
                work(bench, facts)
        except Killed:
            work(bench, facts)
        length, runs = length + 1, runs + 1
        bench.clock.advance(seconds=61)
        assert runs < 60
    assert bench.counts(job) == {ItemState.DONE: 3}
    assert sorted(facts) == ([("e-1", 1), ("e-2", 1), ("e-3", 1)] if kind == "replay" else [])
    closed = LetterState.REPLAYED if kind == "replay" else LetterState.DISCARDED
    assert {bench.letter(number).state for number in (1, 2, 3)} == {closed}
    acts = [row.letter for row in bench.ledger.letters.audit_page(99).rows if row.act == kind]
    assert sorted(acts) == [1, 2, 3]


def test_a_death_that_was_noted_stops_the_job_even_if_its_process_dies_with_it(bench: Bench) -> None:
    bench.dead(9)
    job = bench.job("replay", *range(1, 10))
    length = 0
    bench.runner.step()
    bench.end(bench.arrived(), State.DEAD)
    while ItemState.FAILED not in bench.counts(job):
        fuse = Fuse(length)
        try:
            bench.clock.advance(seconds=61)
            bench.make_runner(f"w-{length}", ledger=Dying(bench.ledger, fuse)).step()
        except Killed:
            length += 1
    assert bench.state(job) is JobState.STOPPED


class Meanwhile:
    """A publisher during whose so-manieth publish something else happens."""

    def __init__(self, bench: Bench, at: int, act: Callable[[], Any]) -> None:
        self._bench = bench
        self._left = at
        self._act = act

    def publish(self, message: Message, to: Address) -> Future[None]:
        self._left -= 1
        if self._left == 0:
            self._act()
        return self._bench.publisher.publish(message, to)

    def close(self, timeout: float = 5.0) -> None: ...


def test_a_runner_that_lost_its_lease_sends_nothing_beside_the_one_that_has_it(bench: Bench) -> None:
    bench.dead(120)
    job = bench.job("replay", *range(1, 121))
    bench.ledger.jobs.grow(job, 100)
    other = bench.make_runner("w-2")

    def hang() -> None:
        bench.clock.advance(seconds=61)
        other.step()

    bench.make_runner("w-1", Meanwhile(bench, 1, hang)).step()
    sent = bench.arrived()
    assert {envelope.generation for envelope in sent} == {1}
    assert len({envelope.id for envelope in sent}) <= 100
    assert bench.counts(job)[ItemState.SENT] <= 100


@pytest.mark.parametrize("act", ["pause", "cancel"])
def test_what_a_person_holds_sends_nothing_more_in_the_midst_of_a_wave(bench: Bench, act: str) -> None:
    bench.dead(30)
    job = bench.job("replay", *range(1, 31), rate=1.0)
    bench.ledger.jobs.grow(job, 25)
    steer = getattr(bench.ledger.jobs, act)
    runner = bench.make_runner("w-1", Meanwhile(bench, 3, lambda: steer(job, "ben", "wait")))
    for _ in range(30):
        bench.clock.advance(seconds=1)
        runner.step()
    assert len(bench.arrived()) == 3
    rest = ItemState.WAITING if act == "pause" else ItemState.SKIPPED
    assert bench.counts(job) == {ItemState.SENT: 3, rest: 27}


def test_a_job_that_waits_for_an_end_holds_up_no_other(bench: Bench) -> None:
    bench.dead(3)
    slow = bench.job("replay", 1)
    bench.runner.step()
    bench.arrived()  # and its worker takes hours
    other, third = bench.job("replay", 2), bench.job("discard", 3)
    bench.runner.step()
    bench.end(bench.arrived())
    for _ in range(3):
        bench.runner.step()
    assert [bench.state(number) for number in (slow, other, third)] == [
        JobState.RUNNING, JobState.DONE, JobState.DONE,
    ]  # fmt: skip


def test_a_job_that_nobody_foresaw_holds_up_no_other(bench: Bench) -> None:
    class Odd:
        def __init__(self, jobs: Any) -> None:
            self.items = lambda id_, *given, **named: 1 / 0 if id_ == 1 else jobs.items(id_, *given, **named)
            self.__dict__ |= {name: getattr(jobs, name) for name in ("lease", "take", "mark", "finish", "get", "grow")}

    class OddLedger:
        def __init__(self, ledger: Any) -> None:
            self.jobs = Odd(ledger.jobs)
            self.letters, self.accounts = ledger.letters, ledger.accounts
            self.foresee, self.standings = ledger.foresee, ledger.standings

    bench.dead(2)
    bench.job("replay", 1)
    other = bench.job("discard", 2)
    told: list[str] = []
    runner = bench.make_runner("w-1", ledger=OddLedger(bench.ledger), observe=lambda event, **_: told.append(event))
    runner.step()
    assert bench.state(other) is JobState.DONE
    assert told == ["thread.crashed", "job.done"]


@pytest.mark.parametrize("held", ["stopped", "paused", "cancelled"])
def test_a_job_that_does_not_go_on_still_says_how_what_it_sent_has_ended(bench: Bench, held: str) -> None:
    bench.dead(9)
    job = bench.job("replay", *range(1, 10))
    bench.wave()
    bench.runner.step()
    sent = bench.arrived()
    if held == "stopped":
        bench.end(sent[:1], State.DEAD)
        bench.runner.step()
    else:
        getattr(bench.ledger.jobs, {"paused": "pause", "cancelled": "cancel"}[held])(job, "ben", "wait")
        bench.end(sent[:1], State.DEAD)
    assert bench.state(job).value == held
    bench.clock.advance(hours=3)
    bench.end(sent[1:])
    bench.runner.step()
    counts = bench.counts(job)
    assert (counts[ItemState.DONE], counts[ItemState.FAILED]) == (5, 1)
    assert ItemState.SENT not in counts
    assert bench.state(job).value == held
    assert bench.runner.step() is False
    assert bench.arrived() == []


@pytest.mark.parametrize("act", ["pause", "cancel"])
def test_what_was_marked_but_never_begun_when_its_process_died_is_not_sent_once_a_person_held_the_job(
    bench: Bench, act: str
) -> None:
    bench.dead(2)
    job = bench.job("replay", 1, 2)
    bench.ledger.jobs.lease("w-dead", 60)
    bench.ledger.jobs.take(job, "w-dead", [0], 60)
    getattr(bench.ledger.jobs, act)(job, "ben", "wait")
    bench.clock.advance(seconds=61)
    bench.runner.step()
    assert bench.arrived() == []
    assert set(bench.counts(job)) == {ItemState.WAITING if act == "pause" else ItemState.SKIPPED}


def test_a_letter_that_a_person_discards_after_its_process_died_does_not_keep_the_job_for_ever(bench: Bench) -> None:
    bench.dead(1)
    job = bench.job("replay", 1)
    bench.ledger.jobs.lease("w-dead", 60)
    bench.ledger.jobs.take(job, "w-dead", [0], 60)
    bench.ledger.letters.discard([1], "ben", "by hand")
    bench.clock.advance(seconds=61)
    for _ in range(3):
        bench.runner.step()
    assert bench.items(job) == [(ItemState.SKIPPED, "no longer open")]
    assert bench.state(job) is JobState.DONE


def test_a_letter_that_a_person_replays_after_its_process_died_ends_as_that_replay_does(bench: Bench) -> None:
    bench.dead(1)
    job = bench.job("replay", 1)
    bench.ledger.jobs.lease("w-dead", 60)
    bench.ledger.jobs.take(job, "w-dead", [0], 60)
    replay(bench.ledger.letters, bench.publisher, [1], who="ben", why="by hand")
    bench.clock.advance(seconds=61)
    bench.runner.step()
    bench.end(bench.arrived())
    for _ in range(3):
        bench.runner.step()
    assert bench.items(job) == [(ItemState.DONE, "done: the vendor said no")]
    assert bench.arrived() == []


def test_an_event_that_is_set_aside_while_its_replay_is_on_its_way_ends_the_item(bench: Bench) -> None:
    bench.dead(1)
    twin = bench.letter(1).new
    bench.ledger.letters.archive([replace(twin, reason=Reason.DELIVERY_LIMIT.value, attempts=0)])
    job = bench.job("replay", 1)
    bench.runner.step()
    bench.ledger.letters.discard([2], "ben", "settled by hand")
    for _ in range(3):
        bench.runner.step()
    assert bench.items(job) == [(ItemState.SKIPPED, SET_ASIDE)]
    assert bench.state(job) is JobState.DONE


def test_the_end_of_another_content_of_the_same_id_is_not_taken_for_the_letters_own(bench: Bench) -> None:
    bench.dead(1)
    replay(bench.ledger.letters, bench.publisher, [1], who="ann", why="mended")
    bench.end(bench.arrived())
    other = event("e-1", "member.updated", subject="M-1", data={"profile": {}})
    assert claim(bench.ledger, other) == Refused(Reason.CONFLICT, ANY)
    bench.ledger.letters.archive([letter(other, Reason.CONFLICT)])
    job = bench.job("replay", 2)
    bench.ledger.jobs.lease("w-1", 60)
    bench.ledger.jobs.take(job, "w-1", [0], 60)
    replay(bench.ledger.letters, bench.publisher, [2], who="ann", why="mended (job 1)")
    bench.runner.step()
    assert bench.items(job)[0][0] is ItemState.SENT


def test_a_letter_that_is_no_longer_kept_is_skipped(bench: Bench) -> None:
    bench.dead(1)
    job = bench.job("replay", 1, 77)
    bench.wave()
    for _ in range(3):
        bench.runner.step()
    assert bench.items(job)[1] == (ItemState.SKIPPED, "no longer open")
    assert bench.state(job) is JobState.DONE


def test_how_far_a_letter_has_come_is_told_while_its_end_is_not_known(bench: Bench) -> None:
    bench.dead(1)
    job = bench.job("replay", 1)
    bench.runner.step()
    (sent,) = bench.arrived()
    waits = Settlement(take(bench.ledger, sent), sent, State.RETRYING, detail="the vendor is away")
    bench.ledger.settle([waits])
    bench.runner.step()
    assert bench.items(job) == [(ItemState.SENT, "retrying: the vendor is away")]
    assert bench.state(job) is JobState.RUNNING


def test_a_discard_says_of_each_letter_whether_it_was_discarded(bench: Bench) -> None:
    bench.dead(3)
    job = bench.job("discard", 1, 2, 3)
    replay(bench.ledger.letters, bench.publisher, [2], who="ben", why="by hand")
    bench.runner.step()
    assert bench.items(job) == [
        (ItemState.DONE, "discarded"), (ItemState.SKIPPED, "no longer open"), (ItemState.DONE, "discarded"),
    ]  # fmt: skip
    assert bench.state(job) is JobState.DONE


def test_a_rate_is_kept_by_the_process_that_takes_over(bench: Bench) -> None:
    bench.dead(9)
    bench.job("replay", *range(1, 10), rate=0.1)
    bench.wave()
    bench.clock.advance(seconds=10)
    bench.runner.step()
    bench.end(bench.arrived())
    bench.clock.advance(seconds=61)
    other = bench.make_runner("w-2")
    for _ in range(9):
        other.step()
        assert bench.arrived() == []
        bench.clock.advance(seconds=1)
    bench.clock.advance(seconds=1)
    other.step()
    assert len(bench.arrived()) == 1


def test_a_job_whose_broker_is_away_sends_nothing_of_the_rest_before_it_is_back(bench: Bench) -> None:
    class Away:
        down = True

        def publish(self, message: Message, to: Address) -> Future[None]:
            if not self.down:
                return bench.publisher.publish(message, to)
            failed: Future[None] = Future()
            failed.set_exception(PublishUnconfirmed("away"))
            return failed

        def close(self, timeout: float = 5.0) -> None: ...

    away = Away()
    bench.dead(120)
    job = bench.job("replay", *range(1, 121))
    bench.ledger.jobs.grow(job, 100)
    runner = bench.make_runner("w-1", away)
    for _ in range(4):
        runner.step()
    assert bench.counts(job) == {ItemState.SENT: 50, ItemState.WAITING: 70}
    away.down = False
    for _ in range(2):
        runner.step()
    assert len(bench.arrived()) == 100


def test_an_edited_letter_whose_replay_died_before_it_was_closed_is_worked_once_whatever_is_sent_then(
    bench: Bench,
) -> None:
    bench.dead(1)
    changed = event("e-1", "member.updated", subject="M-1", data={"profile": {"name": "Ada"}})
    edit = bench.ledger.edits.propose(1, "ann", "the wrong name", encode(changed))
    ledger = Dying(bench.ledger, Fuse(0))
    with pytest.raises(Killed):
        replay_edited(ledger, bench.publisher, edit.id, who="ann")
    assert bench.letter(1).state is LetterState.OPEN
    (sent,) = bench.arrived()
    job = bench.job("replay", 1)
    bench.end([sent])
    for _ in range(3):
        bench.runner.step()
    assert bench.arrived() == []
    assert bench.items(job) == [(ItemState.SKIPPED, WORDS[Verdict.INVALID])]


def test_an_edit_is_not_sent_beside_a_replay_of_what_was_there_before(bench: Bench) -> None:
    bench.dead(1)
    changed = event("e-1", "member.updated", subject="M-1", data={"profile": {"name": "Ada"}})
    edit = bench.ledger.edits.propose(1, "ann", "the wrong name", encode(changed))
    bench.ledger.letters.begin_replay([1], "ben", "a job that was cut off")
    assert replay_edited(bench.ledger, bench.publisher, edit.id, who="ann").closed == 1
    assert bench.arrived() == []


def test_a_doubt_that_came_up_after_the_approval_is_skipped_and_one_that_was_approved_is_not(bench: Bench) -> None:
    bench.dead(2)
    job = bench.ledger.jobs.create("replay", [(1, Verdict.WOULD_APPLY), (2, Verdict.IN_DOUBT)], "ann", "looked").id
    for number in (1, 2):
        die_in_doubt(bench.ledger, event(f"x-{number}", "member.updated", subject=f"M-{number}"))
    bench.runner.step()
    assert [envelope.id for envelope in bench.arrived()] == ["e-2"]
    assert bench.items(job)[0] == (ItemState.SKIPPED, WORDS[Verdict.IN_DOUBT])
