"""What the pretended vendors hold when they start. Every name, id and key here is invented or the documents' own."""

from __future__ import annotations

from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from sandbox.switches import Switches

LONDON = ZoneInfo("Europe/London")


@dataclass(frozen=True, slots=True)
class Treatment:
    """A Peoplevine service (a product)."""

    id: str
    name: str
    minutes: int
    price: float


@dataclass(frozen=True, slots=True)
class PeoplevineSeed:
    """One account. Offers start every `step_minutes`, round the clock, up to `days_ahead`."""

    auth_id: str = "sandbox"
    company: str = "4711"
    user: str = "bellhop"
    password: str = "sandbox-password"  # noqa: S105  # invented, and shown in the documentation
    zone: ZoneInfo = LONDON
    members: frozenset[str] = frozenset({"3125141", *map(str, range(1000, 2000))})
    treatments: tuple[Treatment, ...] = (
        Treatment("24422569", "Signature Massage 60min", 60, 100),
        Treatment("72447421", "Express Facial 30min", 30, 100),
        Treatment("72447231", "Foot Ritual 30min", 30, 85),
        Treatment("72446947", "Baia Waters Massage 60min", 60, 150),
        Treatment("72447553", "Hot and Cold Massage 90 Min", 90, 210),
        Treatment("7", "Quick treatment", 15, 40),  # short and plentiful: for load
    )
    technicians: tuple[str, ...] = ("17138931", "58458149", "72521939", *map(str, range(100, 164)))
    facilities: tuple[str, ...] = ("24422054", "46384654")
    step_minutes: int = 15
    days_ahead: int = 731


@dataclass(frozen=True, slots=True)
class Service:
    """A SimplyBook.me service ("event"). One with `repeats` > 1 is recurring: that many bookings, `every_days`."""

    id: str
    name: str
    minutes: int
    price: str = "50.0000"
    repeats: int = 1
    every_days: int = 7


@dataclass(frozen=True, slots=True)
class Unit:
    """A SimplyBook.me service provider; performs every service, `qty` bookings at a time."""

    id: str
    name: str
    qty: int = 1


@dataclass(frozen=True, slots=True)
class SimplybookSeed:
    """One company. timeframe: minutes between starts. opens and closes: minutes from midnight.

    require_fields is the company parameter of that name: "email", "phone", "email_phone" or "".
    """

    company: str = "sandbox"
    api_key: str = "sandbox-api-key"
    secret_key: str = "sandbox-secret-key"  # noqa: S105  # invented, and shown in the documentation
    zone: ZoneInfo = LONDON
    timeframe: int = 15
    opens: int = 0
    closes: int = 24 * 60
    days_ahead: int = 731
    require_fields: str = "email"
    services: tuple[Service, ...] = (
        Service("1", "Consultation", 30),
        Service("2", "Massage", 60, "90.0000"),
        Service("7", "Quick treatment", 15, "25.0000"),
        Service("9", "Course of four", 30, "160.0000", repeats=4),
    )
    units: tuple[Unit, ...] = (
        *(Unit(str(number), f"Provider {number}") for number in range(1, 65)),
        Unit("65", "Studio", qty=5),
    )
    plugins: frozenset[str] = frozenset({"api", "group_booking", "multiple_booking"})


@dataclass(frozen=True, slots=True)
class Seed:
    peoplevine: PeoplevineSeed = field(default_factory=PeoplevineSeed)
    simplybook: SimplybookSeed = field(default_factory=SimplybookSeed)
    switches: Switches = field(default_factory=Switches)
