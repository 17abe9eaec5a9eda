"""A section of the file, checked and made: every problem of it at once."""

from __future__ import annotations

import copy
import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any, Final, Generic, TypeVar

from marshmallow import RAISE, Schema, ValidationError, fields, validate

from bellhop.schemas.settings.keys import MISSING, Key, Section, keys_of, lone_keys, make

S = TypeVar("S", bound=Section)

_PLACEHOLDER: Final = re.compile(r"(?:^|[_:/])(?:…|\.{3})(?:$|@)")
"""What examples write where a value of one's own belongs: "…", "whsec_…", "amqp://bellhop:…@host/"."""
UNFILLED: Final = "is still the example's …"
UNKNOWN: Final = "is not a setting"


class SectionPart(Generic[S]):
    """What a section's keys are, and how its values become one object. keys: where they differ from those declared."""

    def __init__(self, of: type[S], keys: Mapping[str, Key] | None = None) -> None:
        self.of = of
        self.keys = keys_of(of) if keys is None else keys

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(key.name for key in self.keys.values())

    def load(self, value: object, **given: Any) -> S:
        """The object. given: its attributes that are no keys. Raises ValidationError with all that is wrong, by key;
        its valid_data has what is well, by attribute."""
        if not isinstance(value, Mapping):
            raise ValidationError("must be a table")
        wrong: dict[Any, Any] = {name: [UNFILLED] for name in self._placeholders(value)}
        try:
            data = self._schema.load(value)
        except ValidationError as error:
            raise ValidationError({**_by_name(error), **wrong}, valid_data=error.valid_data) from None
        made = make(self.of, self.of.complete(dict(data)), **given)
        for name, problem in (*made.conflicts(), *lone_keys(made, self.keys)):
            wrong.setdefault(name, [problem])
        if wrong:
            raise ValidationError(wrong, valid_data=data)
        return made

    def advice(self, path: tuple[str, ...], problem: str, value: object) -> str:
        """What to write instead, "" where the problem says it. path: of the key in the section. value: the section's,
        as it was read."""
        key = next((key for key in self.keys.values() if path and key.name == path[0]), None)
        inner = getattr(key.kind, "part", None) if key else None
        if isinstance(inner, SectionPart) and len(path) > 2:
            return inner.advice(path[2:], problem, _at(value, path[:2]))
        if problem == UNKNOWN:
            return suggest(path[-1], self.names) if len(path) == 1 else ""
        if key is None:
            return ""
        if problem == UNFILLED:
            return "write your own"
        if problem.startswith("missing data"):
            return f"write {key.line}"
        given = _at(value, path)
        for rule in key.kind.validators:
            if isinstance(rule, validate.OneOf) and isinstance(given, str) and not key.secret:
                return suggest(given, rule.choices)
        return str(key.kind.metadata.get("advice", ""))

    @cached_property
    def _schema(self) -> Schema:
        made: dict[str, fields.Field[Any]] = {}
        for attribute, key in self.keys.items():
            field = copy.copy(key.kind)
            field.data_key, field.required = key.name, key.required
            if not key.required and key.default is not MISSING:
                field.load_default = key.default
            made[attribute] = field
        return Schema.from_dict(made)(unknown=RAISE)

    def _placeholders(self, value: Mapping[str, Any]) -> Iterator[str]:
        for key in self.keys.values():
            if key.required or key.secret:
                given = value.get(key.name)
                items = given if isinstance(given, list) else [given]
                if any(isinstance(item, str) and _PLACEHOLDER.search(item.strip()) for item in items):
                    yield key.name


def problems_in(messages: object, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    """Each problem in marshmallow's messages, with the keys that lead to it."""
    if isinstance(messages, Mapping):
        for name, inner in messages.items():
            yield from problems_in(inner, path if name == "_schema" else (*path, str(name)))
        return
    for message in messages if isinstance(messages, list) else [messages]:
        text = str(message).rstrip(".")
        yield path, UNKNOWN if text == "Unknown field" else text[:1].lower() + text[1:]


def suggest(word: str, words: Iterable[object]) -> str:
    """A question after the nearest of `words`, "" where none is near."""
    near = difflib.get_close_matches(word, [one for one in words if isinstance(one, str) and one], n=1)
    return f"did you mean {near[0]}?" if near else ""


def _by_name(error: ValidationError) -> dict[Any, Any]:
    return error.messages if isinstance(error.messages, dict) else {"_schema": error.messages}


def _at(value: object, path: tuple[str, ...]) -> object:
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value
