"""What a `success: false` of Peoplevine means, by its words: `reason` and `message` together.

Source: of `peoplevine-bookings` the two about members; the others are ways of speaking (`vendors.phrases`). A .NET
backend may put an exception's text in either, also after the effect.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from bellhop.vendors.failure import Kind
from bellhop.vendors.phrases import CAPTCHA, LIMIT, PHRASES, SLOT, VALIDATOR, find_phrase, is_bare, normal

DOCUMENTED: Final = ("Member not found", "Invalid member ID")
_REFUSALS: Final = (CAPTCHA, LIMIT, VALIDATOR, SLOT)
_TECHNICAL: Final = re.compile(
    r"\b(?:errors?|fail(?:s|ed|ures?|ing)?|unable|could not|couldn't|cannot|can't|null|objects?|servers?|process\w*"
    r"|methods?|functions?|arguments?|parameters?|strings?|integers?|index(?:es)?|threads?|memory|buffer|streams?|sockets?"
    r"|handles?|files?|paths?|json|xml|html|https?|tcp|ssl|tls|dns|uri|urls?|quer(?:y|ies)|columns?|rows?|transactions?"
    r"|locks?|responses?|pars(?:e|er|ing)|config\w*|cache|queue|module|stack|proxy|endpoint)\b"
    r"|[{}<>\\]|\w\(\)|\w\.\w+\.\w|::|=>"
)
_OTHERS: Final = tuple(phrase for phrase in PHRASES if phrase not in _REFUSALS)


def refusal_words(reply: Mapping[str, Any]) -> str:
    """All that it says: reason and message, "" for nothing."""
    said = [str(reply[key]).strip() for key in ("reason", "message") if reply.get(key) not in (None, "", False)]
    return ". ".join(dict.fromkeys(filter(None, said)))


def refusal_kind(words: str, status: int) -> tuple[Kind, bool]:
    """The kind, and whether it is a no that proves nothing: without any words, as the document's own example of
    `products` says `success: false` with all its data; or in words of programmers, as what failed after the effect."""
    text = normal(words)
    if (phrase := find_phrase(text, _OTHERS)) is not None:
        return phrase.kind, False
    if any(said.lower() in text for said in DOCUMENTED):
        return Kind.REJECTED, False
    if status in (401, 403):
        return Kind.AUTH, False
    # A server that failed and says no more than that may have failed after it passed the booking on.
    if status >= 500:
        return Kind.UNKNOWN, False
    if find_phrase(text, _REFUSALS):
        return Kind.REJECTED, False
    return (Kind.UNKNOWN, True) if is_bare(words) or _TECHNICAL.search(text) else (Kind.REJECTED, False)
