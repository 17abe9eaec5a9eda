"""Peoplevine's accounts: what the settings say of one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar, Final

from bellhop.schemas.settings import Limits, accounts
from bellhop.schemas.settings.accounts import AccountKind
from bellhop.schemas.settings.fields import Cron, Duration, Labels, boolean, choice, string, web
from bellhop.schemas.settings.keys import Section, group, key, secret_values, settings_section
from bellhop.vendors.peoplevine.rules import check_booking

PULLS: Final = ("profiles", "reservations", "services")
"""What Peoplevine can be told to pull: `sync_profiles` and so on."""
SYSTEMS: Final = ("sevenrooms", "book4time", "tripleseat")


@settings_section
class _Pulls(Section):
    profiles: str = key(
        Cron(),
        """When the account is pulled (sync_profiles and so on): cron expressions, in UTC. "": never, but for
        `bellhop pull`.""",
        default="",
    )
    reservations: str = key(Cron(), "", default="")
    services: str = key(Cron(), "", default="")

    def crons(self) -> Mapping[str, str]:
        """A cron expression for each of `PULLS` that is pulled."""
        return {what: cron for what in PULLS if (cron := getattr(self, what))}


@settings_section
class PeoplevineAccount(Section):
    """One set of Peoplevine's credentials."""

    name: str
    base_url: str = key(web(), "", left_out="https://connect.peoplevine.com")
    auth_id: str = key(string(1), "", secret=True)
    company: str = key(string(1), "", hidden=True)
    user: str = key(string(1), "", secret=True)
    password: str = key(string(1), "", secret=True)
    region: str = key(
        choice("", "1", "2"), """The vendor's `host` parameter: "1", "2" (UK) or "" to leave it out.""", default=""
    )
    slots_hold_one: bool = key(
        boolean(),
        """true only where an offer's technician serves one booking at a time. Then a slot that is still offered proves
        that a call in doubt booked nothing, and it is made again. Otherwise every call in doubt goes to a person.""",
        default=False,
    )
    connect_seconds: float = accounts.connect_timeout()
    read_seconds: float = accounts.read_timeout()
    late_after: float = accounts.late_after()
    kind: str = accounts.kind("peoplevine")
    system: str = key(
        choice("", *SYSTEMS),
        """What stands behind: "sevenrooms", "book4time", "tripleseat" or "". `bellhop doctor` then knows whose guide to
        quote, and with sevenrooms the labels of member attributes are checked.""",
        default="",
    )
    attributes: tuple[str, ...] = key(
        Labels(),
        "SevenRooms' attribute labels beyond its ten default ones, spelled as they are there: case counts.",
        default=(),
    )
    pulls: Mapping[str, str] = group("pull_", of=_Pulls, into=_Pulls.crons, default_factory=dict)
    pull_back_seconds: float = key(
        Duration(minimum=60),
        "How far before now the first pull reaches. Later ones begin where the last success ended.",
        name="pull_back",
        default=86400.0,
    )
    from_format: str = key(
        string(2), "How the vendor's `from` is written (strftime, in UTC).", default="%Y-%m-%dT%H:%M:%SZ"
    )
    limits: Limits = accounts.limits(Limits())
    shares_token: ClassVar[bool] = False

    def conflicts(self) -> Iterator[tuple[str, str]]:
        if self.attributes and self.system != "sevenrooms":
            yield "attributes", 'is for system = "sevenrooms"'

    @property
    def secrets(self) -> tuple[str, ...]:
        return secret_values(self)


ACCOUNT: Final = AccountKind(
    PeoplevineAccount, "Peoplevine", check_booking, example_name="club", example_venue="mayfair-spa"
)
