"""What the contracts are made of: types of fields, and marshmallow's findings as dotted fields and rules."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from marshmallow import RAISE, Schema, ValidationError, fields, missing, validate

from bellhop.schemas import patterns
from bellhop.schemas.durations import LONGEST, is_duration, read_duration
from bellhop.schemas.errors import FieldProblem

MAX_ID: Final = 200
MAX_DEPTH: Final = 10
MAX_KEY: Final = 200
MAX_EMAIL: Final = 254
MAX_COUNT: Final = 100
_MAX_ZONE: Final = 64
MAX_PRICE: Final = 10_000_000
WHOLE: Final = 2**64
_NUL: Final = re.compile(patterns.NUL)
_HALF: Final = re.compile(patterns.HALF)
_UNSTORABLE: Final = re.compile(f"{patterns.NUL}|{patterns.HALF}")
_CONTROL: Final = re.compile(patterns.CONTROL)
_EMAIL: Final = re.compile(patterns.EMAIL)
_MOMENT: Final = re.compile(patterns.MOMENT)


class Identifier(fields.Field[str]):
    """An id that systems write as text or as a whole number; kept as text."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        if isinstance(value, float) and value.is_integer():
            value = int(value)  # 7.0 is 7: JSON knows no difference, and some languages write it so
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise ValidationError("must be a text or a whole number")
        if isinstance(value, int) and abs(value) >= WHOLE:
            raise ValidationError("must be a whole number of at most 64 bits")
        text = str(value).strip()
        if not 1 <= len(text) <= MAX_ID:
            raise ValidationError(f"must have 1 to {MAX_ID} characters")
        if _CONTROL.search(text):
            raise ValidationError("must not hold control characters")
        return text


class DeliveryId(Identifier):
    """An id that becomes part of a message's id on the broker, which counts bytes (see `Envelope.message_id`)."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        if len(text.encode()) > MAX_ID:
            raise ValidationError(f"must have at most {MAX_ID} bytes in UTF-8")
        return text


class Moment(fields.Field[datetime]):
    """An ISO 8601 date and time, with or without a zone."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> datetime:
        if not isinstance(value, str):
            raise ValidationError("must be an ISO 8601 date and time")
        if _MOMENT.search(value) is None:  # Python alone reads 09:15:300, and each version of it something else
            raise ValidationError(_wrong_moment(value))
        return datetime.fromisoformat(value)


def _wrong_moment(value: str) -> str:
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return "must be an ISO 8601 date and time"
    if "T" not in value.upper() and " " not in value:
        return "must have a time of day"
    is_known = 1970 <= moment.year < 3000
    return "must be an ISO 8601 date and time" if is_known else "must be from the year 1970 to 2999"


class EmailAddress(fields.String):
    """An e-mail address, of at most 254 characters."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text: str = super()._deserialize(value, attr, data, **kwargs)
        if len(text) > MAX_EMAIL:
            raise ValidationError(f"longer than maximum length {MAX_EMAIL}")
        if _EMAIL.search(text) is None:
            raise ValidationError("not a valid email address")
        return text


class Count(fields.Integer):
    """How often: a whole number from 1 to 100. 2.0 is 2: JSON knows no difference."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(strict=True, validate=validate.Range(min=1, max=MAX_COUNT), **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        if isinstance(value, bool):
            raise self.make_error("invalid", input=value)
        whole = int(value) if isinstance(value, float) and value.is_integer() else value
        return super()._deserialize(whole, attr, data, **kwargs)


class Price(fields.Field[float]):
    """A money amount in the account's currency, 0 to 10,000,000."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValidationError("must be a number")
        if isinstance(value, float) and not math.isfinite(value):
            raise ValidationError("must be a finite number")
        if not 0 <= value <= MAX_PRICE:
            raise ValidationError("must be from 0 to 10,000,000")
        return float(value)


class ZoneName(fields.Field[str]):
    """The IANA name of a time zone, such as Europe/London."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        if not isinstance(value, str) or not value.isascii() or not 1 <= len(value) <= _MAX_ZONE:
            raise ValidationError("must be a time zone such as Europe/London")
        try:
            return ZoneInfo(value).key
        except (ValueError, KeyError, OSError):
            raise ValidationError("must be a time zone such as Europe/London") from None


def short_text(maximum: int, **kwargs: Any) -> fields.String:
    return fields.String(validate=validate.Length(max=maximum), **kwargs)


class TimeSpan(fields.Field[timedelta]):
    """How long something lasts: minutes, or a text such as 90 min, 1h 30m, 01:30, PT1H30M."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> timedelta:
        made = read_duration(value)
        if made is None and is_duration(value):
            raise ValidationError(f"must be longer than nothing, and at most {LONGEST.days} days")
        if made is None:
            raise ValidationError(f"must be minutes, or a duration such as PT1H30M, of at most {LONGEST.days} days")
        return made


class Strict(Schema):
    """Only the fields it has. Where one may be left out, null is the same as leaving it out."""

    class Meta:
        unknown = RAISE

    def load(self, data: Any, **kwargs: Any) -> Any:
        """As marshmallow's; its `pre_load` would cost more than the rest of an object without nulls."""
        if isinstance(data, dict) and None in data.values():
            optional = {name for name, field in self.fields.items() if not field.required}
            data = {name: each for name, each in data.items() if each is not None or name not in optional}
        if isinstance(data, dict) and not any(self._hooks.values()) and (made := self._load_valid(data)) is not None:
            return made
        return super().load(data, **kwargs)

    def _load_valid(self, data: dict[str, Any]) -> dict[str, Any] | None:
        """The object, where all is well; None where it is not: marshmallow finds out what, and for keeping account of
        it costs three times as much."""
        if not self.load_fields.keys() >= data.keys():
            return None
        made = {}
        try:
            for name, field in self.load_fields.items():
                if name not in data and not field.required and field.load_default is missing:
                    continue
                value = field.deserialize(data.get(name, missing), name, data)
                if value is not missing:
                    made[name] = value
        except ValidationError:
            return None
        return made


def load_valid(schema: Schema, value: object, prefix: str) -> tuple[dict[str, Any], list[FieldProblem]]:
    """What `schema` makes of the value, as far as it is valid, and every problem."""
    try:
        loaded: dict[str, Any] = schema.load(value)  # type: ignore[arg-type]
    except ValidationError as error:
        valid = error.valid_data if isinstance(error.valid_data, dict) else {}
        return valid, _problems(error.messages, prefix)
    return loaded, []


def has_control(text: str) -> bool:
    """Whether it holds what no identifier may."""
    return _CONTROL.search(text) is not None


def as_fit_text(text: str) -> str:
    """Without what cannot be stored: see `unfit`."""
    return _UNSTORABLE.sub("", text)


def unfit(value: object, path: str, depth: int) -> Iterator[FieldProblem]:
    """What JSON can say and the way behind the ingress cannot carry: PostgreSQL stores no NUL, UTF-8 has no half of
    a surrogate pair, JSON has no infinity (1e999 reads as one), and a deep value overflows the next reader's stack."""
    if not isinstance(value, dict | list):
        if rule := _rule_broken(value):
            yield FieldProblem(path, rule)
        return
    if depth > MAX_DEPTH:
        yield FieldProblem(path, f"must not be nested deeper than {MAX_DEPTH}")
        return
    for key, item in value.items() if isinstance(value, dict) else enumerate(value):
        if isinstance(key, str) and (len(key) > MAX_KEY or _UNSTORABLE.search(key)):
            yield FieldProblem(path, _name_rule_broken(key))
        elif isinstance(item, str):
            if _UNSTORABLE.search(item):
                yield FieldProblem(f"{path}.{key}", _rule_broken(item))
        elif isinstance(item, dict | list):
            yield from unfit(item, f"{path}.{key}", depth + 1)
        elif rule := _rule_broken(item):
            yield FieldProblem(f"{path}.{key}", rule)


def _name_rule_broken(name: str) -> str:
    if len(name) > MAX_KEY or _NUL.search(name):
        return f"must have names of at most {MAX_KEY} characters without NUL"
    return "must have names without half of a surrogate pair"


def _rule_broken(value: object) -> str:
    """By a value that is neither an object nor a list; "" where none is."""
    if isinstance(value, str):
        if _NUL.search(value):
            return "must not hold NUL"
        return "must not hold half of a surrogate pair" if _HALF.search(value) else ""
    if isinstance(value, float) and not abs(value) < WHOLE:  # nor NaN
        return "must be below 2 to the power of 64" if math.isfinite(value) else "must be a finite number"
    if isinstance(value, int) and abs(value) >= WHOLE:
        return "must be a whole number of at most 64 bits"
    return ""


def _problems(messages: object, prefix: str) -> list[FieldProblem]:
    if isinstance(messages, dict):
        found = []
        for key, inner in messages.items():
            path = prefix if key == "_schema" else f"{prefix}.{key}" if prefix else str(key)
            found += _problems(inner, path)
        return found
    rules = messages if isinstance(messages, list) else [messages]
    return [FieldProblem(prefix or "body", _rule(str(rule))) for rule in rules]


def _rule(message: str) -> str:
    """marshmallow's sentence as a rule: lower case, no full stop."""
    text = message.rstrip(".")
    return text[:1].lower() + text[1:]
