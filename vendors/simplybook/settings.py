"""SimplyBook.me's accounts: what the settings say of one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

from marshmallow import ValidationError, fields, post_load, validate, validates_schema

from bellhop.schemas.settings import Limits
from bellhop.schemas.settings.fields import HTTP, SECRET, number, whole
from bellhop.schemas.settings.sections import AccountKind, AccountSection, with_limits
from bellhop.vendors.simplybook.rules import check_booking

LIMITS: Final = Limits(5.0, 2, 5000)
"""5 requests a second, 2 at once, 5,000 a day, as others report."""


@dataclass(frozen=True, slots=True)
class SimplybookAccount:
    """confirm: whether to call confirmBooking where the answer to `book` requires it (needs `secret_key`).

    batch: book the services of one booking as one batch (createBatch), confirmed together.
    discover: ask getServiceUrl, at `base_url`, where the company's API is.
    """

    name: str
    base_url: str
    company: str
    api_key: str = field(repr=False)
    secret_key: str = field(repr=False)
    confirm: bool
    connect_seconds: float
    read_seconds: float
    kind: str = "simplybook"
    batch: bool = False
    discover: bool = False
    limits: Limits = LIMITS
    system: ClassVar[str] = ""
    pulls: ClassVar[Mapping[str, str]] = {}
    shares_token: ClassVar[bool] = True

    @property
    def secrets(self) -> tuple[str, ...]:
        return self.api_key, self.secret_key


class _Section(AccountSection):
    kind = fields.String(required=True, validate=validate.Equal("simplybook"))
    base_url = fields.String(load_default="https://user-api.simplybook.me", validate=HTTP)
    company = fields.String(required=True, validate=SECRET)
    api_key = fields.String(required=True, validate=SECRET)
    secret_key = fields.String(load_default="")
    confirm = fields.Boolean(load_default=True)
    batch = fields.Boolean(load_default=False)
    discover = fields.Boolean(load_default=False)
    # "Limits: 5 requests/s, 2 at once, 5,000 a day", as others report.
    limit_per_second = number(5.0)
    limit_at_once = whole(2)
    limit_per_day = whole(5000)

    @post_load
    def _make(self, data: dict[str, Any], **kwargs: Any) -> Any:
        return with_limits(data)

    @validates_schema(skip_on_field_errors=True)
    def _signs(self, data: Mapping[str, Any], **kwargs: Any) -> None:
        if not data["secret_key"]:
            raise ValidationError({"secret_key": ["is required: it signs confirmBooking and cancelBooking"]})


ACCOUNT: Final = AccountKind(_Section(), SimplybookAccount, check_booking)
