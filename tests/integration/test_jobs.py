"""Bulk acts on a real ledger and the embedded broker: the canary, the waves, the stop, and every place to die at."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from broker.embedded import EmbeddedBroker
from broker.port import Address, Message
from broker.topology import Topology, work_queue
from ledger.records import ItemState, JobState, LetterState, Settlement, State, Verdict
from ledger.store import Ledger
from ops.jobs import JobRunner
from ops.replay import replay_edited
from schemas.envelope import Envelope, decode, encode
from schemas.errors import PublishUnconfirmed
from schemas.reasons import Reason
from tests.support.ledger import Clock, die, event, letter, take

ROUTE = "members"
SETTINGS = SimpleNamespace(accounts={"sb": None}, venues={})


class Bench:
    """Dead member events in the archive, a runner, and a worker that ends what was replayed as a test says."""

    def __init__(self, folder: Path) -> None:
        self.clock = Clock()
        self.broker = EmbeddedBroker(
            f"sqlite:///{folder}/broker.db", Topology((ROUTE,), (1.0,)), lease_seconds=5, confirm_seconds=5
        )
        self.broker.declare()
        self.ledger = Ledger.open(f"sqlite:///{folder}/ledger.db", keep_seconds=90 * 86400, now=self.clock)
        self.publisher = self.broker.publisher()
        self.consumer = self.broker.consumer(work_queue(ROUTE), 1000)
        self.paused: list[float] = []
        self.runner = self.make_runner("w-1")

    def make_runner(self, by: str, publisher: Any = None) -> JobRunner:
        return JobRunner(
            self.ledger, publisher or self.publisher, SETTINGS, by=by, now=self.clock, pause=self.paused.append
        )

    def close(self) -> None:
        self.consumer.close()
        self.publisher.close()
        self.broker.close()
        self.ledger.close()

    def dead(self, count: int) -> None:
        for number in range(1, count + 1):
            gone = event(f"e-{number}", "member.updated", subject=f"M-{number}")
            die(self.ledger, gone)
            self.ledger.letters.archive([letter(gone)])

    def job(self, kind: str, *letters: int) -> int:
        return self.ledger.jobs.create(kind, [(n, Verdict.WOULD_APPLY) for n in letters], "ann", "mended", None).id

    def arrived(self) -> list[Envelope]:
        """What was put on the work queue since the last look."""
        found = self.consumer.take(1000, 0.2)
        self.consumer.ack(found)
        self.consumer.take(0, 0)
        return [decode(delivery.message.body) for delivery in found]

    def end(self, envelopes: list[Envelope], state: State = State.DONE) -> None:
        for envelope in envelopes:
            claimed = take(self.ledger, envelope)
            reason = Reason.REJECTED if state is State.DEAD else None
            self.ledger.settle([Settlement(claimed, envelope, state, detail="the vendor said no", reason=reason)])
            if state is State.DEAD:
                self.ledger.letters.archive([letter(envelope)])

    def wave(self, state: State = State.DONE) -> int:
        """One wave from its sending to its ends: how many it was."""
        self.runner.step()
        sent = self.arrived()
        self.end(sent, state)
        self.runner.step()
        return len(sent)

    def counts(self, job: int) -> dict[ItemState, int]:
        found = self.ledger.jobs.get(job)
        assert found is not None
        return dict(found.counts)

    def state(self, job: int) -> JobState:
        found = self.ledger.jobs.get(job)
        assert found is not None
        return found.state


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.close()


def test_a_canary_goes_first_and_the_waves_grow_while_all_goes_well(bench: Bench) -> None:
    bench.dead(40)
    job = bench.job("replay", *range(1, 41))
    assert [bench.wave() for _ in range(4)] == [1, 5, 25, 9]
    bench.runner.step()
    assert bench.state(job) is JobState.DONE
    assert bench.counts(job) == {ItemState.DONE: 40}
    assert bench.ledger.jobs.page(1).rows[0].detail == "40 done"
    assert bench.runner.step() is False


def test_it_waits_for_the_ends_of_a_wave_before_it_sends_the_next(bench: Bench) -> None:
    bench.dead(6)
    bench.job("replay", *range(1, 7))
    bench.runner.step()
    assert len(bench.arrived()) == 1
    for _ in range(3):
        bench.runner.step()
    assert bench.arrived() == []


def test_it_stops_by_itself_when_the_same_cause_comes_back(bench: Bench) -> None:
    bench.dead(10)
    job = bench.job("replay", *range(1, 11))
    bench.wave()
    assert bench.wave(State.DEAD) == 5
    assert bench.state(job) is JobState.STOPPED
    found = bench.ledger.jobs.get(job)
    assert found is not None
    assert "died again of the same cause" in found.detail
    bench.runner.step()
    assert bench.arrived() == []
    assert bench.counts(job)[ItemState.WAITING] == 4


def test_a_stopped_job_begins_with_a_canary_again(bench: Bench) -> None:
    bench.dead(10)
    job = bench.job("replay", *range(1, 11))
    bench.wave()
    bench.wave(State.DEAD)
    bench.ledger.jobs.resume(job, "ann", "mended now")
    bench.runner.step()  # the others of the stopped wave
    assert bench.wave(State.DONE) <= 1


def test_every_message_is_marked_as_a_replay_with_its_generation(bench: Bench) -> None:
    bench.dead(1)
    bench.job("replay", 1)
    bench.runner.step()
    (envelope,) = bench.arrived()
    assert envelope.generation == 1
    (audited,) = [row for row in bench.ledger.letters.audit_page(9).rows if row.act == "replay"]
    assert (audited.who, audited.why) == ("ann", "mended (job 1)")


def test_the_set_is_frozen_what_dies_later_is_not_in_it(bench: Bench) -> None:
    bench.dead(1)
    job = bench.job("replay", 1)
    gone = event("late", "member.updated", subject="M-late")
    die(bench.ledger, gone)
    bench.ledger.letters.archive([letter(gone)])
    bench.wave()
    bench.runner.step()
    assert bench.state(job) is JobState.DONE
    late = bench.ledger.letters.get(2)
    assert late is not None
    assert late.state is LetterState.OPEN


def test_what_somebody_closed_meanwhile_is_skipped_and_said(bench: Bench) -> None:
    bench.dead(2)
    job = bench.job("replay", 1, 2)
    bench.ledger.letters.discard([1], "ben", "by hand")
    bench.runner.step()
    assert bench.arrived() == []
    assert bench.wave() == 1
    items = bench.ledger.jobs.items(job, 9).rows
    assert [(item.state, item.detail) for item in items] == [
        (ItemState.SKIPPED, "is not open any more"), (ItemState.DONE, "done: the vendor said no"),
    ]  # fmt: skip


def test_a_paused_job_sends_nothing_more(bench: Bench) -> None:
    bench.dead(3)
    job = bench.job("replay", 1, 2, 3)
    bench.wave()
    bench.ledger.jobs.pause(job, "ben", "wait")
    assert bench.runner.step() is False
    assert bench.arrived() == []


def test_a_process_that_dies_between_the_mark_and_the_confirm_is_made_good_by_another(bench: Bench) -> None:
    class NeverConfirms:
        def publish(self, message: Message, to: Address) -> Future[None]:
            failed: Future[None] = Future()
            failed.set_exception(PublishUnconfirmed("killed"))
            return failed

        def close(self, timeout: float = 5.0) -> None: ...

    bench.dead(1)
    job = bench.job("replay", 1)
    bench.make_runner("w-dead", NeverConfirms()).step()
    assert bench.counts(job) == {ItemState.SENT: 1}
    assert bench.arrived() == []
    bench.clock.advance(seconds=61)
    bench.runner.step()
    sent = bench.arrived()
    assert [envelope.generation for envelope in sent] == [1]
    bench.end(sent)
    bench.runner.step()
    bench.runner.step()
    assert bench.state(job) is JobState.DONE


def test_a_process_that_dies_after_the_confirm_does_not_send_again(bench: Bench) -> None:
    bench.dead(1)
    bench.job("replay", 1)
    bench.make_runner("w-dead").step()
    assert len(bench.arrived()) == 1
    bench.clock.advance(seconds=61)
    bench.runner.step()
    assert bench.arrived() == []


def test_a_rate_is_kept(bench: Bench) -> None:
    bench.dead(6)
    job = bench.ledger.jobs.create("replay", [(n, Verdict.WOULD_APPLY) for n in range(1, 7)], "ann", "slowly", 2.0)
    bench.wave()
    bench.runner.step()
    assert len(bench.arrived()) == 5
    assert sum(bench.paused) > 1.0
    assert job.rate == 2.0


def test_a_discard_closes_its_letters_with_the_persons_reason(bench: Bench) -> None:
    bench.dead(3)
    job = bench.job("discard", 3, 1)
    bench.runner.step()
    bench.runner.step()
    assert bench.state(job) is JobState.DONE
    states = [bench.ledger.letters.get(n) for n in (1, 2, 3)]
    assert [one.state for one in states if one] == [LetterState.DISCARDED, LetterState.OPEN, LetterState.DISCARDED]


def test_a_vendor_that_is_away_is_waited_for(bench: Bench) -> None:
    from ledger.accounts import FAILURES, Ended
    from schemas.settings import Limits

    bench.dead(1)
    for _ in range(FAILURES):
        permit = bench.ledger.accounts.acquire("sb", Limits(), last=False, lease_seconds=9, patience_seconds=1)
        bench.ledger.accounts.release(permit, Ended.AWAY, error="away")  # type: ignore[arg-type]
    job = bench.job("replay", 1)
    bench.runner.step()
    assert bench.arrived() == []
    assert bench.counts(job) == {ItemState.WAITING: 1}
    bench.clock.advance(seconds=10)
    bench.runner.step()
    assert len(bench.arrived()) == 1


def test_a_letter_of_another_kind_of_event_may_die_of_something_else_without_stopping_the_job(bench: Bench) -> None:
    bench.dead(3)
    job = bench.job("replay", 1, 2, 3)
    bench.runner.step()
    (sent,) = bench.arrived()
    claimed = take(bench.ledger, sent)
    other = Settlement(claimed, sent, State.DEAD, detail="wrong key", reason=Reason.AUTH)
    bench.ledger.settle([other])
    bench.ledger.letters.archive([replace(letter(sent), reason=Reason.AUTH.value, error="wrong key")])
    bench.runner.step()
    assert bench.state(job) is JobState.RUNNING
    assert bench.counts(job)[ItemState.FAILED] == 1


def test_an_edited_letter_is_replayed_with_its_new_content_and_closed_after_the_confirm(bench: Bench) -> None:
    bench.dead(1)
    original = bench.ledger.letters.get(1)
    assert original is not None
    changed = replace(decode(original.new.body), data={"member_id": "M-9"}, content_hash="another")
    edit = bench.ledger.edits.propose(1, "ann", "the wrong member", encode(changed), needs_approval=False)
    assert replay_edited(bench.ledger.letters, bench.publisher, edit, who="ann").replayed == 1
    (sent,) = bench.arrived()
    assert (sent.data, sent.generation, sent.content_hash) == ({"member_id": "M-9"}, 1, "another")
    closed = bench.ledger.letters.get(1)
    assert closed is not None
    assert closed.state is LetterState.REPLAYED
    assert replay_edited(bench.ledger.letters, bench.publisher, edit, who="ann").closed == 1
    assert bench.arrived() == []


def test_an_edit_that_waits_for_approval_is_not_replayed(bench: Bench) -> None:
    bench.dead(1)
    letter_ = bench.ledger.letters.get(1)
    assert letter_ is not None
    edit = bench.ledger.edits.propose(1, "ann", "the wrong member", letter_.new.body, needs_approval=True)
    assert replay_edited(bench.ledger.letters, bench.publisher, edit, who="ann").closed == 1
    assert bench.arrived() == []


def test_a_new_cause_that_comes_twice_stops_the_job_too(bench: Bench) -> None:
    bench.dead(40)
    job = bench.job("replay", *range(1, 41))

    def die_of_a_wrong_key() -> None:
        bench.runner.step()
        for envelope in bench.arrived():
            claimed = take(bench.ledger, envelope)
            other = Settlement(claimed, envelope, State.DEAD, detail="wrong key", reason=Reason.AUTH)
            bench.ledger.settle([other])
            bench.ledger.letters.archive([replace(letter(envelope), reason=Reason.AUTH.value, error="wrong key")])
        bench.runner.step()

    die_of_a_wrong_key()
    assert bench.state(job) is JobState.RUNNING
    die_of_a_wrong_key()
    assert bench.state(job) is JobState.STOPPED
    assert bench.counts(job)[ItemState.WAITING] == 34
