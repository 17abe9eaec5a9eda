"""SimplyBook.me's types: its arguments checked before they are sent, its results read as PHP writes them.

PHP: numbers arrive as texts, an empty map as `[]`, "nothing" as null or false. Ids are texts here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from marshmallow import INCLUDE, Schema, ValidationError, fields

from bellhop.vendors.simplybook.forms import is_set
from bellhop.vendors.words import integer, timestamp

# --- arguments: each returns the value as it is sent, or raises ValueError with the rule --------------------------

Check = Callable[[Any], Any]

_SIGN: Final = re.compile(r"[0-9a-f]{32}")


def count(value: Any) -> int:
    number = integer(value)
    if number < 1:
        raise ValueError("must be a whole number from 1")
    return number


def text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError("must be a text")
    return value


def time(value: Any) -> str:
    return timestamp(value, "%H:%M:%S", "a time such as 09:30:00")


def date_time(value: Any) -> str:
    return timestamp(value, "%Y-%m-%d %H:%M:%S", "a date and time such as 2026-01-31 09:30:00")


def integers(value: Any) -> list[int]:
    if not isinstance(value, list | tuple):
        raise ValueError("must be a list of whole numbers")
    return [integer(item) for item in value]


def unit(value: Any) -> int | list[int]:
    """ "Mixed can be Integer or Array of Integers" """
    return integers(value) if isinstance(value, list | tuple) else integer(value)


def texts(value: Any) -> list[str]:
    if not isinstance(value, list | tuple):
        raise ValueError("must be a list of texts")
    return [text(item) for item in value]


def mapping(value: Any) -> Any:
    if not isinstance(value, Mapping):
        raise ValueError("must be an object")
    return dict(value)


def mapping_or_list(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return list(value)
    return mapping(value)


def sign(value: Any) -> str:
    if not isinstance(value, str) or not _SIGN.fullmatch(value):
        raise ValueError("must be a signature: 32 hexadecimal digits")
    return value


def anything(value: Any) -> Any:
    return value


@dataclass(frozen=True, slots=True)
class Param:
    """An argument: the document's name, its rule, whether it may be left out. nullable: it may be null, which is then
    sent: the vendor's own examples have it so."""

    name: str
    check: Check
    optional: bool = False
    nullable: bool = False

    def __str__(self) -> str:
        name = f"{self.name}|null" if self.nullable else self.name
        return f"[{name}]" if self.optional else name


# --- results -----------------------------------------------------------------------------------------------------


class Text(fields.Field[str]):
    """Numbers arrive as texts or numbers, null and false as "nothing"."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        if isinstance(value, dict | list):
            raise ValidationError("must be a text")
        return "" if value is None or value is False else str(value)


class Id(Text):
    """An id: a text that is not empty."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        found = super()._deserialize(value, attr, data, **kwargs)
        if not found or value is True:
            raise ValidationError("must be an id")
        return found


class Flag(fields.Field[bool]):
    """true, 1, "1" and their opposites; null is false."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> bool:
        return is_set(value)


class Whole(fields.Field[int]):
    """A whole number, also as a text, also with decimals that are zero ("60.0000")."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        try:
            number = float(str(value))
            if isinstance(value, bool) or number != int(number):
                raise ValueError
        except (ValueError, OverflowError):
            raise ValidationError("must be a whole number") from None
        return int(number)


class Nothing(fields.Field[Any]):
    """`inner`, or None for null, false and the empty list that stands for "not found"."""

    def __init__(self, inner: fields.Field[Any]) -> None:
        super().__init__(allow_none=True)
        self._inner = inner

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        return None if value is None or value is False or value == [] else self._inner.deserialize(value)


class MapOf(fields.Field[dict[str, Any]]):
    """A map; PHP writes an empty one as `[]`."""

    def __init__(self, inner: fields.Field[Any]) -> None:
        super().__init__()
        self._inner = inner

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> dict[str, Any]:
        if value == []:
            return {}
        if not isinstance(value, dict):
            raise ValidationError("must be an object")
        return {key: self._inner.deserialize(item) for key, item in value.items()}


class ListOf(fields.Field[list[Any]]):
    """A list; PHP writes one whose keys are not 0, 1, 2 … as a map."""

    def __init__(self, inner: fields.Field[Any]) -> None:
        super().__init__()
        self._inner = inner

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> list[Any]:
        items = list(value.values()) if isinstance(value, dict) else value
        if not isinstance(items, list):
            raise ValidationError("must be a list")
        return [self._inner.deserialize(item) for item in items]


class Lenient(Schema):
    """What the vendor adds to its rows one day breaks nothing, and is passed on."""

    class Meta:
        unknown = INCLUDE


class Object(fields.Field[dict[str, Any]]):
    """An object of which no field is promised."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> dict[str, Any]:
        if value == []:
            return {}
        if not isinstance(value, dict):
            raise ValidationError("must be an object")
        return value


class Identified(Lenient):
    """Anything with an id."""

    id = Id(required=True)


class EventRow(Identified):
    """A service, as in the document's example of getEventList."""

    name = Text(load_default="")
    duration = Whole(load_default=0)
    price = Text(load_default="")
    currency = Text(load_default="")
    is_public = Flag(load_default=True)
    is_active = Flag(load_default=True)
    is_recurring = Flag(load_default=False)


class UnitRowSchema(Identified):
    """A service provider. qty: how many bookings it holds at one time; left out where the answer does not say."""

    name = Text(load_default="")
    qty = Nothing(Whole())


class IntakeFieldRow(Lenient):
    """A field of an intake form. `is_null`: null is mandatory, "1" optional. `values`: one text, joined by commas."""

    name = Id(required=True)
    title = Text(load_default="")
    type = Text(load_default="text")
    values = Text(load_default="", allow_none=True)
    is_null = Flag(load_default=False, allow_none=True)


class LocationRow(Identified):
    title = Text(load_default="")
    units = ListOf(Text())


class DetailsRow(Identified):
    """A booking's details. Which fields come is not documented; these are used where they are there."""

    start_date_time = Text(load_default="")
    end_date_time = Text(load_default="")
    event_id = Text(load_default="")
    unit_id = Text(load_default="")


class ListedRow(Identified):
    """A row of the administration's list. Seen on the live API: `start_date` and `end_date` with their times,
    `event_id`, `unit_id`, `client_id`, `is_confirm`; in other clients' code `client_email`, `client_phone`, `code`."""

    start_date = Text(load_default="")
    end_date = Text(load_default="")
    event_id = Text(load_default="")
    unit_id = Text(load_default="")
