"""The fields of an edit's form: an event's data, flattened for a form, and back."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from bellhop.letters.edits import EditInvalid
from bellhop.schemas.errors import FieldProblem
from bellhop.schemas.events import DATA_FIELDS

_SCALARS: Final = ("member_id", "notes", "promo_code")
_NUMBER: Final = re.compile(r"-?\d{1,15}(\.\d{1,10})?")
_LONG: Final = 80


@dataclass(frozen=True, slots=True)
class Field:
    """path: below `data`, dotted. kind: of its value as it was: "text", "number" or "switch". text: as it is typed."""

    path: str
    kind: str
    text: str

    @property
    def is_long(self) -> bool:
        return self.path.endswith("notes") or len(self.text) > _LONG or "\n" in self.text

    def with_text(self, text: str) -> Field:
        return replace(self, text=text)


def fields_of(data: Mapping[str, Any], allowed: Sequence[str]) -> list[Field]:
    """What is there of the allowed fields, and what may be but is not, with an empty text."""
    found: list[Field] = []
    for name in allowed:
        value = data.get(name)
        if name in _SCALARS:
            found.append(_field(name, value))
        elif name == "client":
            found += _leaves(name, _whole(value, "client"))
        elif name == "services" and isinstance(value, list):
            found += _leaves(name, [_whole(each, "services") for each in value])
        elif isinstance(value, Mapping):
            found += _leaves(name, value)
    return found


def changes_of(
    data: Mapping[str, Any], allowed: Sequence[str], fields: Sequence[Field], given: Mapping[str, str]
) -> dict[str, Any]:
    """The allowed fields that differ from what they were, whole; None for one that was emptied. An empty text takes a
    value away. Raises EditInvalid for a number that is none."""
    made: dict[str, Any] = {name: copy.deepcopy(data[name]) for name in allowed if name in data}
    problems = []
    before = {field.path: field for field in fields_of(data, allowed)}
    for field in fields:
        text = given[field.path]
        if text == before[field.path].text.replace("\r\n", "\n"):
            continue
        try:
            _put(made, field.path.split("."), _convert(field, text))
        except ValueError as error:
            problems.append(FieldProblem(f"data.{field.path}", str(error)))
    if problems:
        raise EditInvalid(*problems)
    return {name: made.get(name) for name in allowed if made.get(name) != data.get(name)}


def _whole(value: Any, part: str) -> dict[str, Any]:
    """A client or service with every field it may have."""
    held = dict(value) if isinstance(value, Mapping) else {}
    return {name: held.get(name) for name in sorted(DATA_FIELDS[part], key=lambda name: (name not in held, name))}


def _leaves(path: str, value: Any) -> Iterator[Field]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if "." not in str(key):  # such a name could not be told apart; it stays as it is
                yield from _leaves(f"{path}.{key}", inner)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _leaves(f"{path}.{index}", inner)
    else:
        yield _field(path, value)


def _field(path: str, value: Any) -> Field:
    if isinstance(value, bool):
        return Field(path, "switch", "true" if value else "false")
    if isinstance(value, int | float) or path.rpartition(".")[2] in ("price", "count"):
        return Field(path, "number", "" if value is None else str(value))
    return Field(path, "text", "" if value is None else str(value))


def _convert(field: Field, text: str) -> Any:
    """Raises ValueError."""
    if not text.strip():
        return None
    if field.kind == "switch":
        return text == "true"
    if field.kind == "number":
        if not _NUMBER.fullmatch(text.strip()):
            raise ValueError("must be a number")
        return float(text) if "." in text else int(text)
    return text


def _put(whole: dict[str, Any], path: Sequence[str], value: Any) -> None:
    """Sets a value, or takes it away where it is None. Of an object that is left empty nothing stays."""
    *way, last = path
    at: Any = whole
    for name in way:
        at = at[int(name)] if isinstance(at, list) else at.setdefault(name, {})
    if isinstance(at, list):
        at[int(last)] = value
    elif value is None:
        at.pop(last, None)
    else:
        at[last] = value
    if len(way) == 1 and whole[way[0]] == {}:
        del whole[way[0]]
