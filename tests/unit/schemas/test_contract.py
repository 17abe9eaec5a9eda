"""A contract's own short way through an object where all is well, held to marshmallow's."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import Schema, ValidationError

from bellhop.schemas.contract import Strict
from bellhop.schemas.event_contracts import BODY, CLIENT, MEMBER, SERVICE

VALUES = st.sampled_from(
    [
        *(None, "", "x", "x" * 300, 0, 7, 7.0, -1, 2.5, True, 2**70, [], {}, {"a": 1}, ["a"], "\x00"),
        *("2026-11-20T11:59:58Z", "2026-11-20T11:59:58", "Europe/London", "ada@example.test", "member.updated", "PT1H"),
    ]
)
NAMES = sorted({name for schema in (BODY, CLIENT, MEMBER, SERVICE) for name in schema.fields} | {"strange"})


def ended(load: Any, value: object) -> tuple[object, object]:
    try:
        return load(value), None
    except ValidationError as error:
        return error.valid_data, error.messages


@pytest.mark.parametrize("schema", [BODY, CLIENT, MEMBER, SERVICE], ids=lambda schema: type(schema).__name__)
@given(value=st.one_of(VALUES, st.dictionaries(st.sampled_from(NAMES), VALUES)))
def test_the_short_way_ends_as_marshmallows_own_does(schema: Strict, value: object) -> None:
    """But for nulls, which `Strict` takes for what is left out."""
    given_value = {name: each for name, each in value.items() if each is not None} if isinstance(value, dict) else value
    assert ended(schema.load, given_value) == ended(lambda it: Schema.load(schema, it), given_value)


def test_what_may_be_left_out_and_has_a_default_gets_it() -> None:
    assert SERVICE.load({"service_id": 1, "start": "2026-11-20T11:59:58Z"})["count"] == 1
