"""A source's map: where in an upstream's own body each field of an event stands. No I/O, and no code in settings.

A rule is a path, `"payload.uid"` or `"items.0.id"`; or a table of `path`, optionally with `values` (their word → ours)
and `default` (where the path leads nowhere); or `{ value = … }`, the same for every event. What the path leads to is
taken as it is; nothing, or null, leaves the field out, and the event's contract says what is then missing.
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from bellhop.schemas.errors import EventInvalid, FieldProblem
from bellhop.schemas.events import DATA_FIELDS, MAX_SERVICES

IGNORED: Final = "ignored"
"""What a map may say for `type`: an event that means nothing here."""

_HEAD: Final = ("id", "type", "timestamp")
_RULE_KEYS: Final = frozenset({"path", "values", "default", "value"})
_LONGEST: Final = 200


class _Nothing:
    """Where a rule finds no value: None is a value too."""

    def __deepcopy__(self, memo: object) -> _Nothing:
        return self


_NOTHING: Final = _Nothing()

Step = str | int
Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """path: () where `default` is the value for every event. values: None where nothing is translated."""

    field: tuple[Step, ...]
    path: Path
    values: Mapping[str, Any] | None = None
    default: Any = _NOTHING

    @property
    def name(self) -> str:
        return ".".join(map(str, self.field))


class MapError(ValueError):
    """Raised for a rule that cannot be meant so. key: the event's field it is for. `str()` says what is wrong."""

    def __init__(self, key: str, problem: str) -> None:
        super().__init__(problem)
        self.key = key


@dataclass(frozen=True, slots=True)
class FieldMap:
    """A map, checked once. Empty, it leaves everything as it is."""

    rules: tuple[Rule, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.rules)

    def apply(self, document: object, base: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """An event's fields, as the rules find them in `document`, laid over `base` (which stays as it is).

        Raises EventInvalid where a value stands in none of its rule's `values`: it is never guessed.
        """
        made: dict[str, Any] = copy.deepcopy(dict(base or {}))
        problems = []
        for rule in self.rules:
            try:
                value = _value_of(rule, document)
            except LookupError:
                problems.append(FieldProblem(rule.name, "has a value that its map's `values` do not name"))
                continue
            if value is not _NOTHING:
                _put(made, rule.field, value)
        if problems:
            raise EventInvalid(tuple(problems))
        return made

    def names(self, field: str) -> bool:
        """Whether there is a rule for the field."""
        return any(rule.name == field for rule in self.rules)


NO_MAP: Final = FieldMap()


def compile_map(table: Mapping[str, Any]) -> FieldMap:
    """The map that a table of the settings says. Raises MapError for the first rule that is wrong."""
    rules = tuple(_rule(key, value) for key, value in table.items())
    names = {rule.field: rule.name for rule in rules}
    for rule in rules:
        for end in range(1, len(rule.field)):
            if outer := names.get(rule.field[:end]):
                raise MapError(rule.name, f"stands inside {outer}, which has a rule of its own")
    return FieldMap(rules)


def _rule(key: str, value: object) -> Rule:
    field = _field(key)
    if isinstance(value, str):
        return Rule(field, _path(key, value))
    if not isinstance(value, Mapping):
        raise MapError(key, "must be a path, or a table of path, values and default, or of value")
    if unknown := sorted(set(value) - _RULE_KEYS):
        raise MapError(key, f"has no setting {unknown[0]}: it takes path, values and default, or value")
    if "value" in value:
        if len(value) > 1:
            raise MapError(key, "takes value alone, or path with values and default")
        return Rule(field, (), None, value["value"])
    values = value.get("values")
    if values is not None and not (isinstance(values, Mapping) and values):
        raise MapError(key, "must have values as a table, their word = ours")
    return Rule(field, _path(key, value.get("path")), values, value.get("default", _NOTHING))


def _path(key: str, value: object) -> Path:
    if not isinstance(value, str) or not 1 <= len(value) <= _LONGEST or not all(value.split(".")):
        raise MapError(key, 'must have a path such as "payload.uid" or "items.0.id"')
    return tuple(value.split("."))


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
    index = int(inner[0]) if inner[0].isascii() and inner[0].isdigit() and len(inner[0]) < 4 else MAX_SERVICES
    if index >= MAX_SERVICES or len(inner) != 2 or inner[1] not in DATA_FIELDS["services"]:
        raise wrong
    return ("data", "services", index, inner[1])


def _value_of(rule: Rule, document: object) -> Any:
    """The rule's value, or _NOTHING. Raises LookupError where it is none of `values` and there is no default."""
    value = _at(document, rule.path) if rule.path else None
    if value is None:
        return copy.deepcopy(rule.default)  # a list or table of the settings must not be shared between events
    if rule.values is None:
        return value
    word = _word(value)
    if word in rule.values:
        return rule.values[word]
    if rule.default is _NOTHING:
        raise LookupError
    return copy.deepcopy(rule.default)


def _at(document: object, path: Path) -> object:
    """What stands there, None where nothing does."""
    place = document
    for step in path:
        if isinstance(place, Mapping):
            place = place.get(step)
        elif isinstance(place, list) and step.isascii() and step.isdigit() and len(step) < 6:
            place = place[int(step)] if int(step) < len(place) else None
        else:
            return None
    return place


def _word(value: object) -> str:
    """A value as a key of TOML: JSON's spelling of what is no text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, str | int | float) else ""


def _put(made: dict[str, Any], field: tuple[Step, ...], value: object) -> None:
    """Puts the value in its place. A service before it that nothing is known of stays empty, and its contract says
    so."""
    place: Any = made
    for step, following in itertools.pairwise(field):
        if isinstance(step, int):
            place = place[step]
            continue
        kind = list if isinstance(following, int) else dict
        inner = place.get(step)
        place[step] = inner if isinstance(inner, kind) else kind()
        place = place[step]
        if isinstance(following, int):
            place.extend({} for _ in range(following + 1 - len(place)))
    place[field[-1]] = value
