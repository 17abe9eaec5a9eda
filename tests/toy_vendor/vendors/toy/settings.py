"""The toy vendor's accounts, and the rules of its bookings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

from marshmallow import fields, post_load, validate

from bellhop.schemas.errors import FieldProblem
from bellhop.schemas.events import required
from bellhop.schemas.settings import Limits
from bellhop.schemas.settings.fields import HTTP, SECRET
from bellhop.schemas.settings.sections import AccountKind, AccountSection, with_limits

_NONE: Final = Limits()


@dataclass(frozen=True, slots=True)
class ToyAccount:
    name: str
    base_url: str
    key: str = field(repr=False)
    connect_seconds: float
    read_seconds: float
    kind: str = "toy"
    limits: Limits = _NONE
    system: ClassVar[str] = ""
    pulls: ClassVar[Mapping[str, str]] = {}
    shares_token: ClassVar[bool] = False

    @property
    def secrets(self) -> tuple[str, ...]:
        return (self.key,)


class _Section(AccountSection):
    kind = fields.String(required=True, validate=validate.Equal("toy"))
    base_url = fields.String(required=True, validate=HTTP)
    key = fields.String(required=True, validate=SECRET)

    @post_load
    def _make(self, data: dict[str, Any], **kwargs: Any) -> Any:
        return with_limits(data)


def _check_booking(booking: Mapping[str, Any]) -> list[FieldProblem]:
    return [
        required(f"data.services.{index}.facility_id", "the shelf that the toy is on")
        for index, service in enumerate(booking["services"])
        if "facility_id" not in service
    ]


ACCOUNT: Final = AccountKind(_Section(), ToyAccount, _check_booking)
