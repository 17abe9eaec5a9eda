from __future__ import annotations

import copy
import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bellhop.schemas.errors import EventInvalid
from bellhop.schemas.mapping import NO_MAP, MapError, compile_map

DOCUMENT: dict[str, Any] = {
    "kind": "made",
    "flag": True,
    "number": 6448,
    "none": None,
    "items": [{"id": "a"}, {"id": "b"}],
    "deep": {"list": [1, [2, 3]]},
}


def applied(rules: dict[str, Any], base: dict[str, Any] | None = None) -> dict[str, Any]:
    return compile_map(rules).apply(DOCUMENT, base)


def test_a_path_leads_through_names_and_places() -> None:
    rules = {"id": "items.1.id", "data.member_id": "number", "data.profile": "deep"}
    assert applied(rules) == {"id": "b", "data": {"member_id": 6448, "profile": DOCUMENT["deep"]}}


@pytest.mark.parametrize(
    "path", ["nothing", "none", "items.2.id", "items.-1", "items.x", "number.x", "items.٣", "a.b.c"]
)
def test_where_a_path_leads_nowhere_the_field_is_absent_or_has_its_default(path: str) -> None:
    assert applied({"id": path}) == {}
    assert applied({"id": {"path": path, "default": "d"}}) == {"id": "d"}


def test_a_constant_is_the_same_for_all_and_is_not_shared_between_events() -> None:
    rules = compile_map({"data.profile": {"value": {"a": [1]}}})
    first, second = rules.apply({}), rules.apply({})
    first["data"]["profile"]["a"].append(2)
    assert second == {"data": {"profile": {"a": [1]}}}


def test_their_words_become_ours() -> None:
    values = {"made": "booking.requested", "true": "yes", "6448": "member"}
    for path, expected in (("kind", "booking.requested"), ("flag", "yes"), ("number", "member")):
        assert applied({"type": {"path": path, "values": values}}) == {"type": expected}


def test_a_word_that_is_not_named_has_the_default_and_is_never_guessed_without_one() -> None:
    rule: dict[str, Any] = {"path": "kind", "values": {"other": "x"}}
    assert applied({"type": rule | {"default": "ignored"}}) == {"type": "ignored"}
    with pytest.raises(EventInvalid) as caught:
        applied({"type": rule, "data.status": rule})
    assert [problem.field for problem in caught.value.problems] == ["type", "data.status"]
    assert "made" not in str(caught.value)


def test_services_are_a_list_and_the_maps_fields_are_laid_over_what_is_known() -> None:
    base = {"id": "1", "data": {"services": [{"start": "s", "price": 1.0}], "notes": "n"}}
    before = copy.deepcopy(base)
    rules = {"data.services.0.service_id": "number", "data.services.1.start": "kind", "data.notes": "nothing"}
    made = applied(rules, base)
    assert made["data"]["services"] == [{"start": "s", "price": 1.0, "service_id": 6448}, {"start": "made"}]
    assert made["data"]["notes"] == "n"
    assert base == before


def test_names_may_hold_spaces_and_digits_where_they_are_free() -> None:
    assert applied({"data.attributes.VIP client type": "kind"}) == {"data": {"attributes": {"VIP client type": "made"}}}
    assert applied({"data.additional.0": "kind"}) == {"data": {"additional": {"0": "made"}}}


def test_no_map_changes_nothing() -> None:
    assert not NO_MAP
    assert NO_MAP.apply(DOCUMENT, {"a": 1}) == {"a": 1}


@pytest.mark.parametrize(
    ("key", "rule", "problem"),
    [
        ("data", "a", "is no field of an event"),
        ("when", "a", "is no field of an event"),
        ("id.x", "a", "is no field of an event"),
        ("data.bookingid", "a", "is no field of an event"),
        ("data.client.nam", "a", "is no field of an event"),
        ("data.client.name.first", "a", "is no field of an event"),
        ("data.services.start", "a", "is no field of an event"),
        ("data.services.0", "a", "is no field of an event"),
        ("data.services.20.start", "a", "is no field of an event"),
        ("data.services.0.begin", "a", "is no field of an event"),
        ("data..notes", "a", "is no field of an event"),
        ("id", "", "must have a path"),
        ("id", "a..b", "must have a path"),
        ("id", "x" * 201, "must have a path"),
        ("id", 7, "must be a path, or a table"),
        ("id", {}, "must have a path"),
        ("id", {"path": 1}, "must have a path"),
        ("id", {"default": "x"}, "must have a path"),
        ("id", {"value": 1, "path": "a"}, "takes value alone"),
        ("id", {"path": "a", "values": {}}, "must have values as a table"),
        ("id", {"path": "a", "code": "exec"}, "has no setting code"),
    ],
)
def test_a_rule_that_cannot_be_meant_so_is_told_at_the_start(key: str, rule: object, problem: str) -> None:
    with pytest.raises(MapError, match=problem) as caught:
        compile_map({key: rule})
    assert caught.value.key == key


def test_a_field_inside_another_is_told_at_the_start() -> None:
    with pytest.raises(MapError, match=r"stands inside data\.client"):
        compile_map({"data.client": "a", "data.client.name": "b"})


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab01") | st.text(), inner, max_size=3),
)
KEYS = st.sampled_from(
    ["id", "type", "data.client", "data.client.name", "data.services", "data.services.1.start", "data.x", "data"]
) | st.text(max_size=8)
PATHS = st.lists(st.sampled_from(["a", "b", "0", "1"]), max_size=3).map(".".join)
RULES = PATHS | st.fixed_dictionaries({}, optional={"path": PATHS, "values": ANY, "default": ANY, "value": ANY}) | ANY


@given(st.dictionaries(KEYS, RULES, max_size=4), ANY, st.dictionaries(st.sampled_from(["data", "id"]), ANY))
def test_whatever_the_map_and_the_body_nothing_but_its_own_errors_is_raised(
    rules: dict[str, Any], document: object, base: dict[str, Any]
) -> None:
    try:
        made = compile_map(rules)
    except MapError:
        return
    before = json.dumps(base)
    with suppress(EventInvalid):
        assert isinstance(made.apply(document, base), dict)
    assert json.dumps(base) == before
