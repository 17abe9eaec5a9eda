"""The toy vendor's accounts, and the rules of its bookings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from bellhop.schemas.errors import FieldProblem
from bellhop.schemas.events import required_field
from bellhop.schemas.settings import Limits, accounts
from bellhop.schemas.settings.accounts import AccountKind
from bellhop.schemas.settings.fields import string, web
from bellhop.schemas.settings.keys import Section, key, secret_values, settings_section


@settings_section
class ToyAccount(Section):
    """One set of the toy vendor's credentials."""

    name: str
    base_url: str = key(web(), "", example="https://toys.example")
    password: str = key(string(1), "", name="key", secret=True)
    connect_seconds: float = accounts.connect_timeout()
    read_seconds: float = accounts.read_timeout()
    late_after: float = accounts.late_after()
    kind: str = accounts.kind("toy")
    limits: Limits = accounts.limits(Limits())
    system: ClassVar[str] = ""
    pulls: ClassVar[Mapping[str, str]] = {}
    shares_token: ClassVar[bool] = False

    @property
    def secrets(self) -> tuple[str, ...]:
        return secret_values(self)


def _check_booking(booking: Mapping[str, Any]) -> list[FieldProblem]:
    return [
        required_field(f"data.services.{index}.facility_id", "the shelf that the toy is on")
        for index, service in enumerate(booking["services"])
        if "facility_id" not in service
    ]


ACCOUNT: Final = AccountKind(ToyAccount, "Toys", _check_booking, example_name="nursery", example_venue="nursery")
