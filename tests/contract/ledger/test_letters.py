"""The archive of dead letters and what people decide about them, over every database."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from bellhop.ledger.records import (
    TO_CANCEL,
    Letter,
    LetterFilter,
    LetterState,
    NewLetter,
    Refused,
    Settled,
    State,
    WaitingLetters,
)
from bellhop.ledger.store import Ledger
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
    end,
    entry,
    event,
    finish,
    letter,
    take,
)

POISON = NewLetter(
    message_id="\x00?",
    body=b"\xff\x00not json",
    route="members",
    reason=Reason.POISON.value,
    error="not an envelope: not JSON",
    evidence={},
    attempts=0,
    died=NOON,
)


def ids(letters: list[Letter]) -> list[int]:
    return [one.id for one in letters]


def test_a_letter_comes_back_as_it_was_archived(ledger: Ledger, clock: Clock) -> None:
    new = letter(event(), not_after=NOON + timedelta(days=1))
    clock.advance(seconds=2)
    assert ledger.letters.archive([new]) == 1
    told = Letter(1, new, LetterState.OPEN, NOON + timedelta(seconds=2), "rejected/sb/-/the vendor said no")
    assert ledger.letters.get(1) == told
    assert ledger.letters.get(2) is None


def test_bytes_that_are_no_envelope_are_archived_byte_for_byte(ledger: Ledger) -> None:
    assert ledger.letters.archive([POISON]) == 1
    kept = ledger.letters.get(1)
    assert kept is not None
    assert kept.new == replace(POISON, message_id="\ufffd?")


def test_the_same_death_is_archived_once_and_another_death_again(ledger: Ledger) -> None:
    new = letter(event())
    assert ledger.letters.archive([new, new]) == 1
    later = replace(new, died=NOON + timedelta(hours=1), error="again")
    assert ledger.letters.archive([later]) == 0
    assert ledger.letters.archive([letter(event(generation=1)), letter(event(), Reason.AUTH), POISON]) == 3
    assert ledger.letters.archive([]) == 0


def test_archiving_a_closed_letter_again_does_not_open_it(ledger: Ledger) -> None:
    ledger.letters.archive([letter(event())])
    ledger.letters.discard([1], "ann", "known")
    assert ledger.letters.archive([letter(event())]) == 0
    assert ledger.letters.count(LetterFilter()) == 0


def test_who_discards_the_letter_of_a_cancel_by_hand_says_that_it_is_done(ledger: Ledger) -> None:
    def told() -> tuple[list[str], str, str]:
        held = ledger.booking("crm", "R-1")
        assert held is not None
        return [one.vendor_id for one in held.entries if one.stands], *[one.cancelled_by for one in held.entries]

    asked, other = entry("77", left_by=f"{TO_CANCEL}c-1"), entry("78", left_by=f"{TO_CANCEL}c-2")
    finish(ledger, event(), booking=booking(entry("77"), entry("78")))
    cancel = event("c-1", "booking.cancelled", at=5)
    die(ledger, cancel, Reason.UNSUPPORTED, applies=True, booking=booking(asked, other))
    ledger.letters.archive([letter(cancel, Reason.UNSUPPORTED)])
    assert told() == (["77", "78"], "", "")
    ledger.letters.discard([1], "ann", "cancelled there")
    assert told() == (["78"], "c-1", "")
    ledger.letters.restore([1], "ann", "it was another")
    assert told() == (["77", "78"], "", "")
    acts, newest = ledger.letters.acts_by_hand(0, NOON - timedelta(days=1))
    assert [(one.act, one.letter) for one in acts] == [("discard", 1), ("restore", 1)]
    assert ledger.letters.acts_by_hand(newest, NOON - timedelta(days=1)) == ([], newest)


def test_what_waits_is_told_by_route_account_and_reason_with_the_soonest_start_to_come(
    ledger: Ledger, clock: Clock
) -> None:
    soon, later = NOON + timedelta(hours=1), NOON + timedelta(days=1)
    first = letter(event("e-1", data={"venue": "spa"}))
    ledger.letters.archive([replace(first, not_after=soon, died=NOON)])
    ledger.letters.archive([replace(letter(event("e-2")), not_after=later, died=NOON + timedelta(minutes=1))])
    ledger.letters.archive([letter(event("e-3"), Reason.AUTH)])
    ledger.letters.archive([POISON])
    ledger.letters.discard([3], "ann", "known")
    ledger.letters.archive([replace(letter(event("e-4")), account="other", not_after=None)])
    (route, account, reason) = (first.route, first.account, first.reason)

    def waiting() -> dict[tuple[str, str, str], WaitingLetters]:
        return {(group.route, group.account, group.reason): group for group in ledger.letters.waiting()}

    told = waiting()
    assert told[route, account, reason] == WaitingLetters(route, account, reason, 2, NOON, soon, "spa")
    assert told["members", "", "poison"].soonest is None
    assert set(told) == {(route, account, reason), (route, "other", reason), ("members", "", "poison")}
    clock.advance(seconds=3600)
    assert (waiting()[route, account, reason].soonest, waiting()[route, account, reason].venue) == (later, "")


def test_letters_are_found_by_all_that_is_given(ledger: Ledger) -> None:
    late = replace(letter(event("e-2"), Reason.AUTH), died=NOON + timedelta(hours=1), account="pv")
    ledger.letters.archive([letter(event("e-1"))])
    ledger.letters.archive([late])
    ledger.letters.archive([POISON])

    def found(**by: object) -> list[int]:
        which = LetterFilter(**by)  # type: ignore[arg-type]
        assert ledger.letters.count(which) == len(ledger.letters.find(which, 10))
        return ids(ledger.letters.find(which, 10))

    assert found() == [1, 2, 3]
    assert found(reason="auth") == [2]
    assert found(route="members") == [3]
    assert found(account="pv") == [2]
    assert found(source="crm", event_id="e-1") == [1]
    assert found(source="crm", reason="poison") == []
    assert found(since=NOON + timedelta(minutes=1)) == [2]
    assert found(until=NOON) == [1, 3]
    assert found(ids=(1, 3, 99)) == [1, 3]
    assert found(states=(LetterState.DISCARDED,)) == []


def test_letters_are_listed_page_by_page(ledger: Ledger) -> None:
    for number in range(5):
        ledger.letters.archive([letter(event(f"e-{number}"))])
    first = ledger.letters.find(LetterFilter(), 2)
    assert ids(first) == [1, 2]
    assert ids(ledger.letters.find(LetterFilter(), 2, after=first[-1].id)) == [3, 4]
    assert ids(ledger.letters.find(LetterFilter(), 2, after=4)) == [5]


def test_a_replay_goes_from_open_to_replaying_to_replayed(ledger: Ledger) -> None:
    ledger.letters.archive([letter(event("e-1"))])
    ledger.letters.archive([letter(event("e-2"))])
    begun = ledger.letters.begin_replay([2, 1, 99], "ann", "vendor mended")
    assert [(one.id, one.state) for one in begun] == [(1, LetterState.REPLAYING), (2, LetterState.REPLAYING)]
    ledger.letters.close_replayed([1])
    one, two = ledger.letters.get(1), ledger.letters.get(2)
    assert one is not None
    assert two is not None
    assert (one.state, two.state) == (LetterState.REPLAYED, LetterState.REPLAYING)


def test_a_replay_cut_off_before_its_confirm_is_taken_up_again_with_one_row_of_audit(ledger: Ledger) -> None:
    ledger.letters.archive([letter(event())])
    ledger.letters.begin_replay([1], "ann", "first")
    assert ids(ledger.letters.begin_replay([1], "bob", "again")) == [1]
    ledger.letters.close_replayed([1])
    assert ledger.letters.begin_replay([1], "bob", "a third time") == []
    assert [(row.who, row.act, row.letter, row.why) for row in ledger.audit(10)] == [("ann", "replay", 1, "first")]


def test_replayed_closes_only_what_was_being_replayed(ledger: Ledger) -> None:
    ledger.letters.archive([letter(event())])
    ledger.letters.close_replayed([1])
    assert ledger.letters.count(LetterFilter()) == 1


def test_discarding_closes_the_letter_and_its_event(ledger: Ledger, clock: Clock) -> None:
    die(ledger, event())
    ledger.letters.archive([letter(event())])
    clock.advance(minutes=1)
    assert ledger.letters.discard([1], "ann", "booked by phone") == 1
    assert ledger.letters.discard([1], "ann", "booked by phone") == 0
    view = ledger.event("crm", "e-1")
    assert view is not None
    assert view.state is State.DISCARDED
    answer = claim(ledger, event(generation=1))
    assert isinstance(answer, Settled)
    assert answer.state is State.DISCARDED
    (row,) = ledger.audit(10)
    assert (row.at, row.who, row.act, row.letter) == (NOON + timedelta(minutes=1), "ann", "discard", 1)


def test_discarding_a_letter_leaves_an_event_that_lives(ledger: Ledger) -> None:
    die(ledger, event())
    ledger.letters.archive([letter(event())])
    take(ledger, event(generation=1))
    ledger.letters.discard([1], "ann", "why not")
    view = ledger.event("crm", "e-1")
    assert view is not None
    assert view.state is State.WORKING


def test_discarding_an_old_letter_leaves_a_later_death_of_its_event(ledger: Ledger) -> None:
    die(ledger, event())
    ledger.letters.archive([letter(event())])
    die(ledger, event(generation=1))
    ledger.letters.discard([1], "ann", "old")
    view = ledger.event("crm", "e-1")
    assert view is not None
    assert view.state is State.DEAD


def test_discarding_a_conflict_leaves_the_content_that_stands(ledger: Ledger) -> None:
    die(ledger, event())
    other = event(data={"x": 1}, at=1)
    claim(ledger, other)
    ledger.letters.archive([letter(other, Reason.CONFLICT)])
    ledger.letters.discard([1], "ann", "a slip of theirs")
    assert isinstance(claim(ledger, other), Settled)
    assert take(ledger, event(generation=1)).token == 2


def test_what_cannot_be_decoded_can_be_discarded(ledger: Ledger) -> None:
    ledger.letters.archive([POISON])
    assert ledger.letters.discard([1], "ann", "noise") == 1


def test_a_letter_being_replayed_is_not_discarded(ledger: Ledger) -> None:
    ledger.letters.archive([letter(event())])
    ledger.letters.begin_replay([1], "ann", "again")
    assert ledger.letters.discard([1], "bob", "no") == 0


def test_more_letters_than_a_database_takes_at_once_can_be_replayed(ledger: Ledger) -> None:
    ledger.letters.archive([letter(event(f"e-{number}")) for number in range(1100)])
    begun = ledger.letters.begin_replay(range(1, 1101), "ann", "all")
    assert ids(begun) == list(range(1, 1101))
    ledger.letters.close_replayed(ids(begun))
    assert ledger.letters.count(LetterFilter(states=(LetterState.REPLAYED,))) == 1100
    assert len(ledger.audit(2000)) == 1100
    assert [row.letter for row in ledger.audit(2)] == [1100, 1099]


@pytest.mark.parametrize("turn", range(3))
def test_two_archivers_store_each_letter_once(open_ledger: OpenLedger, turn: int) -> None:
    news = [letter(event(f"e-{number}")) for number in range(60)]
    with ThreadPoolExecutor(2) as pool:
        one = pool.submit(open_ledger().letters.archive, news)
        two = pool.submit(open_ledger().letters.archive, news[::-1])
    assert one.result() + two.result() == 60


def test_what_the_broker_buried_dies_in_the_ledger_too_and_frees_its_booking(ledger: Ledger, clock: Clock) -> None:
    take(ledger, event("e-1"))  # whose worker dies over it, again and again
    ledger.letters.archive([letter(event("e-1"), Reason.DELIVERY_LIMIT)])
    view = ledger.event("crm", "e-1")
    assert view is not None
    assert (view.state, view.reason) == (State.DEAD, "delivery_limit")
    take(ledger, event("e-2", "booking.changed", at=60))


def test_what_was_buried_in_the_midst_of_a_call_is_asked_about_when_it_is_replayed(ledger: Ledger) -> None:
    ledger.calling(take(ledger, event("e-1")), BOOK, None, LEASE)
    ledger.letters.archive([letter(event("e-1"), Reason.DELIVERY_LIMIT)])
    assert isinstance(claim(ledger, event("e-2", "booking.cancelled", at=60)), Refused)
    assert take(ledger, event("e-1", generation=1)).in_doubt == BOOK


def test_what_was_worked_after_all_is_not_buried(ledger: Ledger) -> None:
    finish(ledger, event("e-1"))
    ledger.letters.archive([letter(event("e-1"), Reason.DELIVERY_LIMIT)])
    view = ledger.event("crm", "e-1")
    assert view is not None
    assert view.state is State.DONE


@pytest.mark.parametrize("state", [state for state in State if state is not State.HELD])
def test_a_buried_copy_of_what_has_ended_stands_before_nobody(ledger: Ledger, state: State) -> None:
    if state is State.WORKING:
        take(ledger, event("e-1"))
    else:
        end(ledger, event("e-1"), state, reason=Reason.REJECTED if state is State.DEAD else None)
    ledger.letters.archive([letter(event("e-1"), Reason.DELIVERY_LIMIT)])
    needs_somebody = state.unfinished or state is State.DEAD
    assert ledger.letters.count(LetterFilter()) == needs_somebody
    closed = [row.why for row in ledger.audit(10) if row.act == "close"]
    assert closed == ([] if needs_somebody else ["its event had ended: the broker buried a copy of it"])
