"""What a `success: false` of Peoplevine means, by its words: `reason` and `message` together.

Source: of `peoplevine-bookings` the two about members; the others are ways of speaking (`vendors.phrases`). A .NET
backend may put an exception's text in either, also after the effect.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from bellhop.vendors.failure import Kind
from bellhop.vendors.phrases import CRASHED, CREDENTIALS, LATER, THROTTLED, Phrase, find_phrase, normal

DOCUMENTED: Final[tuple[tuple[str, Kind], ...]] = (
    ("member not found", Kind.REJECTED),
    ("invalid member id", Kind.REJECTED),
)
_NAMED: Final = r"(?:user|company|account|host)"
ACCOUNT: Final = Phrase(
    "the user, company or host of the query",
    Kind.AUTH,
    "set auth_id, company, user, password and region anew (bellhop doctor)",
    (
        rf"^(?!.*\bmember).*\b(?:invalid|wrong|incorrect|unknown|bad|inactive|disabled|locked) {_NAMED}\b",
        rf"^(?!.*\bmember).*\b{_NAMED}\b(?: \S+){{0,3}}? (?:not found|does not exist|doesn't exist|unknown|invalid"
        r"|disabled|locked|blocked|inactive|suspended|not active|not recogni[sz]ed)\b",
    ),
)
PHRASES: Final = (THROTTLED, CREDENTIALS, ACCOUNT, CRASHED, LATER)

_BARE: Final = re.compile(
    r"(?:an? )?(?:errors?|fail|failed|failure|false|unsuccessful|unknown|none|null|n/a|nothing|no|\d+|[-.:!\s])*"
)


def refusal_words(reply: Mapping[str, Any]) -> str:
    """All that it says: reason and message, "" for nothing."""
    said = [str(reply[key]).strip() for key in ("reason", "message") if reply.get(key) not in (None, "", False)]
    return ". ".join(dict.fromkeys(filter(None, said)))


def refusal_kind(words: str, status: int) -> tuple[Kind, bool]:
    """The kind, and whether it is no more than a bare no: one without any words proves nothing, as the document's own
    example of `products` says `success: false` with all its data."""
    text = normal(words)
    if (phrase := find_phrase(text, PHRASES)) is not None:
        return phrase.kind, False
    documented = next((kind for said, kind in DOCUMENTED if said in text), None)
    if documented is not None:
        return documented, False
    if status in (401, 403):
        return Kind.AUTH, False
    # A server that failed and says no more than that may have failed after it passed the booking on.
    if status >= 500:
        return Kind.UNKNOWN, False
    return (Kind.UNKNOWN, True) if _BARE.fullmatch(text) else (Kind.REJECTED, False)
