"""Search terms, by which people are found: a member's id, an address, a telephone's number, a name and its parts, and
a booking by its reference.

Of an event's content the ledger keeps none of them, only a number made of each: small, quick to look up, and nobody
reads a guest from it. A telephone is kept once, as its digits were written; that it is found by its national and its
international form is left to the search, which asks for every form that the number may have been written in. So a
claim pays nothing for it, what was kept before is found too, and nobody need say in which country a venue stands.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, Final

from bellhop.schemas.envelope import guest_of

MAX_NUMBERS: Final = 16
"""Kept for one event; a profile may be long."""

_TELLING: Final = re.compile(r"(?i)name|mail|phone|mobile|tel$")
_PART: Final = re.compile(r"\w{2,}")
_TELEPHONE: Final = re.compile(r"(?:tel:)?(\+?[\d\s()./-]{6,})(?:;?\s*(?:ext\.?|x|#|,)[\s=.:]*\d{1,6})?")
_WITHIN: Final = re.compile(r"(?<![\w+])\+?[\d(][\d\s()./-]{5,}")
_ABROAD: Final = re.compile(r"0?011(?=\d{10})")
"""How a call abroad begins in North America and Australia; elsewhere with 00, which is left out as every first 0 is."""

_LETTER: Final = re.compile(r"LATIN SMALL (?:LETTER|LIGATURE) (?:DOTLESS )?([A-Z]{1,2})(?: WITH .*)?")
_OTHER_LETTERS: Final = {"ð": "d", "þ": "th", "ŋ": "n", "ĸ": "k", "\u2018": "'", "\u2019": "'"}

# ITU-T E.164: a country's code has one figure, or two of these, or three.
_RANGES: Final = ((20, 20), (27, 27), (30, 34), (36, 36), (39, 41), (43, 49), (51, 58), (60, 66), (81, 82), (84, 84),
                  (86, 86), (90, 95), (98, 98))  # fmt: skip
_TWO_FIGURES: Final = frozenset(str(code) for first, last in _RANGES for code in range(first, last + 1))
_THREE_FIGURES: Final = (
    str(code) for code in range(200, 1000) if code // 100 != 7 and str(code)[:2] not in _TWO_FIGURES
)
_COUNTRIES: Final = ("1", "7", *sorted(_TWO_FIGURES), *_THREE_FIGURES)
_TRUNKS: Final = {"7": "8", "36": "6", "52": "1", "370": "8", "375": "80", "993": "8"}
"""What stands before a number within a country, beside 0: of Hungary's 06 the 0 is left out."""


def values_of(data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What an event's data says of its guest or member: names and texts."""
    for key in ("member_id", "client", "profile"):
        value = data.get(key)
        for name, inner in value.items() if isinstance(value, Mapping) else ((key, value),):
            if isinstance(inner, str | int) and not isinstance(inner, bool):
                yield str(name), str(inner)


def numbers_of(data: Mapping[str, Any]) -> list[int]:
    """The numbers by which an event is found, at most MAX_NUMBERS."""
    found: dict[str, None] = {}
    if reference := data.get("booking_id"):
        found[plain(str(reference))] = None
    for name, value in values_of(data):
        if name == "member_id" or _is_telling(name):
            found |= dict.fromkeys(_words(plain(value)))
    return [_number(word) for word in found if word][:MAX_NUMBERS]


def guest_number(data: Mapping[str, Any]) -> int | None:
    """The number by which the other events of an event's guest are found."""
    name = guest_of(data)
    return numbers(name)[0] if name else None


def numbers(text: str) -> list[int]:
    """Of a text as a whole and, where it may be a name, of each of its words: 64 bits each, signed. Upper case,
    accents, strokes and how a telephone's number is grouped make no difference."""
    return [_number(word) for word in _words(plain(text)) if word]


def asked_numbers(text: str) -> list[int]:
    """The numbers that what is searched for may have been kept as: also a telephone's in any country's form, and a name
    as its letters were kept before strokes made no difference."""
    read, before = plain(text), _without_accents(text)
    words = dict.fromkeys((*_words(read), *_words(before)))
    for match in _WITHIN.finditer(read):
        words |= dict.fromkeys(telephone_forms(match[0]))
    return [_number(word) for word in words if word]


def plain(text: str) -> str:
    """A text in lower case, without accents, strokes and double spaces, its figures as 0 to 9."""
    text = text.casefold()
    if not text.isascii():
        text = "".join(map(_plain_letter, unicodedata.normalize("NFKD", text)))
    return " ".join(text.split())


def telephone_digits(text: str) -> str:
    """A plain telephone number's figures without zeros before them; "" of what is none."""
    found = _TELEPHONE.fullmatch(text)
    return _digits(found[1]) if found else ""


def national_digits(text: str) -> str:
    """The figures that a telephone number has in each of its forms: without its country's code. "" of what is none."""
    digits = telephone_digits(read := plain(text))
    return digits[len(_country(digits)) :].lstrip("0") if digits and _is_abroad(read) else digits


def telephone_forms(text: str) -> Iterator[str]:
    """What `telephone_digits` may give of the same number written in another form: within its country, or from
    abroad, whichever country it is."""
    digits = _digits(text)
    yield digits
    country = _country(digits)
    national = digits[len(country) :].lstrip("0")
    yield from (national, country + national, f"{country}0{national}", _TRUNKS.get(country, "") + national)
    for country in () if _is_abroad(text) else _COUNTRIES:
        yield from (country + digits, f"{country}0{digits}")
        if (trunk := _TRUNKS.get(country)) and digits.startswith(trunk):
            yield country + digits.removeprefix(trunk)


def _is_abroad(text: str) -> bool:
    return text.lstrip(" (").startswith(("+", "00")) or bool(_ABROAD.match(re.sub(r"\D", "", text)))


def _country(digits: str) -> str:
    return digits[: 1 if digits[:1] in ("1", "7") else 2 if digits[:2] in _TWO_FIGURES else 3]


def _digits(text: str) -> str:
    return _ABROAD.sub("", re.sub(r"\D", "", text), count=1).lstrip("0")


def _words(read: str) -> list[str]:
    """The words of a plain text, itself the first."""
    if "@" in read or read.isalpha():
        return [read]
    whole = telephone_digits(read) or read
    return [whole] if whole.isdigit() else list(dict.fromkeys((whole, *_PART.findall(whole))))


@lru_cache(maxsize=1024)
def _is_telling(name: str) -> bool:
    """Whether what bears this name tells who it is: there are few names, and each event has them all."""
    return bool(_TELLING.search(name))


def _without_accents(text: str) -> str:
    letters = unicodedata.normalize("NFKD", text.casefold())
    return " ".join("".join(one for one in letters if not unicodedata.combining(one)).split())


@lru_cache(maxsize=4096)
def _plain_letter(letter: str) -> str:
    """A letter of lower case by its name: ł is "l with stroke"."""
    if letter.isascii():
        return letter
    if unicodedata.combining(letter):
        return ""
    if letter.isdecimal():
        return str(unicodedata.decimal(letter))
    if unicodedata.category(letter) == "Pd":
        return "-"
    named = _LETTER.fullmatch(unicodedata.name(letter, ""))
    return named[1].lower() if named else _OTHER_LETTERS.get(letter, letter)


def _number(word: str) -> int:
    return int.from_bytes(hashlib.blake2b(word.encode("utf-8", "replace"), digest_size=8).digest(), signed=True)
