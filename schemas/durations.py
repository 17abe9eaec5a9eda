"""How long something lasts, as upstreams write it: minutes, `90 min`, `1h 30m`, `01:30`, `PT1H30M`."""

from __future__ import annotations

import math
import re
from datetime import timedelta
from typing import Final

LONGEST: Final = timedelta(days=7)
_NUMBER: Final = r"\d{1,7}(?:[.,]\d{1,6})?"
_UNITS: Final = {
    "days": rf"({_NUMBER})\s*(?:d|days?)",
    "hours": rf"({_NUMBER})\s*(?:h|hrs?|hours?)",
    "minutes": rf"({_NUMBER})\s*(?:m|mins?|minutes?)",
    "seconds": rf"({_NUMBER})\s*(?:s|secs?|seconds?)",
}
_WORDS: Final = re.compile(r"\s*(?:and|,)?\s*".join(rf"(?:{unit}\.?)?" for unit in _UNITS.values()), re.ASCII)
_HOURS_AND: Final = re.compile(r"(\d{1,3})\s*h(?:rs?|ours?)?\s*([0-5]?\d)", re.ASCII)
_ISO: Final = re.compile(
    rf"P(?:({_NUMBER})D)?(?:T(?:({_NUMBER})H)?(?:({_NUMBER})M)?(?:({_NUMBER})S)?)?", re.ASCII | re.IGNORECASE
)
_CLOCK: Final = re.compile(r"(\d{1,2}):([0-5]\d)(?::([0-5]\d))?", re.ASCII)
_BARE: Final = re.compile(_NUMBER, re.ASCII)


def read_duration(value: object) -> timedelta | None:
    """The duration, up to seven days; None where it is none, or not legible. A bare number is of minutes, `01:30` of
    hours and minutes."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        made = _read_text(value.strip().lower()) if isinstance(value, str) else timedelta(minutes=value)
    except (OverflowError, ValueError):
        return None
    return made if made is not None and timedelta() < made <= LONGEST else None


def _read_text(text: str) -> timedelta | None:
    if _BARE.fullmatch(text):
        return timedelta(minutes=_number(text))
    if clock := _CLOCK.fullmatch(text):
        hours, minutes, seconds = (int(part or 0) for part in clock.groups())
        return timedelta(hours=hours, minutes=minutes, seconds=seconds) if hours < 24 else None
    if half := _HOURS_AND.fullmatch(text):
        return timedelta(hours=int(half[1]), minutes=int(half[2]))
    found = _ISO.fullmatch(text.upper()) or _WORDS.fullmatch(text)
    if found is None:
        return None
    days, hours_, minutes_, seconds_ = (_number(part or "0") for part in found.groups())
    return timedelta(days=days, hours=hours_, minutes=minutes_, seconds=seconds_)


def _number(text: str) -> float:
    made = float(text.replace(",", "."))
    return made if math.isfinite(made) else 0.0
