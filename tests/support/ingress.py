"""The ingress without a server: its settings, a publisher in memory, and an upstream that signs."""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import b64decode, b64encode
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from bellhop.broker.port import Address, Message
from bellhop.ledger.records import EventView
from bellhop.schemas.errors import BrokerError, LedgerUnavailable
from bellhop.schemas.settings import Settings
from bellhop.vendors.settings import build

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OLD_SECRET = "whsec_" + b64encode(b"the secret before the rotation").decode()
TOKEN = "a-token-of-thirty-two-characters"
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)

DOCUMENT: dict[str, Any] = {
    "ingest": {"max_body_bytes": 65536},
    "sources": {
        "crm": {"verifier": "standard-webhooks", "secrets": [SECRET, OLD_SECRET], "member_account": "club"},
        "static": {"verifier": "bearer", "secrets": [TOKEN, "the-token-before-it"], "answer": 200},
    },
    "accounts": {
        "club": {"kind": "peoplevine", "auth_id": "aid", "company": "4711", "user": "u-name", "password": "p-word"},
        "salon": {"kind": "simplybook", "company": "salon-ltd", "api_key": "the-api-key", "secret_key": "the-key"},
    },
    "venues": {
        "spa": {"account": "club", "timezone": "Europe/London"},
        "salon": {"account": "salon", "timezone": "Europe/London"},
    },
}


def settings(**ingest: Any) -> Settings:
    return build({**DOCUMENT, "ingest": {**DOCUMENT["ingest"], **ingest}})


@dataclass
class MemoryPublisher:
    """Keeps what it confirms, in order. `fail` is what each publish fails with; `silent` leaves futures pending."""

    published: list[tuple[Message, Address]] = field(default_factory=list)
    fail: BrokerError | None = None
    fail_at_once: bool = False
    silent: bool = False

    def publish(self, message: Message, to: Address) -> Future[None]:
        assert len(message.id.encode()) <= 255
        assert all(isinstance(value, str | int | float) for value in message.headers.values())
        future: Future[None] = Future()
        if self.fail is not None and self.fail_at_once:
            raise self.fail
        if self.fail is not None:
            future.set_exception(self.fail)
        elif not self.silent:
            self.published.append((message, to))
            future.set_result(None)
        return future

    def close(self, timeout: float = 5.0) -> None: ...


@dataclass
class MemoryEvents:
    views: dict[tuple[str, str], EventView] = field(default_factory=dict)
    away: bool = False

    def event(self, source: str, id_: str) -> EventView | None:
        if self.away:
            raise LedgerUnavailable("the ledger is away")
        return self.views.get((source, id_))


@dataclass
class Told:
    """What was observed, in order."""

    calls: list[tuple[str, dict[str, object]]] = field(default_factory=list)

    def __call__(self, event: str, /, **fields: object) -> None:
        self.calls.append((event, fields))

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.calls]


def body(type_: str = "member.updated", data: Mapping[str, Any] | None = None, **more: Any) -> bytes:
    made = {"type": type_, "timestamp": "2026-11-20T11:59:58Z", "data": data or {"member_id": 3125141}, **more}
    return json.dumps(made).encode()


def signature(secret: str, id_: str, timestamp: str, content: bytes) -> str:
    """By the formula of Standard Webhooks, without its library: base64(HMAC-SHA256(key, id.timestamp.body))."""
    key = b64decode(secret.removeprefix("whsec_"))
    return (
        "v1,"
        + b64encode(
            hmac.new(key, b".".join((id_.encode(), timestamp.encode(), content)), hashlib.sha256).digest()
        ).decode()
    )


def signed(
    content: bytes, id_: str = "msg-1", *, secret: str = SECRET, at: float | None = None, now: datetime = NOW
) -> dict[str, str]:
    timestamp = str(int(at if at is not None else now.timestamp()))
    return {
        "content-type": "application/json",
        "webhook-id": id_,
        "webhook-timestamp": timestamp,
        "webhook-signature": signature(secret, id_, timestamp, content),
    }


def bearing(token: str = TOKEN) -> dict[str, str]:
    return {"content-type": "application/json", "authorization": f"Bearer {token}"}
