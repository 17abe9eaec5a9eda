"""A map's rules as the settings write them, checked once: see `schemas.mapping` for what becomes of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from bellhop.schemas.events import DATA_FIELDS, MAX_SERVICES
from bellhop.schemas.expressions import Finder, expression, path

EACH: Final = "*"
"""Stands for each item of the list that the rule of `data.services.*` finds."""

_HEAD: Final = ("id", "type", "timestamp")
_RULE_KEYS: Final = ("path", "expression", "values", "default", "value")
_LONGEST: Final = 200
_EACH_SERVICE: Final = ("data", "services", EACH)


class NoValue:
    """Where a rule finds no value: None is a value too."""

    def __deepcopy__(self, memo: object) -> NoValue:
        return self


NO_VALUE: Final = NoValue()

Step = str | int


@dataclass(frozen=True, slots=True)
class Rule:
    """finder: None where `default` is the value for every event. values: None where nothing is translated."""

    field: tuple[Step, ...]
    finder: Finder | None
    values: Mapping[str, Any] | None = None
    default: Any = NO_VALUE

    @property
    def name(self) -> str:
        return ".".join(map(str, self.field))

    @property
    def number(self) -> int | None:
        """Of the service that it is for, where it has one."""
        return next((step for step in self.field if isinstance(step, int)), None)

    @property
    def is_list(self) -> bool:
        """Whether it says which list is gone through, and no field."""
        return self.field == _EACH_SERVICE

    @property
    def is_inner(self) -> bool:
        """Whether it is read for each item of that list."""
        return len(self.field) > len(_EACH_SERVICE) and self.field[: len(_EACH_SERVICE)] == _EACH_SERVICE


class MapError(ValueError):
    """Raised for a rule that cannot be meant so. key: the event's field it is for. `str()` says what is wrong."""

    def __init__(self, key: str, problem: str) -> None:
        super().__init__(problem)
        self.key = key


def compile_rules(table: Mapping[str, Any]) -> tuple[Rule, ...]:
    """The rules that a table of the settings says. Raises MapError for the first that is wrong."""
    rules = tuple(compile_rule(key, value) for key, value in table.items())
    names = {rule.field: rule.name for rule in rules}
    for rule in rules:
        for end in range(1, len(rule.field)):
            outer = names.get(rule.field[:end])
            if outer and rule.field[:end] != _EACH_SERVICE:
                raise MapError(rule.name, f"stands inside {outer}, which has a rule of its own")
        if rule.is_inner and _EACH_SERVICE not in names:
            raise MapError(rule.name, "needs a rule data.services.*, which says where the list of services stands")
        if rule.is_list and any(isinstance(step, int) for other in rules for step in other.field):
            raise MapError(rule.name, "goes through a list: beside it no service can have a number")
    return rules


def find_rule(key: str, value: object) -> Finder:
    """What finds a value by a path or `{ expression = … }`. Raises MapError."""
    table = {"path": value} if isinstance(value, str) else value
    if not isinstance(table, Mapping) or len(table) != 1 or next(iter(table)) not in ("path", "expression"):
        raise MapError(key, 'must be a path, or a table of expression: { expression = "…" }')
    return _finder(key, table)


def compile_rule(key: str, value: object) -> Rule:
    """One rule by itself. Raises MapError."""
    field = _field(key)
    if isinstance(value, str):
        return Rule(field, _finder(key, {"path": value}))
    if not isinstance(value, Mapping):
        raise MapError(key, "must be a path, or a table of path or expression, values and default, or of value")
    if unknown := sorted(set(value) - set(_RULE_KEYS)):
        raise MapError(key, f"has no setting {unknown[0]}: it takes {', '.join(_RULE_KEYS[:-1])}, or value")
    if "value" in value:
        if len(value) > 1:
            raise MapError(key, "takes value alone, or path or expression with values and default")
        return Rule(field, None, None, value["value"])
    values = value.get("values")
    if values is not None and not (isinstance(values, Mapping) and values):
        raise MapError(key, "must have values as a table, their word = ours")
    return Rule(field, _finder(key, value), values, value.get("default", NO_VALUE))


def _finder(key: str, table: Mapping[str, Any]) -> Finder:
    if "path" in table and "expression" in table:
        raise MapError(key, "takes path or expression, not both")
    try:
        return expression(table["expression"]) if "expression" in table else path(table.get("path"))
    except ValueError as error:
        raise MapError(key, str(error)) from None


def _field(key: str) -> tuple[Step, ...]:
    """Checks that events have such a field: a slip is found at the start, and not by the first event."""
    parts = key.split(".")
    if key in _HEAD:
        return (key,)
    wrong = MapError(key, "is no field of an event: id, type, timestamp or one of data, such as data.booking_id")
    if parts[0] != "data" or len(parts) < 2 or not all(parts) or len(key) > _LONGEST:
        raise wrong
    field, *inner = parts[1:]
    if field not in DATA_FIELDS[""]:
        raise wrong
    if field == "client" and inner and (len(inner) > 1 or inner[0] not in DATA_FIELDS["client"]):
        raise wrong
    if field != "services" or not inner:
        return tuple(parts)
    if inner[0] == EACH and (len(inner) == 1 or inner[1:] in [[name] for name in DATA_FIELDS["services"]]):
        return tuple(parts)
    index = int(inner[0]) if inner[0].isascii() and inner[0].isdigit() and len(inner[0]) < 4 else MAX_SERVICES
    if index >= MAX_SERVICES or len(inner) != 2 or inner[1] not in DATA_FIELDS["services"]:
        raise wrong
    return ("data", "services", index, inner[1])
