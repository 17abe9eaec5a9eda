"""Fields of requests. Their patterns stand in the document, so that what it allows is taken, and nothing else."""

from __future__ import annotations

import re
from typing import Any, Final

from marshmallow import ValidationError, fields, validate

from bellhop.schemas.contract import has_control
from bellhop.schemas.patterns import END, SHOWN, TEXT

_DIGITS: Final = re.compile("-?[0-9]{1,18}")


class Line(fields.String):
    """A text of one line; that says something, unless `minimum` is 0. maximum: with the spaces around it, which are
    taken away."""

    _breaks = ""

    def __init__(self, maximum: int, *, minimum: int = 1, **kwargs: Any) -> None:
        inner = f"(?:{TEXT}|[{self._breaks}])*" if self._breaks else f"{TEXT}*"
        pattern = f"^{inner}{SHOWN}{inner}{END}" if minimum else f"^{inner}{END}"
        metadata = {"pattern": pattern} | kwargs.pop("metadata", {})
        super().__init__(validate=validate.Length(min=minimum, max=maximum), metadata=metadata, **kwargs)
        self._maximum = maximum

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        text = super()._deserialize(value, attr, data, **kwargs)
        if has_control(text.translate(dict.fromkeys(map(ord, self._breaks)))):
            raise ValidationError("must not hold control characters")
        if len(text) > self._maximum:
            raise ValidationError(f"longer than maximum length {self._maximum}")
        return text.strip()


class Lines(Line):
    """The same of several lines."""

    _breaks = "\n\r\t"


class WholeNumber(fields.Integer):
    """A whole number; in an address as digits, in a body never as a text. marshmallow alone takes 1.5 for 1, and true
    for it, too. 2.0 is 2: JSON knows no difference."""

    def __init__(self, *, in_body: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._in_body = in_body

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if isinstance(value, str) and (self._in_body or _DIGITS.fullmatch(value) is None):
            raise self.make_error("invalid", input=value)
        if isinstance(value, bool) or (isinstance(value, float) and not value.is_integer()):
            raise self.make_error("invalid", input=value)
        return super()._deserialize(value, attr, data, **kwargs)


class BodyFlag(fields.Boolean):
    """True or false in a body; marshmallow alone takes "yes" and 1, too."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if not isinstance(value, bool):
            raise self.make_error("invalid", input=value)
        return value


class QueryFlag(fields.Boolean):
    """The same in an address, where these two words stand for it."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if value not in ("true", "false"):
            raise self.make_error("invalid", input=value)
        return value == "true"


class BodyNumber(fields.Float):
    """A number in a body; marshmallow alone takes "1" and true, too."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if isinstance(value, bool | str):
            raise self.make_error("invalid", input=value)
        return super()._deserialize(value, attr, data, **kwargs)
