"""How the ledger's records are told as JSON: the same dictionaries to the console's templates, by the API and by the
command line, here or with --server. What names a guest is masked by `letters.masking`; secrets, each of the three
takes out of what it is given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from zoneinfo import ZoneInfo

from bellhop.schemas.events import VenueFacts

JsonObject = dict[str, Any]

NO_VENUES: Final[Mapping[str, VenueFacts]] = {}


def venue_zone(venue: str, venues: Mapping[str, VenueFacts]) -> ZoneInfo | None:
    """The time zone that a venue lives by; None for one that the settings do not name."""
    return venues[venue].zone if venue in venues else None


def zone_name(venue: str, venues: Mapping[str, VenueFacts]) -> str | None:
    """Its name, such as Europe/London, as rows have it."""
    zone = venue_zone(venue, venues)
    return zone.key if zone else None
