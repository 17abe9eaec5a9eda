"""Who may post: the table of verifiers, and a source's credentials made ready once.

A row says what a secret must look like, checked at the start, and how a request proves that it comes from someone who
has one. A source may have several secrets while one is rotated; each of them is good.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Protocol

from standardwebhooks import Webhook

from schemas.errors import BellhopError, SettingsError
from schemas.settings import SourceSettings

_BEARER_SECRET: Final = re.compile(r"[\x21-\x7e]{16,512}")
_MIN_KEY_BYTES: Final = 24
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
class Proof:
    """What a request shows: its headers and its body, byte for byte; and against what its age is held."""

    headers: Headers
    body: bytes
    tolerance_seconds: float
    now: datetime


@dataclass(frozen=True, slots=True)
class Row:
    """One scheme. key: a secret of the settings made ready; raises ValueError saying what is wrong with its form.

    verify: the delivery id, where the scheme signs one, else None. Raises NotVerified.
    """

    key: Callable[[str], Any]
    verify: Callable[[Proof, Sequence[Any]], str | None]


class Verifier:
    """One source's credentials."""

    def __init__(self, source: SourceSettings) -> None:
        """Raises ValueError: a secret has not the form its scheme asks for."""
        self._row = TABLE[source.verifier]
        self._keys = tuple(self._row.key(secret) for secret in source.secrets)
        self._tokens = tuple(secret.encode() for secret in source.secrets)
        self._tolerance_seconds = source.tolerance_seconds

    def verify(self, headers: Headers, body: bytes, now: datetime) -> str | None:
        """The delivery id where the scheme signs one, else None. Raises NotVerified."""
        return self._row.verify(Proof(headers, body, self._tolerance_seconds, now), self._keys)

    def verify_reader(self, headers: Headers, event_id: str, now: datetime) -> None:
        """Whether the source itself asks for one of its events: by `Authorization: Bearer` with one of its secrets, or
        by its scheme's signature over an empty body and the event's id. Raises NotVerified."""
        if headers.get("authorization") is not None:
            _bearer(Proof(headers, b"", self._tolerance_seconds, now), self._tokens)
        elif self.verify(headers, b"", now) != event_id:
            raise NotVerified("the signature is not for this event: webhook-id must be the id that is asked for")


def verifiers(
    sources: Mapping[str, SourceSettings], place: Callable[[str], str] = lambda _key: "bellhop.toml"
) -> Mapping[str, Verifier]:
    """A verifier for each source, by its name. Raises SettingsError; `place` is as in `schemas.settings.build`."""
    made = {}
    for name, source in sources.items():
        if source.verifier not in TABLE:
            key = f"sources.{name}.verifier"
            raise SettingsError(key, f"must be one of {', '.join(TABLE)}", place(key))
        try:
            made[name] = Verifier(source)
        except ValueError as error:
            key = f"sources.{name}.secrets"
            raise SettingsError(key, str(error), place(key)) from None
    return made


# --- standard-webhooks ------------------------------------------------------------------------------------------


def _standard_key(secret: str) -> Webhook:
    text = secret.removeprefix("whsec_")
    try:
        # The library skips what is not base64, so that a mistyped secret would make another key.
        key = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError('must each be "whsec_" and base64') from None
    if len(key) < _MIN_KEY_BYTES:
        raise ValueError(f"must each hold at least {_MIN_KEY_BYTES} bytes of base64")
    return Webhook(key)


def _standard(proof: Proof, keys: Sequence[Webhook]) -> str:
    """Standard Webhooks 1.0: `webhook-id`, `webhook-timestamp`, `webhook-signature: v1,<base64> …`.

    The library signs and we compare, as its own `verify` reads the machine's clock, has one tolerance for all, and
    answers odd headers with whatever error they cause.
    """
    id_, timestamp, signatures = (
        _needed(proof.headers, f"webhook-{name}") for name in ("id", "timestamp", "signature")
    )
    if not _SECONDS.fullmatch(timestamp):
        raise NotVerified("webhook-timestamp is not a whole number of seconds")
    at = datetime.fromtimestamp(int(timestamp), UTC)
    age = (proof.now - at).total_seconds()
    if abs(age) > proof.tolerance_seconds:
        side = "old" if age > 0 else "far in the future"
        raise NotVerified(f"webhook-timestamp is too {side}: the tolerance is {proof.tolerance_seconds:g} seconds")
    try:
        body = proof.body.decode()
    except UnicodeDecodeError:
        raise NotVerified("the body is not UTF-8, so it has no signature") from None
    given = [_bytes(signature) for signature in signatures.split(" ") if signature.startswith("v1,")]
    if not given:
        raise NotVerified("webhook-signature holds no signature of version v1")
    for key in keys:
        expected = key.sign(id_, at, body).encode()
        if any([hmac.compare_digest(expected, signature) for signature in given]):
            return id_
    raise NotVerified("no signature in webhook-signature matches")


# --- bearer -----------------------------------------------------------------------------------------------------


def _bearer_key(secret: str) -> bytes:
    if not _BEARER_SECRET.fullmatch(secret):
        raise ValueError("must each have 16 to 512 printable ASCII characters without spaces")
    return secret.encode()


def _bearer(proof: Proof, tokens: Sequence[bytes]) -> None:
    """A static `Authorization: Bearer <secret>`: it proves who, but not what or when."""
    scheme, _, given = _needed(proof.headers, "authorization").partition(" ")
    if scheme.lower() != "bearer":
        raise NotVerified("the Authorization header is not of the scheme Bearer")
    token = _bytes(given.strip(" "))
    if not any([hmac.compare_digest(known, token) for known in tokens]):
        raise NotVerified("the bearer token is not one of this source's secrets")


def _needed(headers: Headers, name: str) -> str:
    value = headers.get(name)
    if not value:
        raise NotVerified(f"the header {name} is missing")
    return value


def _bytes(text: str) -> bytes:
    """What stood in a header, for comparing: compare_digest takes no text beyond ASCII."""
    return text.encode("utf-8", "surrogatepass")


TABLE: Final[Mapping[str, Row]] = {
    "standard-webhooks": Row(_standard_key, _standard),
    "bearer": Row(_bearer_key, _bearer),
}
