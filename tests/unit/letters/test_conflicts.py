"""Both contents of a conflict, side by side."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bellhop.ledger.records import Booking, EntryState, Letter, LetterState
from bellhop.letters.conflicts import conflict_rows
from bellhop.schemas.asked import asked_of
from bellhop.schemas.reasons import Reason
from tests.support.ledger import NOON, entry, event, letter

SERVICE = {"service_id": "7", "start": "2027-05-10T09:15:00+01:00", "count": 1}
STANDS = {"client": {"name": "Ada Lee"}, "services": [SERVICE]}
ASKED = {"client": {"name": "Ada Low"}, "services": [{**SERVICE, "start": "2027-05-10T10:15:00+01:00"}]}


class Held:
    """A ledger in which one booking stands."""

    def __init__(self, asked: dict[str, object] | None, state: EntryState = EntryState.CONFIRMED) -> None:
        self._entry = entry("1", state, asked=asked)

    def booking(self, source: str, reference: str) -> Booking | None:
        return Booking(source, reference, "sb", (self._entry,))


def of(reason: Reason = Reason.CONFLICT) -> Letter:
    return Letter(1, letter(event("e-2", "booking.changed", data=ASKED), reason), LetterState.OPEN, NOON)


@pytest.mark.parametrize("reveal", [False, True])
def test_each_field_that_differs_is_told_with_what_stands_and_what_the_letter_asks(reveal: bool) -> None:
    held = Held(asked_of("booking.requested", STANDS, [SERVICE]))
    rows = conflict_rows(of(), held, reveal=reveal)
    names = ("Ada Lee", "Ada Low") if reveal else ("***", "***")
    assert rows == [
        {"field": "client.name", "stands": names[0], "letter": names[1]},
        {"field": "services.0.start", "stands": SERVICE["start"], "letter": "2027-05-10T10:15:00+01:00"},
    ]


def test_where_nothing_stands_every_field_is_told_as_what_the_letter_asks() -> None:
    held = Held(asked_of("booking.requested", STANDS, [SERVICE]), EntryState.CANCELLED)
    rows = conflict_rows(of(), held, reveal=True)
    assert rows is not None
    assert rows[0] == {"field": "client.name", "stands": None, "letter": "Ada Low"}
    assert {row["stands"] for row in rows} == {None}


def test_a_letter_of_another_reason_or_of_what_is_not_known_has_none() -> None:
    assert (
        conflict_rows(of(Reason.REJECTED), Held(asked_of("booking.requested", STANDS, [SERVICE])), reveal=True) is None
    )
    assert conflict_rows(of(), Held(None), reveal=True) is None
    unreadable = replace(of(), new=replace(of().new, body=b"{"))
    assert conflict_rows(unreadable, Held(asked_of("booking.requested", STANDS, [SERVICE])), reveal=True) is None
