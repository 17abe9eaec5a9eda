"""A new slot that the booking's own old one stands in the way of, at a vendor that keeps one booking at a time."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bellhop.ledger.records import Booking, VendorCall
from bellhop.schemas.envelope import Envelope
from bellhop.schemas.reasons import Reason
from bellhop.vendors.failure import Kind, VendorFailure
from bellhop.vendors.outcome import Dead, Done, Outcome, Recorded, Refusal
from bellhop.vendors.simplybook.book_answer import BookAnswer, BookedRow
from bellhop.vendors.simplybook.bookings import SimplybookBookings
from bellhop.vendors.standing import name_changes, say_what_gave_way
from tests.unit.vendors.test_handlers import EMPTY, VENUES, event, salon_account

DAY = "2027-05-10"
NINE, HALF_PAST, TEN = (f"{DAY}T{clock}:00+01:00" for clock in ("09:00", "09:30", "10:00"))
Span = tuple[datetime, datetime]


@dataclass
class Diary:
    """One provider, one booking at a time; each lasts an hour. turns: a week apart. others: what other guests hold.
    snatched: times that another takes as soon as they are free."""

    turns: int = 1
    others: list[Span] = field(default_factory=list)
    snatched: list[Span] = field(default_factory=list)
    held: dict[str, Span] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    asked: list[Any] = field(default_factory=list)
    made: int = 0

    def offers(self, _method: str) -> bool:
        return False

    def taken(self, span: Span) -> bool:
        return any(span[0] < end and begin < span[1] for begin, end in [*self.held.values(), *self.others])

    def spans(self, date: str, time: str) -> list[Span]:
        start = datetime.fromisoformat(f"{date}T{time}")
        starts = [start + timedelta(days=7 * turn) for turn in range(self.turns)]
        return [(one, one + timedelta(hours=1)) for one in starts]

    def book(self, event_id: int, unit_id: int, date: str, time: str, person: Any, *rest: Any) -> BookAnswer:
        self.calls.append("book")
        self.asked.append(person)
        spans = self.spans(date, time)
        if any(self.taken(span) for span in spans):
            raise VendorFailure(
                Kind.REJECTED, vendor="simplybook", method="book", message="not available", code="-32054"
            )
        rows = []
        for span in spans:
            self.made += 1
            id_ = str(self.made)
            self.held[id_] = span
            start, end = (f"{one:%Y-%m-%d %H:%M:%S}" for one in span)
            rows.append(BookedRow(id=id_, hash="h", code="c", start=start, end=end, confirmed=True))
        return BookAnswer(False, tuple(rows), "", "", "")

    def cancel_booking(self, id_: str, hash_: str) -> None:
        self.calls.append("cancel")
        if id_ not in self.held:
            raise VendorFailure(Kind.REJECTED, vendor="v", method="cancelBooking", message="gone", code="-32080")
        freed = self.held.pop(id_)
        self.others += [span for span in self.snatched if span[0] < freed[1] and freed[0] < span[1]]

    def get_start_time_matrix(self, first: str, last: str, *rest: Any) -> dict[str, list[str]]:
        day, found = datetime.fromisoformat(first), {}
        while f"{day:%Y-%m-%d}" <= last:
            starts = [day + timedelta(minutes=15 * quarter) for quarter in range(96)]
            free = [one for one in starts if not self.taken((one, one + timedelta(hours=1)))]
            found[f"{day:%Y-%m-%d}"] = [f"{one:%H:%M:%S}" for one in free]
            day += timedelta(days=1)
        return found

    def call(self, name: str, *arguments: Any) -> Any:
        return None


def handler(diary: Diary) -> SimplybookBookings:
    return SimplybookBookings({"sb": diary}, {"sb": salon_account()}, VENUES)  # type: ignore[dict-item]


def finish(made: SimplybookBookings, announced: Envelope, booking: Booking, calls: int = 99) -> tuple[Outcome, Booking]:
    """As the executor does; dies after so many steps, with what it knows committed."""
    for _ in range(calls):
        step = made.translate(announced, booking)
        if not isinstance(step, VendorCall):
            return step, getattr(step, "booking", None) or booking
        ready = made.prepare(step, announced, booking)
        if not isinstance(ready, VendorCall):
            return ready, booking
        result = made.perform(ready, announced, booking)
        after = result.booking if isinstance(result, Refusal) else result
        assert isinstance(after, Booking)
        booking = name_changes(booking, after, announced.id)
    return Recorded("killed"), booking


def booked(diary: Diary, start: str = NINE, **more: Any) -> Booking:
    outcome, booking = finish(handler(diary), event("booking.requested", start, **more), EMPTY)
    assert isinstance(outcome, Done)
    diary.calls.clear()
    return booking


def span(start: str) -> Span:
    begins = datetime.fromisoformat(start).replace(tzinfo=None)
    return begins, begins + timedelta(hours=1)


def moved(start: str, id_: str = "e-2", **more: Any) -> Envelope:
    return event("booking.changed", start, id_=id_, **more)


def test_a_start_put_off_by_half_its_length_gives_way_to_itself() -> None:
    diary = Diary()
    outcome, booking = finish(handler(diary), moved(HALF_PAST), booked(diary))
    assert isinstance(outcome, Done)
    assert diary.calls == ["cancel", "book"]
    assert list(diary.held.values()) == [span(HALF_PAST)]
    assert [entry.stands for entry in booking.entries] == [False, True]


def test_a_slot_beside_the_old_one_is_booked_first_as_ever() -> None:
    diary = Diary()
    outcome, _ = finish(handler(diary), moved(TEN), booked(diary))
    assert isinstance(outcome, Done)
    assert diary.calls == ["book", "cancel"]


def test_a_course_moved_by_one_week_gives_way_as_a_whole() -> None:
    diary = Diary(turns=4)
    booking = booked(diary)
    week_later = NINE.replace("05-10", "05-17")
    outcome, booking = finish(handler(diary), moved(week_later), booking)
    assert isinstance(outcome, Done)
    assert diary.calls == ["cancel"] * 4 + ["book"]
    assert sum(entry.stands for entry in booking.entries) == 4


@pytest.mark.parametrize("turns", [1, 4])
def test_where_the_new_is_refused_after_all_the_old_is_booked_again_for_its_guest(turns: int) -> None:
    diary = Diary(turns=turns)
    booking = booked(diary, client={"name": "Ada Lee", "phone": "1"}, notes="quiet")
    new = HALF_PAST if turns == 1 else NINE.replace("05-10", "05-17")
    begins, ends = span(new if turns == 1 else NINE.replace("05-10", "06-07"))
    diary.others.append((begins + timedelta(minutes=45), ends + timedelta(hours=1)))
    old = list(diary.held.values())
    outcome, booking = finish(handler(diary), moved(new, client={"name": "Ada Low"}), booking)
    assert isinstance(outcome, Dead)
    assert outcome.reason is Reason.REJECTED
    assert "is booked again as" in outcome.error
    assert list(diary.held.values()) == old
    assert diary.asked[-1] == {"name": "Ada Lee", "phone": "1"}
    assert sum(entry.stands for entry in booking.entries) == turns
    diary.others.clear()
    again, _ = finish(handler(diary), moved(new, client={"name": "Ada Low"}), booking)
    assert isinstance(again, Done), "replayed later, it begins anew"


def test_where_somebody_takes_both_the_letter_says_that_neither_stands() -> None:
    diary = Diary(snatched=[span(NINE), span(HALF_PAST)])
    outcome, booking = finish(handler(diary), moved(HALF_PAST), booked(diary))
    assert isinstance(outcome, Dead)
    assert "neither stands now: book it by hand" in outcome.error
    assert diary.held == {}
    assert not any(entry.stands for entry in booking.entries)


def test_another_guests_slot_in_the_way_is_refused_and_nothing_gives_way() -> None:
    diary = Diary(others=[span(TEN)])
    with pytest.raises(VendorFailure):
        finish(handler(diary), moved(TEN), booked(diary))
    assert diary.calls == ["book"]


@given(killed=st.lists(st.integers(0, 4), max_size=5), other=st.booleans(), turns=st.sampled_from([1, 4]))
def test_killed_anywhere_it_ends_with_the_new_or_the_old_and_never_with_half(
    killed: list[int], other: bool, turns: int
) -> None:
    diary = Diary(turns=turns)
    booking, new = booked(diary), HALF_PAST
    old = sorted(diary.held.values())
    if other:
        diary.others.append((span(new)[1] - timedelta(minutes=15), span(new)[1] + timedelta(hours=1)))
    for calls in killed:
        _, booking = finish(handler(diary), moved(new), booking, calls)
    outcome, booking = finish(handler(diary), moved(new), booking)
    assert isinstance(outcome, Dead if other else Done)
    wanted = old if other else diary.spans(DAY, "09:30:00")
    assert sorted(diary.held.values()) == wanted
    assert {entry.vendor_id for entry in booking.entries if entry.stands} == set(diary.held)


def test_the_letter_of_what_died_in_between_says_that_the_old_slot_is_cancelled() -> None:
    diary = Diary()
    _, booking = finish(handler(diary), moved(HALF_PAST), booked(diary), calls=2)
    assert "its old slot (1) had given way to the new one and is cancelled" in say_what_gave_way(
        moved(HALF_PAST), booking
    )
    assert say_what_gave_way(moved(HALF_PAST, id_="e-9"), booking) == ""
    assert say_what_gave_way(replace(moved(HALF_PAST)), None) == ""
