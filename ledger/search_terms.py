"""Search terms, by which people are found: a member's id, an address, a telephone's number, a name and its parts.

Of an event's content the ledger keeps none of them, only a number made of each: small, quick to look up, and nobody
reads a guest from it.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any, Final

MAX_NUMBERS: Final = 16
"""Kept for one event; a profile may be long."""

_TELLING: Final = re.compile(r"(?i)name|mail|phone|mobile|tel$")
_PART: Final = re.compile(r"\w{2,}")
_TELEPHONE: Final = re.compile(r"\+?[\d\s()./-]{6,}")


def values_of(data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What an event's data says of its guest or member: names and texts."""
    for key in ("member_id", "client", "profile"):
        value = data.get(key)
        for name, inner in value.items() if isinstance(value, Mapping) else ((key, value),):
            if isinstance(inner, str | int) and not isinstance(inner, bool):
                yield str(name), str(inner)


def numbers_of(data: Mapping[str, Any]) -> list[int]:
    """The numbers by which an event is found, at most MAX_NUMBERS."""
    found: dict[int, None] = {}
    for name, value in values_of(data):
        if name == "member_id" or _TELLING.search(name):
            found |= dict.fromkeys(numbers(value))
    return list(found)[:MAX_NUMBERS]


def numbers(text: str) -> list[int]:
    """Of a text as a whole and, where it may be a name, of each of its words: 64 bits each, signed. Upper case, accents
    and how a telephone's number is written make no difference."""
    plain = " ".join(_without_accents(text.casefold()).split())
    if _TELEPHONE.fullmatch(plain):
        plain = re.sub(r"\D", "", plain).lstrip("0")
    words = [plain] if "@" in plain else [plain, *_PART.findall(plain)]
    return [_number(word) for word in dict.fromkeys(words) if word]


def _without_accents(text: str) -> str:
    if text.isascii():
        return text
    return "".join(one for one in unicodedata.normalize("NFKD", text) if not unicodedata.combining(one))


def _number(word: str) -> int:
    return int.from_bytes(hashlib.blake2b(word.encode("utf-8", "replace"), digest_size=8).digest(), signed=True)
