"""What any vendor's account has; its own keys stand in `vendors/<name>/settings.py`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol
from zoneinfo import ZoneInfo

from bellhop.schemas.events import CheckBooking
from bellhop.schemas.settings.fields import Duration, Zone, choice, number, string, whole_number
from bellhop.schemas.settings.keys import Section, group, key, settings_section

LATE_SECONDS: Final = 120.0
"""Of `late_after`: four times our own read time-out, and above the 100 s after which usual fronts give a call up."""


@settings_section
class Limits(Section):
    """What a vendor allows one account, all workers together; 0 is no limit. A day is UTC's."""

    per_second: float = key(
        number(0, 100_000),
        """What the vendor allows the account, all workers on all hosts together; 0 is no limit. Calls are spaced to
        keep the first. A day is UTC's; its last fifth is kept for bookings, so member updates, pulls and callbacks
        wait before they do.""",
        default=0.0,
        rank=1,
    )
    at_once: int = key(whole_number(0, 100_000_000), "", default=0, rank=1)
    per_day: int = key(whole_number(0, 100_000_000), "", default=0, rank=1)


class Account(Protocol):
    """What is asked of any vendor's account; each vendor's own has its own keys beside these.

    kind: the vendor's, as `vendors/registry.py` has it. system: what stands behind the vendor, "" where nobody said or
    nothing does. pulls: a cron expression (in UTC) for each thing that is pulled. shares_token: whether its
    workers share a session's token. secrets: what no log, error or screen may show.
    """

    @property
    def name(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def base_url(self) -> str: ...
    @property
    def connect_seconds(self) -> float: ...
    @property
    def read_seconds(self) -> float: ...
    @property
    def late_after(self) -> float: ...
    @property
    def limits(self) -> Limits: ...
    @property
    def system(self) -> str: ...
    @property
    def pulls(self) -> Mapping[str, str]: ...
    @property
    def shares_token(self) -> bool: ...
    @property
    def secrets(self) -> tuple[str, ...]: ...


@dataclass(frozen=True, slots=True)
class AccountKind:
    """A vendor's kind of account. section: its keys, and what becomes of them. title: the vendor, as people know it.
    check_booking: what its bookings must have beyond the contract.

    takes_members, takes_pulls: whether member events, and wishes to pull, can go to its accounts. posts_callbacks: the
    vendor posts webhooks of its own, and a source's `format` may be the kind. These three are as the vendor's row has
    them.
    example_name, example_venue: what the example calls an account and a venue of it.
    """

    section: type[Any]
    title: str
    check_booking: CheckBooking
    takes_members: bool = False
    takes_pulls: bool = False
    posts_callbacks: bool = False
    example_name: str = ""
    example_venue: str = ""


# What each vendor's section has, beside its own keys:


def kind(name: str) -> str:
    return key(choice(name), "", default=name, required=True, example=name, rank=-1)


def connect_timeout(default: float = 5.0) -> float:
    return key(Duration(minimum=0.05), "", name="connect_timeout", default=default, rank=1)


def read_timeout(default: float = 30.0) -> float:
    return key(Duration(minimum=0.05), "", name="read_timeout", default=default, rank=1)


def late_after() -> float:
    return key(
        Duration(),
        """So long after it was made a call without an answer may still be carried out: a slot that is free before then
        proves nothing, and the booking is not made again. Well above the vendor's own limit for a call.""",
        default=LATE_SECONDS,
        rank=1,
    )


def limits(default: Limits) -> Limits:
    return group("limit_", default=default)


@settings_section
class VenueSettings(Section):
    """Places that take bookings: what a booking's `venue` says."""

    account: str = key(string(), "")
    zone: ZoneInfo = key(Zone(), "Times without a zone are this one's.", name="timezone", example="Europe/London")
