"""A vendor's ids: what is one, and which ones stand in an answer that nobody can read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

MOST_FOUND: Final = 10

_OPAQUE: Final = re.compile(r"(?!\d{4}-\d\d-\d\d\Z)(?=[^0]*[1-9a-zA-Z])(?=\D*\d)[A-Za-z0-9][A-Za-z0-9_=-]{0,199}")
"""Letters and digits, a digit among them: "30396436" and a GUID, but not "Success", a date, or nothing but noughts."""
_ZEROS: Final = re.compile(r"[0-]+")
_WHOLE: Final = re.compile(r"(\d{1,18})(?:\.0+)?")
_LARGEST_FLOAT: Final = 2.0**53
_DEEPEST: Final = 8

_NAMES: Final = frozenset(
    (
        *("id", "bookingid", "bookingcode", "code", "reservationid", "appointmentid", "confirmationid", "reference"),
        *("confirmationnumber", "reservationnumber", "bookingnumber", "batchid", "recurrentbatchid"),
    )
)
_LISTS: Final = frozenset(("bookings", "reservations", "appointments", "ids", "booking", "reservation", "appointment"))
_SPOKEN: Final = re.compile(
    r"(?i)\b(?:booking|reservation|appointment|confirmation)\w*(?:[^\w<>]+[a-z]+){0,3}\W{1,4}"
    r"([a-z]{0,4}\d{2,18})\b(?![-:/.]\d)"
    r"""|["']?\bid["']?\s*[:=]\s*["']?(\d{1,18})\b"""
)


def plain_id(value: object) -> str | None:
    """An id as text; None for what is none: empty, 0, negative, a sentence, a word without a digit, null, a fraction.
    A whole number may come as 42.0."""
    if isinstance(value, bool):
        return None
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and 0 < value < _LARGEST_FLOAT else None
    if isinstance(value, int):
        return str(value) if value > 0 else None
    if not isinstance(value, str):
        return None
    text = value.strip()
    if whole := _WHOLE.fullmatch(text):
        return whole[1] if whole[1].strip("0") else None
    return text if _OPAQUE.fullmatch(text) and not _ZEROS.fullmatch(text) else None


def number_of(value: object) -> str | None:
    """The same for ids that are whole numbers."""
    found = plain_id(value)
    return found if found is not None and found.isascii() and found.isdigit() else None


def ids_in(answer: object) -> tuple[str, ...]:
    """What may be ids of bookings in a decoded answer, or in text: to be looked for by a person."""
    found = dict.fromkeys(_in_value(answer, "", 0))
    return tuple(found)[:MOST_FOUND]


def _in_value(value: object, name: str, depth: int) -> Iterator[str]:
    if depth > _DEEPEST:
        return
    if isinstance(value, dict):
        for key, inner in value.items():
            short = re.sub(r"[^a-z]", "", str(key).lower())
            yield from _in_value(inner, short or name, depth + 1)
    elif isinstance(value, list):
        for inner in value:
            yield from _in_value(inner, name, depth + 1)
    elif name in _NAMES or name in _LISTS or (name == "result" and not isinstance(value, str)):
        id_ = plain_id(value)
        if id_ is not None and not (name == "code" and id_.isdigit()):  # such a code is an error's
            yield id_
    elif isinstance(value, str):
        yield from _in_text(value, name)


def _in_text(text: str, name: str) -> Iterator[str]:
    """name: of the member that it is of; "message" may be an id by itself."""
    if name in ("message", "result") and (id_ := plain_id(text)) is not None:
        yield id_
    for match in _SPOKEN.finditer(text[:20_000]):
        yield match[1] or match[2]
