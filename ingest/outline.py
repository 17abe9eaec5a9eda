"""A body as people may see it: how it is built, with nothing in it that could be a guest's.

Names, numbers of telephones, addresses and words become their form (`Ada Lee` is `Aaa Aaa`, `+4420` is `+9999`), which
shows what is wrong with a date or an address as well as the value would. Times, what is true or false, and the ids and
words by which upstreams tell kinds of events stay.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from bellhop.ingest.body import Body
from bellhop.schemas.problems import Problem

_MOST_CHARACTERS: Final = 4000
_MOST_TEXT: Final = 40
_MOST_ITEMS: Final = 10
_MOST_NAMES: Final = 60
_DEEPEST: Final = 8
_TELLING: Final = re.compile(
    r"(?:.*[_.-])?(?:id|uid|uuid|type|status|event|trigger|action|venue)|.*[a-z](?:Id|Uid|Type|Status|Event)"
)
_OF_A_PERSON: Final = re.compile(
    r"client|customer|guest|member|user|contact|attendee|person|phone|mail|name|notes?|key"
)
_WORD: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:/-]{0,63}")


def outline(body: Body) -> str:
    """At most a few thousand characters."""
    try:
        decoded = body.decode()
    except Problem:
        return _form(body.content[:400].decode("utf-8", "replace"))[:400]
    return json.dumps(_outline(decoded, "", 0), ensure_ascii=False)[:_MOST_CHARACTERS]


def _outline(value: Any, name: str, depth: int) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, Mapping | list) and depth >= _DEEPEST:
        return "…"
    if isinstance(value, Mapping):
        kept = list(value.items())[:_MOST_NAMES]
        made = {_name(key): _outline(inner, key, depth + 1) for key, inner in kept}
        return made | ({"…": f"{len(value) - len(kept)} more"} if len(value) > len(kept) else {})
    if isinstance(value, list):
        items = [_outline(inner, name, depth + 1) for inner in value[:_MOST_ITEMS]]
        return [*items, f"… {len(value) - _MOST_ITEMS} more"] if len(value) > _MOST_ITEMS else items
    text = str(value)
    if _is_telling(name) and _WORD.fullmatch(text):
        return value
    return text if _is_time(text) else _form(text)


def _name(key: str) -> str:
    return key if _WORD.fullmatch(key) else _form(key)


def _is_telling(name: str) -> bool:
    return bool(_TELLING.fullmatch(name)) and not _OF_A_PERSON.search(name.lower())


def _is_time(text: str) -> bool:
    if len(text) < 10 or "-" not in text or len(text) > 40:
        return False
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def _form(text: str) -> str:
    """Each letter an a, each digit a 9."""
    shown = "".join(_character(each) for each in text[:_MOST_TEXT])
    return f"{shown}… ({len(text)} characters)" if len(text) > _MOST_TEXT else shown


def _character(each: str) -> str:
    if each.isdigit():
        return "9"
    if each.isalpha():
        return "A" if each.isupper() else "a"
    return each if each.isascii() and each.isprintable() else "\N{REPLACEMENT CHARACTER}"
