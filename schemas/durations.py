"""How long something lasts, as upstreams write it: minutes, `90 min`, `1h 30m`, `01:30`, `PT1H30M`."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Final

from bellhop.schemas.patterns import END, WHITE, any_case

LONGEST: Final = timedelta(days=7)
LONGEST_MINUTES: Final = 7 * 24 * 60
SHORTEST_MINUTES: Final = 1e-6
_SPACE: Final = r"[\t-\r\u0020]*"
_NUMBER: Final = r"[0-9]{1,7}(?:[.,][0-9]{1,6})?"
_NAMES: Final = ("d|days?", "h|hrs?|hours?", "m|mins?|minutes?", "s|secs?|seconds?")
_UNITS: Final = [rf"(?:({_NUMBER}){_SPACE}(?:{any_case(names)})\.?)?" for names in _NAMES]
_WORDS: Final = f"{_SPACE}(?:{any_case('and')}|,)?{_SPACE}".join(_UNITS)
_HOURS_AND: Final = rf"([0-9]{{1,3}}){_SPACE}{any_case('h(?:rs?|ours?)?')}{_SPACE}([0-5]?[0-9])"
_ISO_TIME: Final = "".join(rf"(?:({_NUMBER}){any_case(unit)})?" for unit in "hms")
_ISO: Final = rf"[pP](?:({_NUMBER})[dD])?(?:[tT]{_ISO_TIME})?"
_CLOCK: Final = r"([01]?[0-9]|2[0-3]):([0-5][0-9])(?::([0-5][0-9]))?"
_FORMS: Final = (_NUMBER, _CLOCK, _HOURS_AND, _ISO, _WORDS)
PATTERN: Final = f"^(?=.*[1-9]){WHITE}*(?:{'|'.join(_FORMS)}){WHITE}*{END}"
"""Every text that has the form of a duration, and is longer than nothing."""
_BARE, _CLOCK_FORM, _HOURS_AND_FORM, *_LISTED = (re.compile(form) for form in _FORMS)
_DIGIT: Final = re.compile("[0-9]")


def read_duration(value: object) -> timedelta | None:
    """The duration, up to seven days; None where it is none, or not legible. A bare number is of minutes, `01:30` of
    hours and minutes."""
    made = _read(value)
    return made if made is not None and timedelta() < made <= LONGEST else None


def is_duration(value: object) -> bool:
    """Whether it has the form of one, however long that is."""
    return _read(value) is not None


def _read(value: object) -> timedelta | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    if isinstance(value, str):
        return _read_text(value.strip())
    return timedelta(minutes=value) if SHORTEST_MINUTES <= value <= LONGEST_MINUTES else None


def _read_text(text: str) -> timedelta | None:
    if _BARE.fullmatch(text):
        return timedelta(minutes=_number(text))
    if clock := _CLOCK_FORM.fullmatch(text):
        hours, minutes, seconds = (int(part or 0) for part in clock.groups())
        return timedelta(hours=hours, minutes=minutes, seconds=seconds)
    if half := _HOURS_AND_FORM.fullmatch(text):
        return timedelta(hours=int(half[1]), minutes=int(half[2]))
    found = next(filter(None, (form.fullmatch(text) for form in _LISTED)), None)
    if found is None or not _DIGIT.search(text):
        return None
    days, hours_, minutes_, seconds_ = (_number(part or "0") for part in found.groups())
    return timedelta(days=days, hours=hours_, minutes=minutes_, seconds=seconds_)


def _number(text: str) -> float:
    return float(text.replace(",", "."))
