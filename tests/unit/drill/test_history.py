"""A record is read as it was written; what is none is named by its line."""

from __future__ import annotations

import json

import pytest

from bellhop.drill.history import (
    CallbackEnd,
    DrillRun,
    EventEnd,
    FaultDone,
    HistoryError,
    LetterEnd,
    PersonAct,
    QueuedMessage,
    Record,
    SeenCall,
    SentPost,
    StandingBooking,
    ToldBooking,
    ToldResult,
    line_of,
    read_history,
)

ONE_OF_EACH: list[Record] = [
    DrillRun(7, 40, "embedded", "sqlite", ("worker_killed",), True),
    SentPost("e", "booking.requested", "b", "2026-11-28T10:00:00+00:00", ("s/1", "s/2"), 202, 1.5),
    FaultDone("worker_killed", 2.0, 3, ""),
    PersonAct("there", 4, True, 5.0),
    SeenCall("simplybook", "book", "booked", "77", "b", ""),
    StandingBooking("simplybook", "77", "b", "s/1"),
    EventEnd("e", "booking.requested", "b", "done", ""),
    ToldBooking("b", ("77",), ()),
    LetterEnd(4, "e", "b", "in_doubt", "open"),
    CallbackEnd("77-create", "77", True, "recorded", "", ""),
    QueuedMessage("bellhop.work.members", "e"),
    ToldResult("e", "booking.confirmed", "b", "2026-11-28T10:00:01+00:00", ("77",), ()),
]


def test_what_is_written_is_read() -> None:
    assert list(read_history([line_of(one) for one in ONE_OF_EACH] + ["", "\n"])) == ONE_OF_EACH


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("{", "line 2"),
        ("[]", "its kind must be one of run, post"),
        ('{"kind": "nothing"}', "its kind must be one of"),
        ('{"kind": "message", "queue": "q"}', "its fields must be queue, id"),
        ('{"kind": "message", "queue": "q", "id": "e", "more": 1}', "its fields must be queue, id"),
        ('{"kind": "message", "queue": 1, "id": "e"}', "its queue must be str"),
        ('{"kind": "act", "act": "there", "letter": true, "worked": true, "at": 1}', "its letter must be int"),
        ('{"kind": "booking", "reference": "b", "standing": [1], "cancelled": []}', "its standing must be tuple"),
        ('{"kind": "booking", "reference": "b", "standing": "ab", "cancelled": []}', "its standing must be tuple"),
    ],
)
def test_what_is_no_record_is_named_by_its_line(line: str, says: str) -> None:
    with pytest.raises(HistoryError, match="line 2") as caught:
        list(read_history([line_of(ONE_OF_EACH[0]), line]))
    assert says in str(caught.value)


def test_a_line_is_plain_json() -> None:
    assert json.loads(line_of(ONE_OF_EACH[10])) == {"kind": "message", "queue": "bellhop.work.members", "id": "e"}
