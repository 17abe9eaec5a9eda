"""Forms in which SimplyBook.me may write what was made: ids, tokens, lists of bookings."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from marshmallow import ValidationError, fields

from bellhop.vendors.ids import number_of

_TOKEN: Final = re.compile(r"[\x21-\x7e]{1,4096}")


class BookingId(fields.Field[str]):
    """The id of a booking that was made: a whole number above 0, also as 42.0. Anything else, such as "0" or a
    sentence, names no booking, and none could be cancelled by it."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        if (found := number_of(value)) is None:
            raise ValidationError("must be an id")
        return found


class Token(fields.Field[str]):
    """A session token: what a header can carry. A sentence is none."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        if not isinstance(value, str) or not _TOKEN.fullmatch(value):
            raise ValidationError("must be a token")
        return value


class Rows(fields.List):  # type: ignore[type-arg]  # at run time it takes none
    """A list of objects; also a map of them by any key, and a single one by itself. Their members may be written with
    capitals."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> list[Any]:
        if isinstance(value, dict):
            value = [value] if "id" in lower_keys(value) else list(value.values())
        if isinstance(value, list):
            value = [lower_keys(row) if isinstance(row, dict) else row for row in value]
        found: list[Any] = super()._deserialize(value, attr, data, **kwargs)
        return found


def is_set(value: Any) -> bool:
    """true, 1, "1"; all else is not, nor is null."""
    return str(value).lower() in ("1", "true")


def lower_keys(row: Mapping[str, Any]) -> dict[str, Any]:
    """By names in lower case; the name that is written so counts first."""
    return {**{key.lower(): value for key, value in row.items()}, **{k: v for k, v in row.items() if k == k.lower()}}
