"""Schemas of requests about users and tokens."""

from __future__ import annotations

import re
from typing import Any, Final

from marshmallow import ValidationError, fields, validate

from bellhop.console.access.passwords import LONGEST, SHORTEST
from bellhop.console.api.request_fields import BodyFlag, Line
from bellhop.console.api.requests import of
from bellhop.console.api.times import Instant
from bellhop.ledger.records import Role
from bellhop.schemas.contract import Strict
from bellhop.schemas.patterns import END, FIT

_NOTED: Final = re.compile(r"([0-9]{1,18}):([0-9a-fA-F]{64})")


class _Noted(fields.String):
    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        found = _NOTED.fullmatch(super()._deserialize(value, attr, data, **kwargs))
        if found is None:
            raise ValidationError("must be a row's number and its hash, as number:hash")
        return int(found[1]), found[2].lower()


class ChainQuery(Strict):
    noted = _Noted(
        metadata={
            "description": "A row that must have this hash still, as `last:hash` of an earlier answer.",
            "pattern": f"^{_NOTED.pattern}{END}",
        }
    )


def _password(description: str) -> fields.String:
    told = {"description": f"{description} 409 for one that is easily guessed.", "pattern": FIT}
    return fields.String(validate=validate.Length(min=SHORTEST, max=LONGEST), load_only=True, metadata=told)


class NewUser(Strict):
    name = Line(100, required=True)
    role = of(Role, required=True)
    password = _password("None for one who signs in by OpenID Connect.")


class UserChange(Strict):
    role = of(Role)
    password = _password("A new one.")
    disabled = BodyFlag()


class SomebodysName(Strict):
    name = Line(200, required=True)


class NewToken(Strict):
    name = Line(100, required=True)
    role = of(Role, required=True)
    expires = Instant(allow_none=True, metadata={"description": "Ends by itself at this time."})
