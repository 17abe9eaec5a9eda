"""Keeping secrets out of what is stored, logged or shown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final
from urllib.parse import quote, quote_plus

MASK: Final = "***"
_SECRET_KEYS: Final = frozenset(
    (
        *("auth_id", "company", "user", "pass", "password", "token", "api_key", "apikey", "secret", "secret_key"),
        *("hash", "booking_hash", "batch_hash", "sign", "authorization", "x-token", "x-user-token", "dsn"),
        *("webhook-signature",),
    )
)
_QUERY: Final = re.compile(
    r"(?i)\b(auth_id|company|user|pass|password|token|api_key|secret|sign)=[^&\s\"']*",
)
_EMAIL: Final = re.compile(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
_URL_PASSWORD: Final = re.compile(r"(?i)\b([a-z][a-z0-9+.-]*://)[^/@\s]+@")


class Redactor:
    """Masks the given secret values wherever they stand, and the values of names that are secret by their meaning."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        forms = {form for s in secrets if len(s) >= 4 for form in (s, quote(s, safe=""), quote_plus(s))}
        ordered = sorted(forms, key=len, reverse=True)
        self._values = re.compile("|".join(map(re.escape, ordered))) if ordered else None

    def text(self, text: str) -> str:
        """`text` without secrets."""
        text = _URL_PASSWORD.sub(rf"\1{MASK}@", _QUERY.sub(rf"\1={MASK}", text))
        text = _EMAIL.sub(MASK, text)
        return self._values.sub(MASK, text) if self._values else text

    def value(self, value: Any) -> Any:
        """A JSON value without secrets: of mappings, the values of secret keys too."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {k: MASK if str(k).lower() in _SECRET_KEYS and v else self.value(v) for k, v in value.items()}
        if isinstance(value, list | tuple):
            return [self.value(item) for item in value]
        return value
