"""What a request shows to prove where it comes from, and how it is compared: for every scheme."""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Protocol

from bellhop.schemas.errors import BellhopError

_SECONDS: Final = re.compile(r"[0-9]{1,11}")


class Headers(Protocol):
    """A request's headers; names in any case."""

    def get(self, name: str, /) -> str | None: ...


class NotVerified(BellhopError):
    """Raised when a request does not prove where it comes from. `reason` is fit for its sender: it tells nothing of
    the secrets, nor of what was compared with them."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class AddressSecrets:
    """What the address of a post may hold of a secret. path: what follows the source's name, "" for nothing. query:
    the values of `secret`."""

    path: str = ""
    query: Sequence[str] = ()


NO_SECRET: Final = AddressSecrets()


@dataclass(frozen=True, slots=True)
class Proof:
    """What a request shows: its headers, its address and its body, byte for byte; and against what it is held. url:
    the address as the upstream knows it. oldest_seconds: how old its signature may be, where that is more than the
    tolerance, which holds for both sides."""

    headers: Headers
    body: bytes
    tolerance_seconds: float
    now: datetime
    address: AddressSecrets = NO_SECRET
    url: str = ""
    oldest_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Scheme:
    """One scheme. key: a secret of the settings made ready; raises ValueError saying what is wrong with its form.

    verify: the delivery id, where the scheme signs one, else None. Raises NotVerified.
    takes_forms: bodies may be forms too. in_path: the secret stands in the address' path. needs_url: the source must
    have a notification_url. bears_time: what is signed says when.
    """

    key: Callable[[str], Any]
    verify: Callable[[Proof, Sequence[Any]], str | None]
    takes_forms: bool = False
    in_path: bool = False
    needs_url: bool = False
    bears_time: bool = False


def timely(proof: Proof, timestamp: str, what: str) -> datetime:
    """The time of a signature, within the tolerance on both sides. Raises NotVerified."""
    if not _SECONDS.fullmatch(timestamp):
        raise NotVerified(f"{what} is not a whole number of seconds")
    at = datetime.fromtimestamp(int(timestamp), UTC)
    age = (proof.now - at).total_seconds()
    oldest = max(proof.tolerance_seconds, proof.oldest_seconds)
    if age > oldest:
        raise NotVerified(f"{what} is too old: the tolerance is {oldest:g} seconds")
    if age < -proof.tolerance_seconds:
        raise NotVerified(f"{what} is too far in the future: the tolerance is {proof.tolerance_seconds:g} seconds")
    return at


def require_header(headers: Headers, name: str) -> str:
    value = headers.get(name)
    if not value:
        raise NotVerified(f"the header {name} is missing")
    return value


def as_bytes(text: str) -> bytes:
    """What stood in a request, for comparing: compare_digest takes no text beyond ASCII."""
    return text.encode("utf-8", "surrogatepass")


def is_one_of(value: bytes, others: Sequence[bytes]) -> bool:
    """Compares with all of them, in a time that tells nothing of where they differ."""
    return any([hmac.compare_digest(value, other) for other in others])
