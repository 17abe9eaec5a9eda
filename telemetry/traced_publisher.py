"""A publisher that traces what people send on: replays, edits, what is resumed."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import replace

from bellhop.broker.headers import LANE, ROUTE, trace_headers
from bellhop.broker.port import Address, Broker, Message, Publisher
from bellhop.broker.topology import QUESTIONS, WORK_EXCHANGE, work_queue
from bellhop.schemas.observe import silent
from bellhop.schemas.trace import UNTRACED, Span, Tracer
from bellhop.telemetry.measured_broker import MeasuredBroker


def trace_publishes(publisher: Publisher, tracer: Tracer) -> Publisher:
    """The publisher itself where nothing is traced. Not for workers: each of their publishes has a span by then."""
    return publisher if tracer is UNTRACED else _TracedPublisher(publisher, tracer)


def trace_broker(broker: Broker, tracer: Tracer) -> Broker:
    """The broker itself where nothing is traced; else each of its publishers traces."""
    return broker if tracer is UNTRACED else _TracedBroker(broker, tracer)


class _TracedBroker(MeasuredBroker):
    def __init__(self, broker: Broker, tracer: Tracer) -> None:
        super().__init__(broker, silent)
        self._tracer = tracer

    def publisher(self) -> Publisher:
        return trace_publishes(super().publisher(), self._tracer)


class _TracedPublisher:
    def __init__(self, publisher: Publisher, tracer: Tracer) -> None:
        self._publisher = publisher
        self._tracer = tracer

    def publish(self, message: Message, to: Address) -> Future[None]:
        """Within the trace that the message carries, which goes on from here; the span lasts until the confirm."""
        if to in QUESTIONS:  # whoever asks is no traffic
            return self._publisher.publish(message, to)
        source, _, id_ = message.id.partition("/")
        told = {"route": message.headers.get(ROUTE, ""), "account": message.headers.get(LANE, "")}
        tags = {name: str(value) for name, value in {**told, "source": source, "id": id_}.items()}
        queue = work_queue(to.routing_key) if to.exchange == WORK_EXCHANGE else to.exchange
        span = self._tracer.publish(queue, message.id, tags, trace_headers(message.headers))
        span.set("messaging.message.body.size", len(message.body))
        future = self._publisher.publish(replace(message, headers={**message.headers, **span.carried}), to)
        future.add_done_callback(lambda done: _end(span, done))
        return future

    def close(self, timeout: float = 5.0) -> None:
        self._publisher.close(timeout)


def _end(span: Span, done: Future[None]) -> None:
    if done.cancelled() or done.exception() is not None:
        span.status("unavailable")
    span.end()
