"""Passwords: kept as argon2id, with the library's parameters."""

from __future__ import annotations

from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from bellhop.schemas.errors import BellhopError

SHORTEST: Final = 12
LONGEST: Final = 200
"""argon2 reads any length; a megabyte of it would be work for nothing."""

_HASHER: Final = PasswordHasher()
_COMMON: Final = frozenset(("passwordpassword", "123456789012", "qwertyuiopas", "bellhopbellhop"))


class PasswordUnfit(BellhopError):
    """Raised for a password that must not be taken; says why."""


def hash_password(password: str) -> str:
    """What is kept of it. Raises PasswordUnfit."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise PasswordUnfit(f"a password has {SHORTEST} to {LONGEST} characters")
    if password.lower() in _COMMON or len(set(password)) < 4:
        raise PasswordUnfit("that password is one that others try first")
    return _HASHER.hash(password)


def matches(password: str, kept: str) -> bool:
    """Whether the password is the one that `kept` was made of. Takes as long where `kept` is "": how long a login takes
    must not tell whether there is such a user."""
    try:
        right = _HASHER.verify(kept or _nobodys(), password[:LONGEST])
    except (VerificationError, InvalidHashError):
        return False
    return right and bool(kept)


def is_outdated(kept: str) -> bool:
    """Whether it was made with weaker parameters than today's."""
    return _HASHER.check_needs_rehash(kept)


_made: list[str] = []


def _nobodys() -> str:
    if not _made:
        _made.append(_HASHER.hash("nobody's"))
    return _made[0]
