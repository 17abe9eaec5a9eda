"""Signs a body as a source's upstream would: for every verifier that the settings know, by its own keys."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from standardwebhooks import Webhook

from bellhop.ingest.verify import TABLE
from bellhop.schemas.settings import SourceSettings


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a post bears. path, query: what follows the source's address, "" for nothing."""

    headers: Mapping[str, str]
    path: str = ""
    query: str = ""


Sign = Callable[[SourceSettings, Any, bytes, str, datetime], Credentials]
"""source, its first key made ready, body, the delivery's id, now."""


def credentials(source: SourceSettings, body: bytes, id_: str, now: datetime) -> Credentials:
    """By the first of the source's secrets. They hold for the source's tolerance, 5 minutes as a rule."""
    return _SIGN[source.verifier](source, TABLE[source.verifier].key(source.secrets[0]), body, id_, now)


def _standard(_source: SourceSettings, key: Any, body: bytes, id_: str, now: datetime) -> Credentials:
    signature = Webhook(key).sign(id_, now, body.decode("utf-8", "replace"))
    return Credentials({"webhook-timestamp": str(int(now.timestamp())), "webhook-signature": signature})


def _bearer(source: SourceSettings, _key: Any, _body: bytes, _id: str, _now: datetime) -> Credentials:
    return Credentials({"authorization": f"Bearer {source.secrets[0]}"})


def _with_time(header: str) -> Sign:
    def sign(_source: SourceSettings, key: Any, body: bytes, _id: str, now: datetime) -> Credentials:
        seconds = str(int(now.timestamp()))
        return Credentials({header: f"t={seconds},v1={_hmac(key, seconds.encode() + b'.' + body).hex()}"})

    return sign


def _plain(header: str, write: Callable[[bytes], str], with_url: bool = False) -> Sign:
    def sign(source: SourceSettings, key: Any, body: bytes, _id: str, _now: datetime) -> Credentials:
        return Credentials({header: write(_hmac(key, (source.notification_url.encode() if with_url else b"") + body))})

    return sign


def _hmac(key: bytes, content: bytes) -> bytes:
    return hmac.new(key, content, hashlib.sha256).digest()


def _base64(digest: bytes) -> str:
    return base64.b64encode(digest).decode()


_SIGN: Final[Mapping[str, Sign]] = {
    "standard-webhooks": _standard,
    "bearer": _bearer,
    "path-secret": lambda source, _key, _body, _id, _now: Credentials({}, path=f"/{source.secrets[0]}"),
    "query-secret": lambda source, _key, _body, _id, _now: Credentials({}, query=f"?secret={source.secrets[0]}"),
    "calendly": _with_time("Calendly-Webhook-Signature"),
    "tripleseat": _with_time("X-Signature"),
    "acuity": _plain("X-Acuity-Signature", _base64),
    "mindbody": _plain("X-Mindbody-Signature", lambda digest: f"sha256={_base64(digest)}"),
    "square": _plain("x-square-hmacsha256-signature", _base64, with_url=True),
    "calcom": _plain("X-Cal-Signature-256", bytes.hex),
}
