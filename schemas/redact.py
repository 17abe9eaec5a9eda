"""Keeping secrets out of what is stored, logged or shown."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
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
_BEARER: Final = re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{8,}")
_URL_PASSWORD: Final = re.compile(r"(?i)\b([a-z][a-z0-9+.-]*://)[^/?#\s]+@")


class Redactor:
    """Masks the given secret values wherever they stand, and the values of names that are secret by their meaning.

    A secret of fewer than four characters is not looked for: it would mask half of everything.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        forms = {form for secret in secrets if len(secret) >= 4 for form in _forms(secret)}
        ordered = sorted(forms, key=len, reverse=True)
        self._values = re.compile("|".join(map(re.escape, ordered))) if ordered else None

    def text(self, text: str) -> str:
        """`text` without secrets."""
        # The values first: what the patterns cut out of a value would leave the rest of it unknown.
        text = self._values.sub(MASK, text) if self._values else text
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


def _forms(secret: str) -> tuple[str, ...]:
    """How a secret may stand in a URL, a form or JSON."""
    return secret, quote(secret, safe=""), quote(secret), quote_plus(secret), json.dumps(secret)[1:-1]
