"""What the pretended Peoplevine accounts hold when they start. Every name, id and key is invented or the document's
own (`peoplevine-bookings`)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

_LONDON: Final = ZoneInfo("Europe/London")
_ANNS_MEMBER: Final = "3125141"
"""The document's member: known to every account, as one person is."""


@dataclass(frozen=True, slots=True)
class Treatment:
    """A service (a product)."""

    id: str
    name: str
    minutes: int
    price: float
    description: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """A location or a guest type: an entry of `metadata`."""

    id: str
    name: str
    description: str | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """what: "profiles" or "reservations" that were created or updated behind Peoplevine. at: aware."""

    what: str
    id: str
    at: datetime


def _changes(profiles: int, reservations: int) -> tuple[Change, ...]:
    at = datetime(2022, 8, 1, 9, 0, tzinfo=UTC)
    return (
        *(Change("profiles", f"P{number}", at) for number in range(1, profiles + 1)),
        *(Change("reservations", f"R{number}", at) for number in range(1, reservations + 1)),
    )


@dataclass(frozen=True, slots=True)
class PeoplevineSeed:
    """One account. Offers start every `step_minutes`, round the clock, up to `days_ahead`.

    system: what stands behind it: "b4t", "7rooms", "tripleseat", or "" for no system in particular. Every second
    technician takes `cheaper` less than a treatment's price.
    """

    auth_id: str = "sandbox"
    company: str = "4711"
    user: str = "bellhop"
    password: str = "sandbox-password"  # noqa: S105  # invented, and shown in the documentation
    system: str = ""
    zone: ZoneInfo = _LONDON
    members: frozenset[str] = frozenset({_ANNS_MEMBER, *map(str, range(1000, 2000))})
    treatments: tuple[Treatment, ...] = (
        Treatment("24422569", "Signature Massage 60min", 60, 100),
        Treatment("72447421", "Express Facial 30min", 30, 100),
        Treatment("72447231", "Foot Ritual 30min", 30, 85),
        Treatment(
            "72446947",
            "Baia Waters Massage 60min",
            60,
            150,
            "Providing the revitalizing benefits of seawater, our signature lymphatic massage is performed using a "
            "soothing elixir to eliminate tension for a relaxed body or a cleansing elixir designed to increase "
            "circulation for improved drainage.",
        ),
        Treatment(
            "72447553",
            "Hot and Cold Massage 90 Min",
            90,
            210,
            "This contrast therapy uses heated marine stone compress complemented by cooling gels for alleviating "
            "stress and easing aching muscles.",
        ),
        Treatment("7", "Quick treatment", 15, 40),  # short and plentiful: for load
    )
    technicians: tuple[str, ...] = ("17138931", "58458149", "72521939", *map(str, range(100, 164)))
    facilities: tuple[str, ...] = ("24422054", "46384654")
    locations: tuple[Place, ...] = (
        Place("16176174", "Biana Activity Paradise", ""),
        Place("14765817", "Biana Spa", "Great place to relax!"),
    )
    guest_types: tuple[Place, ...] = (
        Place("16001176", "VIP"),
        Place("16583119", "Resident"),
        Place("4275426", "Partner"),
        Place("17057748", "Owner"),
        Place("4406559", "Local Guest"),
        Place("4255968", "Hotel Guest"),
        Place("4255969", "Employee"),
    )
    changes: tuple[Change, ...] = _changes(4, 5)
    step_minutes: int = 15
    days_ahead: int = 731
    cheaper: float = 15


BOOK4TIME: Final = PeoplevineSeed(
    auth_id="sandbox-book4time",
    company="4712",
    system="b4t",
    members=frozenset({_ANNS_MEMBER, *map(str, range(2000, 3000))}),
    treatments=(Treatment("5101", "Aroma Massage 60min", 60, 120), Treatment("5102", "Manicure 45min", 45, 55)),
    technicians=tuple(map(str, range(5201, 5209))),
    facilities=("5301", "5302"),
    locations=(Place("5401", "Thermal Spa", "By the river"),),
    guest_types=(Place("5501", "Hotel Guest"), Place("5502", "Day Guest")),
    changes=_changes(2, 12),
)
SEVENROOMS: Final = PeoplevineSeed(
    auth_id="sandbox-sevenrooms",
    company="4713",
    system="7rooms",
    members=frozenset({_ANNS_MEMBER, *map(str, range(3000, 4000))}),
    treatments=(Treatment("6101", "Dinner 120min", 120, 30), Treatment("6102", "Breakfast 60min", 60, 20)),
    technicians=tuple(map(str, range(6201, 6213))),  # tables
    facilities=("6301",),
    locations=(Place("6401", "Roof Restaurant", ""), Place("6402", "Bar", "")),
    guest_types=(Place("6501", "VIP"), Place("6502", "Regular")),
    changes=_changes(3, 3),
)
TRIPLESEAT: Final = PeoplevineSeed(
    auth_id="sandbox-tripleseat",
    company="4714",
    system="tripleseat",
    members=frozenset({_ANNS_MEMBER, *map(str, range(4000, 5000))}),
    treatments=(Treatment("7101", "Private Dining 240min", 240, 900), Treatment("7102", "Meeting 120min", 120, 300)),
    technicians=tuple(map(str, range(7201, 7205))),  # event managers
    facilities=("7301", "7302"),
    locations=(Place("7401", "Ballroom", "Up to 200 guests"), Place("7402", "Library", "")),
    guest_types=(Place("7501", "Corporate"), Place("7502", "Private")),
    changes=_changes(1, 2),
)


@dataclass(frozen=True, slots=True)
class PeoplevineSeeds:
    """first: the account that is meant where none is named. behind: the accounts with a system behind them."""

    first: PeoplevineSeed = field(default_factory=PeoplevineSeed)
    behind: tuple[PeoplevineSeed, ...] = (BOOK4TIME, SEVENROOMS, TRIPLESEAT)
