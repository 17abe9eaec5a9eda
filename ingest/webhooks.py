"""`POST /webhooks/<source>`: read → verify → decode → take in → publish → answer.

An answer of 2xx says that the broker has confirmed the event: it survives whatever dies from then on. Until the
confirm nothing is promised, and the sender is told to send again. A webhook sent twice is published twice and answered
alike both times: nothing is kept here, and the ledger, which knows every id, works it once.

A body may hold several events, where its source's format says so. One that breaks its contract does not stop the
others: they are taken, the answer is 422 and tells what became of each, as a 2xx would promise all of them. Who sends
the list again does no harm, for the ids are the same. Where the broker confirms only some of them none is promised.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import CancelledError
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Final, TypeVar
from urllib.parse import quote

from flask import Request, Response

from bellhop.broker.messages import work_message
from bellhop.broker.port import Publisher
from bellhop.broker.topology import work, work_queue
from bellhop.ingest import body as bodies
from bellhop.ingest.formats.parts import Ignored, Receipt, RefusedItem, Tested
from bellhop.ingest.heads import PostHeaders
from bellhop.ingest.intake import Intake, Read
from bellhop.ingest.later import JsonAnswer, Later
from bellhop.ingest.limits import SourceLimits
from bellhop.ingest.posts import Handed, PostFacts, PublishedPost, WebhookPost, sender_trace
from bellhop.ingest.problems import internal_error, not_known_problem, respond, unauthorized_problem
from bellhop.ingest.verify import AddressSecrets, NotVerified, Verifier
from bellhop.schemas import events
from bellhop.schemas.clock import SYSTEM_CLOCK, Clock
from bellhop.schemas.envelope import Envelope
from bellhop.schemas.errors import BrokerError, EventInvalid
from bellhop.schemas.observe import Observe, silent, where
from bellhop.schemas.problems import MAX_ERRORS, NOTHING_HERE, Problem, problem_row
from bellhop.schemas.settings import Settings, SourceSettings
from bellhop.schemas.trace import UNTRACED, Tracer

_TOO_MANY: Final = 429
_SIGNED_ID: Final = re.compile(rf"[\x21-\x7e]{{1,{events.MAX_ID}}}")
# The publisher settles every future within the confirm time; this much later, it has broken its word.
_GRACE_SECONDS: Final = 2.0


Result = TypeVar("Result")

NoteRefused = Callable[[str, bodies.Body, Receipt, str, Problem], None]
"""Source, body, receipt, media type and what it is answered."""


def forget(_source: str, _body: bodies.Body, _receipt: Receipt, _media: str, _problem: Problem) -> None:
    """Keeps nothing of what is refused."""


class Webhooks:
    """The route's steps. One for the whole process; safe from any thread, as it keeps nothing between requests."""

    def __init__(
        self,
        settings: Settings,
        verifiers: Mapping[str, Verifier],
        publisher: Publisher,
        *,
        observe: Observe = silent,
        tracer: Tracer = UNTRACED,
        clock: Clock = SYSTEM_CLOCK,
        unique: Callable[[], str] = lambda: os.urandom(16).hex(),
        note_refused: NoteRefused = forget,
        limits: SourceLimits | None = None,
        secrets_known: Callable[[], bool] = lambda: True,
    ) -> None:
        """note_refused: told of each post of a verified source that is answered 4xx, but for those beyond its limit.
        limits: shared with the other processes where there are several. secrets_known: see `create_app`."""
        self._settings = settings
        self._verifiers = verifiers
        self._publisher = publisher
        self._observe = observe
        self._tracer = tracer
        self._clock = clock
        self._unique = unique
        self._note_refused = note_refused
        self._secrets_known = secrets_known
        self._limits = limits or SourceLimits(settings.sources, clock.monotonic)
        self._intakes = {name: Intake(settings, source) for name, source in settings.sources.items()}
        self._public_url = settings.ingest.public_url.rstrip("/")

    def post(self, request: Request, name: str, secret: str = "") -> Response:
        """Takes one webhook, and tells of it once, however it ends. secret: what the path says after the name."""
        begun = self.begin(request, name, secret)
        return begun if isinstance(begun, Response) else begun.make()

    def begin(self, request: Request, name: str, secret: str = "") -> Response | Later:
        """As `post`, but does not wait for the confirms."""
        told = PostFacts(name if name in self._settings.sources else "")  # what anyone may make up is no metric's label
        post = WebhookPost(name, request, self._clock.monotonic(), told)
        taken = self._guard(post, lambda: self._take(request, name, secret, told))
        if isinstance(taken, Response):
            return self._tell(post, taken)

        def answer() -> Response:
            return self._tell(post, self._guard(post, lambda: self._confirm(taken)))

        return Later([confirm for confirm, _ in taken.handed], taken.until, answer)

    def _guard(self, post: WebhookPost, step: Callable[[], Result]) -> Result | Response:
        """What a step makes, or the answer that says why it did not."""
        told = post.told
        try:
            return step()
        except Problem as problem:
            told.event, told.reason = "webhook.refused", problem.name
            if told.verified is not None and problem.status < 500 and problem.status != _TOO_MANY:
                self._note_refused(post.source, *told.verified, post.request.mimetype, problem)
            return respond(problem, post.request.path)
        except Exception as error:  # noqa: BLE001  # whatever it is, the sender must not take it for an acceptance
            self._observe("webhook.crashed", error=type(error).__name__, where=where(error), **told.fields())
            told.event, told.reason = "webhook.refused", "internal"
            return respond(internal_error(), post.request.path)

    def _tell(self, post: WebhookPost, response: Response) -> Response:
        seconds = self._clock.monotonic() - post.began
        self._observe(post.told.event, status=response.status_code, seconds=seconds, **post.told.fields())
        return response

    def probe(self, source: str, secret: str = "") -> Response:
        """Some upstreams ask with GET or HEAD whether there is someone before they post; a secret in the address is not
        looked at. Raises Problem 404."""
        self._source_at(source, secret)
        return Response(json.dumps({"source": source, "accepts": "POST"}), 200, content_type="application/json")

    def _take(self, request: Request, name: str, secret: str, told: PostFacts) -> PublishedPost:
        """Hands what a post holds over to the broker. Raises Problem."""
        source = self._source_at(name, secret)
        takes_forms = self._verifiers[name].takes_forms
        body = bodies.read_body(request, self._settings.ingest.max_body_bytes, takes_forms=takes_forms)
        now = self._clock.now()
        signed_id = told.id = self._verify(source, request, secret, body, now)
        # Of what was packed: packed again it may be other bytes.
        receipt = Receipt(now, self._unique(), hashlib.sha256(body.content).hexdigest(), signed_id)
        told.verified = body, receipt
        decoded = body.decode()
        found = self._read(source, decoded, receipt)
        trace = sender_trace(request)
        taken = [replace(one, trace=trace) if trace else one for one in found if isinstance(one, Envelope)]
        if taken:
            told.id, told.type, told.route, told.events = taken[0].id, taken[0].type, taken[0].route, len(taken)
        else:
            told.event, told.reason = "webhook.ignored", _why_nothing(found)
        self._require_room(source, len(taken))
        until = self._clock.monotonic() + self._settings.broker.confirm_seconds + _GRACE_SECONDS
        return PublishedPost(source, found, self._publish(taken), until)

    def _confirm(self, taken: PublishedPost) -> Response:
        """The answer to what was handed over. Raises Problem."""
        self._await(taken)
        self._require_whole(taken.found)
        return self._answer(taken.source, taken.found)

    def _require_room(self, source: SourceSettings, events: int) -> None:
        """Raises Problem 429. Behind the proof of who posts, so that nobody else uses up what a source may post."""
        if not (seconds := self._limits.wait_seconds(source.name, events)):
            return
        detail = (
            f"This source may post {source.per_second:g} events a second. Nothing of this was taken: send it again,"
            " with the same id, after the time in Retry-After."
        )
        raise Problem(_TOO_MANY, "too-many-events", detail, headers={"Retry-After": str(math.ceil(seconds))})

    def _source_at(self, name: str, secret: str) -> SourceSettings:
        """The source of an address. Raises Problem 404."""
        source = self._source(name)
        if secret and not self._verifiers[name].in_path:
            raise Problem(404, "not-found", NOTHING_HERE)
        return source

    def _source(self, name: str) -> SourceSettings:
        source = self._settings.sources.get(name)
        if source is None:
            raise Problem(404, "unknown-source", "This Bellhop has no source of that name.")
        return source

    def _verify(self, source: SourceSettings, request: Request, secret: str, body: bodies.Body, now: datetime) -> str:
        """The delivery id the scheme signs, "" where it signs none."""
        address = AddressSecrets(secret, tuple(request.args.getlist("secret")) if request.query_string else ())
        headers, (*others, last) = PostHeaders(request.environ), body.signed
        verify = self._verifiers[source.name].verify
        try:
            for signed in others:
                with suppress(NotVerified):
                    return self._signed_id(verify(headers, signed, now, address))
            return self._signed_id(verify(headers, last, now, address))
        except NotVerified as error:
            raise (unauthorized_problem(error) if self._secrets_known() else not_known_problem()) from None

    def _signed_id(self, signed_id: str | None) -> str:
        if signed_id is not None and not _SIGNED_ID.fullmatch(signed_id):
            raise Problem(400, "bad-id", f"webhook-id must have 1 to {events.MAX_ID} visible ASCII characters.")
        return signed_id or ""

    def _read(self, source: SourceSettings, decoded: object, receipt: Receipt) -> Sequence[Read]:
        try:
            return self._intakes[source.name].read(decoded, receipt)
        except EventInvalid as error:
            raise Problem(422, "invalid-event", "The event breaks its contract.", error.problems) from None

    def _publish(self, envelopes: Sequence[Envelope]) -> Sequence[Handed]:
        """The confirms that are awaited, and their spans. Raises Problem 503."""
        try:
            return [self._hand_over(envelope) for envelope in envelopes]
        except BrokerError:
            raise self._not_accepted() from None

    def _await(self, taken: PublishedPost) -> None:
        """Returns when the broker has confirmed all. Raises Problem 503 for all else: the sender must send it again."""
        try:
            for future, span in taken.handed:
                span.status("unavailable")  # until it is confirmed
                future.result(max(0.0, taken.until - self._clock.monotonic()))
                span.status("ok")
        except (BrokerError, TimeoutError, CancelledError):
            raise self._not_accepted() from None
        finally:
            for _, span in taken.handed:
                span.end()

    def _hand_over(self, envelope: Envelope) -> Handed:
        """The confirm that is awaited, and the span that lasts until then."""
        queue = work_queue(envelope.route)
        span = self._tracer.publish(queue, envelope.message_id, _tags(envelope))
        if span.carried:
            envelope = replace(envelope, trace=span.carried)
        message = work_message(envelope, envelope.received)
        span.set("messaging.message.body.size", len(message.body))
        return self._publisher.publish(message, work(envelope.route)), span

    def _not_accepted(self) -> Problem:
        detail = "The event was not accepted: the queue did not confirm it. Send it again, with the same id."
        # Spread, so that those who were turned away together do not come back together.
        return Problem(503, "not-accepted", detail, headers={"Retry-After": str(5 + int(self._clock.chance() * 6))})

    def _answer(self, source: SourceSettings, found: Sequence[Read]) -> Response:
        told = [self._row(one) for one in found]
        return JsonAnswer(told[0] if len(told) == 1 else {"events": told}, source.answer)

    def _require_whole(self, found: Sequence[Read]) -> None:
        """Raises Problem 422 where something of a list was refused; what was not is published by then."""
        refused = [one for one in found if isinstance(one, RefusedItem)]
        if refused:
            detail = (
                f"{len(refused)} of the {len(found)} events break their contract. The others need not be sent again;"
                " if they are, they are known."
            )
            errors = [problem for one in refused for problem in one.problems]
            raise Problem(422, "invalid-event", detail, errors, more={"events": [*map(self._row, found)]})

    def _row(self, one: Read) -> dict[str, object]:
        if isinstance(one, RefusedItem):
            return {"errors": [problem_row(problem) for problem in one.problems[:MAX_ERRORS]]}
        if isinstance(one, Tested):
            return {"id": one.id, "test": True} | ({"event": _would_be(one.event)} if one.event else {})
        return {"ignored": one.why} if isinstance(one, Ignored) else self._receipt(one)

    def _receipt(self, envelope: Envelope) -> dict[str, object]:
        status_url = f"{self._public_url}/events/{envelope.source}/{quote(envelope.id, safe='')}"
        told: dict[str, object] = {"id": envelope.id, "status_url": status_url}
        return told | ({"warnings": list(envelope.warnings)} if envelope.warnings else {})


def _why_nothing(found: Sequence[Read]) -> str:
    """Of a post that holds nothing for a queue: of a list all refused none is read."""
    ignored = next((one for one in found if isinstance(one, Ignored)), None)
    return ignored.why if ignored else "it is a test"


def _would_be(one: Envelope | Ignored) -> dict[str, object]:
    if isinstance(one, Ignored):
        return {"ignored": one.why}
    return {"id": one.id, "type": one.type, "subject": one.subject, "warnings": list(one.warnings)}


def _tags(envelope: Envelope) -> dict[str, str]:
    return {"route": envelope.route, "account": envelope.account, "source": envelope.source, "id": envelope.id}
