"""Times as upstreams write them beside ISO 8601, seconds, milliseconds or microseconds since 1970; and as people read
them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, tzinfo
from typing import Any, Final

_EPOCH: Final = re.compile(r"[1-9](?:\d{8,9}|\d{12}|\d{15})(?:\.\d{1,9})?", re.ASCII)
"""As many digits as such times have from 1973 on: of 8, 12 or 14 a date is more likely (20261127, 20261127103000)."""
_ZONE: Final = re.compile(r"(?<=\d) (UTC|GMT|Z|[+-]\d\d:?\d\d)$", re.ASCII)
"""A zone that stands apart: 2026-11-27 10:00:00 UTC."""
_SECONDS: Final = 10**11
"""From here on (the year 5138) it is milliseconds; a thousand times later, microseconds."""


def read_epoch(value: object) -> datetime | None:
    """The moment that a number, or a text of digits alone, counts from 1970, UTC; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    text = value.strip() if isinstance(value, str) else repr(value)
    if not _EPOCH.fullmatch(text):
        return None
    count = float(text)
    while count >= _SECONDS:
        count /= 1000
    return datetime.fromtimestamp(round(count, 6), UTC)


def iso_of(value: Any) -> Any:
    """ISO 8601 where it counts from 1970, or is written as Ruby writes times; else the value as it is."""
    moment = read_epoch(value)
    if moment is not None:
        return moment.isoformat()
    if not isinstance(value, str):
        return value
    text = value.strip()
    return _ZONE.sub(lambda zone: "Z" if zone[1] in ("UTC", "GMT", "Z") else zone[1], text)


def local_text(moment: datetime, zone: tzinfo | None, day: str = "%d %b") -> str:
    """A time where it happens, beside UTC: `28 Nov 10:15 EST (15:15 UTC)`. Without a zone it is UTC's alone; where
    the zone's clock is UTC's, as London's in winter, it is told once. day: as strftime has it."""
    utc = moment.astimezone(UTC)
    if zone is None:
        return utc.strftime(f"{day} %H:%M UTC")
    local = moment.astimezone(zone)
    if not local.utcoffset():
        return local.strftime(f"{day} %H:%M %Z")
    beside = utc.strftime("%H:%M UTC" if local.date() == utc.date() else f"{day} %H:%M UTC")
    return f"{local.strftime(f'{day} %H:%M %Z')} ({beside})"
