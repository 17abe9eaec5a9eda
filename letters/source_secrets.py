"""A source's secret is rotated by a person: made, noted, and waited for until the ingress takes it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final, Protocol

from bellhop.schemas.errors import LedgerError
from bellhop.schemas.rotations import SecretRotation, as_told, good_secrets, rotate
from bellhop.schemas.settings import SourceSettings

_TAKEN_SECONDS: Final = 6.0
_LOOK_SECONDS: Final = 0.2
_OTHERS_SECONDS: Final = 1.5  # the other processes look once a second, too


class RotationBook(Protocol):
    def of(self, source: str, /) -> Sequence[SecretRotation]: ...

    def add(self, rotation: SecretRotation, last: int, why: str, /) -> SecretRotation | None: ...


class RotationRefused(LedgerError):
    """Raised where a secret cannot be rotated here; says why."""


def rotate_secret(
    ledger: RotationBook,
    source: SourceSettings,
    *,
    now: datetime,
    overlap: timedelta,
    who: str,
    why: str,
    last: int | None = None,
) -> tuple[SecretRotation, str]:
    """What is noted, and the new secret as the upstream is told it, once. last: the newest rotation that whoever asks
    knows of, None for whatever it is. Raises RotationRefused, LedgerUnavailable."""
    if source.makes_own_secrets:
        raise RotationRefused(
            f"{source.verifier} makes its secrets itself: make a new one there, and have the operator enter it beside"
            " the old one in the settings' secrets"
        )
    known = ledger.of(source.name)
    rotation, secret = rotate(source.name, source.verifier, source.secrets, known, now=now, ends=now + overlap, who=who)
    newest = known[-1].number if known else 0
    made = ledger.add(rotation, newest if last is None else last, why)
    if made is None:
        raise RotationRefused("the secret has been rotated meanwhile: nothing was changed; load the page anew")
    return made, as_told(secret)


def await_taken(ledger: RotationBook, rotation: SecretRotation, sleep: Callable[[float], object] = time.sleep) -> bool:
    """Whether the ingress has taken it, within a few seconds. Raises LedgerUnavailable."""
    for _ in range(round(_TAKEN_SECONDS / _LOOK_SECONDS)):
        if in_use(ledger, rotation):
            sleep(_OTHERS_SECONDS)
            return True
        sleep(_LOOK_SECONDS)
    return False


def in_use(ledger: RotationBook, rotation: SecretRotation) -> bool:
    return any(one.number == rotation.number and one.taken is not None for one in ledger.of(rotation.source))


def secrets_now(source: SourceSettings, rotations: Sequence[SecretRotation], now: datetime) -> tuple[str, ...]:
    """As the settings would have them, the newest first."""
    return good_secrets(source.verifier, source.secrets, rotations, now) or source.secrets
