"""Ids in answers that nobody could read: a booking that may stand at the vendor, and that a person looks for there."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from bellhop.ledger.records import Attempt, Entry

_UNKNOWN: Final = "unknown"
_OF_BOOKING: Final = re.compile(
    r"(?i)ids?|(?:booking|reservation|appointment|order|confirmation|batch)s?[_-]?(?:ids?|code|number)"
)
_OF_OTHERS: Final = re.compile(
    r"(?i)(?:client|customer|member|guest|service|event|unit|provider|company|location|user).*"
)
_IN_TEXT: Final = re.compile(
    r"""(?i)[<"'\s](?:id|(?:booking|reservation|appointment|order|confirmation|batch)[_-]?(?:id|code|number))"""
    r"""["'>]?\s*[:=]?\s*["']?([\w-]{1,64})"""
)
_MOST: Final = 20


def lost_ids(calls: Sequence[Attempt], known: Sequence[Entry]) -> list[str]:
    """Of the calls of unknown end, the ids in their answers that are of no booking the ledger holds; at most 20."""
    held = {entry.vendor_id for entry in known} | {entry.code for entry in known}
    found = dict.fromkeys(id_ for call in calls if call.outcome == _UNKNOWN for id_ in _ids(call.answer))
    return [id_ for id_ in found if id_ not in held][:_MOST]


def _ids(answer: Any, name: str = "") -> Iterator[str]:
    if isinstance(answer, Mapping):
        # Of JSON-RPC's envelope the id is the question's own.
        inner = {"result": answer["result"]} if "result" in answer else answer
        for key, value in inner.items():
            if not _OF_OTHERS.fullmatch(str(key)) or _OF_BOOKING.fullmatch(str(key)):
                yield from _ids(value, str(key))
    elif isinstance(answer, Sequence) and not isinstance(answer, str):
        for value in answer:
            yield from _ids(value, name)
    elif isinstance(answer, str | int) and not isinstance(answer, bool):
        yield from _in_value(str(answer), name)


def _in_value(text: str, name: str) -> Iterator[str]:
    if _OF_BOOKING.fullmatch(name) or (name == "result" and re.fullmatch(r"[\w-]{1,64}", text)):
        yield text[:64]
    elif text.lstrip()[:1] in ("{", "["):
        try:
            inner = json.loads(text)
        except ValueError:  # it was cut off
            yield from _IN_TEXT.findall(text)
        else:
            yield from _ids(inner)
    elif "<" in text:
        yield from _IN_TEXT.findall(text)
