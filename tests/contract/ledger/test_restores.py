"""A ledger that was put back: what may have been booked since is held as in doubt."""

from __future__ import annotations

import itertools
import os
import sqlite3
import subprocess
import threading
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal, get_args

import pytest
import sqlalchemy as sa

from bellhop.ledger.backups import backup, libpq_environment, restore
from bellhop.ledger.codec import call_to_json
from bellhop.ledger.doubtful import LastRestore
from bellhop.ledger.readiness import OUTRUN
from bellhop.ledger.records import RESTORED, Claimed, LetterFilter, LetterState, ProofResult, Refused, Settlement, State
from bellhop.ledger.store import Ledger
from bellhop.ledger.tables import events
from bellhop.schemas.envelope import Envelope
from bellhop.schemas.errors import LedgerError
from bellhop.schemas.reasons import Reason
from tests.support.ledger import (
    BOOK,
    LEASE,
    NOON,
    Clock,
    OpenLedger,
    booking,
    claim,
    die,
    die_in_doubt,
    end,
    entry,
    event,
    finish,
    letter,
    take,
)

HOUR = 3600.0


@pytest.fixture
def put_back(ledger: Ledger, clock: Clock) -> Ledger:
    """Of noon, said at one o'clock, with what was known at noon."""
    finish(ledger, event("known", subject="R-9"), booking=None)
    die(ledger, event("dead", subject="R-8"))
    end(ledger, event("retrying", subject="R-7"), State.RETRYING)
    clock.advance(seconds=HOUR)
    ledger.restores.say(NOON, "ann", "the disk was lost")
    return ledger


@pytest.mark.parametrize(
    ("id_", "kind", "subject", "at"),
    [
        ("sent again", "booking.requested", "R-1", 1800),
        ("sent again, by a clock ahead", "booking.requested", "R-1", HOUR + 200),
        ("sent late", "booking.requested", "R-1", -1800),
        ("a cancel of what was booked since", "booking.cancelled", "R-1", HOUR + 1800),
        ("a change of it", "booking.changed", "R-1", HOUR + 1800),
    ],
)
def test_what_may_have_been_booked_since_is_held_as_in_doubt(
    put_back: Ledger, id_: str, kind: str, subject: str, at: float
) -> None:
    envelope = event(id_, kind, subject=subject, at=at)
    refused = claim(put_back, envelope)
    assert isinstance(refused, Refused)
    assert refused.reason is Reason.IN_DOUBT
    assert "put back as of 2026-11-21 12:00:00 UTC" in refused.error
    assert claim(put_back, envelope) == refused, "its dead letter may be unconfirmed"


def test_a_replay_that_was_on_its_way_in_the_copy_is_published_once_more(ledger: Ledger, clock: Clock) -> None:
    """Its message was taken since: nothing of it may be left."""
    sent, edited = event("sent", subject="R-1"), event("edited", subject="R-2")
    for envelope in (sent, edited):
        die(ledger, envelope)
        ledger.letters.archive([letter(envelope)])
    ledger.letters.begin_replay([1], "ann", "it is well again")
    ledger.letters.close_replayed([1])
    ledger.letters.close_edited(2, "ann", "another provider")
    finish(ledger, event("edited", subject="R-2", data={"venue": "salon"}, generation=1))
    assert ledger.restores.going_on() == 0, "none is minded"
    clock.advance(seconds=HOUR)
    ledger.restores.say(NOON, "ann", "the disk was lost")
    states = {one.id: one.state for one in ledger.letters.find(LetterFilter(states=tuple(LetterState)), 9)}
    assert states == {1: LetterState.REPLAYING, 2: LetterState.REPLAYED}
    assert ledger.restores.going_on() == 1

    ledger.letters.close_replayed([1])
    held = claim(ledger, sent.next_generation())
    assert isinstance(held, Refused)
    assert held.reason is Reason.IN_DOUBT
    assert ledger.restores.going_on() == 0, "its new letter is on its way"


def put_back_amid_replay(ledger: Ledger, clock: Clock) -> Envelope:
    """An event whose letter, the first, was being replayed as the copy was made."""
    sent = event("sent", subject="R-1")
    die(ledger, sent)
    ledger.letters.archive([letter(sent)])
    ledger.letters.begin_replay([1], "ann", "it is well again")
    clock.advance(seconds=HOUR)
    ledger.restores.say(NOON, "ann", "the disk was lost")
    return sent


def test_each_way_in_which_an_event_comes_back_leaves_one_letter_of_it(ledger: Ledger, clock: Clock) -> None:
    """From upstream, and from the letter that was being replayed in the copy."""
    sent = put_back_amid_replay(ledger, clock)

    def open_letters() -> list[int]:
        return [one.id for one in ledger.letters.find(LetterFilter(), 9)]

    assert isinstance(claim(ledger, sent), Refused)
    ledger.letters.archive([letter(sent, Reason.IN_DOUBT)])
    ledger.letters.close_replayed([1])
    assert open_letters() == [2]
    again = take(ledger, sent.next_generation())
    assert open_letters() == [], "its replay is at work"
    ended = Settlement(again, sent.next_generation(), State.DEAD, reason=Reason.IN_DOUBT, detail="it is not known")
    assert ledger.settle([ended]) == []
    ledger.letters.archive([letter(sent.next_generation(), Reason.IN_DOUBT)])
    assert open_letters() == [3]


def test_a_letter_that_comes_after_its_event_went_on_arrives_closed(ledger: Ledger, clock: Clock) -> None:
    """The archive was away: the letter that holds it comes after the replay of the copy's has been taken."""
    sent = put_back_amid_replay(ledger, clock)
    clock.advance(seconds=60)
    held = claim(ledger, sent)
    assert isinstance(held, Refused)
    ledger.letters.close_replayed([1])
    take(ledger, sent.next_generation())
    assert ledger.letters.archive([replace(letter(sent, Reason.IN_DOUBT), error=held.error)]) == 1
    assert ledger.letters.find(LetterFilter(), 9) == []
    assert [(row.act, row.letter, row.why) for row in ledger.audit(1)] == [("close", 2, OUTRUN)]


def test_the_letter_of_what_was_held_and_is_superseded_by_now_is_closed(ledger: Ledger, clock: Clock) -> None:
    first = event("first")
    die(ledger, first)
    ledger.letters.archive([letter(first)])
    finish(ledger, event("second", "booking.changed", at=5), booking=booking(entry("77")))
    ledger.letters.begin_replay([1], "ann", "it is well again")
    clock.advance(seconds=HOUR)
    ledger.restores.say(NOON, "ann", "the disk was lost")
    assert isinstance(claim(ledger, first), Refused)
    ledger.letters.archive([letter(first, Reason.IN_DOUBT)])
    ledger.letters.close_replayed([1])
    assert getattr(claim(ledger, first.next_generation()), "state", None) is State.SUPERSEDED
    assert ledger.letters.find(LetterFilter(), 9) == [], "there is nothing that anybody could say of it"


Restored = Literal["never", "minded", "released"]


@pytest.mark.parametrize("restored", get_args(Restored))
def test_a_letter_is_closed_where_its_event_or_a_later_letter_tells_what_became_of_it_and_nowhere_else(
    ledger: Ledger, clock: Clock, restored: Restored
) -> None:
    """Over every state of an event, each before and after the restore."""
    if restored != "never":
        ledger.restores.say(NOON, "ann", "the disk was lost")
    if restored == "released":
        ledger.restores.release("ann", "all was looked at")
    hold = LastRestore(NOON, NOON).refuse(event(), None).error
    reasons = [*((Reason.IN_DOUBT, error) for error in ("nobody knows", hold)), (Reason.REJECTED, "it said no")]
    cases = list(itertools.product(State, (0, 1, 2), (None, BOOK), (-60, 60), reasons))
    closed = set()
    for number, (state, generation, calling, since, (reason, error)) in enumerate(cases):
        envelope = event(f"e-{number}", subject=f"R-{number}", generation=1)
        with ledger._database.write() as connection:
            values = _row(envelope, state=state.value, generation=generation, updated=NOON + timedelta(seconds=since))
            connection.execute(sa.insert(events).values(**values, calling=call_to_json(calling)))
        ledger.letters.archive([replace(letter(envelope, reason), error=error)])
        (found,) = ledger.letters.find(LetterFilter(states=tuple(LetterState), event_id=envelope.id), 9)
        if found.state is LetterState.REPLAYED:
            closed.add(number)
        elif found.state is LetterState.REPLAYING:
            assert (state, generation, calling, reason) == (State.DEAD, 1, None, Reason.IN_DOUBT), (
                "as its doubt is over"
            )
        else:
            assert found.state is LetterState.OPEN
    is_known = [restored == "never" or (since > 0 and error == hold) for *_, since, (_, error) in cases]
    assert closed == {
        number
        for number, (state, generation, calling, _, (reason, _)) in enumerate(cases)
        if is_known[number]
        and generation == 2
        and reason is Reason.IN_DOUBT
        and (state is not State.DISCARDED or calling is None)
    }


def _row(envelope: Envelope, **more: Any) -> dict[str, Any]:
    names = ("source", "content_hash", "business_key", "type", "subject", "route", "account", "time", "received")
    told = {name: getattr(envelope, name) for name in names}
    usual = {"detail": "", "reason": "", "claimed_by": "", "claim_token": 0, "calling_token": 0, "attempts": 0}
    return {**told, "event_id": envelope.id, "claim_until": NOON, **usual, **more}


def test_a_letter_of_an_event_that_is_not_known_stays_before_a_person(ledger: Ledger) -> None:
    ledger.letters.archive([letter(event(), Reason.IN_DOUBT)])
    assert [one.id for one in ledger.letters.find(LetterFilter(), 9)] == [1]


def test_a_word_closes_the_letter_that_the_copy_had_of_a_later_replay(ledger: Ledger, clock: Clock) -> None:
    sent = event("sent", subject="R-1")
    for envelope in (sent, sent.next_generation()):
        die_in_doubt(ledger, envelope)
    ledger.letters.archive([letter(sent.next_generation(), Reason.IN_DOUBT)])
    clock.advance(seconds=HOUR)
    ledger.restores.say(NOON, "ann", "the disk was lost")
    assert isinstance(claim(ledger, sent), Refused)
    ledger.letters.archive([letter(sent, Reason.IN_DOUBT)])
    newest = ledger.letters.get(2)
    assert newest is not None
    assert ledger.proofs.deny(newest, "ann", "not in the calendar").letters == (2,)
    assert ledger.letters.find(LetterFilter(), 9) == []


@pytest.mark.parametrize("services", [1, 2])
def test_a_word_on_what_was_in_doubt_in_the_copy_says_nothing_of_what_was_booked_after_it(
    ledger: Ledger, clock: Clock, services: int
) -> None:
    envelope = event(data={"services": [{"service_id": str(number)} for number in range(services)]})
    die_in_doubt(ledger, envelope)
    ledger.letters.archive([letter(envelope, Reason.IN_DOUBT)])
    clock.advance(seconds=HOUR)
    ledger.restores.say(NOON, "ann", "the disk was lost")
    found = ledger.letters.get(1)
    assert found is not None
    doubt = ledger.proofs.of_letter(found)
    assert doubt.call == (BOOK if services == 1 else replace(BOOK, method=RESTORED, arguments={}))
    assert ledger.restores.held_letters() == ([] if services == 1 else [1])
    kept = [one for one in ledger.proofs.candidates("sb") if one.call == BOOK]
    proven = ledger.proofs.prove(kept[0] if kept else doubt, [entry("77")], "bellhop", "a callback told of it")
    assert (proven.result, proven.letters) == (ProofResult.BOOKED, (1,) if services == 1 else ())


def test_a_callback_about_what_was_under_way_in_the_copy_waits_until_its_claim_is_held(
    ledger: Ledger, clock: Clock
) -> None:
    envelope = event(data={"services": [{"service_id": "1"}, {"service_id": "2"}]})
    claimed = ledger.calling(take(ledger, envelope), BOOK, None, LEASE)
    assert ledger.settle([Settlement(claimed, envelope, State.IN_DOUBT, in_doubt=BOOK)]) == []
    clock.advance(seconds=HOUR)
    ledger.restores.say(NOON, "ann", "the disk was lost")
    (doubt,) = ledger.proofs.candidates("sb")
    assert ledger.proofs.prove(doubt, [entry("77")], "bellhop", "a callback").result is ProofResult.AT_WORK
    assert isinstance(claim(ledger, envelope), Refused)
    (kept,) = [one for one in ledger.proofs.candidates("sb") if one.call == BOOK]
    proven = ledger.proofs.prove(kept, [entry("77")], "bellhop", "a callback")
    assert (proven.result, proven.letters) == (ProofResult.BOOKED, ())


def test_what_died_and_has_no_letter_in_the_copy_is_sent_again(ledger: Ledger, clock: Clock) -> None:
    first, second = event("first"), event("second", subject="R-2")
    die(ledger, replace(first, received=NOON - timedelta(minutes=9)))
    die(ledger, replace(second, received=NOON - timedelta(minutes=5)))
    ledger.letters.archive([letter(first)])
    clock.advance(seconds=HOUR)
    ledger.restores.say(NOON, "ann", "the disk was lost")
    assert ledger.restores.send_again_since(NOON) == NOON - timedelta(minutes=5)


@pytest.mark.parametrize(("id_", "subject"), [("dead", "R-8"), ("retrying", "R-7")])
def test_what_was_under_way_or_dead_in_the_copy_is_held_too(put_back: Ledger, id_: str, subject: str) -> None:
    for generation in (0, 1):
        envelope = event(id_, subject=subject, generation=generation)
        answer = claim(put_back, envelope)
        if generation:
            assert isinstance(answer, Claimed)
            assert answer.in_doubt is not None
            assert answer.in_doubt.method == RESTORED, "a replay books nothing unseen"
        else:
            assert isinstance(answer, Refused)
            assert answer.reason is Reason.IN_DOUBT


def test_what_is_new_or_ended_or_of_no_booking_is_not_held(put_back: Ledger) -> None:
    assert isinstance(claim(put_back, event("new", subject="R-2", at=HOUR + 600)), Claimed)
    assert not isinstance(claim(put_back, event("known", subject="R-9")), Refused | Claimed)
    assert isinstance(claim(put_back, event("m-1", "member.updated", subject="7")), Claimed)


def test_a_cancel_of_a_booking_that_the_copy_knows_goes_on(ledger: Ledger, clock: Clock) -> None:
    finish(ledger, event(), booking=booking(entry("77")))
    clock.advance(seconds=HOUR)
    ledger.restores.say(NOON, "ann", "the disk was lost")
    assert isinstance(claim(ledger, event("e-2", "booking.cancelled", at=HOUR + 600)), Claimed)


def test_a_word_frees_what_is_held_and_the_others_stay(put_back: Ledger) -> None:
    for number in (1, 2):
        held = event(f"e-{number}", subject=f"R-{number}")
        claim(put_back, held)
        put_back.letters.archive([letter(held, Reason.IN_DOUBT)])
    found = put_back.letters.get(1)
    assert found is not None
    put_back.proofs.deny(found, "ann", "not in the calendar")
    assert isinstance(claim(put_back, event("e-1", subject="R-1", generation=1)), Claimed)
    assert put_back.restores.held_letters() == [2]


def test_a_word_goes_on_from_the_letter_whatever_replays_the_copy_had_seen(ledger: Ledger, clock: Clock) -> None:
    end(ledger, event("e", generation=2), State.RETRYING)
    clock.advance(seconds=HOUR)
    ledger.restores.say(NOON, "ann", "the disk was lost")
    assert isinstance(claim(ledger, event("e")), Refused)
    ledger.letters.archive([letter(event("e"), Reason.IN_DOUBT)])
    (number,) = ledger.restores.held_letters()
    found = ledger.letters.get(number)
    assert found is not None
    assert ledger.proofs.deny(found, "ann", "it is not there").letters == (number,)
    assert isinstance(claim(ledger, event("e", generation=1)), Claimed)


def test_a_letter_that_was_closed_in_the_copy_is_shown_again_where_its_event_is_held(
    ledger: Ledger, clock: Clock
) -> None:
    end(ledger, event("e"), State.RETRYING)
    ledger.letters.archive([letter(event("e"), Reason.IN_DOUBT)])
    clock.advance(seconds=60)
    (first,) = ledger.letters.find(LetterFilter(), 9)
    ledger.letters.discard([first.id], "ann", "it is there")
    clock.advance(seconds=HOUR)
    assert ledger.letters.archive([replace(letter(event("e"), Reason.IN_DOUBT), died=clock())]) == 0
    assert ledger.letters.find(LetterFilter(), 9) == [], "a copy of the letter says nothing new, whenever it comes"
    ledger.restores.say(NOON, "ann", "the disk was lost")
    assert isinstance(claim(ledger, event("e")), Refused)
    ledger.letters.archive([replace(letter(event("e"), Reason.IN_DOUBT), died=clock())])
    (again,) = ledger.letters.find(LetterFilter(), 9)
    assert (again.id, again.new.died) == (first.id, clock())


def test_a_copy_of_a_letter_whose_doubt_is_over_does_not_show_it_again(ledger: Ledger, clock: Clock) -> None:
    die_in_doubt(ledger, event("e"))
    ledger.letters.archive([letter(event("e"), Reason.IN_DOUBT)])
    (first,) = ledger.letters.find(LetterFilter(), 9)
    clock.advance(seconds=60)
    ledger.proofs.deny(first, "ann", "it is not there")
    ledger.letters.close_replayed([first.id])
    clock.advance(seconds=60)
    ledger.letters.archive([replace(letter(event("e"), Reason.IN_DOUBT), died=clock())])
    assert ledger.letters.find(LetterFilter(), 9) == []


def test_upstreams_send_again_from_the_oldest_that_was_under_way(ledger: Ledger, clock: Clock) -> None:
    as_of = NOON + timedelta(seconds=HOUR)
    assert ledger.restores.send_again_since(as_of) == as_of
    finish(ledger, event("done", subject="R-1"))
    clock.advance(seconds=60)
    under_way = event("under way", subject="R-2")
    end(ledger, under_way, State.RETRYING)
    assert ledger.restores.send_again_since(as_of) == under_way.received
    assert ledger.restores.send_again_since(NOON - timedelta(1)) == NOON - timedelta(1)


def test_once_released_nothing_is_held_back(put_back: Ledger) -> None:
    assert [one.as_of for one in put_back.restores.open()] == [NOON]
    assert put_back.restores.release("ann", "all was looked at") == 1
    assert put_back.restores.open() == []
    assert isinstance(claim(put_back, event("e-1")), Claimed)
    assert [row.act for row in put_back.audit(2)] == ["release ledger", "ledger restored"]


# --- copies -----------------------------------------------------------------------------------------------------


def test_a_copy_made_under_load_is_put_back_and_holds_what_was_booked_since(
    open_ledger: OpenLedger, ledger_url: str, tmp_path: Path, clock: Clock, request: pytest.FixtureRequest
) -> None:
    """Booked before the copy: known. Booked while it is made, or after it: known, or held, and never booked again."""
    live, file, stop = open_ledger(), tmp_path / "copy", threading.Event()
    if "pgbouncer" in request.node.name:  # pg_dump would leave its sessions unfit for whoever gets them next
        with pytest.raises(LedgerError, match="a pooler stands before the database"):
            backup(live, ledger_url, file, "ann")
        return
    before = [event(f"before-{n}", subject=f"B-{n}") for n in range(20)]
    for one in before:
        finish(live, one)
    booked = []

    def book() -> None:
        worker = open_ledger()
        while not stop.is_set() and len(booked) < 300:
            one = event(f"load-{len(booked)}", subject=f"L-{len(booked)}")
            finish(worker, one)
            booked.append(one)

    thread = threading.Thread(target=book)
    thread.start()
    backup(live, ledger_url, file, "ann")
    stop.set()
    thread.join()
    for number in range(20):
        finish(live, one := event(f"after-{number}", subject=f"A-{number}"))
        booked.append(one)
    clock.advance(seconds=HOUR)

    def opened(url: str) -> Ledger:
        return Ledger.open(url, keep_seconds=HOUR, now=clock)

    assert restore(ledger_url, file, "ann", "the disk was lost", None, opened) == NOON
    again = opened(ledger_url)
    for one in before:
        assert getattr(claim(again, one), "state", None) is State.DONE
    answers = [claim(again, one) for one in booked]
    assert not [answer for answer in answers if isinstance(answer, Claimed)], "it would be booked again"
    assert len([answer for answer in answers if isinstance(answer, Refused)]) >= 20
    again.close()


def test_a_copy_is_not_written_over_another_file_and_what_is_no_copy_is_refused(
    ledger: Ledger, ledger_url: str, tmp_path: Path
) -> None:
    file = tmp_path / "copy"
    file.write_text("mine")
    with pytest.raises(LedgerError, match="is there already"):
        backup(ledger, ledger_url, file, "ann")
    finish(ledger, event())
    with pytest.raises(LedgerError):
        restore(ledger_url, file, "ann", "a mistake", NOON, lambda url: Ledger.open(url, keep_seconds=HOUR))
    assert getattr(claim(ledger, event()), "state", None) is State.DONE, "the ledger stands as it was"


@pytest.mark.parametrize("ledger_url", ["sqlite", "postgresql"], indirect=True)
@pytest.mark.parametrize("what", ["empty", "another database's", "cut off"])
def test_what_is_no_whole_ledger_takes_no_ledgers_place(
    ledger: Ledger, ledger_url: str, tmp_path: Path, what: str
) -> None:
    finish(ledger, event())
    file = tmp_path / "copy"
    backup(ledger, ledger_url, file, "ann")
    if what == "empty":
        file.write_bytes(b"")
    elif what == "cut off":
        file.write_bytes(file.read_bytes()[: file.stat().st_size * 3 // 4])
    else:
        _make_another(ledger_url, file)
    with pytest.raises(LedgerError, match=r"no copy of a ledger|not whole|pg_restore"):
        restore(ledger_url, file, "ann", "a mistake", NOON, lambda url: Ledger.open(url, keep_seconds=HOUR))
    assert getattr(claim(ledger, event()), "state", None) is State.DONE, "the ledger stands as it was"
    assert ledger.restores.open() == []


def _make_another(ledger_url: str, file: Path) -> None:
    """A copy of a database that is no ledger."""
    url = sa.make_url(ledger_url)
    if url.get_backend_name() == "sqlite":
        file.unlink()
        with closing(sqlite3.connect(file)) as other:
            other.execute("CREATE TABLE guests (name TEXT)")
        return
    environment = {**os.environ, **libpq_environment(url.set(database="postgres"))}
    subprocess.run(["pg_dump", "--format=custom", f"--file={file}"], env=environment, check=True)


@pytest.mark.parametrize("ledger_url", ["sqlite", "postgresql"], indirect=True)
def test_only_its_owner_reads_a_copy(ledger: Ledger, ledger_url: str, tmp_path: Path) -> None:
    backup(ledger, ledger_url, tmp_path / "copy", "ann")
    assert (tmp_path / "copy").stat().st_mode & 0o077 == 0


def test_a_call_of_the_copy_counts_as_made_when_it_was_held_for_it_may_have_been_made_again_since(
    ledger: Ledger, clock: Clock
) -> None:
    """Replayed, its slot would else count as free for good while a later call of it is still under way."""
    claimed = claim(ledger, event("marked"))
    assert isinstance(claimed, Claimed)
    ledger.calling(claimed, BOOK, None, LEASE)
    clock.advance(seconds=HOUR)
    ledger.restores.say(NOON, "ann", "the disk was lost")
    clock.advance(seconds=10)
    held_at = clock()
    assert isinstance(claim(ledger, event("marked")), Refused)
    clock.advance(seconds=30)
    again = claim(ledger, event("marked", generation=1))
    assert isinstance(again, Claimed)
    assert (again.in_doubt, again.called_at) == (BOOK, held_at)


def test_of_several_services_a_call_of_the_copy_tells_nothing_of_what_was_booked_after_it(
    ledger: Ledger, clock: Clock
) -> None:
    """A callback proves that call, and the event still waits for a person; a replay alone books nothing more."""
    asked = event("two", data={"services": [{"service_id": "1"}, {"service_id": "2"}]})
    claimed = claim(ledger, asked)
    assert isinstance(claimed, Claimed)
    ledger.calling(claimed, BOOK, None, LEASE)
    clock.advance(seconds=HOUR)
    ledger.restores.say(NOON, "ann", "the disk was lost")
    refused = claim(ledger, asked)
    assert isinstance(refused, Refused)
    assert refused.doubt is not None
    assert refused.doubt.method == RESTORED
    ledger.letters.archive([letter(asked, Reason.IN_DOUBT)])
    (doubt,) = ledger.proofs.candidates("sb")
    assert (doubt.call, doubt.is_open) == (BOOK, True)
    assert ledger.proofs.prove(doubt, [entry("77")], "bellhop", "a callback").letters == ()
    held = ledger.booking("crm", "R-1")
    assert held is not None
    assert [one.vendor_id for one in held.entries] == ["77"]
    assert ledger.restores.held_letters() == [1]
    again = claim(ledger, replace(asked, generation=1))
    assert isinstance(again, Claimed)
    assert again.in_doubt is not None
    assert again.in_doubt.method == RESTORED


def test_a_word_on_what_a_restore_forgot_leaves_later_doubts_of_it_to_be_proven(ledger: Ledger, clock: Clock) -> None:
    clock.advance(seconds=HOUR)
    ledger.restores.say(NOON, "ann", "the disk was lost")
    assert isinstance(claim(ledger, event("e")), Refused)
    ledger.letters.archive([letter(event("e"), Reason.IN_DOUBT)])
    held = ledger.letters.get(1)
    assert held is not None
    ledger.proofs.deny(held, "ann", "it is not there")
    die_in_doubt(ledger, event("e", generation=1))
    (doubt,) = ledger.proofs.candidates("sb")
    assert doubt.call == BOOK
