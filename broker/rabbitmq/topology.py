"""The topology as RabbitMQ's exchanges and queues; kombu declares them. Valid from RabbitMQ 3.10 to 4.3.

Two exchanges lead to the work queues. Publishers use `bellhop.work`, which has no alternate exchange: what it cannot
route comes back to the publisher, who must not answer 2xx for it. What returns from the retry ladder has no publisher
to come back to; it goes through `bellhop.return`, whose alternate exchange keeps what no work queue takes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from kombu.entity import Exchange, Queue
from kombu.transport.base import StdChannel

from bellhop.broker.topology import (
    ALTERNATE_EXCHANGE,
    DEAD_EXCHANGE,
    DEAD_QUEUE,
    UNROUTABLE_QUEUE,
    WORK_EXCHANGE,
    Topology,
    retry_queue,
    work_queue,
)

RETURN_EXCHANGE: Final = "bellhop.return"

HEADERS: Final = "bellhop"
"""The one header of a message: its headers as JSON. pika cannot write AMQP's floating-point numbers, and RabbitMQ adds
headers of its own (`x-death` and the like) that must not be published again."""

NO_LIMIT: Final = 2**31 - 1
"""RabbitMQ 4 limits deliveries to 20 by itself and then drops; 3.x refuses the -1 that would switch it off."""

_SAFE: Final = {
    "x-queue-type": "quorum",
    # Without reject-publish, at-least-once dead-lettering silently becomes at-most-once.
    "x-overflow": "reject-publish",
    "x-dead-letter-strategy": "at-least-once",
}


def queues(topology: Topology) -> Iterator[Queue]:
    """Every queue with its exchanges and bindings, in an order in which they can be declared."""
    unroutable = Exchange(ALTERNATE_EXCHANGE, "fanout", durable=True)
    work = Exchange(WORK_EXCHANGE, "direct", durable=True)
    back = Exchange(RETURN_EXCHANGE, "direct", durable=True, arguments={"alternate-exchange": ALTERNATE_EXCHANGE})
    dead = Exchange(DEAD_EXCHANGE, "fanout", durable=True)
    yield _queue(UNROUTABLE_QUEUE, unroutable, "", {"x-queue-type": "quorum", "x-delivery-limit": NO_LIMIT})
    yield _queue(DEAD_QUEUE, dead, "", {"x-queue-type": "quorum", "x-delivery-limit": NO_LIMIT})
    for route in topology.routes:
        arguments = {**_SAFE, "x-dead-letter-exchange": DEAD_EXCHANGE, "x-delivery-limit": topology.delivery_limit}
        yield _queue(work_queue(route), work, route, arguments)
        yield _queue(work_queue(route), back, route, arguments)
    for delay in topology.ladder:
        # One delay a queue, never one a message: a long delay at the head would hold up the short ones behind it.
        arguments = {
            **_SAFE,
            "x-dead-letter-exchange": RETURN_EXCHANGE,
            "x-message-ttl": round(delay * 1000),
            "x-delivery-limit": NO_LIMIT,
        }
        yield _queue(retry_queue(delay), Exchange(retry_queue(delay), "fanout", durable=True), "", arguments)


def declare(channel: StdChannel, topology: Topology) -> None:
    for queue in queues(topology):
        queue.bind(channel).declare()


def _queue(name: str, exchange: Exchange, key: str, arguments: dict[str, Any]) -> Queue:
    return Queue(name, exchange, routing_key=key, durable=True, queue_arguments=arguments)
