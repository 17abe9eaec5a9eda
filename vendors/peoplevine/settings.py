"""Peoplevine's accounts: what the settings say of one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

from marshmallow import fields, post_load, validate

from bellhop.schemas.settings import Limits
from bellhop.schemas.settings.fields import HTTP, SECRET, Cron, Duration, Labels
from bellhop.schemas.settings.sections import AccountKind, AccountSection, with_limits
from bellhop.vendors.peoplevine.rules import check_booking

PULLS: Final = ("profiles", "reservations", "services")
"""What Peoplevine can be told to pull: `sync_profiles` and so on."""
_NONE: Final = Limits()
SYSTEMS: Final = ("sevenrooms", "book4time", "tripleseat")


@dataclass(frozen=True, slots=True)
class PeoplevineAccount:
    """region is the vendor's `host` parameter: "1" (default) or "2" (UK); "" leaves it out.

    slots_hold_one: an offer's technician serves one booking at a time, so that a slot still offered proves that a
    call in doubt made no booking. Unless the club says so, every call in doubt goes to a person.
    system: what stands behind Peoplevine: "sevenrooms", "book4time", "tripleseat", "" where nobody said.
    attributes: SevenRooms' custom attribute labels, beside its ten default ones.
    pulls: a cron expression (in UTC) for each of `PULLS` that is pulled. pull_back_seconds: how far before now the
    first pull reaches. from_format: strftime's, for the vendor's `from`.
    """

    name: str
    base_url: str
    auth_id: str = field(repr=False)
    company: str = field(repr=False)
    user: str = field(repr=False)
    password: str = field(repr=False)
    region: str
    slots_hold_one: bool
    connect_seconds: float
    read_seconds: float
    kind: str = "peoplevine"
    system: str = ""
    attributes: tuple[str, ...] = ()
    pulls: Mapping[str, str] = field(default_factory=dict)
    pull_back_seconds: float = 86400.0
    from_format: str = "%Y-%m-%dT%H:%M:%SZ"
    limits: Limits = _NONE
    shares_token: ClassVar[bool] = False

    @property
    def secrets(self) -> tuple[str, ...]:
        return self.auth_id, self.user, self.password


class _Section(AccountSection):
    kind = fields.String(required=True, validate=validate.Equal("peoplevine"))
    base_url = fields.String(load_default="https://connect.peoplevine.com", validate=HTTP)
    auth_id = fields.String(required=True, validate=SECRET)
    company = fields.String(required=True, validate=SECRET)
    user = fields.String(required=True, validate=SECRET)
    password = fields.String(required=True, validate=SECRET)
    region = fields.String(load_default="", validate=validate.OneOf(("", "1", "2")))
    slots_hold_one = fields.Boolean(load_default=False)
    system = fields.String(load_default="", validate=validate.OneOf(("", *SYSTEMS)))
    attributes = Labels(load_default=())
    pull_profiles = Cron(load_default="")
    pull_reservations = Cron(load_default="")
    pull_services = Cron(load_default="")
    pull_back_seconds = Duration(data_key="pull_back", minimum=60, load_default=86400.0)
    from_format = fields.String(load_default="%Y-%m-%dT%H:%M:%SZ", validate=validate.Length(min=2))

    @post_load
    def _make(self, data: dict[str, Any], **kwargs: Any) -> Any:
        crons = {what: data.pop(f"pull_{what}") for what in PULLS}
        return with_limits({**data, "pulls": {what: cron for what, cron in crons.items() if cron}})


ACCOUNT: Final = AccountKind(_Section(), PeoplevineAccount, check_booking)
