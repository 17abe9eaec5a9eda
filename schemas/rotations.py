"""A source's secret, rotated without the settings being written.

The new secret is derived: scrypt of one that stands in the settings, with random bytes that the ledger keeps. Whoever
reads the ledger, or a backup of it, has no secret; whoever has the settings too can make it again. Once the new secret
stands in the settings itself and the one it was made of does not, the rotation counts no more: the settings have all.
"""

from __future__ import annotations

import base64
import hashlib
import secrets as randomness
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

OVERLAPS: Final = {
    "10m": timedelta(minutes=10),
    "1h": timedelta(hours=1),
    "24h": timedelta(hours=24),
    "7d": timedelta(days=7),
}
"""So long the old secret stays good."""

_COST: Final = 2**13  # about 20 ms: a short secret cannot be found by trying all against a mark
_KEY_BYTES: Final = 32
_MARK_BYTES: Final = 8
_RAW: Final = "raw:"  # as `schemas.settings.sources` has it
_STANDARD: Final = "standard-webhooks"


@dataclass(frozen=True, slots=True)
class SecretRotation:
    """nonce: random, in hex. base: the mark of the secret that the new one is derived from; retires: the marks of those
    that are good until `ends`. who: as the audit has it. number: the ledger's own; taken: when the first process of the
    ingress took it."""

    source: str
    nonce: str
    base: str
    retires: Sequence[str]
    made: datetime
    ends: datetime
    who: str
    number: int = 0
    taken: datetime | None = None


def rotate(
    source: str,
    verifier: str,
    secrets: Sequence[str],
    earlier: Sequence[SecretRotation],
    *,
    now: datetime,
    ends: datetime,
    who: str,
    unique: Callable[[], str] = lambda: randomness.token_hex(32),
) -> tuple[SecretRotation, str]:
    """A rotation, and the new secret as the settings would have it. secrets: the settings'; all that are good now are
    good until `ends`."""
    nonce = unique()
    good = good_secrets(verifier, secrets, earlier, now)
    made = SecretRotation(source, nonce, _mark(secrets[0], nonce), [_mark(one, nonce) for one in good], now, ends, who)
    return made, _derive(secrets[0], nonce, verifier)


def good_secrets(
    verifier: str, secrets: Sequence[str], rotations: Sequence[SecretRotation], now: datetime
) -> tuple[str, ...]:
    """What a source may sign with: the newest rotated ones first, then the settings' own."""
    derived = [
        _derive(secret, one.nonce, verifier)
        for one in reversed(rotations)
        for secret in secrets
        if _mark(secret, one.nonce) == one.base
    ]
    found = dict.fromkeys((*derived, *secrets))
    over = [one for one in rotations if one.ends <= now and any(_mark(each, one.nonce) == one.base for each in secrets)]
    return tuple(each for each in found if not any(_mark(each, one.nonce) in one.retires for one in over))


def as_told(secret: str) -> str:
    """A secret as its upstream is given it: without the word by which our settings know it."""
    return secret.removeprefix(_RAW)


def _derive(secret: str, nonce: str, verifier: str) -> str:
    key = _stretch(secret, nonce)[:_KEY_BYTES]
    if verifier == _STANDARD and not secret.startswith(_RAW):
        return "whsec_" + base64.b64encode(key).decode()
    text = base64.urlsafe_b64encode(key).decode().rstrip("=")
    return _RAW + text if secret.startswith(_RAW) else text


def _mark(secret: str, nonce: str) -> str:
    """By which a secret is known again, and nobody else finds it."""
    return _stretch(secret, nonce)[_KEY_BYTES:].hex()


@lru_cache(maxsize=4096)
def _stretch(secret: str, nonce: str) -> bytes:
    return hashlib.scrypt(secret.encode(), salt=bytes.fromhex(nonce), n=_COST, r=8, p=1, dklen=_KEY_BYTES + _MARK_BYTES)
