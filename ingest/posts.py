"""One post on its way through the ingress: what is told of it, and what of it the broker is asked to keep."""

from __future__ import annotations

import re
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Final

from flask import Request

from bellhop.ingest.body import Body
from bellhop.ingest.formats.parts import Receipt
from bellhop.ingest.intake import Read
from bellhop.schemas.settings import SourceSettings
from bellhop.schemas.trace import Span

_TRACES: Final = {
    "traceparent": re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}"),
    "sentry-trace": re.compile(r"[0-9a-f]{32}-[0-9a-f]{16}(-[01])?"),
    "baggage": re.compile(r"[\x20-\x7e]{1,2048}"),
}
_TRACE_KEYS: Final = {name: f"HTTP_{name.upper().replace('-', '_')}" for name in _TRACES}  # WSGI's
Handed = tuple[Future[None], Span]
"""The confirm that is awaited, and the span that lasts until then."""


@dataclass(slots=True)
class PostFacts:
    """What is known of a post so far, for telling of it. reason: why it was refused, or what it is ignored for.
    verified: its body and receipt, once it has proved where it comes from."""

    source: str
    id: str = ""
    type: str = ""
    route: str = ""
    event: str = "webhook.accepted"
    reason: str = ""
    events: int = 1
    verified: tuple[Body, Receipt] | None = None

    def fields(self) -> dict[str, str | int]:
        told: dict[str, str | int] = {"source": self.source, "id": self.id, "type": self.type, "route": self.route}
        if self.reason:
            told["reason"] = self.reason
        if self.events != 1:
            told["events"] = self.events
        return told


@dataclass(frozen=True, slots=True)
class WebhookPost:
    """One post. source: as its path names it. began: monotonic seconds."""

    source: str
    request: Request
    began: float
    told: PostFacts


@dataclass(frozen=True, slots=True)
class PublishedPost:
    """What a post holds, handed over to the broker. until: monotonic seconds by which all must be confirmed."""

    source: SourceSettings
    found: Sequence[Read]
    handed: Sequence[Handed]
    until: float


def sender_trace(request: Request) -> dict[str, str]:
    """The trace the sender started, as far as it is well-formed: what is passed on was checked."""
    found = {name: request.environ.get(key, "") for name, key in _TRACE_KEYS.items()}
    return {name: value for name, value in found.items() if value and _TRACES[name].fullmatch(value)}
