from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bellhop.schemas.nesting import is_nested_too_deep

VALUES = st.recursive(
    st.text('[]{}"\\x', max_size=6) | st.integers(0, 9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text('[{"\\', max_size=3), inner, max_size=4),
    max_leaves=40,
)


def depth(value: Any) -> int:
    if not isinstance(value, dict | list):
        return 0
    return 1 + max((depth(inner) for inner in (value.values() if isinstance(value, dict) else value)), default=0)


@given(VALUES, st.integers(1, 5))
def test_it_counts_as_a_parser_does_whatever_stands_in_texts(value: Any, most: int) -> None:
    assert is_nested_too_deep(json.dumps(value).encode(), most) == (depth(value) > most)


@given(st.binary(max_size=60), st.integers(1, 5))
def test_what_is_no_json_is_no_error(text: bytes, most: int) -> None:
    assert is_nested_too_deep(text, most) in (True, False)


@pytest.mark.parametrize(
    ("text", "is_too_deep"),
    [
        (b"[" * 100 + b"]" * 100, False),
        (b"[" * 101 + b"]" * 101, True),
        (b'{"a":' * 101 + b"1" + b"}" * 101, True),
        (b"[" * 100_000, True),
        (b'[{"a":' * 100_000, True),
        (b"[" + b"[[]]," * 100_000 + b"[]]", False),
        (b'["' + b"[" * 100_000 + b'"]', False),
        (b"]" * 100_000, False),
    ],
)
def test_a_hundred_levels_are_not_too_deep_and_one_more_is(text: bytes, is_too_deep: bool) -> None:
    assert is_nested_too_deep(text) is is_too_deep
