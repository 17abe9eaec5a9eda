"""JSON Schemas of what may be posted, for each type of event; and of what a venue's vendor asks beyond."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cache
from typing import Any, Final

from bellhop.ingest.documents.json_schemas import (
    BEYOND,
    DIALECT,
    FREE_OBJECT,
    IDENTIFIER,
    LOCAL_MOMENT,
    NULL,
    ZONED_MOMENT,
    JsonSchema,
    definitions,
    name_of,
    schema_of,
)
from bellhop.schemas import events, patterns, statuses
from bellhop.schemas.event_contracts import CLIENT, SERVICE
from bellhop.vendors.registry import BY_KIND

_GIVEN: Final[JsonSchema] = {"not": NULL}
_CANCELS: Final[JsonSchema] = {"type": "string", "pattern": patterns.one_of_words(statuses.CANCELLED)}
_BOOKS: Final[JsonSchema] = {"anyOf": [NULL, {"type": "string", "pattern": patterns.one_of_words(statuses.STANDING)}]}

_NO_VENUE: Final[JsonSchema] = {
    "type": "string",
    "description": "One of the venues of the settings. They have none yet: every booking is refused.",
}
"""An enumeration of nothing is none: validators refuse the document, and makers of clients stop at it."""

VenueKinds = Mapping[str, str]
"""The kind of vendor of each venue, by its name."""


def event_schema(type_: str, venues: VenueKinds | None = None, kinds: Collection[str] = ()) -> JsonSchema:
    """The schema of a body of one type. venues: those there are, each held to what its vendor asks; None: any, held to
    what the vendors of `kinds` ask."""
    made = _SCHEMAS[type_](type_, venues, kinds)
    return {"$schema": DIALECT, "title": type_, **made, "$comment": _COMMENT, "$defs": dict(event_definitions())}


@cache
def event_definitions() -> Mapping[str, JsonSchema]:
    """The `$defs` that all schemas of events speak of."""
    service = {**schema_of(SERVICE), "allOf": [_same_clock()]}
    return {**definitions(), name_of(CLIENT): schema_of(CLIENT), name_of(SERVICE): service}


_COMMENT: Final = f"Beyond what can be said here: {'; '.join(BEYOND.values())}."


def _body(type_: str, data: JsonSchema) -> JsonSchema:
    made = schema_of(events.BODY)
    fields = {**made["properties"], "type": {"type": "string", "const": type_}, "timestamp": ZONED_MOMENT, "data": data}
    return {**made, "properties": fields}


def _member(type_: str, *_: object) -> JsonSchema:
    return _body(type_, schema_of(events.MEMBER))


def _booking(type_: str, venues: VenueKinds | None, kinds: Collection[str]) -> JsonSchema:
    """What books or is recorded; or, by its status, a cancel."""
    data = schema_of(events.BOOKING)
    properties = data["properties"]
    if venues is not None:
        properties["venue"] = {"type": "string", "enum": sorted(venues)} if venues else _NO_VENUE
    services = {"type": "array", "minItems": 1, "items": {"$ref": f"#/$defs/{name_of(SERVICE)}"}}
    asked: list[JsonSchema] = [{"required": ["services"], "properties": {"services": services}}]
    asked += [_demands(kind) for kind in kinds]
    for kind in sorted(set((venues or {}).values())):
        named = sorted(name for name, one in (venues or {}).items() if one == kind)
        asked.append({"if": {"properties": {"venue": {"enum": named}}}, "then": _demands(kind)})
    data["allOf"] = [
        {"if": {"properties": {"status": _BOOKS}}, "then": {"allOf": asked} if len(asked) > 1 else asked[0]}
    ]
    return {"anyOf": [_body(type_, data), _cancel(type_, _CANCELS)]}


def _demands(kind: str) -> JsonSchema:
    return dict(BY_KIND[kind].booking_demands)


def _same_clock() -> JsonSchema:
    """An end stands beside no duration, and has a zone where its start has one."""
    with_end: JsonSchema = {"required": ["end"], "properties": {"end": _GIVEN}}
    alike = [{"properties": {"start": clock, "end": clock}} for clock in (ZONED_MOMENT, LOCAL_MOMENT)]
    alone = {"properties": {"duration": NULL}}
    return {"if": with_end, "then": {"allOf": [{"anyOf": alike}, alone]}}


def _cancel(type_: str, status: JsonSchema | None = None) -> JsonSchema:
    """Of what cancels only the booking's reference can refuse: what else does not fit is left out, and told."""
    named: JsonSchema = {"booking_id": IDENTIFIER, **({"status": status} if status else {})}
    data = {"type": "object", "required": [*named], "properties": named}
    properties = {"type": {"type": "string", "const": type_}, "data": data}
    return {"type": "object", "required": ["type", "data"], "properties": properties}


def _test(type_: str, venues: VenueKinds | None, kinds: Collection[str]) -> JsonSchema:
    """Its data may hold an event, which is checked as if it had been posted."""
    inner = [_SCHEMAS[name](name, venues, kinds) for name in events.TYPES]
    return _body(type_, {**FREE_OBJECT, "properties": {"event": {"anyOf": [NULL, *inner]}}})


_SCHEMAS: Final[Mapping[str, Any]] = {
    **dict.fromkeys(events.MEMBER_TYPES, _member),
    **dict.fromkeys(("booking.requested", "booking.changed"), _booking),
    "booking.cancelled": lambda type_, *_: _cancel(type_),
    events.TEST_TYPE: _test,
}
TYPES: Final = tuple(_SCHEMAS)
