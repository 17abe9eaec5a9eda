"""Sample events for the demo and `bellhop send`: they fit the sandbox's vendors as those are seeded."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

from bellhop.schemas.clock import utc_now
from bellhop.schemas.events import VenueFacts
from bellhop.schemas.settings import Settings, SourceSettings
from bellhop.vendors.registry import BY_KIND, VENDORS, vendor_of
from bellhop.vendors.vendor import Vendor

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


def member(member_id: int) -> dict[str, Any]:
    """The data of a member event."""
    return {"member_id": member_id, "attributes": {"newsletter": True}}


def member_vendor(settings: Settings, source: SourceSettings) -> Vendor[Any]:
    """Whose members the source tells of; where of nobody's, any vendor's."""
    account = settings.accounts.get(source.member_account)
    return vendor_of(account) if account else next((vendor for vendor in VENDORS if vendor.members), VENDORS[0])


def booking(reference: str, venue: VenueFacts, slots: Slots) -> dict[str, Any]:
    """The data of a booking requested or changed, on the next free slot."""
    return {"booking_id": reference, "venue": venue.name, **BY_KIND[venue.kind].demo().booking(*slots.next())}


def cancellation(reference: str, venue: VenueFacts) -> dict[str, Any]:
    """The data of a booking cancelled."""
    return {"booking_id": reference, "venue": venue.name}
