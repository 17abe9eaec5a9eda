"""Peoplevine's methods as `bellhop call` offers them, under our client's names."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

from bellhop.vendors import words as reading
from bellhop.vendors.peoplevine.client import METHODS, PeoplevineClient
from bellhop.vendors.vendor import CallMethod
from bellhop.vendors.words import value_of


def methods() -> Mapping[str, CallMethod]:
    return {
        name: CallMethod(_signature(name), method.changes, method.repeatable, partial(arguments, name))
        for name, method in METHODS.items()
    }


def arguments(name: str, words: Sequence[str], _client: object = None) -> list[Any]:
    """By position, and after that as NAME=VALUE. Raises ValueError."""
    names = _parameters(name)
    given: dict[str, str] = {}
    for place, word in enumerate(words):
        key, equals, value = word.partition("=")
        named = bool(equals) and key in names
        if not named and place >= len(names):
            raise ValueError(f"takes at most {len(names)} arguments: {_signature(name)}")
        target = key if named else names[place]
        if target in given:
            raise ValueError(f"{target} is given twice")
        given[target] = value if named else word
    if missing := [one for one in names if one not in given]:
        raise ValueError(f"{missing[0]} is missing: {_signature(name)}")
    return [_value(one, given[one]) for one in names]


def _parameters(name: str) -> list[str]:
    return [one for one in inspect.signature(getattr(PeoplevineClient, name)).parameters if one != "self"]


def _signature(name: str) -> str:
    return f"{name}({', '.join(_parameters(name))})"


def _value(name: str, word: str) -> Any:
    try:
        return _READ[name](word)
    except ValueError as error:
        raise ValueError(f"{name} {error}") from None


def _text(word: str) -> str:
    return str(value_of(word, as_text=True) or "")


def _number(word: str) -> str:
    return str(reading.integer(_text(word)))


def _since(word: str) -> datetime:
    try:
        moment = datetime.fromisoformat(_text(word))
    except ValueError:
        raise ValueError("must be an ISO 8601 date or time such as 2026-01-31T09:00Z") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _clock(word: str) -> str:
    try:
        return datetime.strptime(_text(word), "%H:%M").strftime("%H:%M")  # noqa: DTZ007  # the venue's own clock
    except ValueError:
        raise ValueError("must be a time such as 09:30") from None


def _ids(word: str) -> list[str]:
    """A list as JSON, or the ids with commas between them."""
    value = value_of(word)
    items = value if isinstance(value, list) else str(value).split(",")
    if not items or not all(isinstance(item, str | int) and str(item).strip() for item in items):
        raise ValueError('must be ids such as 7 or "7,8" or ["7", "8"]')
    return [str(item).strip() for item in items]


def _objects(word: str) -> list[dict[str, Any]]:
    value = value_of(word)
    if not isinstance(value, list) or not value or not all(isinstance(item, dict) for item in value):
        raise ValueError("must be a list of objects, as JSON")
    return value


_READ: Final[Mapping[str, Callable[[str], Any]]] = {
    "member_id": _number,
    "since": _since,
    "date": lambda word: reading.date(_text(word)),
    "start_time": _clock,
    "end_time": _clock,
    "alternate_time": reading.flag,
    "next_available_date": reading.flag,
    "services": _ids,
    "notes": _text,
    "offers": _objects,
}
"""How each parameter is read."""
