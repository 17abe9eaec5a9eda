"""One switch: a quirk that nobody can settle from public material, or a fault that is wanted.

`grade` tells how well a default is known: V vendor's own document or code, L seen on the live API by others,
S second hand, I inferred.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field
from typing import Any


class ControlError(ValueError):
    """Raised for control input that cannot be followed; its text says what is wrong."""


def switch(default: Any, grade: str, means: str, allowed: tuple[object, ...] = (), words: tuple[str, ...] = ()) -> Any:
    """allowed: the only values there are. words: what a comma-separated text is made of."""
    return field(default=default, metadata={"grade": grade, "means": means, "allowed": allowed, "words": words})


def check_value(name: str, default: object, metadata: Mapping[str, Any], value: object) -> None:
    allowed, words, wanted = metadata["allowed"], metadata["words"], type(default)
    kind = {bool: "true or false", int: "a whole number from 0", str: "a text"}[wanted]
    if type(value) is not wanted or (not allowed and isinstance(value, int) and value < 0):
        raise ControlError(f"{name} must be {f'one of {comma_list(allowed)}' if allowed else kind}")
    if allowed and value not in allowed:
        raise ControlError(f"{name} must be one of {comma_list(allowed)}")
    if words and isinstance(value, str):
        for word in filter(None, value.split(",")):
            if word not in words:
                raise ControlError(f"{name}: {word} is none of {comma_list(words)}")


def read_value(text: str, wanted: type[object]) -> object:
    """The value a text stands for; the text itself where it stands for none, which is refused then."""
    if wanted is bool:
        return {"true": True, "false": False}.get(text, text)
    if wanted is int and text.isascii() and text.removeprefix("-").isdigit() and len(text) <= 18:
        return int(text)
    return text


def comma_list(values: Iterable[object]) -> str:
    return ", ".join(map(str, values))
