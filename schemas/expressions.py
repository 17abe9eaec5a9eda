"""Where a value stands in an upstream's body: a path of names and places, or an expression of JMESPath.

JMESPath (jmespath.org) is a query language for JSON that cannot loop or call out; its Python library knows the
functions of its specification, and of ours those of `_Functions`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, Protocol
from zoneinfo import ZoneInfo

import jmespath
from jmespath.exceptions import JMESPathError
from jmespath.functions import Functions, signature
from jmespath.parser import ParsedResult
from jmespath.visitor import Options

from bellhop.schemas.durations import read_duration
from bellhop.schemas.moments import read_epoch

__all__ = ["Expression", "Finder", "IndexedList", "Path", "Unreadable", "expression", "path"]

_LONGEST: Final = 200
_LONGEST_EXPRESSION: Final = 2000
_NUMBER: Final = re.compile(r"[+-]?[0-9]{1,40}(\.[0-9]{1,40})?([eE][+-]?[0-9]{1,2})?")
"""JSON's numbers, and what people's forms put before them: zeros, a plus."""


class Unreadable(Exception):
    """Raised where an expression cannot be made of a body: a word where it needs a number, and so on."""


@dataclass(frozen=True, slots=True)
class IndexedList:
    """A list in the body of which the item at `index` is read. name: where it stands."""

    name: str
    index: int
    items: Sequence[Any]


class Finder(Protocol):
    def find(self, document: object) -> Any:
        """What stands there, None where nothing does. Raises Unreadable."""
        ...

    def lists_by_place(self, document: object) -> Iterator[IndexedList]:
        """The lists of which it reads one item by its place."""
        ...

    @property
    def takes_lists(self) -> bool:
        """Whether it is for a body that is itself a list."""
        ...


# --- paths ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Path:
    """`payload.attendees.0.name`."""

    steps: tuple[str, ...]

    def find(self, document: object) -> Any:
        place = document
        for step in self.steps:
            place = _inner(place, step)
        return place

    def lists_by_place(self, document: object) -> Iterator[IndexedList]:
        place = document
        for number, step in enumerate(self.steps):
            if isinstance(place, list) and _is_place(step):
                yield IndexedList(".".join(self.steps[:number]) or "body", int(step), place)
            place = _inner(place, step)

    @property
    def takes_lists(self) -> bool:
        return _is_place(self.steps[0])


def path(text: object) -> Path:
    """Raises ValueError saying what is wrong."""
    if not isinstance(text, str) or not 1 <= len(text) <= _LONGEST or not all(text.split(".")):
        raise ValueError('must have a path such as "payload.uid" or "items.0.id"')
    return Path(tuple(text.split(".")))


def _inner(place: object, step: str) -> object:
    if isinstance(place, Mapping):
        return place.get(step)
    if isinstance(place, list) and _is_place(step):
        return place[int(step)] if int(step) < len(place) else None
    return None


def _is_place(step: str) -> bool:
    return step.isascii() and step.isdigit() and len(step) < 6


# --- expressions ------------------------------------------------------------------------------------------------


class _Functions(Functions):
    """Ours beside JMESPath's own. Each gives null for null, so that what a body lacks is only left out."""

    @signature({"types": ["string"]}, {"types": ["array", "null"]})
    def _func_join(self, glue: str, parts: list[Any] | None) -> str | None:
        """As JMESPath's, but nulls and empty texts are left out, and numbers are taken."""
        kept = [_as_text(part) for part in parts or () if part is not None and part != ""]
        return glue.join(kept) if kept else None

    @signature({"types": ["string", "null"]}, {"types": ["string"]})
    def _func_split(self, text: str | None, separator: str) -> list[str] | None:
        if not separator:
            raise Unreadable("split needs something to split at")
        return None if text is None else [part.strip() for part in text.split(separator)]

    @signature({"types": ["string", "null"]}, {"types": ["string"]})
    def _func_moment(self, text: str | None, form: str) -> str | None:
        """A date and time written by `form` (Python's strptime, %d/%m/%Y %H:%M) as ISO 8601."""
        try:
            return None if text is None else datetime.strptime(text.strip(), form).isoformat()  # noqa: DTZ007
        except ValueError:
            raise Unreadable("is not a date and time of the form its expression says") from None

    @signature({"types": ["string", "number", "null"]}, {"types": ["string", "number", "null"]})
    def _func_later(self, moment: str | float | None, duration: str | float | None) -> str | None:
        """A moment, so much later: minutes, "90 min", "PT1H30M". Without a duration the moment itself."""
        if moment is None:
            return None
        began = _moment(moment)
        if duration is None or duration == 0:
            return began.isoformat()
        lasts = read_duration(duration)
        if lasts is None:
            raise Unreadable("has a duration that cannot be read")
        return (began + lasts).isoformat()

    @signature({"types": ["string", "number", "null"]}, {"types": ["string", "null"]})
    def _func_in_zone(self, moment: str | float | None, zone: str | None) -> str | None:
        """A moment without a zone, in this one."""
        if moment is None or not zone:
            return None if moment is None else _moment(moment).isoformat()
        made = _moment(moment)
        try:
            return (made if made.tzinfo else made.replace(tzinfo=ZoneInfo(zone))).isoformat()
        except (ValueError, KeyError, OSError):
            raise Unreadable("has a time zone that is none") from None

    @signature({"types": ["string", "number", "null"]}, {"types": ["string", "number"]})
    def _func_multiply(self, number: str | float | None, by: str | float) -> float | None:
        """Such as cents by 0.01, with nothing lost in binary fractions."""
        return None if number is None else float(_number(number) * _number(by))

    @signature({"types": []})
    def _func_to_number(self, value: object) -> float | None:
        """JMESPath's own makes null of what is no number, which leaves a party out where one was asked for; and the
        library's reads Python's numbers, "nan" and "1_000" among them."""
        if isinstance(value, str) and value:
            number = _number(value)
            return float(number) if "." in value or number != number.to_integral_value() else int(number)
        return value if isinstance(value, int | float) and not isinstance(value, bool) else None


_OPTIONS: Final = Options(custom_functions=_Functions())


def _as_text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    raise Unreadable("joins what is neither a text nor a number")


def _number(value: str | float) -> Decimal:
    if not _NUMBER.fullmatch(text := str(value).strip()):
        raise Unreadable("has a number that cannot be read")
    return Decimal(text)


def _moment(value: str | float) -> datetime:
    made = read_epoch(value)
    if made is None:
        try:
            made = datetime.fromisoformat(str(value))
        except ValueError:
            raise Unreadable("has a time that is not ISO 8601") from None
    if not 1970 <= made.year < 3000:  # near the calendar's ends, arithmetic overflows
        raise Unreadable("has a time beyond all bounds")
    return made


@dataclass(frozen=True, slots=True)
class Expression:
    """Compiled once; safe from any thread."""

    text: str
    compiled: ParsedResult

    def find(self, document: object) -> Any:
        return _search(self.compiled, document)

    def lists_by_place(self, document: object) -> Iterator[IndexedList]:
        yield from _find_lists(self.compiled.parsed, document, "")

    @property
    def takes_lists(self) -> bool:
        return self.text.lstrip().startswith("[")


def expression(text: object) -> Expression:
    """Raises ValueError saying what is wrong: also a function that does not exist, or takes other arguments."""
    if not isinstance(text, str) or not 1 <= len(text) <= _LONGEST_EXPRESSION:
        raise ValueError("must have an expression of JMESPath")
    try:
        compiled = jmespath.compile(text)
    except JMESPathError as error:
        raise ValueError(f"is no expression of JMESPath: {str(error).splitlines()[0]}") from None
    except RecursionError:
        raise ValueError("is nested too deep") from None
    _check_functions(compiled.parsed)
    return Expression(text, compiled)


def _check_functions(node: Mapping[str, Any]) -> None:
    if node["type"] == "function_expression":
        known = _Functions.FUNCTION_TABLE.get(node["value"])
        if known is None:
            raise ValueError(
                f"has no function {node['value']}: it may use {', '.join(sorted(_Functions.FUNCTION_TABLE))}"
            )
        wanted, given = known["signature"], len(node["children"])
        is_open = bool(wanted) and bool(wanted[-1].get("variadic"))
        if given < len(wanted) or (given > len(wanted) and not is_open):
            raise ValueError(f"gives {node['value']} {given} arguments: it takes {len(wanted)}")
    for child in node["children"]:
        if isinstance(child, Mapping):
            _check_functions(child)


def _search(compiled: ParsedResult, document: object) -> Any:
    try:
        return compiled.search(document, options=_OPTIONS)
    except Unreadable:
        raise
    except (JMESPathError, ValueError, TypeError, ArithmeticError, RecursionError):
        # The library's own words quote the value.
        raise Unreadable("cannot be made by its expression: a value is of another kind than it needs") from None


def _find_lists(node: Mapping[str, Any], document: object, within: str) -> Iterator[IndexedList]:
    """Of what is read from the whole body: what stands inside a projection is read of every item anyway."""
    kind, children = node["type"], node["children"]
    if kind == "index_expression" and children[1]["type"] == "index":
        name, index = _name(children[0]), children[1]["value"]
        found = _evaluate(children[0], document) if name else None
        if isinstance(found, list):
            yield IndexedList(f"{within}{name}", index if index >= 0 else index + len(found), found)
    if kind == "subexpression":
        yield from _find_lists(children[0], document, within)
        yield from _find_lists(children[1], _evaluate(children[0], document), f"{within}{_name(children[0])}.")
        return
    for child in children[:1] if kind in _FROM_THE_LEFT else children:
        if isinstance(child, Mapping):
            yield from _find_lists(child, document, within)


_FROM_THE_LEFT: Final = ("pipe", "index_expression", "projection", "value_projection", "filter_projection", "flatten")


def _evaluate(node: Any, document: object) -> Any:
    try:
        return _search(ParsedResult("", node), document)
    except Unreadable:
        return None


def _name(node: Mapping[str, Any]) -> str:
    """Where a list stands, as a path would name it; "" where it is made and stands nowhere."""
    kind, children = node["type"], node["children"]
    if kind == "subexpression" and all(map(_name, children)):
        return ".".join(map(_name, children))
    if kind == "index_expression" and children[1]["type"] == "index" and _name(children[0]):
        return f"{_name(children[0])}.{children[1]['value']}"
    return {"field": str(node.get("value")), "identity": "body"}.get(kind, "")
