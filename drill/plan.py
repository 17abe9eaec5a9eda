"""What an upstream sends in a drill: bookings of every shape, changes, cancels, members, and the same again. Decided by
the seed alone; no I/O, no clock."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Any, Final
from zoneinfo import ZoneInfo

ZONE: Final = ZoneInfo("Europe/London")
AGAIN: Final = "-again"
"""Ends the id under which a fact is sent a second time, with the stamp of the first."""
_QUARTER: Final = timedelta(minutes=15)
_SPAN: Final = timedelta(days=60)
_GAP: Final[Sequence[int]] = (*range(1, 8), 15, 30, 60)
"""So many posts later comes what follows a booking."""


@dataclass(frozen=True, slots=True)
class Webhook:
    """One to send. seconds: how far its stamp is from the time of sending, as hosts' clocks differ."""

    id: str
    type: str
    reference: str
    data: Mapping[str, Any] = field(repr=False)
    slots: tuple[str, ...]
    seconds: float = 0.0


def first_day(today: date) -> date:
    """From this day on, well ahead, no clock in the venues' zone is changed for two months."""
    day = today + timedelta(days=30)
    while _offset(day) != _offset(day + _SPAN):
        day += timedelta(days=1)
    return day


def _offset(day: date) -> timedelta | None:
    return datetime.combine(day, time(12), ZONE).utcoffset()


def slot_name(venue: str, service: object, provider: object, start: object) -> str:
    """start: venue-local, ISO 8601, with seconds."""
    return f"{venue}/{service}/{provider}/{start}"


def plan(seed: int, count: int, day: date, prefix: str) -> list[Webhook]:
    """`count` webhooks of different ids, in the order of sending. prefix: of every id and reference."""
    return _Planner(seed, day, prefix).plan(count)


class _Planner:
    def __init__(self, seed: int, day: date, prefix: str) -> None:
        self._random = Random(seed)  # noqa: S311  # a drill's choices are to be repeated, not kept secret
        self._day = day
        self._prefix = prefix
        self._number = 0
        self._taken = 0
        self._later: dict[int, list[Webhook]] = {}

    def plan(self, count: int) -> list[Webhook]:
        made: list[Webhook] = []
        turn = 0
        while len(made) < count:
            made += self._later.pop(turn, [])
            made += self._next(turn)
            turn += 1
        return made[:count]

    def _next(self, turn: int) -> Iterator[Webhook]:
        chance = self._random.random()
        if chance < 0.06:
            yield self._member()
            return
        first = self._booking("spa" if chance < 0.4 else "salon")
        yield first
        if first.data["venue"] == "salon" and chance > 0.65:  # Peoplevine's API can neither change nor cancel
            self._follow(turn, first)
        if 0.5 < chance < 0.55:  # the same fact under another id, as a broken upstream sends it
            self._put_off(turn, replace(first, id=first.id + AGAIN))

    def _follow(self, turn: int, first: Webhook) -> None:
        last = turn
        if self._random.random() < 0.6:
            changed = self._booking("salon", like=first)
            last = self._put_off(turn, replace(changed, type="booking.changed", reference=first.reference))
        if self._random.random() < 0.6:
            data = {"booking_id": first.reference, "venue": "salon"}
            self._put_off(last, Webhook(self._id(), "booking.cancelled", first.reference, data, ()))

    def _put_off(self, turn: int, webhook: Webhook) -> int:
        later = turn + self._random.choice(_GAP)
        self._later.setdefault(later, []).append(webhook)
        return later

    def _member(self) -> Webhook:
        member = str(self._random.randrange(1000, 2000))
        return Webhook(self._id(), "member.updated", member, {"member_id": member}, ())

    def _booking(self, venue: str, like: Webhook | None = None) -> Webhook:
        """Of one service, two or three; like: whose reference and number of services it has."""
        id_ = self._id()
        reference = like.reference if like else id_
        count = len(like.slots) if like else self._random.choice((1, 1, 1, 2, 3))
        services = [self._service(venue) for _ in range(count)]
        slots = tuple(slot_name(venue, one["service_id"], one["provider_id"], one["start"]) for one in services)
        data: dict[str, Any] = {"booking_id": reference, "venue": venue, "services": services}
        if venue == "spa":
            data |= {"member_id": self._random.randrange(1000, 2000), "notes": f"for {reference}"}
        else:
            email = f"{reference}@example.test"
            data["client"] = {"name": "Ada Lee", "email": email, "phone": "+442071234567"}
        return Webhook(id_, "booking.requested", reference, data, slots)

    def _service(self, venue: str) -> dict[str, Any]:
        """In a quarter of an hour of its own, so that nothing else can hold its slot."""
        start = datetime.combine(self._day, time(0)) + self._taken * _QUARTER
        self._taken += 1
        if venue == "spa":
            end = (start + _QUARTER).isoformat()
            provider = str(self._random.randrange(100, 164))
            more = {"facility_id": "24422054", "end": end, "price": 100.0}
        else:
            # Unit 65 serves five at a time: there a second booking of one guest is not refused.
            provider, more = self._random.choice(("1", "2", "3", "65", "65", "65")), {}
        return {"service_id": "7", "provider_id": provider, "start": start.isoformat(), **more}

    def _id(self) -> str:
        self._number += 1
        return f"{self._prefix}-{self._number}"
