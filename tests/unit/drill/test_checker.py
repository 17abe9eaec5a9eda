"""The checker names what was planted into a right history, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bellhop.drill.checker import ON_ITS_WAY, PERSON, Breach, check
from bellhop.drill.doubts import DoubtCount
from bellhop.drill.history import (
    CallbackEnd,
    EventEnd,
    LetterEnd,
    PersonAct,
    QueuedMessage,
    Record,
    SeenCall,
    SentPost,
    StandingBooking,
    ToldBooking,
    ToldResult,
)
from tests.support.examples import EXAMPLES

Records = list[Record]


@dataclass(frozen=True)
class Life:
    """One booking of a right history: its records, and what may be planted into it."""

    reference: str
    records: tuple[Record, ...]


def post(reference: str, number: int, type_: str, slots: tuple[str, ...], status: int = 202) -> SentPost:
    time = f"2026-11-28T10:{number:02d}:00+00:00"
    return SentPost(f"{reference}-{number}", type_, reference, time, slots, status, 100.0 + number)


def event(of: SentPost, state: str = "done", reason: str = "") -> EventEnd:
    return EventEnd(of.id, of.type, of.reference, state, reason)


def told(of: SentPost, standing: tuple[str, ...], cancelled: tuple[str, ...] = ()) -> ToldResult:
    type_ = "booking.cancelled" if of.type == "booking.cancelled" else "booking.confirmed"
    return ToldResult(of.id, type_, of.reference, of.time, standing, cancelled)


def booked(reference: str, count: int) -> Life:
    """Requested once, all of it done; count: of its slots."""
    slots = tuple(f"{reference}/{place}" for place in range(count))
    ids = tuple(f"v-{slot}" for slot in slots)
    first = post(reference, 0, "booking.requested", slots)
    standing = [StandingBooking("sb", id_, reference, slot) for id_, slot in zip(ids, slots, strict=True)]
    calls = [SeenCall("simplybook", "book", "booked", id_, reference, "") for id_ in ids]
    return Life(reference, (first, event(first), ToldBooking(reference, ids, ()), told(first, ids), *standing, *calls))


def moved(reference: str, _count: int) -> Life:
    """Requested, then changed to another slot."""
    first = post(reference, 0, "booking.requested", (f"{reference}/old",))
    second = post(reference, 1, "booking.changed", (f"{reference}/new",))
    standing = StandingBooking("sb", f"{reference}-b", reference, f"{reference}/new")
    booking = ToldBooking(reference, (f"{reference}-b",), (f"{reference}-a",))
    results = (told(first, (f"{reference}-a",)), told(second, (f"{reference}-b",), (f"{reference}-a",)))
    return Life(reference, (first, second, event(first), event(second), booking, standing, *results))


def cancelled(reference: str, _count: int) -> Life:
    """Requested and cancelled; the request came a second time."""
    first = post(reference, 0, "booking.requested", (f"{reference}/0",))
    second = post(reference, 1, "booking.cancelled", ())
    booking = ToldBooking(reference, (), (f"{reference}-a",))
    again = replace(first, status=503, at=99.0)
    return Life(
        reference, (again, first, second, event(first), event(second), booking, told(second, (), booking.cancelled))
    )


def overtaken(reference: str, _count: int) -> Life:
    """The cancel was worked first, and its stamp is a slow clock's."""
    first = post(reference, 1, "booking.requested", (f"{reference}/0",))
    second = replace(post(reference, 0, "booking.cancelled", ()), at=105.0)
    return Life(
        reference, (first, second, event(first), event(second), ToldBooking(reference, (), (f"{reference}-a",)))
    )


def in_doubt(reference: str, count: int) -> Life:
    """A person has it in front of him, half of it standing perhaps."""
    slots = tuple(f"{reference}/{place}" for place in range(count))
    first = post(reference, 0, "booking.requested", slots)
    letter = LetterEnd(1, first.id, reference, "in_doubt", "open")
    standing = StandingBooking("sb", f"{reference}-a", reference, slots[0])
    return Life(reference, (first, event(first, "dead", "in_doubt"), letter, standing))


def waiting(reference: str, _count: int) -> Life:
    """Still on its way: in a queue, not seen by a worker yet."""
    first = post(reference, 0, "booking.requested", (f"{reference}/0",))
    return Life(reference, (first, QueuedMessage("bellhop.work.bookings.simplybook", first.id)))


def held(reference: str, _count: int) -> Life:
    """The flood guard holds its cancel, before a person."""
    life = booked(reference, 1)
    second = post(reference, 1, "booking.cancelled", ())
    queued = QueuedMessage("bellhop.work.bookings.simplybook", second.id)
    return Life(reference, (*life.records, second, event(second, "held"), queued))


def unanswered(reference: str, _count: int) -> Life:
    """Never accepted; nobody knows whether it was taken, and it was."""
    first = post(reference, 0, "booking.requested", (f"{reference}/0",), status=0)
    standing = StandingBooking("pv", f"{reference}-a", reference, f"{reference}/0")
    return Life(reference, (first, event(first), ToldBooking(reference, (f"{reference}-a",), ()), standing))


def member(reference: str, _count: int) -> Life:
    first = post(reference, 0, "member.updated", ())
    return Life(reference, (first, event(first), SeenCall("peoplevine", "sync_member", "synced", reference, "", "")))


LIVES = (booked, moved, cancelled, overtaken, in_doubt, waiting, held, unanswered, member)


@st.composite
def histories(draw: st.DrawFn) -> list[Life]:
    makers = draw(st.lists(st.sampled_from(LIVES), max_size=12))
    return [make(f"b{number}", draw(st.integers(1, 3))) for number, make in enumerate(makers)]


def shuffled(draw: st.DrawFn, lives: list[Life]) -> Records:
    """Each booking's records in their order, the bookings' mixed."""
    left = [list(life.records) for life in lives]
    records: Records = []
    while left := [one for one in left if one]:
        records.append(draw(st.sampled_from(left)).pop(0))
    return records


# --- what is planted: a life gone wrong, and whose name is to be told ---------------------------------------------


def without(life: Life, *kinds: type[Record]) -> Life:
    return Life(life.reference, tuple(one for one in life.records if not isinstance(one, kinds)))


def with_event(life: Life, state: str) -> Life:
    first = life.records[0]
    assert isinstance(first, SentPost)
    return Life(life.reference, (first, event(first, state)))


def twice(life: Life) -> Life:
    (one, *_) = [record for record in life.records if isinstance(record, StandingBooking)]
    return Life(life.reference, (*life.records, replace(one, id=f"{one.id}-again")))


def beside(life: Life) -> Life:
    """The old slot still stands beside the new one."""
    old = StandingBooking("sb", f"{life.reference}-a", life.reference, f"{life.reference}/old")
    return Life(life.reference, (*life.records, old))


def half(life: Life) -> Life:
    gone = next(one for one in life.records if isinstance(one, StandingBooking))
    return Life(life.reference, tuple(one for one in life.records if one is not gone))


def astray(life: Life) -> Life:
    """What stands is in a slot that nobody asked for."""
    return Life(
        life.reference,
        tuple(replace(one, slot="elsewhere") if isinstance(one, StandingBooking) else one for one in life.records),
    )


def resurrected(life: Life) -> Life:
    return Life(
        life.reference,
        (*life.records, StandingBooking("sb", f"{life.reference}-z", life.reference, f"{life.reference}/0")),
    )


def untold(life: Life) -> Life:
    """What stands is not what the ledger names."""
    kept = [one for one in life.records if not isinstance(one, ToldBooking | ToldResult)]
    return Life(life.reference, (*kept, ToldBooking(life.reference, (), ())))


def misnamed(life: Life) -> Life:
    kept = [one for one in life.records if not isinstance(one, ToldBooking)]
    return Life(life.reference, (*kept, ToldBooking(life.reference, ("none-such",), ())))


def unknown_cancel(life: Life) -> Life:
    kept = [one for one in life.records if not (isinstance(one, EventEnd | ToldResult) and one.id.endswith("-1"))]
    return without(Life(life.reference, tuple(kept)), ToldBooking)


def never_posted(life: Life) -> Life:
    return without(life, SentPost, EventEnd, ToldBooking, ToldResult)


def mistold(life: Life) -> Life:
    """The upstream was told another id than what stands."""
    changed = [replace(one, standing=("none-such",)) if isinstance(one, ToldResult) else one for one in life.records]
    return Life(life.reference, tuple(changed))


PLANTED: list[tuple[str, Callable[[str, int], Life], int, Callable[[Life], Life], Breach]] = [
    ("booked twice", booked, 1, twice, Breach.DOUBLED),
    ("one of two services booked twice", booked, 2, twice, Breach.DOUBLED),
    ("a change whose old slot stands on", moved, 1, beside, Breach.DOUBLED),
    ("twice, though never accepted", unanswered, 1, twice, Breach.DOUBLED),
    ("accepted, and nothing knows of it", waiting, 1, lambda life: without(life, QueuedMessage), Breach.MISSING),
    ("a cancel that nothing knows of", cancelled, 1, unknown_cancel, Breach.MISSING),
    ("working, and no message brings it on", waiting, 1, lambda life: with_event(life, "working"), Breach.FORGOTTEN),
    ("retrying, and no message brings it on", waiting, 1, lambda life: with_event(life, "retrying"), Breach.FORGOTTEN),
    ("in doubt, and no message brings it on", waiting, 1, lambda life: with_event(life, "in_doubt"), Breach.FORGOTTEN),
    ("held, and no message brings it on", held, 1, lambda life: without(life, QueuedMessage), Breach.FORGOTTEN),
    ("dead without a letter", in_doubt, 1, lambda life: without(life, LetterEnd), Breach.FORGOTTEN),
    ("dead, and its letter was closed", in_doubt, 1, lambda life: Life(life.reference, tuple(
        replace(one, state="replayed") if isinstance(one, LetterEnd) else one for one in life.records
    )), Breach.FORGOTTEN),
    ("one of two services", booked, 2, half, Breach.HALF),
    ("two of three services", booked, 3, half, Breach.HALF),
    ("done, and nothing stands", booked, 1, half, Breach.WRONG),
    ("cancelled, and it stands", cancelled, 1, resurrected, Breach.WRONG),
    ("cancelled by a slow clock, and it stands", overtaken, 1, resurrected, Breach.WRONG),
    ("the ledger names what does not stand", booked, 1, misnamed, Breach.WRONG),
    ("the result names what does not stand", booked, 1, mistold, Breach.WRONG),
    ("a member told as synchronised", member, 1, lambda life: without(life, SeenCall), Breach.WRONG),
    ("it stands, and nobody is told", booked, 1, untold, Breach.UNEXPLAINED),
    ("it stands elsewhere", booked, 1, astray, Breach.UNEXPLAINED),
    ("it stands, and was never posted", booked, 1, never_posted, Breach.UNEXPLAINED),
]  # fmt: skip


@given(st.data())
def test_in_a_right_history_nothing_is_found(data: st.DataObject) -> None:
    lives = data.draw(histories())
    records = data.draw(st.composite(shuffled)(lives))
    verdict = check(records)
    assert verdict.violations == []
    assert verdict.accepted == sum(verdict.counts.values())


@pytest.mark.parametrize(
    ("make", "count", "spoil", "breach"), [one[1:] for one in PLANTED], ids=[one[0] for one in PLANTED]
)
@given(data=st.data())
@settings(max_examples=EXAMPLES // 4)
def test_what_was_planted_is_named_and_nothing_else(
    make: Callable[[str, int], Life], count: int, spoil: Callable[[Life], Life], breach: Breach, data: st.DataObject
) -> None:
    spoilt = spoil(make("spoilt", count))
    records = data.draw(st.composite(shuffled)([*data.draw(histories()), spoilt]))
    verdict = check(records)
    (found,) = verdict.violations
    assert found.breach is breach
    assert found.subject.startswith("spoilt")
    assert verdict.accepted == sum(verdict.counts.values())


def test_an_event_that_nobody_posted_is_unexplained() -> None:
    (found,) = check([EventEnd("ghost", "booking.requested", "b", "done", "")]).violations
    assert (found.breach, found.subject) == (Breach.UNEXPLAINED, "ghost")


def test_two_that_stand_in_front_of_a_person_are_no_violation() -> None:
    life = twice(booked("b", 1))
    letter = LetterEnd(4, "b-0", "b", "doubled", "open")
    assert check([*life.records, letter]).kept
    assert not check([*life.records, replace(letter, reason="rejected")]).kept


def test_it_says_where_the_accepted_events_are() -> None:
    lives = [booked("a", 1), in_doubt("b", 2), waiting("c", 1), cancelled("d", 1), unanswered("e", 1)]
    verdict = check([record for life in lives for record in life.records])
    assert verdict.accepted == 5
    assert verdict.counts == {"done": 3, PERSON: 1, ON_ITS_WAY: 1}


def test_of_a_cancel_in_doubt_nothing_is_told_for_certain() -> None:
    life = booked("b", 1)
    kept = [one for one in life.records if not isinstance(one, StandingBooking)]
    second = post("b", 1, "booking.cancelled", ())
    letter = LetterEnd(4, second.id, "b", "in_doubt", "open")
    assert check([*kept, second, event(second, "dead", "in_doubt"), letter]).kept
    assert not check([*kept, second, event(second, "dead", "rejected"), replace(letter, reason="rejected")]).kept
    queued = QueuedMessage("bellhop.work.bookings.simplybook", second.id)
    assert check([*kept, second, event(second, "working"), queued]).kept, "it was stopped in the midst of it"


def test_what_stands_twice_may_be_told_by_the_callback_about_it() -> None:
    life = twice(booked("b", 1))
    told_of = CallbackEnd("v-b/0-again-create", "v-b/0-again", True, "dead", "open", "doubled")
    assert check([*life.records, told_of]).kept
    assert not check([*life.records, replace(told_of, letter="discarded")]).kept
    assert not check([*life.records, replace(told_of, booking="elsewhere")]).kept


@pytest.mark.parametrize(
    ("state", "letter", "is_queued", "breach"),
    [
        ("", "", False, Breach.MISSING),
        ("working", "", False, Breach.FORGOTTEN),
        ("dead", "", False, Breach.FORGOTTEN),
        ("recorded", "", False, None),
        ("dead", "open", False, None),
        ("", "", True, None),
    ],
)
def test_a_callback_that_was_taken_is_not_lost(state: str, letter: str, is_queued: bool, breach: Breach | None) -> None:
    one = CallbackEnd("77-create", "77", True, state, letter, "in_doubt" if letter else "")
    queued = [QueuedMessage("bellhop.work.callbacks.simplybook", "77-create")] if is_queued else []
    assert [found.breach for found in check([one, *queued]).violations] == ([breach] if breach else [])
    assert check([replace(one, taken=False), *queued]).kept


def test_it_counts_the_calls_whose_end_nobody_was_told() -> None:
    life = in_doubt("b", 2)
    calls = [
        SeenCall("simplybook", "book", "booked", "b-a", "b", "timeout_after"),
        SeenCall("simplybook", "book", "booked", "elsewhere", "c", "reset"),
        SeenCall("simplybook", "book", "", "", "d", "timeout_before"),  # never carried out
        SeenCall("simplybook", "book", "", "", "e", "http"),  # 503: it says that it was not
        SeenCall("simplybook", "book", "booked", "slow", "f", "slow"),
        SeenCall("simplybook", "getUnitList", "", "", "", "reset"),
        SeenCall("peoplevine", "create_service_reservation", "booked", "p", "b", "http"),
    ]
    doubts = check([*life.records, *calls]).doubts
    assert doubts == {"peoplevine": DoubtCount(1, 1, 1, 1), "simplybook": DoubtCount(3, 1, 2, 1)}
    assert [doubts[vendor].share for vendor in doubts] == [0, 50]
    known = ToldBooking("b", ("b-a",), ())  # what the booking waits for is another call of its
    kept = [one for one in life.records if not isinstance(one, ToldBooking)]
    assert check([*kept, known, *calls]).doubts["simplybook"] == DoubtCount(3, 1, 2, 0)
    said = [PersonAct("there", 7, True, 1.0), LetterEnd(7, "c-0", "c", "in_doubt", "replayed"), post("c", 0, "x", ())]
    assert check([*life.records, *calls, *said]).doubts["simplybook"] == DoubtCount(3, 1, 2, 2)
