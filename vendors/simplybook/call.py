"""SimplyBook.me's methods as `bellhop call` offers them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final

from bellhop.vendors import words as reading
from bellhop.vendors.simplybook import types
from bellhop.vendors.simplybook.client import SimplybookClient
from bellhop.vendors.simplybook.methods import METHODS, Method
from bellhop.vendors.vendor import CallMethod

_HASH: Final = "hash:"
_TEXTS: Final = (types.text, reading.date, types.date_time, types.time, types.sign)


def methods() -> Mapping[str, CallMethod]:
    return {
        name: CallMethod(
            method.signature, method.changes, method.repeatable, partial(arguments, method), method.deprecated
        )
        for name, method in METHODS.items()
    }


def arguments(method: Method, words: Sequence[str], client: SimplybookClient) -> list[Any]:
    """By position. Where a signature is written hash:HASH the client makes it, for the id that is the first argument.
    Raises ValueError, which names the parameter and the rule."""
    if len(words) > len(method.params):
        raise ValueError(f"takes at most {len(method.params)} arguments: {method.signature}")
    values: list[Any] = []
    for param, word in zip(method.params, words, strict=False):
        value = reading.value_of(word, as_text=param.check in _TEXTS)
        if param.check is types.sign and word.startswith(_HASH):
            value = client.sign(str(values[0]), word.removeprefix(_HASH))
        values.append(value)
    method.arguments(values)
    return values
