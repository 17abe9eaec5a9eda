"""What the pretended SimplyBook.me company holds when it starts. Every name, id and key is invented or the
document's own (`simplybook-public-service-methods`)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, time
from typing import Final
from zoneinfo import ZoneInfo

_LONDON: Final = ZoneInfo("Europe/London")
_ROUND_THE_CLOCK: Final = ((0, 24 * 60),)
_WITH_A_BREAK: Final = ((9 * 60, 13 * 60), (14 * 60, 19 * 60))


@dataclass(frozen=True, slots=True)
class IntakeField:
    """A field of a service's intake form. values: what a select offers, as the vendor joins them."""

    id: int
    name: str
    title: str
    type: str
    mandatory: bool = False
    values: str | None = None


@dataclass(frozen=True, slots=True)
class Service:
    """A service ("event"). One with `repeats` > 1 is recurring: that many bookings, `every_days`."""

    id: str
    name: str
    minutes: int
    price: str = "50.0000"
    repeats: int = 1
    every_days: int = 7
    categories: tuple[str, ...] = ("1",)
    public: bool = True
    picture: str | None = None
    fields: tuple[IntakeField, ...] = ()


@dataclass(frozen=True, slots=True)
class Unit:
    """A service provider; performs every service, `qty` bookings at a time.

    hours: when it works, in minutes from midnight; what is between them is a break. days_off: weekdays, Monday is 0.
    """

    id: str
    name: str
    qty: int = 1
    hours: tuple[tuple[int, int], ...] = _ROUND_THE_CLOCK
    days_off: frozenset[int] = frozenset()
    public: bool = True


@dataclass(frozen=True, slots=True)
class Category:
    id: str
    name: str
    public: bool = True


@dataclass(frozen=True, slots=True)
class Location:
    id: str
    title: str
    units: tuple[str, ...]
    public: bool = True


@dataclass(frozen=True, slots=True)
class Promotion:
    """starts and expires: when the code may be used. from_… and to_…: what it may be used for. used: how often it was
    before we came. uses: 0 is without limit."""

    id: str
    common_id: str
    code: str
    discount: str
    starts: date
    expires: date
    services: tuple[str, ...]
    from_date: date
    to_date: date
    from_time: time = time(0, 0)
    to_time: time = time(23, 59, 59)
    uses: int = 20
    uses_each: int = 0
    used: int = 0


def _promotion(
    number: int,
    code: str,
    *,
    starts: date = date(2015, 12, 23),
    expires: date = date(2099, 1, 23),
    services: tuple[str, ...] = ("1", "2", "7", "12"),
    from_time: time = time(0, 0),
    to_time: time = time(23, 59, 59),
    uses_each: int = 0,
    used: int = 0,
) -> Promotion:
    return Promotion(
        id=str(number),
        common_id=str(131 + number),
        code=code,
        discount="10.0000",
        starts=starts,
        expires=expires,
        services=services,
        from_date=starts,
        to_date=expires,
        from_time=from_time,
        to_time=to_time,
        uses=20 if used else 0,
        uses_each=uses_each,
        used=used,
    )


_DOCUMENTS_PROMOTION: Final = Promotion(
    id="1",
    common_id="132",
    code="yvuvugum",
    discount="99.9999",
    starts=date(2015, 12, 23),
    expires=date(2016, 1, 23),
    services=("1",),
    from_date=date(2015, 12, 23),
    to_date=date(2015, 12, 31),
    from_time=time(9, 0),
    to_time=time(22, 30),
    uses_each=1,
)

_INTAKE: Final = (
    IntakeField(9, "81853bf002e30056f6189432c77d98a5", "select", "select", True, "one, two, three, four, five"),
    IntakeField(10, "3b0f6dd3e9b1c2a4d5e6f70819a2b3c4", "checkbox", "checkbox"),
    IntakeField(11, "5d41402abc4b2a76b9719d911017c592", "digits", "digits", True),
    IntakeField(12, "7d793037a0760186574b0282f2f435e7", "text", "text"),
    IntakeField(13, "9e107d9d372bb6826bd81d3542a419d6", "textarea", "textarea"),
)


@dataclass(frozen=True, slots=True)
class SimplybookSeed:
    """One company. user and password: of its administrator. timeframe: minutes between starts.

    require_fields is the company parameter of that name: "email", "phone", "email_phone" or "".
    """

    company: str = "sandbox"
    api_key: str = "sandbox-api-key"
    secret_key: str = "sandbox-secret-key"  # noqa: S105  # invented, and shown in the documentation
    user: str = "admin"
    password: str = "sandbox-password"  # noqa: S105  # as above
    zone: ZoneInfo = _LONDON
    timeframe: int = 15
    days_ahead: int = 731
    require_fields: str = "email"
    services: tuple[Service, ...] = (
        Service("1", "Consultation", 30, picture="a200edab10b669225e22d2b3803a38b5.jpg"),
        Service("2", "Massage", 60, "90.0000"),
        Service("7", "Quick treatment", 15, "25.0000"),
        Service("9", "Course of four", 30, "160.0000", repeats=4, categories=("2",)),
        Service("12", "Treatment with a form", 45, "70.0000", categories=("1", "2"), fields=_INTAKE),
        Service("13", "Staff training", 60, "0.0000", categories=("3",), public=False),
    )
    units: tuple[Unit, ...] = (
        *(Unit(str(number), f"Provider {number}") for number in range(1, 65)),
        Unit("65", "Studio", qty=5),
        Unit("66", "Provider 66", hours=_WITH_A_BREAK),
        Unit("67", "Provider 67", hours=_WITH_A_BREAK),
    )
    categories: tuple[Category, ...] = (
        Category("1", "Treatments"),
        Category("2", "Courses"),
        Category("3", "Staff only", public=False),
    )
    locations: tuple[Location, ...] = (
        Location("1", "location 1", ("1", "3", "4", "5")),
        Location("2", "location 2", ("66", "67")),
        Location("3", "store room", ("64",), public=False),
    )
    promotions: tuple[Promotion, ...] = (
        _DOCUMENTS_PROMOTION,
        _promotion(2, "WELCOME"),
        _promotion(3, "TOOSOON", starts=date(2098, 1, 1)),
        _promotion(4, "USEDUP", used=20),
        _promotion(5, "ONLYMASSAGE", services=("2",)),
        _promotion(6, "ONCEEACH", uses_each=1),
        _promotion(7, "MORNINGS", from_time=time(9, 0), to_time=time(12, 0)),
    )
    payment_processors: tuple[str, ...] = ("paypal", "stripe", "delay")
