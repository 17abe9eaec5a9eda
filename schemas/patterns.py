"""Regular expressions that the contracts check by and the published JSON Schemas quote, so that both say the same.

They are written in what Python's `re` and ECMA-262 (with its flag u) read alike: no flags, no `\\w`, `\\d` or `\\s`,
whose meaning differs, and `END` for `$`, which in Python also stands before a last line break.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

END: Final = r"$(?!\n)"
WHITE: Final = r"[\t-\r\u001c-\u0020\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]"
"""What `str.strip` takes away."""

_CONTROL: Final = (
    r"\u0000-\u001f\u007f-\u00a0\u00ad\u061c\u1680\u180e\u2000-\u200f\u2028-\u202f\u205f-\u206f"
    r"\u3000\ufeff\ufff9-\ufffb"
)
"""Control characters, white space but the plain one, and what moves other text about."""
_HALVES: Final = r"\ud800-\udfff"
"""Of surrogate pairs: no text, though JSON can write one. They stand in no pattern that is published, as engines whose
texts are Unicode cannot read them; and what is published says what may not be there, as generators of examples walk
through a class that says what may, a million characters each time."""

CONTROL: Final = f"[{_CONTROL}{_HALVES}]"
"""For Python alone."""
TEXT: Final = f"[^{_CONTROL}]"
SHOWN: Final = f"[^{_CONTROL}\\u0020]"
NUL: Final = r"\u0000"
"""PostgreSQL stores none."""
HALF: Final = f"[{_HALVES}]"
"""For Python alone."""
FIT: Final = f"^[^{NUL}]*{END}"


def identifier_pattern(longest: int) -> str:
    """An id of 1 to so many characters, with white space around it or none."""
    return f"^{WHITE}*{SHOWN}(?:{TEXT}{{0,{longest - 2}}}{SHOWN})?{WHITE}*{END}"


DIGITS: Final = f"^{WHITE}*[0-9]+{WHITE}*{END}"


def any_case(pattern: str) -> str:
    """The same for letters of either case; outside of brackets alone, and with nothing escaped that is a letter."""
    return re.sub(r"[a-z]", lambda found: f"[{found[0]}{found[0].upper()}]", pattern)


def one_of_words(words: Iterable[str]) -> str:
    """Any of the words, in any case, with white space around it or none."""
    return f"^{WHITE}*(?:{'|'.join(any_case(word.lower()) for word in sorted(words))}){WHITE}*{END}"


# --- e-mail addresses: as marshmallow has them, in this dialect --------------------------------------------------

_NO_LETTER: Final = r"\u007f-\u00a0\u1680\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff"
_ATOM: Final = rf'[^\u0000-\u0020"(),.:;<>@\[\\\]{_NO_LETTER}]+'
_QUOTED: Final = r'"(?:[\u0001-\u0008\u000b\u000c\u000e-!#-\[\]-\u007f]|\\[\u0001-\t\u000b\u000c\u000e-\u007f])*"'
_LETTER: Final = rf"[^\u0000-\/:-@\[-`{{-~{_NO_LETTER}]"
_LETTER_OR_DASH: Final = rf"[^\u0000-,.\/:-@\[-`{{-~{_NO_LETTER}]"
_LABEL: Final = rf"{_LETTER}(?:{_LETTER_OR_DASH}{{0,61}}{_LETTER})?"
_OCTET: Final = "(?:25[0-5]|2[0-4][0-9]|[01]?[0-9]?[0-9])"
_DOMAIN: Final = rf"(?:localhost|(?:{_LABEL}\.)+{_LETTER_OR_DASH}{{2,}}|\[{_OCTET}(?:\.{_OCTET}){{3}}\])"
EMAIL: Final = rf"^(?:{_ATOM}(?:\.{_ATOM})*|{_QUOTED})@{_DOMAIN}{END}"


# --- ISO 8601 ----------------------------------------------------------------------------------------------------

_YEAR: Final = "(?:19[7-9][0-9]|2[0-9]{3})"
"""At the calendar's ends, going to UTC overflows."""
_LEAP_YEAR: Final = "(?:19(?:7[26]|8[048]|9[26])|2[0-9](?:0[48]|[2468][048]|[13579][26])|2[048]00)"
_HOUR: Final = "(?:[01][0-9]|2[0-3])"
_SIXTY: Final = "[0-5][0-9]"


def _day(between: str) -> str:
    days = (
        f"(?:0[13578]|1[02]){between}(?:0[1-9]|[12][0-9]|3[01])",
        f"(?:0[469]|11){between}(?:0[1-9]|[12][0-9]|30)",
        f"02{between}(?:0[1-9]|1[0-9]|2[0-8])",
    )
    return f"(?:{_YEAR}{between}(?:{'|'.join(days)})|{_LEAP_YEAR}{between}02{between}29)"


_CLOCK: Final = "|".join(
    f"{_HOUR}(?:{between}{_SIXTY}(?:{between}{_SIXTY}(?:[.,][0-9]{{1,20}})?)?)?" for between in (":", "")
)
_OFFSET: Final = "|".join(
    f"[+-]{_HOUR}(?:{between}{_SIXTY}(?:{between}{_SIXTY}(?:[.][0-9]{{1,6}})?)?)?" for between in (":", "")
)
_LOCAL: Final = f"^(?:{_day('-')}|{_day('')})[Tt ](?:{_CLOCK})"
LOCAL_MOMENT: Final = f"{_LOCAL}{END}"
ZONED_MOMENT: Final = f"{_LOCAL}(?:Z|{_OFFSET}){END}"
MOMENT: Final = f"{_LOCAL}(?:Z|{_OFFSET})?{END}"
