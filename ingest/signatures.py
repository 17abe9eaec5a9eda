"""Signatures of one vendor each: HMAC-SHA256, over what each of them signs and written as each of them writes it."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Sequence
from typing import Final

from bellhop.ingest.proofs import NotVerified, Proof, as_bytes, is_one_of, require_header, timely

# Most are made by the upstream; what is shorter is a slip.
_SIGNING_SECRET: Final = re.compile(r"[\x21-\x7e]{6,512}")
_HEX: Final = re.compile(r"[0-9a-f]{64}")
_CALCOM_NO_SECRET: Final = "no-secret-provided"  # noqa: S105  # what Cal.com sends where none is set


def hmac_key(secret: str) -> bytes:
    if not _SIGNING_SECRET.fullmatch(secret):
        raise ValueError("must each have 6 to 512 printable ASCII characters without spaces")
    return secret.encode()


def timed_hmac(header: str) -> Callable[[Proof, Sequence[bytes]], None]:
    """`t=<seconds>,v1=<hex>`: HMAC-SHA256 over `<seconds>.<body>`."""

    def verify(proof: Proof, keys: Sequence[bytes]) -> None:
        parts = [part.strip().partition("=") for part in require_header(proof.headers, header).split(",")]
        times = [value for name, _, value in parts if name == "t"]
        given = [as_bytes(value) for name, _, value in parts if name == "v1"]
        if len(times) != 1 or not given:
            raise NotVerified(f"{header} is not of the form t=…,v1=…")
        timely(proof, times[0], f"the time in {header}")
        signed = times[0].encode() + b"." + proof.body
        if not any([is_one_of(_hmac(key, signed).hex().encode(), given) for key in keys]):
            raise NotVerified(f"no signature in {header} matches")

    return verify


def timed_or_plain_hmac(header: str) -> Callable[[Proof, Sequence[bytes]], None]:
    """`t=<seconds>,v1=<hex>`; or the hex alone, over the body alone: Tripleseat is told of with both."""
    timed, plain = timed_hmac(header), plain_hmac(header, _hex)

    def verify(proof: Proof, keys: Sequence[bytes]) -> None:
        is_plain = _HEX.fullmatch(require_header(proof.headers, header))
        (plain if is_plain else timed)(proof, keys)

    return verify


def plain_hmac(
    header: str, write: Callable[[bytes], bytes], signed: Callable[[Proof], bytes] = lambda proof: proof.body
) -> Callable[[Proof, Sequence[bytes]], None]:
    """HMAC-SHA256 over the body (or what `signed` makes of it), as `write` puts it into the header. It proves who and
    what, but not when: a webhook that is played back has the same id, and is known by it."""

    def verify(proof: Proof, keys: Sequence[bytes]) -> None:
        given = [as_bytes(require_header(proof.headers, header))]
        if not any([is_one_of(write(_hmac(key, signed(proof))), given) for key in keys]):
            raise NotVerified(f"the signature in {header} does not match")

    return verify


def calcom_key(secret: str) -> bytes:
    if secret == _CALCOM_NO_SECRET:
        raise ValueError(f'must not be "{_CALCOM_NO_SECRET}", which is what Cal.com sends where it has none')
    return hmac_key(secret)


_CALCOM_HEADER: Final = "X-Cal-Signature-256"


def calcom(proof: Proof, keys: Sequence[bytes]) -> None:
    if require_header(proof.headers, _CALCOM_HEADER) == _CALCOM_NO_SECRET:
        raise NotVerified(f"{_CALCOM_HEADER} says that no secret is set: set one in Cal.com")
    plain_hmac(_CALCOM_HEADER, _hex)(proof, keys)


def _hmac(key: bytes, content: bytes) -> bytes:
    return hmac.new(key, content, hashlib.sha256).digest()


def _hex(digest: bytes) -> bytes:
    return digest.hex().encode()
