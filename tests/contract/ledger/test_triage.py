"""What people do with letters, over every database: pages, causes, words, notes, restoring, assigning."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bellhop.ledger.pages import CursorInvalid
from bellhop.ledger.records import AuditRow, LetterFilter, LetterState, NewLetter, Order, State
from bellhop.ledger.store import Ledger
from bellhop.schemas.reasons import Reason
from tests.support.ledger import NOON, Clock, die, event, letter

OPEN = LetterFilter()


def archive(ledger: Ledger, count: int, **more: object) -> None:
    for number in range(1, count + 1):
        new = letter(event(f"e-{number}", subject=f"R-{number}"))
        ledger.letters.archive([replace(new, **more)])  # type: ignore[arg-type]


def numbers(ledger: Ledger, order: Order, which: LetterFilter = OPEN, limit: int = 2) -> list[int]:
    """All letters, page by page."""
    found: list[int] = []
    after = ""
    while True:
        page = ledger.letters.page(which, order, limit, after)
        assert len(page.rows) <= limit
        found += [one.id for one in page.rows]
        after = page.next
        if not after:
            return found


def test_pages_hold_every_letter_once_in_their_order(ledger: Ledger) -> None:
    archive(ledger, 5)
    assert numbers(ledger, Order.NEWEST) == [5, 4, 3, 2, 1]
    assert numbers(ledger, Order.OLDEST) == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("limit", [1, 2, 3, 10])
def test_the_urgent_come_first_by_their_start_and_then_the_others(ledger: Ledger, limit: int) -> None:
    starts = [None, 5, 1, -1, 3, None, 1]
    for number, hours in enumerate(starts, 1):
        start = None if hours is None else NOON + timedelta(hours=hours)
        ledger.letters.archive([replace(letter(event(f"e-{number}")), not_after=start)])
    assert numbers(ledger, Order.URGENT, limit=limit) == [3, 7, 5, 2, 6, 4, 1]


@pytest.mark.parametrize("after", ["nonsense", "", "bmV3ZXN0Og", "dXJnZW50OjE6Mg"])
def test_a_cursor_that_none_of_our_pages_gave_is_refused(ledger: Ledger, after: str) -> None:
    archive(ledger, 3)
    if not after:
        assert len(ledger.letters.page(OPEN, Order.NEWEST, 2, after).rows) == 2
        return
    with pytest.raises(CursorInvalid):
        ledger.letters.page(OPEN, Order.NEWEST, 2, after)


def test_a_cursor_of_another_order_is_refused(ledger: Ledger) -> None:
    archive(ledger, 3)
    given = ledger.letters.page(OPEN, Order.NEWEST, 2).next
    with pytest.raises(CursorInvalid):
        ledger.letters.page(OPEN, Order.OLDEST, 2, given)


def test_letters_of_one_cause_are_one_group_however_their_ids_differ(ledger: Ledger, clock: Clock) -> None:
    for number in range(3):
        error = (
            f"simplybook book: Selected time start is not available (-32054) for R-{number} at 2027-03-0{number + 1}"
        )
        ledger.letters.archive(
            [replace(letter(event(f"a-{number}", data={"venue": f"v-{number}"})), error=error,
                     not_after=NOON + timedelta(hours=9 - number))]
        )  # fmt: skip
    clock.advance(hours=1)
    ledger.letters.archive([replace(letter(event("b")), error="peoplevine sync_member: Member not found")])
    large, small = ledger.causes.find(OPEN)
    assert (large.count, small.count) == (3, 1)
    assert "-32054" in large.cause
    assert "R-2" in large.error
    assert (large.first, large.last) == (NOON, NOON)
    assert (large.next_start, large.venue) == (NOON + timedelta(hours=7), "v-2")
    assert (small.next_start, small.venue) == (None, "")
    assert numbers(ledger, Order.NEWEST, LetterFilter(cause=large.cause)) == [3, 2, 1]
    assert ledger.letters.by_reason(OPEN) == {"rejected": 4}


def test_a_letter_is_found_by_any_of_its_words(ledger: Ledger) -> None:
    data = {"client": {"name": "Zoë Lee", "email": "zoe@example.test"}, "member_id": "3125141"}
    ledger.letters.archive(
        [letter(event("found-1", subject="R-77", data=data)), letter(event("other", subject="R-78"))]
    )
    for text in ("zoë", "ZOE@example", "3125141", "R-77", "found-1", "zoë r-77"):
        assert ledger.letters.ids(LetterFilter(text=text)) == [1], text
    assert ledger.letters.ids(LetterFilter(text="zoë R-78")) == []
    assert ledger.letters.ids(LetterFilter(text="100%")) == []
    assert ledger.letters.ids(LetterFilter(text="_")) == []


def test_what_was_discarded_can_be_put_back_and_its_event_is_dead_again(ledger: Ledger) -> None:
    gone = event()
    die(ledger, gone)
    ledger.letters.archive([letter(gone)])
    ledger.letters.discard([1], "ann", "a slip")
    assert ledger.letters.restore([1, 99], "ann", "it was one") == 1
    assert ledger.letters.restore([1], "ann", "again") == 0
    found = ledger.letters.get(1)
    assert found is not None
    assert found.state is LetterState.OPEN
    view = ledger.event("crm", "e-1")
    assert view is not None
    assert view.state is State.DEAD


def test_letters_are_given_to_somebody_and_noted_upon(ledger: Ledger, clock: Clock) -> None:
    archive(ledger, 2)
    assert ledger.letters.assign([1, 2, 3], "ben", "ann") == 2
    assert ledger.letters.ids(LetterFilter(assignee="ben")) == [1, 2]
    ledger.letters.note(1, "ben", "called the club")
    clock.advance(seconds=5)
    ledger.letters.note(1, "ann", "they will call back")
    assert [(note.who, note.text) for note in ledger.letters.notes(1)] == [
        ("ben", "called the club"), ("ann", "they will call back"),
    ]  # fmt: skip
    assert ledger.letters.notes(2) == []


def test_every_act_has_its_row_of_audit_and_they_come_in_pages(ledger: Ledger) -> None:
    archive(ledger, 3)
    ledger.letters.assign([1, 2], "ben", "ann")
    ledger.letters.note_reveal(1, "ben")
    ledger.letters.note(1, "ben", "called Ada Lee")
    assert ledger.letters.audit_page(1).rows == [AuditRow(NOON, "ben", "note", 1, "")]
    ledger.letters.note_act("ann", "call", "to see", "account sb: getEventList")
    ledger.letters.discard([3], "ann", "a test")
    page = ledger.letters.audit_page(4)
    assert [row.act for row in page.rows] == ["discard", "call", "note", "reveal"]
    rest = ledger.letters.audit_page(3, page.next)
    assert [(row.act, row.letter) for row in rest.rows] == [("assign", 2), ("assign", 1)]
    assert rest.next == ""
    assert [row.letter for row in ledger.letters.audit_page(9, who="ben").rows] == [1, 1]
    assert [row.act for row in ledger.letters.audit_page(9, letter=1).rows] == ["note", "reveal", "assign"]


def test_pruned_letters_take_all_that_hangs_on_them_along(ledger: Ledger, clock: Clock) -> None:
    archive(ledger, 1)
    ledger.letters.note(1, "ann", "a note")
    ledger.letters.discard([1], "ann", "a test")
    clock.advance(days=200)
    ledger.prune()
    assert ledger.letters.get(1) is None
    assert ledger.letters.notes(1) == []
    assert ledger.letters.find(LetterFilter(text="r-1", states=tuple(LetterState)), 9) == []


def test_a_letter_that_nobody_can_read_has_a_cause_and_is_found_by_its_error(ledger: Ledger) -> None:
    broken = NewLetter("x", b"\xff", "members", Reason.POISON.value, "not an envelope: not JSON", {}, 0, NOON)
    ledger.letters.archive([broken])
    (group,) = ledger.causes.find(OPEN)
    assert group.cause.startswith("poison/-/-/not an envelope")
    assert ledger.letters.ids(LetterFilter(text="envelope")) == [1]


def test_deaths_are_counted_by_spans_of_time_and_newcomers_by_their_number(ledger: Ledger) -> None:
    for number, minutes in enumerate((0, 4, 5, 14, 15)):
        made = letter(event(f"d-{number}"))
        ledger.letters.archive([replace(made, died=NOON + timedelta(minutes=minutes))])
    letters, width = ledger.letters, timedelta(minutes=5)
    assert letters.first_death(LetterFilter()) == NOON
    assert letters.first_death(LetterFilter(reason="auth")) is None
    assert letters.deaths(LetterFilter(), NOON, width, 4) == [2, 1, 1, 1]
    assert letters.deaths(LetterFilter(), NOON + timedelta(minutes=5), width, 2) == [1, 1]
    assert letters.deaths(LetterFilter(until=NOON + timedelta(minutes=4)), NOON, width, 3) == [2, 0, 0]
    newest = letters.newest()
    assert letters.count_after(LetterFilter(), newest - 2) == 2
    assert letters.count_after(LetterFilter(reason="auth"), 0) == letters.count_after(LetterFilter(), newest) == 0
