"""What `bellhop call` makes of its words: the arguments of a vendor's method."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from bellhop.vendors.peoplevine.client import PeoplevineClient
from bellhop.vendors.simplybook import types
from bellhop.vendors.simplybook.methods import METHODS, Method

_HASH: Final = "hash:"
_TEXTS: Final = (types.text, types.date, types.date_time, types.time, types.sign)


def salon_arguments(method: Method, words: Sequence[str], sign: Callable[[str, str], str]) -> list[Any]:
    """By position. `sign` signs an id and a hash: it is made where a signature is written hash:HASH, for the id that
    is the first argument. Raises ValueError, which names the parameter and the rule."""
    if len(words) > len(method.params):
        raise ValueError(f"takes at most {len(method.params)} arguments: {method.signature}")
    values: list[Any] = []
    for param, word in zip(method.params, words, strict=False):
        value = parsed(word, as_text=param.check in _TEXTS)
        if param.check is types.sign and word.startswith(_HASH):
            value = sign(str(values[0]), word.removeprefix(_HASH))
        values.append(value)
    method.arguments(values)
    return values


def spa_arguments(name: str, words: Sequence[str]) -> dict[str, Any]:
    """By position, and after that as NAME=VALUE. Raises ValueError."""
    names = spa_names(name)
    given: dict[str, str] = {}
    for place, word in enumerate(words):
        key, equals, value = word.partition("=")
        named = bool(equals) and key in names
        if not named and place >= len(names):
            raise ValueError(f"takes at most {len(names)} arguments: {spa_signature(name)}")
        target = key if named else names[place]
        if target in given:
            raise ValueError(f"{target} is given twice")
        given[target] = value if named else word
    if missing := [one for one in names if one not in given]:
        raise ValueError(f"{missing[0]} is missing: {spa_signature(name)}")
    return {one: _spa_value(one, given[one]) for one in names}


def spa_names(name: str) -> list[str]:
    """The parameters of a Peoplevine method, by our client's names."""
    return [one for one in inspect.signature(getattr(PeoplevineClient, name)).parameters if one != "self"]


def spa_signature(name: str) -> str:
    return f"{name}({', '.join(spa_names(name))})"


def signature(kind: str, name: str) -> str:
    return METHODS[name].signature if kind == "simplybook" else spa_signature(name)


def parsed(word: str, *, as_text: bool = False) -> Any:
    """JSON where it is some, else the text. as_text: only a quoted text and null count: a date, or a hash that happens
    to be all digits, is no number."""
    try:
        value = json.loads(word)
    except ValueError:
        return word
    return value if not as_text or value is None or isinstance(value, str) else word


def _spa_value(name: str, word: str) -> Any:
    try:
        return _SPA[name](word)
    except ValueError as error:
        raise ValueError(f"{name} {error}") from None


def _text(word: str) -> str:
    return str(parsed(word, as_text=True) or "")


def _number(word: str) -> str:
    return str(types.integer(_text(word)))


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
    value = parsed(word)
    items = value if isinstance(value, list) else str(value).split(",")
    if not items or not all(isinstance(item, str | int) and str(item).strip() for item in items):
        raise ValueError('must be ids such as 7 or "7,8" or ["7", "8"]')
    return [str(item).strip() for item in items]


def _objects(word: str) -> list[dict[str, Any]]:
    value = parsed(word)
    if not isinstance(value, list) or not value or not all(isinstance(item, dict) for item in value):
        raise ValueError("must be a list of objects, as JSON")
    return value


_SPA: Final[Mapping[str, Callable[[str], Any]]] = {
    "member_id": _number,
    "since": _since,
    "date": lambda word: types.date(_text(word)),
    "start_time": _clock,
    "end_time": _clock,
    "alternate_time": types.flag,
    "next_available_date": types.flag,
    "services": _ids,
    "notes": _text,
    "offers": _objects,
}
"""How each parameter is read."""
