"""API tokens: made once, shown once, kept as their SHA-256."""

from __future__ import annotations

import hashlib
import re
import secrets
from typing import Final

PREFIX: Final = "bh_"

_FORM: Final = re.compile(r"bh_[A-Za-z0-9_-]{43}")


def new_token() -> str:
    """256 random bits: nobody guesses it, so a plain hash keeps it as well as a slow one would."""
    return PREFIX + secrets.token_urlsafe(32)


def hash_token(token: str) -> str:
    """What is stored of it, and looked up. Whoever measures how long the look-up takes learns of the hash, of which
    nothing leads back to a token: there is no comparison that would have to take the same time for each."""
    return hashlib.sha256(token.encode()).hexdigest()


def is_well_formed(token: str) -> bool:
    return _FORM.fullmatch(token) is not None
