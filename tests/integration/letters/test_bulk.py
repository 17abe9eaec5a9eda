"""Bulk acts on a real ledger and the embedded broker: the canary, the waves, the stop."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import replace

import pytest

from bellhop.broker.port import Address, Message
from bellhop.ledger.edits import EditRefused
from bellhop.ledger.records import ItemState, JobState, LetterState, Settlement, State
from bellhop.ledger.store import Ledger
from bellhop.letters.replay import replay_edited
from bellhop.schemas.envelope import decode, encode
from bellhop.schemas.errors import PublishUnconfirmed
from bellhop.schemas.reasons import Reason
from tests.support.bulk import Bench
from tests.support.ledger import die, event, letter, take


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
    assert bench.wave() == 1
    items = bench.ledger.jobs.items(job, 9).rows
    assert [(item.state, item.detail) for item in items] == [
        (ItemState.SKIPPED, "no longer open"), (ItemState.DONE, "done: the vendor said no"),
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


def test_a_rate_is_kept_within_a_wave_and_over_waves(bench: Bench) -> None:
    bench.dead(6)
    bench.job("replay", *range(1, 7), rate=0.5)
    sent = []
    for _ in range(14):
        bench.runner.step()
        arrived = bench.arrived()
        sent.append(len(arrived))
        bench.end(arrived)
        bench.clock.advance(seconds=1)
    assert sum(sent) == 6
    assert max(sent[at] + sent[at + 1] for at in range(13)) == 1


def test_a_rate_of_many_a_second_is_kept_too(bench: Bench) -> None:
    bench.dead(40)
    bench.job("replay", *range(1, 41), rate=10.0)
    bench.wave()
    bench.clock.advance(seconds=1)
    bench.runner.step()
    bench.wave()
    bench.clock.advance(seconds=1)
    bench.runner.step()
    sent = []
    for _ in range(4):
        sent.append(len(bench.arrived()))
        bench.clock.advance(seconds=0.5)
        bench.runner.step()
    assert sent == [5, 5, 5, 5]


def test_a_discard_closes_its_letters_with_the_persons_reason(bench: Bench) -> None:
    bench.dead(3)
    job = bench.job("discard", 3, 1)
    bench.runner.step()
    bench.runner.step()
    assert bench.state(job) is JobState.DONE
    states = [bench.ledger.letters.get(n) for n in (1, 2, 3)]
    assert [one.state for one in states if one] == [LetterState.DISCARDED, LetterState.OPEN, LetterState.DISCARDED]


def test_a_vendor_that_is_away_is_waited_for(bench: Bench) -> None:
    from bellhop.ledger.breaker import FAILURES
    from bellhop.ledger.records.accounts import Ended
    from bellhop.schemas.settings import Limits

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
    edit = bench.ledger.edits.propose(1, "ann", "the wrong member", encode(changed))
    assert replay_edited(bench.ledger, bench.publisher, edit.id, who="ann").replayed == 1
    (sent,) = bench.arrived()
    assert (sent.data, sent.generation, sent.content_hash) == ({"member_id": "M-9"}, 1, "another")
    closed = bench.ledger.letters.get(1)
    assert closed is not None
    assert closed.state is LetterState.REPLAYED
    assert replay_edited(bench.ledger, bench.publisher, edit.id, who="ann").closed == 1
    assert bench.arrived() == []


def test_an_edit_that_waits_for_approval_is_not_replayed(bench: Bench, ledger_url: str) -> None:
    bench.dead(1)
    strict = Ledger.open(ledger_url, keep_seconds=90 * 86400, second_approver=True, now=bench.clock)
    edit = strict.edits.propose(1, "ann", "the wrong member", bench.letter(1).new.body)
    strict.close()
    with pytest.raises(EditRefused, match="proposed"):
        replay_edited(bench.ledger, bench.publisher, edit.id, who="ann")
    assert bench.arrived() == []
    assert bench.letter(1).state is LetterState.OPEN


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
