"""What became of calls in doubt: a person's word, or the vendor's own proof."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from bellhop.ledger.proofs import SURPLUS, WordRefused
from bellhop.ledger.records import (
    Claimed,
    Doubt,
    Entry,
    EntryState,
    LetterFilter,
    LetterState,
    ProofResult,
    Proven,
    Refused,
    Settlement,
    State,
)
from bellhop.ledger.store import Ledger
from bellhop.schemas.envelope import Envelope
from bellhop.schemas.reasons import Reason
from tests.support.ledger import (
    BOOK,
    LEASE,
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

CANCEL = event("e-2", "booking.cancelled", at=5)
CHANGE = event("e-3", "booking.changed", at=7)
FOUND = entry("77", secret_hash="9f", slot="a")


def in_doubt(ledger: Ledger, *later: Envelope) -> None:
    """A booking that died in doubt, letter 1, and later events of it that were refused because of that."""
    die_in_doubt(ledger, event())
    ledger.letters.archive([letter(event(), Reason.IN_DOUBT)])
    for envelope in later:
        assert isinstance(claim(ledger, envelope), Refused)
        ledger.letters.archive([letter(envelope, Reason.IN_DOUBT)])


def doubt(ledger: Ledger, number: int = 1) -> Doubt:
    found = ledger.letters.get(number)
    assert found is not None
    return ledger.proofs.of_letter(found)


def say_there(ledger: Ledger, *entries: Entry, number: int = 1) -> Proven:
    return ledger.proofs.prove(doubt(ledger, number), entries or (FOUND,), "ann", "seen in the calendar")


def say_absent(ledger: Ledger, number: int = 1) -> Proven:
    found = ledger.letters.get(number)
    assert found is not None
    return ledger.proofs.deny(found, "ann", "not in the calendar")


def states(ledger: Ledger) -> list[LetterState]:
    return [one.state for one in ledger.letters.find(LetterFilter(states=tuple(LetterState)), 10)]


def entries(ledger: Ledger) -> Sequence[Entry]:
    held = ledger.booking("crm", "R-1")
    return held.entries if held else ()


# --- a person's word --------------------------------------------------------------------------------------------


def test_what_a_person_found_stands_in_the_ledger_and_the_event_goes_on_without_its_doubt(ledger: Ledger) -> None:
    in_doubt(ledger)
    assert say_there(ledger) == Proven(ProofResult.BOOKED, (1,))
    assert entries(ledger) == (FOUND,)
    assert states(ledger) == [LetterState.REPLAYING]
    replayed = take(ledger, event(generation=1))
    assert replayed.in_doubt is None
    assert replayed.booking is not None
    assert [one.vendor_id for one in replayed.booking.entries] == ["77"]
    assert ledger.booking_of("sb", "77") is not None


def test_what_waited_for_the_doubt_goes_on_the_newest_first(ledger: Ledger) -> None:
    in_doubt(ledger, CANCEL, CHANGE)
    assert say_there(ledger).letters == (3, 2, 1)
    assert states(ledger) == [LetterState.REPLAYING] * 3
    newest = take(ledger, CHANGE.next_generation())
    assert newest.booking is not None
    assert [one.vendor_id for one in newest.booking.entries] == ["77"], "it acts on the right booking"
    for older in (CANCEL, event()):
        (answer,) = ledger.claim([older.next_generation()], "w", LEASE)
        assert getattr(answer, "state", None) is State.SUPERSEDED


def test_what_is_not_there_is_free_and_its_event_is_worked_again(ledger: Ledger) -> None:
    in_doubt(ledger, CANCEL)
    assert say_absent(ledger).letters == (2, 1)
    assert entries(ledger) == ()
    finish(ledger, CANCEL.next_generation())
    assert getattr(claim(ledger, event(generation=1)), "state", None) is State.SUPERSEDED


def test_each_word_is_in_the_audit_for_every_letter_that_goes_on(ledger: Ledger) -> None:
    in_doubt(ledger, CANCEL)
    say_there(ledger)
    assert [(row.who, row.act, row.letter) for row in ledger.audit(10)] == [("ann", "there", 1), ("ann", "there", 2)]


def test_letters_archived_after_the_word_do_not_stay_in_front_of_a_person(ledger: Ledger) -> None:
    """The dead letter is published after the death is recorded: the word may come in between."""
    in_doubt(ledger)
    assert isinstance(claim(ledger, CANCEL), Refused)
    say_there(ledger)
    ledger.letters.archive([letter(CANCEL, Reason.IN_DOUBT)])
    assert states(ledger) == [LetterState.REPLAYING, LetterState.REPLAYING]


def test_a_letter_that_waits_for_another_says_for_which(ledger: Ledger) -> None:
    in_doubt(ledger, CANCEL)
    with pytest.raises(WordRefused, match="waits for dead letter 1"):
        say_there(ledger, number=2)
    with pytest.raises(WordRefused, match="waits for dead letter 1"):
        say_absent(ledger, number=2)


def test_what_did_not_die_in_doubt_takes_no_word(ledger: Ledger) -> None:
    die(ledger, event())
    ledger.letters.archive([letter(event())])
    with pytest.raises(WordRefused, match="died of rejected"):
        say_absent(ledger)


def test_a_discarded_letter_takes_a_word_once_it_is_restored(ledger: Ledger) -> None:
    in_doubt(ledger)
    ledger.letters.discard([1], "ben", "a mistake")
    with pytest.raises(WordRefused, match="restore it first"):
        say_there(ledger)
    ledger.letters.restore([1], "ben", "it was none")
    assert say_there(ledger).result is ProofResult.BOOKED


def test_of_two_words_at_once_one_counts(open_ledger: OpenLedger) -> None:
    first, second = open_ledger(), open_ledger()
    in_doubt(first)
    seen = doubt(second)
    say_absent(first)
    with pytest.raises(WordRefused):
        say_absent(second)
    assert second.proofs.prove(seen, [FOUND], "ben", "seen").result is ProofResult.BOOKED, "not booked again yet"


def test_a_call_that_workers_died_in_can_be_answered_too(ledger: Ledger) -> None:
    ledger.calling(take(ledger, event()), BOOK, None, LEASE)
    ledger.letters.archive([letter(event(), Reason.DELIVERY_LIMIT)])
    assert say_there(ledger).result is ProofResult.BOOKED


# --- proof of the vendor's --------------------------------------------------------------------------------------


def test_every_call_of_unknown_end_is_a_candidate_also_after_it_was_booked_again(ledger: Ledger, clock: Clock) -> None:
    end(ledger, event(), State.IN_DOUBT, in_doubt=BOOK)
    (open_,) = ledger.proofs.candidates("sb")
    assert (open_.event_id, open_.call, open_.is_open) == ("e-1", BOOK, True)
    assert ledger.proofs.candidates("other") == []
    booked = ledger.calling(take(ledger, event()), BOOK, None, LEASE)
    ledger.settle([Settlement(booked, event(), State.DONE, booking=booking(FOUND), applies=True)])
    (past,) = ledger.proofs.candidates("sb")
    assert (past.state, past.is_open) == (State.DONE, False)


def test_a_call_that_killed_its_worker_is_a_candidate_before_anybody_claims_it_again(ledger: Ledger) -> None:
    ledger.calling(take(ledger, event()), BOOK, None, LEASE)
    assert [one.event_id for one in ledger.proofs.candidates("sb")] == ["e-1"]


def test_a_doubt_in_the_ladder_is_over_with_the_proof_and_nothing_is_asked(ledger: Ledger) -> None:
    end(ledger, event(), State.IN_DOUBT, in_doubt=BOOK)
    (found,) = ledger.proofs.candidates("sb")
    assert ledger.proofs.prove(found, [FOUND], "bellhop", "a callback") == Proven(ProofResult.BOOKED)
    again = take(ledger, event())
    assert (again.in_doubt, again.booking and len(again.booking.entries)) == (None, 1)


def test_while_a_worker_is_at_it_a_proof_waits(ledger: Ledger, clock: Clock) -> None:
    ledger.calling(take(ledger, event()), BOOK, None, LEASE)
    (found,) = ledger.proofs.candidates("sb")
    assert ledger.proofs.prove(found, [FOUND], "bellhop", "a callback").result is ProofResult.AT_WORK
    assert entries(ledger) == ()
    clock.advance(seconds=LEASE)
    assert ledger.proofs.prove(found, [FOUND], "bellhop", "a callback").result is ProofResult.BOOKED


def test_what_was_booked_again_leaves_the_first_one_too_many(ledger: Ledger) -> None:
    end(ledger, event(), State.IN_DOUBT, in_doubt=BOOK)
    (found,) = ledger.proofs.candidates("sb")
    second = ledger.calling(take(ledger, event()), BOOK, None, LEASE)
    made = replace(FOUND, vendor_id="78")
    ledger.settle([Settlement(second, event(), State.DONE, booking=booking(made), applies=True)])
    assert ledger.proofs.prove(found, [FOUND], "bellhop", "a callback") == Proven(ProofResult.SURPLUS)
    assert [(one.vendor_id, one.slot, one.state) for one in entries(ledger)] == [
        ("78", "a", EntryState.CONFIRMED),
        ("77", f"{SURPLUS}a", EntryState.CONFIRMED),
    ]
    assert ledger.proofs.prove(found, [FOUND], "bellhop", "a callback") == Proven(ProofResult.KNOWN)


def test_what_comes_to_light_after_its_cancel_is_too_many(ledger: Ledger) -> None:
    in_doubt(ledger, CANCEL)
    found = doubt(ledger)
    say_absent(ledger)
    finish(ledger, CANCEL.next_generation())
    assert ledger.proofs.prove(found, [FOUND], "bellhop", "a callback").result is ProofResult.SURPLUS


def test_what_is_there_after_an_older_cancel_stands_and_is_not_cancelled(ledger: Ledger) -> None:
    finish(ledger, event("e-0", "booking.cancelled", at=-5), booking=booking(cancelled=True))
    in_doubt(ledger)
    assert say_there(ledger).result is ProofResult.BOOKED
    held = ledger.booking("crm", "R-1")
    assert held is not None
    assert (held.cancelled, held.entries) == (False, (FOUND,))


def test_a_group_in_doubt_is_proven_once_all_of_it_is_found(ledger: Ledger) -> None:
    end(ledger, event(), State.IN_DOUBT, in_doubt=BOOK)
    (found,) = ledger.proofs.candidates("sb")
    ledger.proofs.prove(found, [FOUND], "bellhop", "a callback", wanted=2)
    assert end(ledger, event(), State.IN_DOUBT, in_doubt=BOOK).in_doubt == BOOK, "half of it is not all"
    second = replace(FOUND, vendor_id="78")
    assert ledger.proofs.prove(found, [second], "bellhop", "a callback", wanted=2).result is ProofResult.BOOKED
    assert take(ledger, event()).in_doubt is None


def test_what_was_too_many_is_noted_as_cancelled(ledger: Ledger) -> None:
    in_doubt(ledger, CANCEL)
    found = doubt(ledger)
    say_absent(ledger)
    finish(ledger, CANCEL.next_generation())
    ledger.proofs.prove(found, [FOUND], "bellhop", "a callback")
    ours = ledger.booking_of("sb", "77")
    assert ours is not None
    ledger.proofs.note_cancelled(ours, "77")
    assert [one.state for one in entries(ledger)] == [EntryState.CANCELLED]


def test_what_somebody_cancelled_at_the_vendor_does_not_stand_here_either(ledger: Ledger) -> None:
    finish(ledger, event(), booking=booking(FOUND))
    ours = ledger.booking_of("sb", "77")
    assert ours is not None
    ledger.proofs.note_cancelled(ours, "77", "77-cancel")
    assert [(one.state, one.cancelled_by) for one in entries(ledger)] == [(EntryState.CANCELLED, "77-cancel")]
    ledger.proofs.note_cancelled(ours, "77", "77-change")
    assert [one.cancelled_by for one in entries(ledger)] == ["77-cancel"]


def test_a_doubt_keeps_the_time_of_its_first_call(ledger: Ledger, clock: Clock) -> None:
    began = clock()
    claimed = ledger.calling(take(ledger, event()), BOOK, None, LEASE)
    clock.advance(seconds=30)
    ledger.settle([Settlement(claimed, event(), State.IN_DOUBT, in_doubt=BOOK)])
    assert ledger.proofs.candidates("sb")[0].since == began
    assert take(ledger, event()).called_at == began


# --- one at a time ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("open_", [State.WORKING, State.RETRYING, State.IN_DOUBT])
def test_a_letter_is_not_replayed_while_its_event_is_at_work(ledger: Ledger, open_: State) -> None:
    die(ledger, event())
    ledger.letters.archive([letter(event()), letter(event(generation=1), Reason.EXHAUSTED)])
    if open_ is State.WORKING:
        take(ledger, event(generation=2))
    else:
        end(ledger, event(generation=2), open_, in_doubt=BOOK if open_ is State.IN_DOUBT else None)
    assert ledger.letters.begin_replay([1, 2], "ann", "again") == []
    assert states(ledger) == [LetterState.OPEN, LetterState.OPEN]
    assert ledger.audit(10) == []
    told = ledger.letters.unready([1, 2])
    assert list(told) == [1, 2]
    assert f"event e-1 is {open_.value} (replay 2)" in told[1]
    assert "wait for its end" in told[1]


def test_a_conflict_is_not_replayed_while_the_first_content_is_at_work(ledger: Ledger) -> None:
    end(ledger, event(), State.RETRYING)
    other = event(data={"x": 1}, at=1)
    assert isinstance(claim(ledger, other), Refused)
    ledger.letters.archive([letter(other, Reason.CONFLICT)])
    assert ledger.letters.begin_replay([1], "ann", "the second is right") == []
    finish(ledger, event())
    assert [one.id for one in ledger.letters.begin_replay([1], "ann", "the second is right")] == [1]


def test_a_replay_that_was_cut_off_is_completed_also_while_its_event_is_at_work(ledger: Ledger) -> None:
    die(ledger, event())
    ledger.letters.archive([letter(event())])
    ledger.letters.begin_replay([1], "ann", "again")
    take(ledger, event(generation=1))
    assert [one.id for one in ledger.letters.begin_replay([1], "ann", "again")] == [1]
    assert not isinstance(claim(ledger, event(generation=1)), Claimed)
