"""The kinds of values that settings have, each with its check, how a file writes it, and what an editor is told of it.

In a kind's metadata: `schema` is its JSON Schema, `advice` what to write where the error does not say it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError
from marshmallow import ValidationError, fields, validate

_LONGEST_SECONDS: Final = 3650 * 86400
_UNITS: Final = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATION: Final = r"\s*(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)?\s*"


class Duration(fields.Field[float]):
    """Seconds as a number, or a text with a unit: ms, s, m, h, d."""

    def __init__(self, *, minimum: float = 0.0) -> None:
        number = {"type": "number", "minimum": minimum, "maximum": _LONGEST_SECONDS}
        text = {"type": "string", "pattern": f"^{_DURATION}$"}
        super().__init__(metadata={"schema": {"anyOf": [number, text]}})
        self._minimum = minimum

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> float:
        found = re.fullmatch(_DURATION, str(value))
        if isinstance(value, bool) or not found:
            raise ValidationError('must be a duration such as 30, "30s", "2m", "1h" or "90d"')
        seconds = float(found[1]) * _UNITS[found[2] or "s"]
        if seconds < self._minimum:
            raise ValidationError(f"must be at least {self._serialize(self._minimum, None, None)}")
        if seconds > _LONGEST_SECONDS:
            raise ValidationError("must be at most 3650 days")
        return seconds

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str:
        """With the largest unit that needs no fraction."""
        for unit in ("d", "h", "m", "s"):
            if value and value % _UNITS[unit] == 0:
                return f"{value / _UNITS[unit]:g}{unit}"
        return f"{value * 1000:g}ms" if value else "0s"


class Durations(fields.Field[tuple[float, ...]]):
    """A list of durations that rise (from the environment: separated by commas)."""

    def __init__(self, *, minimum: float) -> None:
        self._each = Duration(minimum=minimum)
        items = self._each.metadata["schema"]
        super().__init__(metadata={"schema": {"type": "array", "minItems": 1, "items": items}})

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> tuple[float, ...]:
        items = value.split(",") if isinstance(value, str) else value
        if not isinstance(items, list):
            raise ValidationError("not a valid list")
        made, wrong = [], {}
        for number, item in enumerate(items):
            try:
                made.append(self._each.deserialize(item))
            except ValidationError as error:
                wrong[number] = error.messages
        if wrong:
            raise ValidationError(wrong)
        if not made or made != sorted(set(made)):
            raise ValidationError("must be durations that rise")
        return tuple(made)

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> list[str]:
        return [str(self._each.serialize("each", {"each": each})) for each in value]


class TextList(fields.Field[tuple[str, ...]]):
    """A list of texts, or one text (from the environment: separated by commas).

    may_be_empty: "" and [] are none. each: checks one text, raising ValueError.
    """

    def __init__(self, *, may_be_empty: bool = False, each: Callable[[str], object] = str) -> None:
        texts = {"type": "array", "items": {"type": "string"}, "minItems": 0 if may_be_empty else 1}
        super().__init__(metadata={"schema": {"anyOf": [{"type": "string"}, texts]}})
        self._may_be_empty = may_be_empty
        self._each = each

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> tuple[str, ...]:
        if self._may_be_empty and value == "":
            return ()
        items = [part.strip() for part in value.split(",")] if isinstance(value, str) else value
        if not isinstance(items, list) or not items or not all(isinstance(item, str) and item for item in items):
            raise ValidationError("must be a text or a list of texts, and not empty")
        try:
            for item in items:
                self._each(item)
        except ValueError as error:
            raise ValidationError(str(error)) from None
        return tuple(items)

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str | list[str]:
        return list(value) or ""


class Labels(fields.Field[tuple[str, ...]]):
    """Labels, spelled as they are there. From the environment: separated by commas."""

    def __init__(self) -> None:
        super().__init__(metadata={"schema": {"type": "array", "items": {"type": "string"}}})

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> tuple[str, ...]:
        items = [part.strip() for part in value.split(",")] if isinstance(value, str) else value
        if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
            raise ValidationError("must be a list of texts")
        return tuple(item for item in items if item)

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> list[str]:
        return list(value)


class Zone(fields.Field[ZoneInfo]):
    def __init__(self) -> None:
        super().__init__(metadata={"schema": {"type": "string", "minLength": 1}})

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> ZoneInfo:
        try:
            return ZoneInfo(value)
        except (ValueError, TypeError, KeyError, OSError):
            raise ValidationError('must be a time zone such as "Europe/London"') from None

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str:
        return str(value)


class Cron(fields.Field[str]):
    """A cron expression of five fields, "" for never."""

    def __init__(self) -> None:
        super().__init__(metadata={"schema": {"type": "string"}})

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        if value == "":
            return ""
        try:
            CronSim(value, datetime(2026, 1, 1, tzinfo=UTC))
        except (CronSimError, TypeError, AttributeError):
            raise ValidationError('must be a cron expression such as "*/15 * * * *", or "" for never') from None
        return str(value)


def check_url(value: str, *schemes: str) -> None:
    """Raises ValidationError where it has none of these schemes, or nobody could take it apart."""
    if not value.startswith(tuple(f"{scheme}:" for scheme in schemes)):
        raise ValidationError(f"must start with {' or '.join(f'{scheme}:' for scheme in schemes)}")
    if not is_complete(value):
        raise ValidationError(INCOMPLETE)


INCOMPLETE: Final = "is not a complete URL: its host or port is missing or wrong"


def is_complete(url: str) -> bool:
    """A URL nobody can take apart would only be found out, and quoted, by the first connection."""
    try:
        parts = urlsplit(url)
        return parts.port != 0 and (bool(parts.hostname) or parts.scheme not in ("http", "https"))
    except ValueError:
        return False


def url_of(
    *schemes: str, may_be_empty: bool = False, check: Callable[[str], None] = lambda _url: None
) -> fields.Field[str]:
    """check: what else must be true of it, raising ValidationError."""

    def whole_check(value: str) -> None:
        if value or not may_be_empty:
            check_url(value, *schemes)
            check(value)

    pattern = f"^({'|'.join(map(re.escape, schemes))}):"
    return fields.String(
        validate=whole_check,
        metadata={"schema": {"type": "string", "pattern": f"^$|{pattern}" if may_be_empty else pattern}},
    )


def web(*, may_be_empty: bool = False, check: Callable[[str], None] = lambda _url: None) -> fields.Field[str]:
    return url_of("http", "https", may_be_empty=may_be_empty, check=check)


def string(least: int = 0, *, missing: str = "missing data for required field") -> fields.Field[str]:
    """least: characters. missing: what is said where it is required and not there."""
    schema = {"type": "string", "minLength": least} if least else {"type": "string"}
    short = "is empty" if least == 1 else "must have at least {min} characters"
    length = validate.Length(min=least or None, error=short)
    return fields.String(validate=length, error_messages={"required": missing}, metadata={"schema": schema})


def matching(pattern: str, advice: str) -> fields.Field[str]:
    """A text that begins by the pattern, as in Python's `re.match`."""
    schema = {"type": "string", "pattern": f"^(?:{pattern})"}
    return fields.String(validate=validate.Regexp(pattern), metadata={"schema": schema, "advice": advice})


def choice(*words: str) -> fields.Field[str]:
    return fields.String(validate=validate.OneOf(words), metadata={"schema": {"enum": list(words)}})


def whole_number(least: int, most: int) -> fields.Field[int]:
    schema = {"type": "integer", "minimum": least, "maximum": most}
    advice = f"write a whole number from {least} to {most}"
    return fields.Integer(validate=validate.Range(least, most), metadata={"schema": schema, "advice": advice})


def one_number(numbers: Sequence[int]) -> fields.Field[int]:
    return fields.Integer(validate=validate.OneOf(numbers), metadata={"schema": {"enum": list(numbers)}})


def number(least: float, most: float) -> fields.Field[float]:
    schema = {"type": "number", "minimum": least, "maximum": most}
    advice = f"write a number from {least:g} to {most:g}"
    return fields.Float(validate=validate.Range(least, most), metadata={"schema": schema, "advice": advice})


def maybe_number(least: float, most: float) -> fields.Field[float | None]:
    made: fields.Field[Any] = number(least, most)
    return made


def boolean() -> fields.Field[bool]:
    return fields.Boolean(metadata={"schema": {"type": "boolean"}, "advice": "write true or false"})
