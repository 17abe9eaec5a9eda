"""What a dead letter died of, and the words it is found by."""

from __future__ import annotations

import contextlib
import hashlib
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from bellhop.ledger.records import NewLetter
from bellhop.ledger.search_terms import plain, telephone_digits, values_of
from bellhop.schemas.envelope import decode
from bellhop.schemas.errors import EnvelopeError

SHAPE_CHARACTERS: Final = 160
WORDS_CHARACTERS: Final = 2000

_CODE: Final = re.compile(r"\((-\d{3,6})\)")
_QUOTED: Final = re.compile(r"\"[^\"]*\"|'[^']*'|“[^”]*”")
_MAIL: Final = re.compile(r"\S+@\S+")
_VARYING: Final = re.compile(r"\b(?=\w*\d)[\w:./+-]+")  # numbers, dates, ids: whatever holds a digit
_SPACE: Final = re.compile(r"\s+")


def cause_of(letter: NewLetter) -> str:
    """The same for letters that one mending may help: reason, account, the vendor's code, and its message without what
    differs from letter to letter. Not for reading alone: people are shown an example's error beside it."""
    return "/".join((letter.reason, letter.account or "-", shape_of(letter.error)))


def cause_key(cause: str) -> str:
    """A cause's name for people to type: 8 hexadecimal digits."""
    return hashlib.sha256(cause.encode("utf-8", "surrogatepass")).hexdigest()[:8]


def shape_of(error: str) -> str:
    """An error's code and its message without what differs from case to case."""
    code = next(iter(_CODE.findall(error)), "")
    shape = _QUOTED.sub("…", _CODE.sub("", error))
    shape = _VARYING.sub("#", _MAIL.sub("#", shape))
    return f"{code or '-'}/{_SPACE.sub(' ', shape).strip()[:SHAPE_CHARACTERS]}"


def words_of(letter: NewLetter) -> str:
    """What a letter is searched by, as plain text: its ids, its reference, its member, its error, and its guest's name,
    addresses and telephones, these as their figures alone, too."""
    told = [letter.message_id, letter.event_id, letter.subject, letter.type, letter.error]
    with contextlib.suppress(EnvelopeError):
        told += _of_people(decode(letter.body).data)
    return plain(" ".join(filter(None, told)))[:WORDS_CHARACTERS]


def _of_people(data: Mapping[str, Any]) -> Iterator[str]:
    for key in ("booking_id", "venue"):
        if isinstance(data.get(key), str | int):
            yield str(data[key])
    for _, value in values_of(data):
        yield value
        yield telephone_digits(plain(value))
