"""RabbitMQ behind the broker port: pika publishes, kombu declares and consumes."""

from __future__ import annotations

import contextlib
import math
import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final, TypeVar

from bellhop.broker.port import Leave, NoLimits, QueueStats
from bellhop.broker.rabbitmq.consumer import LOOK_SECONDS, AmqpConsumer
from bellhop.broker.rabbitmq.lanes import LaneQueues
from bellhop.broker.rabbitmq.messages import message_of
from bellhop.broker.rabbitmq.publisher import AmqpPublisher
from bellhop.broker.rabbitmq.pulse import NodePulse
from bellhop.broker.rabbitmq.raw import CONNECT_SECONDS, connection
from bellhop.broker.rabbitmq.standing import difference_text, migrate, move_all, queue_differences, renew_pulse
from bellhop.broker.rabbitmq.topology import declare, standing_lanes
from bellhop.broker.topology import (
    DEAD_QUEUE,
    UNROUTABLE_QUEUE,
    Topology,
    lane_of,
    lanes_of,
    retry_queue,
    route_of,
    work,
    work_queue,
)
from bellhop.schemas.errors import BrokerError, BrokerUnavailable
from bellhop.schemas.observe import Observe, silent

Result = TypeVar("Result")

_CHECK_SECONDS: Final = 2.0


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
        self._in_turn = self._urls  # who did not answer comes last
        self._topology = topology
        self._confirm_seconds = confirm_seconds
        self._heartbeat_seconds = heartbeat_seconds
        self._observe = observe
        self._open: list[AmqpPublisher | AmqpConsumer] = []
        self._lanes: dict[str, Sequence[tuple[int, str]]] = {}
        self._counted = -math.inf

    def declare(self) -> None:
        def declare_all(link: Any) -> None:
            renew_pulse(link, self._topology)
            declare(link.channel(), self._topology)

        self._on_a_link(declare_all)

    def publisher(self) -> AmqpPublisher:
        publisher = AmqpPublisher(
            self._urls,
            self._topology,
            confirm_seconds=self._confirm_seconds,
            heartbeat_seconds=self._heartbeat_seconds,
            observe=self._observe,
        )
        self._open.append(publisher)
        return publisher

    def consumer(self, queue: str, prefetch: int, leave: Leave | None = None) -> AmqpConsumer:
        route = next((route for route in self._topology.routes if work_queue(route) == queue), None)
        consumer = AmqpConsumer(
            self._urls,
            LaneQueues(self._topology, route, queue, prefetch, leave or NoLimits()),
            heartbeat_seconds=self._heartbeat_seconds,
            observe=self._observe,
        )
        self._open.append(consumer)
        return consumer

    def stats(self) -> Mapping[str, QueueStats]:
        """AMQP tells only what is ready; what is in flight and how old things are, the ledger and the workers tell."""

        def count(link: Any) -> dict[str, QueueStats]:
            channel, standing = link.channel(), self._lanes_that_stand(link)

            def ready(queue: str) -> int:
                return int(channel.queue_declare(queue, passive=True).message_count)

            found = {}
            for route in self._topology.routes:
                lanes: Counter[str] = Counter()
                for lane, queue in standing[route]:
                    lanes[", ".join(self._topology.lane_accounts(route, lane))] += ready(queue)
                waiting = {whose: number for whose, number in lanes.items() if number}
                found[route] = QueueStats(lanes.total(), None, None, waiting)
            others = {"dead": ready(DEAD_QUEUE), "unroutable": ready(UNROUTABLE_QUEUE)}
            others["retry"] = sum(ready(retry_queue(delay)) for delay in self._topology.ladder)
            return found | {name: QueueStats(number, None, None) for name, number in others.items()}

        return self._on_a_link(count)

    def _lanes_that_stand(self, link: Any) -> Mapping[str, Sequence[tuple[int, str]]]:
        """Of each route, as of some minutes ago."""
        now = time.monotonic()
        if now - self._counted >= LOOK_SECONDS:
            self._lanes = {route: standing_lanes(link, self._topology, route) for route in self._topology.routes}
            self._counted = now
        return self._lanes

    def differences(self) -> Sequence[str]:
        return self._on_a_link(lambda link: queue_differences(link, self._topology), _CHECK_SECONDS)

    def migrate(self) -> Mapping[str, int]:
        publisher = self.publisher()
        try:
            return self._on_a_link(lambda link: migrate(link, publisher, self._topology))
        finally:
            publisher.close()
            self._open.remove(publisher)

    def hasten(self, route: str, accounts: Collection[str] | None = None) -> int:
        """Takes what waits in each step, puts the route's back to work, confirmed before it is acked, and gives the
        others back. Dying in between leaves a message twice, which the ledger knows."""
        if route not in self._topology.routes:
            raise BrokerError(f"no route {route} is in the topology")
        publisher = self.publisher()
        lanes = None if accounts is None else lanes_of(accounts)

        def is_wanted(got: Any) -> bool:
            return route_of(_key(got)) == route and (lanes is None or lane_of(message_of(got)) in lanes)

        def move(channel: Any) -> int:
            ladder = map(retry_queue, self._topology.ladder)
            return sum(move_all(channel, publisher, queue, work(route), is_wanted) for queue in ladder)

        try:
            return self._on_a_channel(move)
        finally:
            publisher.close()
            self._open.remove(publisher)

    def close(self) -> None:
        while self._open:
            self._open.pop().close()

    def _on_a_channel(self, act: Callable[[Any], Result]) -> Result:
        return self._on_a_link(lambda link: act(link.channel()))

    def _on_a_link(self, act: Callable[[Any], Result], connect_seconds: float = CONNECT_SECONDS) -> Result:
        """Does it on a connection of its own, to the first URL that answers and is not cut off. One that did not comes
        last from then on."""
        last: BaseException | None = None
        for url in self._in_turn:
            link = connection(url, self._heartbeat_seconds, connect_seconds)
            try:
                NodePulse(link).prove()  # or it would tell of its queues what it remembers
                return act(link)
            except link.channel_errors as error:
                raise BrokerError(_advice(error)) from None
            except (*link.connection_errors, OSError) as error:
                last = error
                self._in_turn = (*(other for other in self._in_turn if other != url), url)
            finally:
                with contextlib.suppress(*link.connection_errors, *link.channel_errors, OSError):
                    link.release()
        # The URL is not told: it holds the password.
        raise BrokerUnavailable(
            f"RabbitMQ could not be reached at any of broker.url ({len(self._urls)}): {type(last).__name__}"
        )


def _key(got: Any) -> str:
    return str(got.delivery_info["routing_key"])


def _advice(error: BaseException) -> str:
    code, text = getattr(error, "reply_code", 0), getattr(error, "reply_text", "")
    if code == 406:
        told = difference_text(error)
        return (
            f"a queue exists with other arguments: {told}. Stop the workers and run `bellhop queues migrate`, "
            "which keeps its messages. Drain and delete it, or use a new virtual host, where that is no way"
        )
    if code == 404:
        return f"the queues are not declared yet ({text}): start a worker, or the ingress, once"
    return f"RabbitMQ refused: {code} {text}"
