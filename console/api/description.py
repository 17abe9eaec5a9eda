"""What apispec does not say of requests: where null is as good as leaving out, and what is asked of several fields."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from bellhop.schemas.contract import MAX_DEPTH, MAX_KEY, WHOLE
from bellhop.schemas.patterns import FIT

JsonObject = dict[str, Any]


def complete(document: JsonObject) -> JsonObject:
    """The document, as exact as the schemas are: a copy, as apispec keeps its own."""
    document = copy.deepcopy(document)
    schemas = document["components"]["schemas"]
    for name in _names_of_requests(document):
        _say_null(schemas[name])
        if {"ids", "filter"} <= schemas[name]["properties"].keys():
            schemas[name] |= _choice(oneOf=[_has("ids"), _has("filter")])
    schemas["UserChange"] |= _choice(anyOf=[_has(name) for name in ("role", "password", "disabled")])
    schemas["JsonValue"] = _VALUE
    table = {"propertyNames": _NAMES, "additionalProperties": _ANY}
    schemas["NewEdit"]["properties"]["changes"] |= table
    return document


def _names_of_requests(document: JsonObject) -> set[str]:
    """Of the schemas of bodies, and of what stands in them."""
    known: set[str] = set()
    operations = [one for path in document["paths"].values() for one in path.values()]
    to_read = [one["requestBody"] for one in operations if "requestBody" in one]
    while to_read:
        names = set(_references(to_read.pop())) - known
        known |= names
        to_read += [document["components"]["schemas"][name] for name in names]
    return known


def _references(told: Any) -> Iterator[str]:
    if isinstance(told, dict):
        if "$ref" in told:
            yield told["$ref"].rpartition("/")[2]
        told = list(told.values())
    if isinstance(told, list):
        for one in told:
            yield from _references(one)


def _choice(**said: Any) -> JsonObject:
    """Said twice over that it is not so: of a choice itself makers of clients make a model without the other fields."""
    return {"not": {"not": said}}


def _has(name: str) -> JsonObject:
    return {"required": [name], "properties": {name: {"not": {"type": "null"}}}}


_ANY: JsonObject = {"$ref": "#/components/schemas/JsonValue"}
_NAMES: JsonObject = {"pattern": FIT, "maxLength": MAX_KEY}
_VALUE: JsonObject = {
    "description": f"Anything that can be stored, at most {MAX_DEPTH} levels deep.",
    "pattern": FIT,
    "exclusiveMinimum": -WHOLE,
    "exclusiveMaximum": WHOLE,
    "items": _ANY,
    "propertyNames": _NAMES,
    "unevaluatedProperties": _ANY,
}
"""Without types and alternatives, as each keyword is about its own type alone: makers of clients read it as "any", and
would stop at alternatives that hold themselves."""


def _say_null(schema: JsonObject) -> None:
    """Where a field may be left out, null is the same: see `schemas.contract.Strict`."""
    needed = schema.get("required", ())
    for name, told in schema["properties"].items():
        if name not in needed:
            schema["properties"][name] = _or_null(told)


def _or_null(told: JsonObject) -> JsonObject:
    kind = told.get("type")
    if kind is None:
        return {"anyOf": [told, {"type": "null"}]}
    kinds = kind if isinstance(kind, list) else [kind]
    if "enum" in told:
        told = {**told, "enum": [*told["enum"], *([] if None in told["enum"] else [None])]}
    return told if "null" in kinds else {**told, "type": [*kinds, "null"]}
