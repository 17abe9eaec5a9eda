"""`book`'s answer is read by one schema; what its usual form is read by without it says the same."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import ValidationError

from bellhop.vendors.simplybook import book_answer
from bellhop.vendors.simplybook.book_answer import BookAnswer, BookResult, BookRow

ROW = {
    "id": "77",
    "event_id": "1",
    "unit_id": "3",
    "start_date_time": "2027-05-10 09:15:00",
    "end_date_time": "2027-05-10 09:45:00",
    "is_confirmed": "1",
    "code": "c77",
    "hash": "h77",
    "client_id": "9",
}
ANSWER: dict[str, Any] = {"require_confirm": False, "bookings": [ROW]}

_values = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from(["", "0", "1", "77", "77.0", "true", "batch_booking", "h77"]),
    st.integers(-1, 100),
    st.just(7.0),
    st.just([]),
    st.just({}),
)
_names = st.sampled_from([*ROW, "ID", "Hash", "2", "extra"])
_rows = st.dictionaries(_names, _values, max_size=4).map(lambda changed: {**ROW, **changed})
_bookings = st.one_of(st.lists(_rows, max_size=3), st.lists(_values, max_size=1), _values, _rows)
_answer_names = ["require_confirm", "require_payment", "batch_type", "batch_id", "recurrent_batch_id", "batch_hash"]
_answers = st.builds(
    lambda changed, rows: {**changed, "bookings": rows},
    st.dictionaries(st.sampled_from([*_answer_names, "Batch_Id", "Bookings", "extra"]), _values, max_size=4),
    _bookings,
)


def _read(answer: Any) -> BookAnswer | None:
    """As the schema has it; None where it refuses."""
    try:
        found: BookAnswer = BookRow().load(answer)
    except ValidationError:
        return None
    return found


@given(_answers)
def test_what_is_read_without_the_schema_is_what_the_schema_reads(answer: dict[str, Any]) -> None:
    usual = book_answer._usual_answer(answer)
    assert usual is None or usual == _read(answer)


@given(_answers)
def test_any_answer_is_read_or_refused_as_the_schema_does(answer: dict[str, Any]) -> None:
    try:
        found = BookResult().deserialize(answer)
    except ValidationError:
        found = None
    assert found == _read(answer)


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"is_confirmed": "0"},
        {"is_confirmed": False},
        {"id": 77},
        {"code": ""},
        {"start_date_time": "10/05/2027"},
    ],
)
def test_the_usual_form_needs_no_schema(changed: dict[str, Any]) -> None:
    assert book_answer._usual_answer({**ANSWER, "bookings": [{**ROW, **changed}]}) is not None


@pytest.mark.parametrize("answer", [None, [], "77", {}, {"bookings": []}, {"bookings": [{**ROW, "hash": None}]}])
def test_any_other_form_is_left_to_the_schema(answer: Any) -> None:
    assert book_answer._usual_answer(answer) is None
