"""Keeping secrets out of what is stored, logged or shown."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final
from urllib.parse import quote, quote_plus

MASK: Final = "***"
# Names that are secret by their meaning. A content hash is none, so `hash` does not stand for every name that ends so.
_NAMES: Final = (
    r"auth_id|company|user|pass|dsn|sign|(?:booking|batch)?_?hash|[\w-]{0,40}?(?:secret|api)_?key"
    r"|[\w-]{0,40}?(?:token|password|secret|signature|authorization)"
)
_NAME: Final = re.compile(rf"(?i)(?:{_NAMES})")
_QUERY: Final = re.compile(rf"(?i)(?<![\w-])({_NAMES})=[^&\s\"']*")
# The last quote may be missing: answers are cut off before they are told.
_MEMBER: Final = re.compile(rf"""(?i)(["'])({_NAMES})\1(\s*:\s*)(["'])(?:\\.|(?!\4)[^\\])*(?:\4|\\?\Z)""")
_PLAIN: Final = re.compile(r"[^\W\d_]+|\d+")
# As errors name what was refused: `user "ada"`, `Login failed for company: acme`, `password is wintersun`.
_BEFORE: Final = (
    r"((?i:\b(?:user(?:[ _-]?name)?|login|company|auth[ _-]?id|pass(?:word|wd|phrase)?|secret|token|key))"
    r"(?: +(?:is|was|for|of|name|company|user))*[\s:=]{0,3}[\"'`(\[]{0,2})"
)
_BEARER: Final = re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{8,}")
_URL_PASSWORD: Final = re.compile(r"(?i)\b([a-z][a-z0-9+.-]*://)[^/?#\s]+@")


class Redactor:
    """Masks the given secret values wherever they stand, and the values of names that are secret by their meaning.

    A secret of fewer than four characters is not looked for: it would mask half of everything.

    names: our own, of accounts, routes and the like; given where the texts are ours, and not what others wrote. A
    secret that is one of these, or a plain word or number, is then masked by where it stands alone: after a word for
    such a secret (user, company, password …). By its text it would mask our own words: a vendor's user `bellhop` the
    names of our queues.
    """

    def __init__(self, secrets: Iterable[str] = (), names: Collection[str] | None = None) -> None:
        looked_for = {secret for secret in secrets if len(secret) >= 4}
        plain = set() if names is None else {one for one in looked_for if one in names or _PLAIN.fullmatch(one)}
        self._values = _any_of(looked_for - plain)
        self._placed = _any_of(plain, r"(?<![\w.@/-])", r"(?![\w@/-]|\.\w)", _BEFORE)

    def text(self, text: str) -> str:
        """`text` without secrets."""
        # The values first: what the patterns cut out of a value would leave the rest of it unknown.
        text = self._values.sub(MASK, text) if self._values else text
        text = self._placed.sub(rf"\1{MASK}", text) if self._placed else text
        text = _MEMBER.sub(rf"\1\2\1\3\4{MASK}\4", _QUERY.sub(rf"\1={MASK}", text))
        return _URL_PASSWORD.sub(rf"\1{MASK}@", _BEARER.sub(rf"\1 {MASK}", text))

    def value(self, value: Any) -> Any:
        """A JSON value without secrets: of mappings, the values of secret names too."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {k: MASK if v and _NAME.fullmatch(str(k)) else self.value(v) for k, v in value.items()}
        if isinstance(value, list | tuple):
            return [self.value(item) for item in value]
        return value


def _any_of(secrets: Collection[str], start: str = "", end: str = "", before: str = "") -> re.Pattern[str] | None:
    """Any of the secrets in any form, between these patterns; None for no secrets."""
    ordered = sorted({form for secret in secrets for form in _forms(secret)}, key=len, reverse=True)
    return re.compile(f"{before}{start}(?:{'|'.join(map(re.escape, ordered))}){end}") if ordered else None


def _forms(secret: str) -> tuple[str, ...]:
    """How a secret may stand in a URL, a form or JSON."""
    return secret, quote(secret, safe=""), quote(secret), quote_plus(secret), json.dumps(secret)[1:-1]
