"""RabbitMQ behind the broker port: pika publishes, kombu declares and consumes."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeVar

from bellhop.broker.port import Message, Publisher, QueueStats
from bellhop.broker.rabbitmq.consumer import AmqpConsumer, connection, own_headers
from bellhop.broker.rabbitmq.publisher import AmqpPublisher
from bellhop.broker.rabbitmq.topology import declare
from bellhop.broker.topology import DEAD_QUEUE, UNROUTABLE_QUEUE, Topology, retry_queue, work, work_queue
from bellhop.schemas.errors import BrokerError, BrokerUnavailable
from bellhop.schemas.observe import Observe, silent

Result = TypeVar("Result")

_MOVED_AT_ONCE: Final = 25
"""Below the 32 acks that RabbitMQ keeps on their way to a quorum queue: those beyond are lost where the channel closes
before they are sent, and their messages come again."""


class AmqpBroker:
    """`urls`: tried in turn, each `amqp://user:password@host:port/vhost` (or amqps)."""

    def __init__(
        self,
        urls: Sequence[str],
        topology: Topology,
        *,
        confirm_seconds: float,
        heartbeat_seconds: float,
        observe: Observe = silent,
    ) -> None:
        self._urls = tuple(urls)
        self._topology = topology
        self._confirm_seconds = confirm_seconds
        self._heartbeat_seconds = heartbeat_seconds
        self._observe = observe
        self._open: list[AmqpPublisher | AmqpConsumer] = []

    def declare(self) -> None:
        self._on_a_channel(lambda channel: declare(channel, self._topology))

    def publisher(self) -> AmqpPublisher:
        publisher = AmqpPublisher(
            self._urls,
            confirm_seconds=self._confirm_seconds,
            heartbeat_seconds=self._heartbeat_seconds,
            observe=self._observe,
        )
        self._open.append(publisher)
        return publisher

    def consumer(self, queue: str, prefetch: int) -> AmqpConsumer:
        consumer = AmqpConsumer(
            self._urls, queue, prefetch, heartbeat_seconds=self._heartbeat_seconds, observe=self._observe
        )
        self._open.append(consumer)
        return consumer

    def stats(self) -> Mapping[str, QueueStats]:
        """AMQP tells only what is ready; what is in flight and how old things are, the ledger and the workers tell."""

        def count(channel: Any) -> dict[str, QueueStats]:
            def ready(queue: str) -> int:
                return int(channel.queue_declare(queue, passive=True).message_count)

            found = {route: ready(work_queue(route)) for route in self._topology.routes}
            found |= {"dead": ready(DEAD_QUEUE), "unroutable": ready(UNROUTABLE_QUEUE)}
            found["retry"] = sum(ready(retry_queue(delay)) for delay in self._topology.ladder)
            return {name: QueueStats(number, None, None) for name, number in found.items()}

        return self._on_a_channel(count)

    def hasten(self, route: str) -> int:
        """Takes what waits in each step, puts the route's back to work, confirmed before it is acked, and gives the
        others back. Dying in between leaves a message twice, which the ledger knows."""
        if route not in self._topology.routes:
            raise BrokerError(f"no route {route} is in the topology")
        publisher = self.publisher()

        def move(channel: Any) -> int:
            return sum(_move(channel, publisher, retry_queue(delay), route) for delay in self._topology.ladder)

        try:
            return self._on_a_channel(move)
        finally:
            publisher.close()
            self._open.remove(publisher)

    def close(self) -> None:
        while self._open:
            self._open.pop().close()

    def _on_a_channel(self, act: Callable[[Any], Result]) -> Result:
        """Does it on a connection of its own, to the first URL that answers."""
        last: BaseException | None = None
        for url in self._urls:
            link = connection(url, self._heartbeat_seconds)
            try:
                channel = link.channel()
            except (*link.connection_errors, OSError) as error:
                last = error
                continue
            try:
                return act(channel)
            except link.channel_errors as error:
                raise BrokerError(_advice(error)) from None
            except (*link.connection_errors, OSError) as error:
                last = error
            finally:
                with contextlib.suppress(*link.connection_errors, *link.channel_errors, OSError):
                    link.release()
        # The URL is not told: it holds the password.
        raise BrokerUnavailable(
            f"RabbitMQ could not be reached at any of {len(self._urls)} URLs: {type(last).__name__}"
        )


def _move(channel: Any, publisher: Publisher, queue: str, route: str) -> int:
    """How many of the queue's messages, as many as are in it now, went back to the route's work queue. Those of other
    routes are given back when the channel closes, not before, or they would come again at once; they keep their
    time."""
    moved = 0
    own: list[Any] = []
    for _ in range(int(channel.queue_declare(queue, passive=True).message_count)):
        got = channel.basic_get(queue)
        if got is None:
            break
        if got.delivery_info["routing_key"] == route:
            own.append(got)
        if len(own) == _MOVED_AT_ONCE:
            moved += _sent_on(channel, publisher, own, route)
            own = []
    return moved + _sent_on(channel, publisher, own, route)


def _sent_on(channel: Any, publisher: Publisher, messages: Sequence[Any], route: str) -> int:
    """Acks those that were confirmed. Raises BrokerError where one was not; it stays."""
    futures = [publisher.publish(_message(got), work(route)) for got in messages]
    failure: BrokerError | None = None
    for got, future in zip(messages, futures, strict=True):
        try:
            future.result()
            channel.basic_ack(got.delivery_tag)
        except BrokerError as error:
            failure = error
    if failure is not None:
        raise failure
    return len(messages)


def _message(got: Any) -> Message:
    body = got.body if isinstance(got.body, bytes) else str(got.body).encode()
    headers = got.properties.get("application_headers") or {}
    return Message(str(got.properties.get("message_id") or ""), body, own_headers(headers))


def _advice(error: BaseException) -> str:
    code, text = getattr(error, "reply_code", 0), getattr(error, "reply_text", "")
    if code == 406:
        return f"a queue exists with other arguments: {text}. Drain and delete it, or use a new virtual host"
    if code == 404:
        return f"the queues are not declared yet ({text}): start a worker, or the ingress, once"
    return f"RabbitMQ refused: {code} {text}"
