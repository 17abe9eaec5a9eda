"""Sentry's spans, and whoever traces beside it: one trace from the webhook through the queue to the vendor's call.

Conventions: https://docs.sentry.io/platforms/python/tracing/instrumentation/custom-instrumentation/queues-module/
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Final

from bellhop.schemas.settings import SentrySettings
from bellhop.schemas.trace import UNTRACED, Received, Span, Tracer, parent_of
from bellhop.telemetry.sentry import EVENT_ID

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment
    from sentry_sdk.tracing import Span as TheirSpan

TRANSACTION: Final = "queue.task"
PUBLISH: Final = "queue.publish"
_OK: Final = "ok"


def tracer(settings: SentrySettings) -> Tracer:
    """To be called once Sentry was started. Silent where nothing is sampled."""
    return SentryTracer() if settings.dsn and settings.traces_sample_rate else UNTRACED


def both(one: Tracer, other: Tracer) -> Tracer:
    """Tells each of them, as far as they trace anything."""
    tracers = [tracer for tracer in (one, other) if tracer is not UNTRACED]
    return Tracers(tracers) if len(tracers) > 1 else next(iter(tracers), UNTRACED)


class _Spans:
    def __init__(self, spans: Sequence[Span]) -> None:
        self._spans = spans

    @property
    def carried(self) -> Mapping[str, str]:
        """Of the same name the last one's."""
        return {name: value for span in self._spans for name, value in span.carried.items()}

    def set(self, name: str, value: str | int | float) -> None:
        for span in self._spans:
            span.set(name, value)

    def status(self, word: str) -> None:
        for span in self._spans:
            span.status(word)

    def end(self) -> None:
        for span in self._spans:
            span.end()


class Tracers:
    """Several, told together."""

    def __init__(self, tracers: Sequence[Tracer]) -> None:
        self._tracers = tracers

    def publish(self, queue: str, id_: str, tags: Mapping[str, str], trace: Mapping[str, str] | None = None) -> Span:
        return _Spans([tracer.publish(queue, id_, tags, trace) for tracer in self._tracers])

    @contextmanager
    def process(self, received: Received) -> Iterator[Span]:
        with ExitStack() as stack:
            yield _Spans([stack.enter_context(tracer.process(received)) for tracer in self._tracers])

    @contextmanager
    def call(self, verb: str, name: str, host: str) -> Iterator[Span]:
        with ExitStack() as stack:
            yield _Spans([stack.enter_context(tracer.call(verb, name, host)) for tracer in self._tracers])

    def ingress(self, app: WSGIApplication) -> WSGIApplication:
        """The last one's outermost: the others go on from its span."""
        for tracer in self._tracers:
            app = tracer.ingress(app)
        return app


class SentrySpan:
    def __init__(self, span: TheirSpan) -> None:
        self._span = span
        span.set_status(_OK)

    @property
    def carried(self) -> Mapping[str, str]:
        carried = dict(self._span.iter_headers())
        if told := self._span.to_traceparent():
            carried["sentry-trace"] = told
            trace, span, *sampled = told.split("-")
            carried["traceparent"] = f"00-{trace}-{span}-{'01' if sampled == ['1'] else '00'}"
        return carried

    def set(self, name: str, value: str | int | float) -> None:
        self._span.set_data(name, value)

    def status(self, word: str) -> None:
        self._span.set_status(word)

    def end(self) -> None:
        self._span.finish()


class SentryTracer:
    """See `schemas.trace.Tracer`."""

    def publish(self, queue: str, id_: str, tags: Mapping[str, str], trace: Mapping[str, str] | None = None) -> Span:
        import sentry_sdk

        if trace is None:
            sentry_sdk.set_tags(_tag_names(tags))  # of the whole request
            span = sentry_sdk.start_span(op=PUBLISH, name=queue)
        else:
            with (
                sentry_sdk.isolation_scope()
            ):  # the thread that settles sends on many events, each of a trace of its own
                begun = sentry_sdk.continue_trace(_follow(trace), op=PUBLISH, name=queue, source="task")
                span = sentry_sdk.start_transaction(begun)
            for name, value in _tag_names(tags).items():
                span.set_tag(name, value)
        span.set_data("messaging.message.id", id_)
        span.set_data("messaging.destination.name", queue)
        return SentrySpan(span)

    @contextmanager
    def process(self, received: Received) -> Iterator[Span]:
        import sentry_sdk

        with sentry_sdk.isolation_scope() as scope:
            scope.set_tags(_tag_names(received.tags))
            trace = _follow(received.trace)
            begun = sentry_sdk.continue_trace(trace, op=TRANSACTION, name=received.queue, source="task")
            with (
                sentry_sdk.start_transaction(begun) as transaction,
                sentry_sdk.start_span(op="queue.process", name=received.queue) as span,
            ):
                for name, value in _facts(received):
                    span.set_data(name, value)
                yield _Both(span, transaction)

    @contextmanager
    def call(self, verb: str, name: str, host: str) -> Iterator[Span]:
        import sentry_sdk

        if sentry_sdk.get_current_span() is None:  # of the scheduler, the doctor: no transaction is there
            with UNTRACED.call(verb, name, host) as nothing:
                yield nothing
            return
        with sentry_sdk.start_span(
            op="http.client", name=name if name.startswith(f"{verb} ") else f"{verb} {name}"
        ) as span:
            span.set_data("http.request.method", verb)
            span.set_data("server.address", host)
            yield SentrySpan(span)

    def ingress(self, app: WSGIApplication) -> WSGIApplication:
        return own_sampling(app)


class _Both(SentrySpan):
    """The span of a message at work; its transaction ends as it does."""

    def __init__(self, span: TheirSpan, transaction: TheirSpan) -> None:
        super().__init__(span)
        self._transaction = transaction
        transaction.set_status(_OK)

    def status(self, word: str) -> None:
        super().status(word)
        self._transaction.set_status(word)


def _follow(trace: Mapping[str, str]) -> dict[str, str]:
    """The headers with Sentry's own, also where the trace came with W3C's alone."""
    parent = "" if "sentry-trace" in trace else parent_of(trace)
    return {**trace, "sentry-trace": parent} if parent else dict(trace)


def _tag_names(tags: Mapping[str, str]) -> dict[str, str]:
    return {EVENT_ID if name == "id" else name: value for name, value in tags.items()}


def _facts(received: Received) -> Iterator[tuple[str, str | int | float]]:
    yield "messaging.message.id", received.id
    yield "messaging.destination.name", received.queue
    yield "messaging.message.body.size", received.size
    yield "messaging.message.retry.count", received.retries
    if received.latency is not None:
        yield "messaging.message.receive.latency", round(received.latency * 1000)  # milliseconds, by the convention


def own_sampling(app: WSGIApplication) -> WSGIApplication:
    """Takes a sender's trace on, but not its word on whether it is sampled: what strangers post must not decide how
    much is sent to Sentry. A sender that speaks W3C's `traceparent` alone is followed too."""

    def continue_trace(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        names = {"sentry-trace": "HTTP_SENTRY_TRACE", "traceparent": "HTTP_TRACEPARENT"}
        parent = parent_of({name: str(environ.get(key, "")) for name, key in names.items()})
        for key in ("HTTP_BAGGAGE", "HTTP_SENTRY_TRACE"):
            environ.pop(key, None)
        if parent:
            environ["HTTP_SENTRY_TRACE"] = parent
        return app(environ, start_response)

    return continue_trace
