"""A contract of marshmallow as JSON Schema 2020-12, exactly: what the one takes the other takes, but for `BEYOND`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Final
from zoneinfo import ZoneInfo, available_timezones

from apispec.ext.marshmallow.openapi import OpenAPIConverter
from marshmallow import Schema, fields

from bellhop.schemas import contract, durations, patterns

JsonSchema = dict[str, Any]

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
NULL: Final[JsonSchema] = {"type": "null"}
_FIT: Final[JsonSchema] = {"pattern": patterns.FIT}

BEYOND: Final[Mapping[str, str]] = {
    "must not be nested deeper than": f"nothing is nested deeper than {contract.MAX_DEPTH} levels",
    "half of a surrogate pair": r"no text or name holds half of a surrogate pair, which JSON can write as `\ud800`",
    "must have at most 200 bytes in UTF-8": "an `id` has at most 200 bytes in UTF-8",
    "must be longer than nothing, and at most 7 days": "a `duration` that is a text comes to at most 7 days",
    "must be later than start": "an `end` is later than its `start`",
    "does not exist in": "a `start` or `end` without an offset is none that the venue's clock skips in spring",
    "happens twice in": "a `start` or `end` in the hour that comes twice in autumn has its offset",
    "is the same slot as one before it": "two services of a booking are not the same slot: `count` says how often",
}
"""Rules that JSON Schema has no words for: how each begins in an answer 422, and what it asks."""


def schema_of(schema: Schema) -> JsonSchema:
    converter = OpenAPIConverter("3.1.0", lambda _schema: None, None)  # type: ignore[arg-type]  # None: all inline
    made: JsonSchema = {"type": "object", "properties": {}}
    for name, field in schema.fields.items():
        made["properties"][name] = _optional(field, _field(field, converter))
    if required := [name for name, field in schema.fields.items() if field.required]:
        made["required"] = required
    if schema.unknown == "raise":
        made["additionalProperties"] = False
    return made


def name_of(schema: Schema) -> str:
    """Of its definition, where it stands in another."""
    return type(schema).__name__.strip("_")


def _optional(field: fields.Field[Any], made: JsonSchema) -> JsonSchema:
    """Where a field may be left out, null is the same as leaving it out."""
    return made if field.required else {"anyOf": [made, NULL]}


def _field(field: fields.Field[Any], converter: OpenAPIConverter) -> JsonSchema:
    for kind, name in _OWN.items():
        if isinstance(field, kind):
            return {"$ref": f"#/$defs/{name}"}
    if isinstance(field, fields.Nested):
        return {"$ref": f"#/$defs/{name_of(field.schema)}"}
    if isinstance(field, fields.List):
        listed = converter.field2property(field)
        return {**listed, "items": _field(field.inner, converter)}
    if isinstance(field, fields.Dict):
        return FREE_OBJECT
    told: JsonSchema = converter.field2property(field)
    told.pop("default", None)
    return told | _FIT if told.get("type") == "string" and "enum" not in told else told


# --- the contracts' own fields --------------------------------------------------------------------------------------

IDENTIFIER: Final[JsonSchema] = {"$ref": "#/$defs/Identifier"}
LOCAL_MOMENT: Final[JsonSchema] = {"$ref": "#/$defs/LocalMoment"}
ZONED_MOMENT: Final[JsonSchema] = {"$ref": "#/$defs/ZonedMoment"}

_ANY_REF: Final[JsonSchema] = {"$ref": "#/$defs/AnyValue"}
_NAMES: Final[JsonSchema] = {"maxLength": contract.MAX_KEY, **_FIT}
FREE_OBJECT: Final[JsonSchema] = {"type": "object", "propertyNames": _NAMES, "additionalProperties": _ANY_REF}
"""A table of anything that can be stored: see `contract.unfit`."""
ANY_VALUE: Final[JsonSchema] = {
    "description": "Anything that can be stored.",
    "pattern": patterns.FIT,
    "exclusiveMinimum": -contract.WHOLE,
    "exclusiveMaximum": contract.WHOLE,
    "items": _ANY_REF,
    "propertyNames": _NAMES,
    "unevaluatedProperties": _ANY_REF,
}
"""Without types and alternatives, as each keyword is about its own type alone: makers of clients read it as "any", and
would stop at alternatives that hold themselves."""

_OWN: Final = {
    contract.Identifier: "Identifier",
    contract.Moment: "Moment",
    contract.ZoneName: "TimeZone",
    contract.TimeSpan: "Duration",
    contract.Price: "Price",
    contract.Count: "Count",
    contract.EmailAddress: "EmailAddress",
}


@cache
def definitions() -> Mapping[str, JsonSchema]:
    """The contracts' own fields, as `$defs`."""
    most = contract.WHOLE - 1
    return {
        "Identifier": {
            "description": "An id, as a text or as a whole number.",
            "anyOf": [
                {"type": "string", "pattern": patterns.identifier_pattern(contract.MAX_ID)},
                {"type": "integer", "minimum": -most, "maximum": most},
            ],
        },
        "Moment": _moment("ISO 8601, with or without an offset; without one it is the venue's own.", patterns.MOMENT),
        "LocalMoment": _moment("ISO 8601 without an offset.", patterns.LOCAL_MOMENT),
        "ZonedMoment": _moment("ISO 8601 with an offset.", patterns.ZONED_MOMENT),
        "TimeZone": _zone(),
        "Duration": {
            "description": "Minutes, or a text such as 90 min, 1h 30m, 01:30, PT1H30M.",
            "anyOf": [
                {"type": "number", "minimum": durations.SHORTEST_MINUTES, "maximum": durations.LONGEST_MINUTES},
                {"type": "string", "pattern": durations.PATTERN},
            ],
        },
        "Price": {
            "description": "In the account's currency.",
            "type": "number",
            "minimum": 0,
            "maximum": contract.MAX_PRICE,
        },
        "Count": {"type": "integer", "minimum": 1, "maximum": contract.MAX_COUNT},
        "EmailAddress": {"type": "string", "maxLength": contract.MAX_EMAIL, "pattern": patterns.EMAIL},
        "AnyValue": ANY_VALUE,
    }


def _moment(words: str, pattern: str) -> JsonSchema:
    return {"description": words, "type": "string", "pattern": pattern}


def _zone() -> JsonSchema:
    """By a pattern, as hundreds of values would become as many members of an enumeration in a generated client."""
    names = sorted(name for name in available_timezones() if ZoneInfo(name).key == name)
    pattern = f"^(?:{'|'.join(names)})".replace("+", r"\+") + patterns.END
    return {"description": "IANA's name of a time zone.", "type": "string", "pattern": pattern}
