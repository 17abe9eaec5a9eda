"""Schemas of requests about users and tokens."""

from __future__ import annotations

from marshmallow import fields, validate

from bellhop.console.access.passwords import LONGEST, SHORTEST
from bellhop.console.api.requests import Line, of
from bellhop.console.api.times import Instant
from bellhop.ledger.records import Role
from bellhop.schemas.contract import Strict


class NewUser(Strict):
    name = Line(100, required=True)
    role = of(Role, required=True)
    password = fields.String(
        validate=validate.Length(min=SHORTEST, max=LONGEST),
        load_only=True,
        metadata={"description": "None for one who signs in by OpenID Connect."},
    )


class UserChange(Strict):
    role = of(Role)
    password = fields.String(validate=validate.Length(min=SHORTEST, max=LONGEST), load_only=True)
    disabled = fields.Boolean()


class SomebodysName(Strict):
    name = Line(200, required=True)


class NewToken(Strict):
    name = Line(100, required=True)
    role = of(Role, required=True)
    expires = Instant(allow_none=True, metadata={"description": "Ends by itself at this time."})
