"""`POST /webhooks/<source>`: read → verify → parse → address → publish → answer.

An answer of 2xx says that the broker has confirmed the event: it survives whatever dies from then on. Until the
confirm nothing is promised, and the sender is told to send again. A webhook sent twice is published twice and answered
alike both times: nothing is kept here, and the ledger, which knows every id, works it once.
"""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Callable, Mapping
from concurrent.futures import CancelledError
from datetime import UTC, datetime
from random import random
from typing import Any, Final
from urllib.parse import quote

from flask import Request, Response

from broker.headers import ATTEMPT, ENQUEUED, ROUTE
from broker.port import Message, Publisher
from broker.topology import work
from ingest import body as bodies
from ingest.problems import Problem, crashed
from ingest.verify import NotVerified, Verifier
from schemas import events
from schemas.envelope import Envelope, content_hash, encode
from schemas.errors import BrokerError, EventInvalid, FieldProblem
from schemas.observe import Observe, silent
from schemas.settings import MEMBERS_ROUTE, ROUTE_OF_KIND, Settings, SourceSettings

_TRACES: Final = {
    "traceparent": re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}"),
    "sentry-trace": re.compile(r"[0-9a-f]{32}-[0-9a-f]{16}(-[01])?"),
    "baggage": re.compile(r"[\x20-\x7e]{1,2048}"),
}
_SIGNED_ID: Final = re.compile(rf"[\x21-\x7e]{{1,{events.MAX_ID}}}")
# The publisher settles every future within the confirm time; this much later, it has broken its word.
_GRACE_SECONDS: Final = 2.0


class Webhooks:
    """The route's steps. One for the whole process; safe from any thread, as it keeps nothing between requests."""

    def __init__(
        self,
        settings: Settings,
        verifiers: Mapping[str, Verifier],
        publisher: Publisher,
        *,
        observe: Observe = silent,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        monotonic: Callable[[], float] = time.monotonic,
        randomness: Callable[[], float] = random,
    ) -> None:
        self._settings = settings
        self._verifiers = verifiers
        self._publisher = publisher
        self._observe = observe
        self._now = now
        self._monotonic = monotonic
        self._randomness = randomness
        self._public_url = settings.ingest.public_url.rstrip("/")

    def post(self, request: Request, name: str) -> Response:
        """Takes one webhook, and tells of it once, however it ends."""
        began = self._monotonic()
        known = name if name in self._settings.sources else ""  # what anyone may make up is no label for a metric
        told: dict[str, str] = {"source": known, "id": "", "type": "", "route": ""}
        try:
            response = self._take(request, name, told)
        except Problem as problem:
            told["reason"] = problem.name
            response = problem.response(request.path)
        except Exception as error:  # noqa: BLE001  # whatever it is, the sender must not take it for an acceptance
            self._observe("webhook.crashed", error=type(error).__name__)
            told["reason"] = "internal"
            response = crashed().response(request.path)
        event = "webhook.accepted" if response.status_code < 300 else "webhook.refused"
        self._observe(event, status=response.status_code, seconds=self._monotonic() - began, **told)
        return response

    def probe(self, source: str) -> Response:
        """Some upstreams ask with GET or HEAD whether there is someone before they post. Raises Problem 404."""
        self._source(source)
        return Response(json.dumps({"source": source, "accepts": "POST"}), 200, content_type="application/json")

    def _take(self, request: Request, name: str, told: dict[str, str]) -> Response:
        source = self._source(name)
        body = bodies.read(request, self._settings.ingest.max_body_bytes)
        now = self._now()
        signed_id = told["id"] = self._verify(source, request, body, now)
        parsed = self._parse(bodies.decode(body))
        id_ = signed_id or parsed.id or f"sha256-{hashlib.sha256(body).hexdigest()}"
        envelope = self._address(source, id_, parsed, now, _traces(request))
        told.update(id=id_, type=envelope.type, route=envelope.route)
        self._publish(envelope)
        return self._answer(source, envelope)

    def _source(self, name: str) -> SourceSettings:
        source = self._settings.sources.get(name)
        if source is None:
            raise Problem(404, "unknown-source", "This Bellhop has no source of that name.")
        return source

    def _verify(self, source: SourceSettings, request: Request, body: bytes, now: datetime) -> str:
        """The delivery id the scheme signs, "" where it signs none."""
        try:
            signed_id = self._verifiers[source.name].verify(request.headers, body, now)
        except NotVerified as error:
            raise unauthorized(error) from None
        if signed_id is not None and not _SIGNED_ID.fullmatch(signed_id):
            raise Problem(400, "bad-id", f"webhook-id must have 1 to {events.MAX_ID} visible ASCII characters.")
        return signed_id or ""

    def _parse(self, decoded: object) -> events.Parsed:
        try:
            return events.parse(decoded, self._settings.venues.get)
        except EventInvalid as error:
            raise Problem(422, "invalid-event", "The event breaks its contract.", error.problems) from None

    def _address(
        self, source: SourceSettings, id_: str, parsed: events.Parsed, now: datetime, trace: Mapping[str, str]
    ) -> Envelope:
        if parsed.type in events.MEMBER_TYPES:
            route, account = MEMBERS_ROUTE, source.member_account
            if not account:
                problem = FieldProblem("type", "needs a Peoplevine account: this source has no member_account")
                raise Problem(422, "invalid-event", "The event cannot be brought anywhere.", (problem,))
        else:
            route, account = ROUTE_OF_KIND[parsed.kind], parsed.account
        return Envelope(
            id=id_,
            source=source.name,
            type=parsed.type,
            subject=parsed.subject,
            route=route,
            account=account,
            time=parsed.time,
            received=now,
            data=parsed.data,
            content_hash=content_hash(parsed.type, parsed.time, parsed.data),
            not_after=parsed.not_after,
            trace=trace,
        )

    def _publish(self, envelope: Envelope) -> None:
        """Returns when the broker has confirmed. Raises Problem 503 for all else: the sender must send it again."""
        headers: dict[str, str | int | float] = {
            ROUTE: envelope.route,
            ENQUEUED: envelope.received.timestamp(),
            ATTEMPT: 0,
            **envelope.trace,
        }
        message = Message(envelope.message_id, encode(envelope), headers)
        try:
            future = self._publisher.publish(message, work(envelope.route))
            future.result(self._settings.broker.confirm_seconds + _GRACE_SECONDS)
        except (BrokerError, TimeoutError, CancelledError):
            detail = "The event was not accepted: the queue did not confirm it. Send it again, with the same id."
            # Spread, so that those who were turned away together do not come back together.
            after = {"Retry-After": str(5 + int(self._randomness() * 6))}
            raise Problem(503, "not-accepted", detail, headers=after) from None

    def _answer(self, source: SourceSettings, envelope: Envelope) -> Response:
        status_url = f"{self._public_url}/events/{source.name}/{quote(envelope.id, safe='')}"
        answer = json.dumps({"id": envelope.id, "status_url": status_url})
        return Response(answer, source.answer, content_type="application/json")


def unauthorized(error: NotVerified) -> Problem:
    """RFC 9110 asks every 401 to name a scheme."""
    return Problem(401, "not-verified", f"{error.reason}.", headers={"WWW-Authenticate": 'Bearer realm="bellhop"'})


def _traces(request: Request) -> dict[str, str]:
    """The trace the sender started, as far as it is well-formed: what is passed on was checked."""
    found: dict[str, Any] = {name: request.headers.get(name) for name in _TRACES}
    return {name: value for name, value in found.items() if value and _TRACES[name].fullmatch(value)}
