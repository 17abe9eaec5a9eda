"""Spans by OpenTelemetry's conventions for messaging and HTTP, of what `schemas.trace` is told.

https://opentelemetry.io/docs/specs/semconv/messaging/messaging-spans/ and …/http/http-spans/. Two things they ask for
are left out: `url.full` and `url.path`, in which vendors and sources have secrets, and the texts of exceptions, which
quote guests.

One trace leads from the webhook through every try, its dead letter and each replay. Whatever does not follow directly
on the webhook also has a link to the span that sent it to its queue.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from opentelemetry import trace as api
from opentelemetry.context import Context
from opentelemetry.sdk.trace.sampling import Decision, ParentBased, Sampler, SamplingResult, TraceIdRatioBased
from opentelemetry.trace import Link, SpanContext, SpanKind, StatusCode, TraceFlags

from bellhop.schemas.trace import UNTRACED, Received, Span, parent_of

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment
    from opentelemetry.util.types import Attributes

_ROUTES: Final[Mapping[str, tuple[str, ...]]] = {
    "webhooks": ("", "{source}", "{secret}"),
    "events": ("", "{source}", "{id}"),
}
_METHODS: Final = ("GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH")
_OWN_NAMES: Final = {"outcome": "bellhop.outcome", "reason": "bellhop.reason"}
_WELL: Final = ("", "ok")


class OtelSpan:
    """A span. `status` may be said several times: the last word counts, and an error is told by its name."""

    def __init__(self, span: api.Span) -> None:
        self._span = span
        self._status = ""
        self._http_status = 0

    @property
    def carried(self) -> Mapping[str, str]:
        return {"traceparent": _traceparent(self._span.get_span_context())}

    def set(self, name: str, value: str | int | float) -> None:
        if name == "http.response.status_code":
            self._http_status = int(value)
        self._span.set_attribute(_OWN_NAMES.get(name, name), value)

    def status(self, word: str) -> None:
        self._status = word

    def settle(self) -> None:
        """Says how it ended; the conventions leave what went well unset."""
        if self._status not in _WELL:
            self._span.set_status(StatusCode.ERROR)
            self._span.set_attribute("error.type", str(self._http_status or self._status))

    def end(self) -> None:
        self.settle()
        self._span.end()


class OtelTracer:
    """See `schemas.trace.Tracer`. system: `messaging.system`."""

    def __init__(self, tracer: api.Tracer, system: str) -> None:
        self._tracer = tracer
        self._system = system

    def publish(self, queue: str, id_: str, tags: Mapping[str, str], trace: Mapping[str, str] | None = None) -> Span:
        named = _tags(tags)
        if trace is None:
            api.get_current_span().set_attributes(named)  # of the whole request
        attributes = {**self._messaging("send", queue, id_), **named}
        context = None if trace is None else _context(trace)
        return OtelSpan(self._tracer.start_span(f"send {queue}", context, SpanKind.PRODUCER, attributes))

    @contextmanager
    def process(self, received: Received) -> Iterator[Span]:
        parent, origin = _remote(received.trace), _remote(received.origin)
        links = [Link(origin)] if origin is not None and origin != parent else []
        attributes = {
            **self._messaging("process", received.queue, received.id),
            **_tags(received.tags),
            "messaging.message.body.size": received.size,
            "bellhop.message.retry_count": received.retries,
        }
        if received.latency is not None:
            attributes["bellhop.message.lag_seconds"] = round(received.latency, 3)
        with self._current(
            f"process {received.queue}", SpanKind.CONSUMER, attributes, _context(received.trace), links
        ) as span:
            yield span

    @contextmanager
    def call(self, verb: str, name: str, host: str) -> Iterator[Span]:
        if not api.get_current_span().get_span_context().is_valid:  # of the scheduler, the doctor: no trace is there
            with UNTRACED.call(verb, name, host) as nothing:
                yield nothing
            return
        title = name if name.startswith(f"{verb} ") else f"{verb} {name}"
        attributes = {"http.request.method": verb, "server.address": host}
        with self._current(title, SpanKind.CLIENT, attributes) as span:
            yield span

    def ingress(self, app: WSGIApplication) -> WSGIApplication:
        """The ingress with a span around each request but those for health. A sender's trace goes on; whether it is
        sampled is ours to say (`ingress_sampler`)."""

        def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            route = _route(str(environ.get("PATH_INFO", "")))
            if route is None:
                return app(environ, start_response)
            told = str(environ.get("REQUEST_METHOD", ""))
            method = told if told in _METHODS else "_OTHER"
            attributes = {
                "http.request.method": method,
                "http.route": route,
                "url.scheme": str(environ.get("wsgi.url_scheme", "http")),
                "network.protocol.version": str(environ.get("SERVER_PROTOCOL", "")).partition("/")[2],
            }
            context = _context({"traceparent": _sender(environ)})
            title = f"{method if method in _METHODS else 'HTTP'} {route}"
            with self._current(title, SpanKind.SERVER, attributes, context) as span:
                # Whoever else follows the trace goes on from here: Sentry does.
                environ["HTTP_TRACEPARENT"] = span.carried["traceparent"]

                def start(status: str, headers: list[tuple[str, str]], *more: object) -> object:
                    code = int(status[:3])
                    span.set("http.response.status_code", code)
                    if code >= 500:
                        span.status("internal_error")
                    return start_response(status, headers, *more)  # type: ignore[arg-type]

                return app(environ, start)  # type: ignore[arg-type]

        return answer

    @contextmanager
    def _current(
        self,
        title: str,
        kind: SpanKind,
        attributes: Attributes,
        context: Context | None = None,
        links: list[Link] | None = None,
    ) -> Iterator[OtelSpan]:
        """Of an exception only its name."""
        begun = self._tracer.start_span(title, context, kind, attributes, links)
        span = OtelSpan(begun)
        with api.use_span(begun, end_on_exit=True, record_exception=False, set_status_on_exception=False):
            try:
                yield span
            except BaseException as error:
                span.status(type(error).__name__)
                raise
            finally:
                span.settle()

    def _messaging(self, operation: str, queue: str, id_: str) -> dict[str, str | int | float]:
        return {
            "messaging.system": self._system,
            "messaging.operation.type": operation,
            "messaging.operation.name": operation,
            "messaging.destination.name": queue,
            "messaging.message.id": id_,
        }


class _Chance(Sampler):
    """This share, by our own die: of a trace id that a stranger made up the SDK's would be the stranger's."""

    def __init__(self, rate: float, chance: random.Random | None = None) -> None:
        self._rate = rate
        self._chance = chance or random.SystemRandom()

    def should_sample(
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Attributes = None,
        links: object = None,
        trace_state: api.TraceState | None = None,
    ) -> SamplingResult:
        taken = self._chance.random() < self._rate
        return SamplingResult(Decision.RECORD_AND_SAMPLE if taken else Decision.DROP, attributes)

    def get_description(self) -> str:
        return f"Chance{{{self._rate}}}"


def ingress_sampler(rate: float) -> Sampler:
    """Asks no stranger: of what comes in from outside this share, whatever the sender says."""
    chance = _Chance(rate)
    return ParentBased(chance, remote_parent_sampled=chance, remote_parent_not_sampled=chance)


def sampler(rate: float) -> Sampler:
    """As the ingress decided; of what has no trace yet, this share."""
    return ParentBased(TraceIdRatioBased(rate))


def _tags(tags: Mapping[str, str]) -> dict[str, str | int | float]:
    return {("bellhop.event.id" if name == "id" else f"bellhop.{name}"): value for name, value in tags.items() if value}


def _remote(headers: Mapping[str, str]) -> SpanContext | None:
    """Where the trace of these headers goes on from; None where there is none, or none that is well-formed."""
    told = {"traceparent": headers.get("traceparent", "")}
    trace_id, _, span_id = parent_of(told).partition("-")
    if not trace_id or not int(trace_id, 16) or not int(span_id, 16):
        return None
    flags = TraceFlags(int(told["traceparent"][-2:], 16) & TraceFlags.SAMPLED)
    return SpanContext(int(trace_id, 16), int(span_id, 16), is_remote=True, trace_flags=flags)


def _context(headers: Mapping[str, str]) -> Context:
    """An empty one where there is no trace: what this thread does anyway is none of its business."""
    parent = _remote(headers)
    return Context() if parent is None else api.set_span_in_context(api.NonRecordingSpan(parent), Context())


def _sender(environ: WSGIEnvironment) -> str:
    """The sender's `traceparent`, "" where there is none. One that speaks Sentry's word for it is followed too; all of
    them are taken away, as two words for one trace would part."""
    names = {"sentry-trace": "HTTP_SENTRY_TRACE", "traceparent": "HTTP_TRACEPARENT"}
    parent = parent_of({name: str(environ.get(key, "")) for name, key in names.items()})
    for key in ("HTTP_SENTRY_TRACE", "HTTP_BAGGAGE", "HTTP_TRACEPARENT"):
        environ.pop(key, None)
    return f"00-{parent}-00" if parent else ""


def _traceparent(at: SpanContext) -> str:
    return f"00-{at.trace_id:032x}-{at.span_id:016x}-{at.trace_flags & TraceFlags.SAMPLED:02x}"


def _route(path: str) -> str | None:
    """The path's pattern, without what stands in it; None for what is no work: health, and whatever nobody has."""
    first, *rest = path.strip("/").split("/")
    names = _ROUTES.get(first, ())
    return "/".join((f"/{first}", *names[1 : 1 + len(rest)])) if 0 < len(rest) < len(names) else None
