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


# --- lists of services ------------------------------------------------------------------------------------------

SEGMENTS: dict[str, Any] = {
    "start": "2027-12-06T10:00:00Z",
    "segments": [{"sv": "SV1", "tm": "TM1", "minutes": 30}, {"sv": "SV2", "minutes": 15}],
}
EACH: dict[str, Any] = {
    "data.services.*": "segments",
    "data.services.*.service_id": {"path": "item.sv", "values": {"SV1": "1", "SV2": "7"}},
    "data.services.*.provider_id": {"path": "item.tm", "default": "3"},
    "data.services.*.start": {"expression": "later(body.start, sum(before[*].minutes))"},
    "data.services.*.duration": "item.minutes",
}
BY_PLACE: dict[str, Any] = {
    f"data.services.{number}.{name}": rule
    for number in (0, 1)
    for name, rule in {
        "service_id": f"segments.{number}.sv",
        "provider_id": {"value": "3"},
        "start": {"expression": f"segments[{number}] && start"},
    }.items()
}


def test_a_list_of_services_is_gone_through_whole_and_in_step() -> None:
    assert compile_map(EACH).apply(SEGMENTS)["data"]["services"] == [
        {"service_id": "1", "provider_id": "TM1", "start": "2027-12-06T10:00:00+00:00", "duration": 30},
        {"service_id": "7", "provider_id": "3", "start": "2027-12-06T10:30:00+00:00", "duration": 15},
    ]


@pytest.mark.parametrize("segments", [[], None])
def test_an_empty_list_makes_no_service(segments: object) -> None:
    made = compile_map(EACH).apply(SEGMENTS | {"segments": segments})
    assert made["data"]["services"] == []


def test_a_list_that_is_one_object_is_one_service_and_a_text_is_none() -> None:
    one = compile_map(EACH).apply(SEGMENTS | {"segments": SEGMENTS["segments"][0]})
    assert [service["service_id"] for service in one["data"]["services"]] == ["1"]
    with pytest.raises(EventInvalid) as caught:
        compile_map(EACH).apply(SEGMENTS | {"segments": "SV1"})
    assert [problem.field for problem in caught.value.problems] == ["data.services"]


def test_an_item_that_no_value_fits_is_told_by_its_place() -> None:
    rules = EACH | {"data.services.*.service_id": {"path": "item.sv", "values": {"SV1": "1"}}}
    with pytest.raises(EventInvalid) as caught:
        compile_map(rules).apply(SEGMENTS)
    assert [problem.field for problem in caught.value.problems] == ["data.services.1.service_id"]


def test_a_service_that_is_ignored_is_left_out_with_a_warning_and_without_any_the_event_is_ignored() -> None:
    rules = EACH | {"data.services.*.service_id": {"path": "item.sv", "values": {"SV1": "1"}, "default": "ignored"}}
    made = compile_map(rules).read(SEGMENTS)
    assert [service["service_id"] for service in made.body["data"]["services"]] == ["1"]
    assert made.warnings == ("data.services.1.service_id is ignored, as the map says: that service is left out",)
    none = compile_map(rules).read(SEGMENTS | {"segments": [{"sv": "SV8"}, {"sv": "SV9"}]})
    assert none.ignored == "data.services.0.service_id"


def test_a_list_longer_than_its_rules_is_refused_naming_what_no_rule_reads() -> None:
    rules = {"data.services.0.service_id": "segments.0.sv", "data.services.0.start": "start"}
    with pytest.raises(EventInvalid) as caught:
        compile_map(rules).apply(SEGMENTS)
    (problem,) = caught.value.problems
    assert problem.field == "data.services"
    assert problem.rule == "1 of the 2 items of segments are read by no rule: segments.1"
    by_expression = {"data.services.0.service_id": {"expression": "segments[0].sv"}}
    with pytest.raises(EventInvalid):
        compile_map(by_expression).apply(SEGMENTS)


def test_another_list_longer_than_its_rules_is_warned_of() -> None:
    rules = {"data.client.name": "guests.0.name", "data.client.email": {"expression": "guests[0].email"}}
    made = compile_map(rules).read({"guests": [{"name": "A"}, {"name": "B"}, {}, None]})
    assert made.warnings == ("1 of the 4 items of guests are read by no rule: guests.1",)


def test_rules_for_more_services_than_there_are_make_none_of_constants() -> None:
    both = compile_map(BY_PLACE).apply(SEGMENTS)["data"]["services"]
    assert [service["service_id"] for service in both] == ["SV1", "SV2"]
    alone = compile_map(BY_PLACE).apply(SEGMENTS | {"segments": SEGMENTS["segments"][:1]})["data"]["services"]
    assert [service["service_id"] for service in alone] == ["SV1"]


@pytest.mark.parametrize(
    ("rules", "key", "problem"),
    [
        ({"data.services.*.start": "item.x"}, "data.services.*.start", "needs a rule data.services.*"),
        (EACH | {"data.services.0.start": "x"}, "data.services.*", "no service can have a number"),
        ({"data.services.*.begin": "x"}, "data.services.*.begin", "is no field of an event"),
        ({"id": {"path": "a", "expression": "b"}}, "id", "path or expression, not both"),
        ({"id": {"expression": "a b"}}, "id", "is no expression of JMESPath"),
        ({"id": {"expression": "launch(a)"}}, "id", "has no function launch"),
        ({"data.services": "a", "data.services.*": "b"}, "data.services.*", "stands inside"),
    ],
)
def test_a_rule_of_a_list_that_cannot_be_meant_is_told(rules: dict[str, Any], key: str, problem: str) -> None:
    with pytest.raises(MapError) as caught:
        compile_map(rules)
    assert caught.value.key == key
    assert problem in str(caught.value)


# --- ignored ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    ["type", "timestamp", "data.venue", "data.status", "data.client.name", "data.notes", "data.services.0.service_id"],
)
def test_any_rule_may_say_ignored(name: str) -> None:
    for rule in (
        {"path": "kind", "values": {"made": "ignored"}},
        {"path": "kind", "values": {"x": "y"}, "default": "ignored"},
    ):
        assert compile_map({"id": "kind", name: rule}).read(DOCUMENT).ignored == name


def test_several_rules_may_say_ignored_and_what_else_is_wrong_does_not_count_then() -> None:
    unknown = {"path": "kind", "values": {"x": "y"}}
    rules = {
        "data.client.name": unknown,
        "data.venue": unknown | {"default": "ignored"},
        "type": unknown | {"default": "ignored"},
    }
    assert compile_map(rules).read(DOCUMENT).ignored == "data.venue"


def test_an_expression_may_say_ignored_but_a_guest_may_not() -> None:
    rule = {"expression": "kind == 'made' && 'ignored' || 'salon'"}
    assert compile_map({"data.venue": rule}).read(DOCUMENT).ignored == "data.venue"
    body = {"note": "ignored"}
    for free in ("note", {"expression": "note"}):
        made = compile_map({"data.notes": free, "data.client.name": free}).read(body)
        assert (made.ignored, made.body["data"]["notes"]) == ("", "ignored")


def test_what_values_do_not_name_is_ignored_where_the_source_says_so_of_that_field() -> None:
    rules = {"data.venue": {"path": "kind", "values": {"x": "y"}}}
    assert compile_map(rules).read(DOCUMENT, ignore_unknown=("data.venue",)).ignored == "data.venue"
    with pytest.raises(EventInvalid):
        compile_map(rules).read(DOCUMENT)


# --- cancels ----------------------------------------------------------------------------------------------------

CANCEL: dict[str, Any] = {
    "type": {"value": "booking.cancelled"},
    "data.booking_id": "number",
    "data.venue": {"value": "salon"},
    "timestamp": {"expression": "later(kind, '1h')"},
    "data.services.0.service_id": {"path": "kind", "values": {"x": "1"}},
    "data.services.0.start": {"expression": "moment(kind, '%Y')"},
    "data.notes": {"path": "kind", "values": {"x": "1"}, "default": "ignored"},
    "data.client.name": "items.0.id",
}


def test_of_a_cancel_only_what_names_the_booking_can_refuse_or_ignore() -> None:
    made = compile_map(CANCEL).read(DOCUMENT)
    assert (made.body["data"]["booking_id"], made.ignored, made.warnings) == (6448, "", ())
    by_status = CANCEL | {"type": {"value": "booking.changed"}, "data.status": {"value": "CANCELED"}}
    assert compile_map(by_status).read(DOCUMENT).body["data"]["venue"] == "salon"
    unknown = CANCEL | {"data.venue": {"path": "kind", "values": {"x": "salon"}}}
    assert "venue" not in compile_map(unknown).read(DOCUMENT).body["data"]
    with pytest.raises(EventInvalid) as caught:
        compile_map(CANCEL | {"data.booking_id": {"path": "kind", "values": {"x": "1"}}}).read(DOCUMENT)
    assert [problem.field for problem in caught.value.problems] == ["data.booking_id"]
    elsewhere = CANCEL | {"data.venue": {"path": "kind", "values": {"x": "salon"}, "default": "ignored"}}
    assert compile_map(elsewhere).read(DOCUMENT).ignored == "data.venue"
