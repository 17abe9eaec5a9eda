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
from datetime import datetime
from typing import Final

from bellhop.ingest.proofs import (
    NO_SECRET,
    AddressSecrets,
    Headers,
    NotVerified,
    Proof,
    Scheme,
    as_bytes,
    is_one_of,
    require_header,
    timely,
)
from bellhop.ingest.signatures import calcom, calcom_key, hmac_key, plain_hmac, timed_hmac, timed_or_plain_hmac
from bellhop.schemas.errors import SettingProblem, SettingsError
from bellhop.schemas.settings import SourceSettings
from bellhop.schemas.settings.sections import suggest
from bellhop.schemas.settings.sources import RAW

__all__ = ["TABLE", "AddressSecrets", "NotVerified", "Verifier", "credentials_problem", "verifiers"]

_BEARER_SECRET: Final = re.compile(r"[\x21-\x7e]{16,512}")
# What an address can hold without being encoded, so that one who looks for the secret finds it.
_ADDRESS_SECRET: Final = re.compile(r"[A-Za-z0-9_-]{16,200}")
_MIN_KEY_BYTES: Final = 24
_MIN_RAW: Final = 16
_GZIP: Final = b"\x1f\x8b"


class Verifier:
    """One source's credentials."""

    def __init__(self, source: SourceSettings) -> None:
        """Raises ValueError: a secret has not the form its scheme asks for."""
        self._row = TABLE[source.verifier]
        self._keys = tuple(self._row.key(secret) for secret in source.secrets)
        self._tokens = tuple(secret.removeprefix(RAW).encode() for secret in source.secrets)
        self._tolerance_seconds = source.tolerance_seconds
        self._resend_window_seconds = source.resend_window_seconds
        self._url = source.notification_url
        self.takes_forms = self._row.takes_forms
        self.in_path = self._row.in_path

    def verify(self, headers: Headers, body: bytes, now: datetime, address: AddressSecrets = NO_SECRET) -> str | None:
        """The delivery id where the scheme signs one, else None. Raises NotVerified."""
        proof = Proof(headers, body, self._tolerance_seconds, now, address, self._url, self._resend_window_seconds)
        return self._row.verify(proof, self._keys)

    def verify_reader(self, headers: Headers, event_id: str, now: datetime) -> None:
        """Whether the source itself asks for one of its events: by `Authorization: Bearer` with one of its secrets, or
        by its scheme's signature over an empty body and the event's id. Raises NotVerified."""
        if headers.get("authorization") is not None:
            _bearer(Proof(headers, b"", self._tolerance_seconds, now), self._tokens)
        elif self._row.verify(Proof(headers, b"", self._tolerance_seconds, now, url=self._url), self._keys) != event_id:
            raise NotVerified("the signature is not for this event: webhook-id must be the id that is asked for")


def verifiers(
    sources: Mapping[str, SourceSettings], place: Callable[[str], str] = lambda _key: "bellhop.toml"
) -> Mapping[str, Verifier]:
    """A verifier for each source, by its name. Raises SettingsError; `place` is as in `schemas.settings.build`."""
    found = {name: credentials_problem(source) for name, source in sources.items()}
    problems = [
        SettingProblem(f"sources.{name}.{wrong[0]}", wrong[1], place(f"sources.{name}.{wrong[0]}"), wrong[2])
        for name, wrong in found.items()
        if wrong
    ]
    if problems:
        raise SettingsError.of(problems)
    return {name: Verifier(source) for name, source in sources.items()}


def credentials_problem(source: SourceSettings) -> tuple[str, str, str] | None:
    """What its credentials cannot be: the key, the problem, and what to write. It quotes no secret."""
    if source.verifier not in TABLE:
        return "verifier", f"must be one of {', '.join(TABLE)}", suggest(source.verifier, TABLE)
    if TABLE[source.verifier].needs_url and not source.notification_url:
        return "notification_url", f"is required: the signature of {source.verifier} covers it", ""
    if source.notification_url and not TABLE[source.verifier].needs_url:
        return "notification_url", f"is not for {source.verifier}: no address is in its proof", ""
    if source.resend_window_seconds and not TABLE[source.verifier].bears_time:
        return "resend_window", f"is not for {source.verifier}, whose proof bears no time: it is never too old", ""
    try:
        Verifier(source)
    except ValueError as error:
        return "secrets", str(error), ""
    return None


# --- standard-webhooks ------------------------------------------------------------------------------------------


def standard_key(secret: str) -> bytes:
    """What a secret of Standard Webhooks signs with. Raises ValueError, which quotes nothing of it."""
    if secret.startswith(RAW):
        if len(secret) < len(RAW) + _MIN_RAW:
            raise ValueError(f'must each have at least {_MIN_RAW} characters after "{RAW}"')
        return secret.removeprefix(RAW).encode()
    text = secret.removeprefix("whsec_")
    try:
        # The library skips what is not base64, so that a mistyped secret would make another key.
        key = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError(f'must each be "whsec_" and base64, or "{RAW}" and the secret\'s own text') from None
    if len(key) < _MIN_KEY_BYTES:
        raise ValueError(f"must each hold at least {_MIN_KEY_BYTES} bytes of base64")
    return key


def _standard(proof: Proof, keys: Sequence[bytes]) -> str:
    """Standard Webhooks 1.0: `webhook-id`, `webhook-timestamp`, `webhook-signature: v1,<base64> …`; or the same in
    `svix-id` and so on, as those who send by Svix have it from before the standard.

    Not by `standardwebhooks`, whose `verify` reads the machine's clock, has one tolerance for all, answers odd headers
    with whatever error they cause, and knows texts alone; the tests sign with it.
    """
    named = "svix" if proof.headers.get("webhook-id") is None and proof.headers.get("svix-id") else "webhook"
    id_, timestamp, signatures = (
        require_header(proof.headers, f"{named}-{name}") for name in ("id", "timestamp", "signature")
    )
    at = timely(proof, timestamp, f"{named}-timestamp")
    given = [as_bytes(signature) for signature in signatures.split(" ") if signature.startswith("v1,")]
    if not given:
        raise NotVerified(f"{named}-signature holds no signature of version v1")
    for key in keys:
        if is_one_of(_standard_signature(key, id_, at, proof.body), given):
            return id_
    raise NotVerified(f"no signature in {named}-signature matches")


def _standard_signature(key: bytes, id_: str, at: datetime, body: bytes) -> bytes:
    if not body.startswith(_GZIP):
        try:
            body.decode()
        except UnicodeDecodeError:
            raise NotVerified("the body is not UTF-8, so it has no signature") from None
    signed = b".".join((as_bytes(id_), str(int(at.timestamp())).encode(), body))
    return b"v1," + base64.b64encode(hmac.digest(key, signed, "sha256"))


# --- static secrets ---------------------------------------------------------------------------------------------


def _bearer_key(secret: str) -> bytes:
    if not _BEARER_SECRET.fullmatch(secret):
        raise ValueError("must each have 16 to 512 printable ASCII characters without spaces")
    return secret.encode()


def _bearer(proof: Proof, tokens: Sequence[bytes]) -> None:
    """A static `Authorization: Bearer <secret>`: it proves who, but not what or when."""
    scheme, _, given = require_header(proof.headers, "authorization").partition(" ")
    if scheme.lower() != "bearer":
        raise NotVerified("the Authorization header is not of the scheme Bearer")
    if not is_one_of(as_bytes(given.strip(" ")), tokens):
        raise NotVerified("the bearer token is not one of this source's secrets")


def _address_key(secret: str) -> bytes:
    if not _ADDRESS_SECRET.fullmatch(secret):
        raise ValueError("must each have 16 to 200 of A-Z, a-z, 0-9, - and _")
    return secret.encode()


def _path_secret(proof: Proof, secrets: Sequence[bytes]) -> None:
    """A static secret as the address' last part."""
    if not proof.address.path:
        raise NotVerified("the address lacks the secret: it is /webhooks/<source>/<secret>")
    if not is_one_of(as_bytes(proof.address.path), secrets):
        raise NotVerified("the secret in the address is not one of this source's")


def _query_secret(proof: Proof, secrets: Sequence[bytes]) -> None:
    """A static secret in the address' query."""
    if len(proof.address.query) != 1:
        raise NotVerified("the address must have one secret: it is /webhooks/<source>?secret=<secret>")
    if not is_one_of(as_bytes(proof.address.query[0]), secrets):
        raise NotVerified("the secret in the address is not one of this source's")


TABLE: Final[Mapping[str, Scheme]] = {
    "standard-webhooks": Scheme(standard_key, _standard, bears_time=True),
    "bearer": Scheme(_bearer_key, _bearer),
    "path-secret": Scheme(_address_key, _path_secret, in_path=True),
    "query-secret": Scheme(_address_key, _query_secret),
    "calendly": Scheme(hmac_key, timed_hmac("Calendly-Webhook-Signature"), bears_time=True),
    "tripleseat": Scheme(hmac_key, timed_or_plain_hmac("X-Signature"), bears_time=True),
    "acuity": Scheme(hmac_key, plain_hmac("X-Acuity-Signature", base64.b64encode), takes_forms=True),
    "mindbody": Scheme(
        hmac_key, plain_hmac("X-Mindbody-Signature", lambda digest: b"sha256=" + base64.b64encode(digest))
    ),
    "square": Scheme(
        hmac_key,
        plain_hmac("x-square-hmacsha256-signature", base64.b64encode, lambda proof: proof.url.encode() + proof.body),
        needs_url=True,
    ),
    "calcom": Scheme(calcom_key, calcom),
}
