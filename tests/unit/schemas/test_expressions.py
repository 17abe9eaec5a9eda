from __future__ import annotations

import re
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bellhop.schemas.expressions import Unreadable, expression, path

BODY: dict[str, Any] = {
    "first": "Ada",
    "last": None,
    "number": 7,
    "date": "12/28/2026",
    "time": "6:15 PM",
    "local": "2026-12-28T18:15:00",
    "cents": 1999,
    "epoch": 1795818000,
    "tags": "a, b ,c",
    "parts": {"items": [{"id": "x", "min": 30}, {"id": "y", "min": 15}]},
}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("join(' ', [first, last])", "Ada"),
        ("join('-', [first, number])", "Ada-7"),
        ("join(' ', [last, nothing])", None),
        ("moment(join(' ', [date, time]), '%m/%d/%Y %I:%M %p')", "2026-12-28T18:15:00"),
        ("moment(nothing, '%Y')", None),
        ("later(local, '1h 30m')", "2026-12-28T19:45:00"),
        ("later(epoch, sum(parts.items[*].min))", "2026-11-27T23:05:00+00:00"),
        ("later(local, `0`)", "2026-12-28T18:15:00"),
        ("later(nothing, '90 min')", None),
        ("in_zone(local, 'America/New_York')", "2026-12-28T18:15:00-05:00"),
        ("in_zone('2026-12-28T18:15:00Z', 'America/New_York')", "2026-12-28T18:15:00+00:00"),
        ("multiply(cents, '0.01')", 19.99),
        ("split(tags, ',')[1]", "b"),
        ("to_number('12.5')", 12.5),
        ("to_number(' 012 ')", 12),
        ("to_number(number)", 7),
        ("to_number(nothing)", None),
        ("to_number('')", None),
        ("to_number(parts)", None),
        ("nothing || first", "Ada"),
        ("parts.items[?id=='y'].min | [0]", 15),
    ],
)
def test_an_expression_joins_splits_and_converts(text: str, value: object) -> None:
    assert expression(text).find(BODY) == value


@pytest.mark.parametrize(
    "text",
    [
        *("moment(first, '%Y')", "later(first, '90 min')", "later(local, 'soon')", "in_zone(local, 'Mars')"),
        *("multiply(first, '2')", "join(' ', [parts])", "split(first, '')", "sum(first)", "later('0001-01-01', '1h')"),
        *("to_number(first)", "to_number('2 guests')", "to_number('nan')", "to_number('1_000')", "to_number('1e400')"),
        *("multiply('1_0', '2')", "multiply('nan', '2')", "multiply(number, 'Infinity')"),
    ],
)
def test_what_cannot_be_made_is_told_without_the_value(text: str) -> None:
    with pytest.raises(Unreadable) as caught:
        expression(text).find(BODY)
    assert "Ada" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("join(' '", "is no expression of JMESPath"),
        ("a - b", "is no expression of JMESPath"),
        ("", "must have an expression"),
        ("launch(a)", "has no function launch"),
        ("join(a)", "gives join 1 arguments: it takes 2"),
        ("(" * 5000 + "a" + ")" * 5000, "must have an expression"),
    ],
)
def test_an_expression_that_is_none_is_told_at_the_start(text: str, problem: str) -> None:
    with pytest.raises(ValueError, match=re.escape(problem)):
        expression(text)


@pytest.mark.parametrize(
    ("finder", "places"),
    [
        (path("parts.items.0.id"), [("parts.items", 0, 2)]),
        (path("parts.items.7"), [("parts.items", 7, 2)]),
        (path("first.0"), []),
        (expression("parts.items[0].id"), [("parts.items", 0, 2)]),
        (expression("join('', [parts.items[-1].id])"), [("parts.items", 1, 2)]),
        (expression("parts.items[*].id"), []),
        (expression("parts.items[?min > `20`] | [0]"), []),
    ],
)
def test_a_list_read_by_its_place_is_known(finder: Any, places: list[tuple[str, int, int]]) -> None:
    assert [(one.name, one.index, len(one.items)) for one in finder.lists_by_place(BODY)] == places


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["a", "b"]), inner),
    )
)
def test_no_body_makes_an_expression_crash(body: object) -> None:
    for text in (
        "join(' ', [a, b])",
        "later(a, b)",
        "moment(a, '%Y')",
        "multiply(a, b)",
        "a[0].b",
        "sum(a[*].b)",
        "a > b",
    ):
        compiled = expression(text)
        list(compiled.lists_by_place(body))
        with suppress(Unreadable):
            compiled.find(body)
