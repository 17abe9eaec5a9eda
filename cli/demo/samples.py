"""Sample events for the demo and `bellhop send`: they fit the sandbox's vendors as those are seeded."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

from bellhop.schemas.clock import utc_now
from bellhop.schemas.events import VenueFacts

MEMBER: Final = 3125141
UNKNOWN_MEMBER: Final = 9999999
"""Peoplevine's sandbox has no such member: it rejects what is asked for it."""

_PROVIDERS: Final = 64
_HOURS: Final = range(9, 18)  # clear of the hours at which clocks change
_DAYS: Final = range(2, 90)
_SLOTS: Final = _PROVIDERS * len(_HOURS) * len(_DAYS)


class Slots:
    """Slots that no other sample of this run has, and hardly any of another: an hour each, from the day after tomorrow
    on, spread over the providers."""

    def __init__(self, now: Callable[[], datetime] = utc_now, chance: random.Random | None = None) -> None:
        self._today = now()
        self._next = (chance or random.Random()).randrange(_SLOTS)  # noqa: S311  # nothing secret about a slot

    def next(self) -> tuple[datetime, int]:
        """The start, venue-local, and the number of the provider, 0 to 63."""
        number, self._next = self._next, (self._next + 1) % _SLOTS
        hours, provider = divmod(number, _PROVIDERS)
        days, hour = divmod(hours, len(_HOURS))
        midnight = self._today.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
        return midnight + timedelta(days=_DAYS[days], hours=_HOURS[hour]), provider


def member(member_id: int = MEMBER) -> dict[str, Any]:
    """The data of a member event."""
    return {"member_id": member_id, "attributes": {"newsletter": True}}


def booking(reference: str, venue: VenueFacts, slots: Slots) -> dict[str, Any]:
    """The data of a booking requested or changed, on the next free slot."""
    start, provider = slots.next()
    common = {"booking_id": reference, "venue": venue.name}
    if venue.kind == "peoplevine":
        service = {
            "service_id": "24422569",
            "provider_id": str(100 + provider),
            "facility_id": "24422054",
            "start": start.isoformat(),
            "end": (start + timedelta(hours=1)).isoformat(),
            "price": 100.0,
        }
        return {**common, "member_id": MEMBER, "notes": "a sample", "services": [service]}
    client = {"name": "Sample Guest", "email": "guest@example.com", "phone": "+442071234567"}
    service = {"service_id": "1", "provider_id": str(1 + provider), "start": start.isoformat()}
    return {**common, "client": client, "services": [service]}


def cancellation(reference: str, venue: VenueFacts) -> dict[str, Any]:
    """The data of a booking cancelled."""
    return {"booking_id": reference, "venue": venue.name}
