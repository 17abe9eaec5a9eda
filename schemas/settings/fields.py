"""The kinds of values that settings have, each with its check."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError
from marshmallow import ValidationError, fields, validate

_LONGEST_SECONDS: Final = 3650 * 86400
_UNITS: Final = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}


class Duration(fields.Field[float]):
    """Seconds as a number, or a text with a unit: ms, s, m, h, d."""

    def __init__(self, *, minimum: float = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._minimum = minimum

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> float:
        found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)?", str(value).strip())
        if isinstance(value, bool) or not found:
            raise ValidationError('must be a duration such as 30, "30s", "2m", "1h" or "90d"')
        seconds = float(found[1]) * _UNITS[found[2] or "s"]
        if seconds < self._minimum:
            raise ValidationError(f"must be at least {self._minimum:g} seconds")
        if seconds > _LONGEST_SECONDS:
            raise ValidationError("must be at most 3650 days")
        return seconds


class TextList(fields.Field[tuple[str, ...]]):
    """A list of texts, or one text (from the environment: separated by commas)."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> tuple[str, ...]:
        items = [part.strip() for part in value.split(",")] if isinstance(value, str) else value
        if not isinstance(items, list) or not items or not all(isinstance(item, str) and item for item in items):
            raise ValidationError("must be a text or a list of texts, and not empty")
        return tuple(items)


class Zone(fields.Field[ZoneInfo]):
    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> ZoneInfo:
        try:
            return ZoneInfo(value)
        except (ValueError, TypeError, KeyError, OSError):
            raise ValidationError('must be a time zone such as "Europe/London"') from None


def url_of(*schemes: str) -> Callable[[str], None]:
    def check(value: str) -> None:
        if not value.startswith(tuple(f"{scheme}:" for scheme in schemes)):
            raise ValidationError(f"must start with {' or '.join(f'{scheme}:' for scheme in schemes)}")
        check_complete(value)

    return check


def check_complete(url: str, field_name: str = "_schema") -> None:
    """A URL nobody can take apart would only be found out, and quoted, by the first connection."""
    try:
        parts = urlsplit(url)
        complete = parts.port != 0 and (bool(parts.hostname) or parts.scheme not in ("http", "https"))
    except ValueError:
        complete = False
    if not complete:
        raise ValidationError("is not a complete URL: its host or port is missing or wrong", field_name)


PORT: Final = validate.Range(min=0, max=65535)
SECRET: Final = validate.Length(min=1)
HTTP: Final = url_of("http", "https")


class Labels(fields.Field[tuple[str, ...]]):
    """Labels, spelled as they are there. From the environment: separated by commas."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> tuple[str, ...]:
        items = [part.strip() for part in value.split(",")] if isinstance(value, str) else value
        if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
            raise ValidationError("must be a list of texts")
        return tuple(item for item in items if item)


class Cron(fields.Field[str]):
    """A cron expression of five fields, "" for never."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        if value == "":
            return ""
        try:
            CronSim(value, datetime(2026, 1, 1, tzinfo=UTC))
        except (CronSimError, TypeError, AttributeError):
            raise ValidationError('must be a cron expression such as "*/15 * * * *", or "" for never') from None
        return str(value)


def number(default: float) -> fields.Float:
    return fields.Float(load_default=default, validate=validate.Range(min=0, max=100_000))


def whole(default: int) -> fields.Integer:
    return fields.Integer(load_default=default, validate=validate.Range(min=0, max=100_000_000))
