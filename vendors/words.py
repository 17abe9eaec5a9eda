"""How the words of a command line, and the arguments of a vendor's method, are read: each returns the value as it is
sent, or raises ValueError with the rule."""

from __future__ import annotations

import json
from datetime import datetime
from functools import lru_cache
from typing import Any


def value_of(word: str, *, as_text: bool = False) -> Any:
    """JSON where it is some, else the text. as_text: only a quoted text and null count: a date, or a hash that happens
    to be all digits, is no number."""
    try:
        value = json.loads(word)
    except ValueError:
        return word
    return value if not as_text or value is None or isinstance(value, str) else word


def integer(value: Any) -> int:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 18:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError("must be a whole number from 0")
    return value


def flag(value: Any) -> bool:
    words = {"true": True, "1": True, "false": False, "0": False}
    if isinstance(value, bool):
        return value
    if str(value).lower() not in words:
        raise ValueError("must be true or false")
    return words[str(value).lower()]


def date(value: Any) -> str:
    return timestamp(value, "%Y-%m-%d", "a date such as 2026-01-31")


def timestamp(value: Any, form: str, words: str) -> str:
    """words: what it must be."""
    if not isinstance(value, str) or not _is_written(value, form):
        raise ValueError(f"must be {words}")
    return value


@lru_cache(maxsize=4096)
def _is_written(value: str, form: str) -> bool:
    """Kept, as strptime takes a tenth of all that a booking's call does, and days and times of day are few."""
    try:
        return datetime.strptime(value, form).strftime(form) == value  # noqa: DTZ007  # the vendor's own clock
    except ValueError:
        return False
