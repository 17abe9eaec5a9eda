"""Times as people ask for them: `02:10`, `2h`, `2026-11-28T02:10`, each with a zone behind it or without."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Final
from zoneinfo import ZoneInfo

from bellhop.schemas.patterns import END

HOW: Final = "02:10 (the last time it was), an ISO 8601 time, or how long ago: 30m, 2h, 3d"
RULES: Final = "UTC, unless a zone stands behind it: 02:10 Europe/London, 02:10+01:00"
_HOUR: Final = "(?:[01][0-9]|2[0-3])"
CLOCK: Final = f"^{_HOUR}:[0-5][0-9](?::[0-5][0-9])?(?:Z|[+-]{_HOUR}:[0-5][0-9])?{END}"
SPAN: Final = f"^[1-9][0-9]{{0,4}}[smhd]{END}"

_SPAN: Final = re.compile(r"(\d{1,6}(?:\.\d{1,3})?)([smhd])")
_CLOCK: Final = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}))?")
_OFFSET: Final = re.compile(r"(?P<moment>.*?\d) ?(?P<sign>[+-])(?P<hours>\d{2}):?(?P<minutes>\d{2})")
_NAMED: Final = re.compile(r"(?P<moment>\S.*?)(?: (?P<name>[A-Za-z][\w+/-]*)|(?<=\d)(?P<utc>[Zz]))")
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def read_time(text: str, now: datetime, *, ahead: bool = False) -> datetime:
    """The moment, aware UTC. A time of day is the last one that is over, or with `ahead` the next to come; a span goes
    back from now, or ahead. Without a zone it is UTC's. Where clocks show an hour twice it is the first; one that they
    leave out counts as they stood before. Raises ValueError for what is no time, or of no zone."""
    text = text.strip()
    sign = 1 if ahead else -1
    if span := _SPAN.fullmatch(text):
        return _shift(now, sign * timedelta(seconds=float(span[1]) * _SECONDS[span[2]]))
    text, zone = _split_zone(text)
    if clock := _CLOCK.fullmatch(text):
        hour, minute, second = (int(part or 0) for part in clock.groups())
        here = now.astimezone(zone)
        for days in (0, sign, 2 * sign):
            day = (here.replace(tzinfo=None) + timedelta(days=days)).date()
            moment = datetime(day.year, day.month, day.day, hour, minute, second, tzinfo=zone).astimezone(UTC)
            if (moment > now) is ahead:
                return moment
    return _read_date(text, zone)


def _read_date(text: str, zone: tzinfo) -> datetime:
    if not re.match(r"\d{4}-?\d{2}-?\d{2}", text):
        raise ValueError(text)
    moment = datetime.fromisoformat(text)
    try:
        return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
    except OverflowError as error:
        raise ValueError(text) from error


def _split_zone(text: str) -> tuple[str, tzinfo]:
    """The time without its zone, and the zone. Raises ValueError."""
    if ":" in text and (found := _OFFSET.fullmatch(text)):
        away = timedelta(hours=int(found["hours"]), minutes=int(found["minutes"]))
        if away >= timedelta(days=1):
            raise ValueError(text)
        return found["moment"], timezone(away if found["sign"] == "+" else -away)
    found = _NAMED.fullmatch(text)
    if found is None:
        return text, UTC
    if found["utc"] or found["name"].upper() in ("UTC", "Z", "GMT"):
        return found["moment"], UTC
    try:
        return found["moment"], ZoneInfo(found["name"])
    except (OSError, KeyError) as error:  # KeyError: ZoneInfoNotFoundError
        raise ValueError(f"no time zone {found['name']}") from error


def _shift(now: datetime, span: timedelta) -> datetime:
    try:
        return now + span
    except OverflowError as error:
        raise ValueError("too far from now") from error
