"""The topology as RabbitMQ's exchanges and queues; kombu declares them. Valid from RabbitMQ 3.10 to 4.3.

Two exchanges lead to the work queues. Publishers use `bellhop.work`, which has no alternate exchange: what it cannot
route comes back to the publisher, who must not answer 2xx for it. What returns from the retry ladder has no publisher
to come back to; it goes through `bellhop.return`, whose alternate exchange keeps what no work queue takes.

A lane is a queue of its own. AMQP cannot list queues, so lanes are numbered without a gap: those that stand beyond what
the settings need, from when they named more accounts, are found by asking for the next one until there is none.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from kombu.entity import Exchange, Queue
from kombu.transport.base import StdChannel

from bellhop.broker.port import Address, Message
from bellhop.broker.topology import (
    ALTERNATE_EXCHANGE,
    DEAD_EXCHANGE,
    DEAD_QUEUE,
    PULSE,
    PULSE_QUEUE,
    UNROUTABLE_QUEUE,
    WORK_EXCHANGE,
    Topology,
    is_soon_lane,
    lane_account,
    lane_key,
    lane_of,
    retry_queue,
    work_queue,
)

_NOT_FOUND: Final = 404

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
    # Bound to an exchange of which nobody needs another right: a publish that is refused costs the whole channel.
    yield _queue(PULSE_QUEUE, work, PULSE.routing_key, {"x-queue-type": "quorum", "x-max-length": 0})
    yield _queue(UNROUTABLE_QUEUE, unroutable, "", {"x-queue-type": "quorum", "x-delivery-limit": NO_LIMIT})
    yield _queue(DEAD_QUEUE, dead, "", {"x-queue-type": "quorum", "x-delivery-limit": NO_LIMIT})
    for route in topology.routes:
        arguments = {**_SAFE, "x-dead-letter-exchange": DEAD_EXCHANGE, "x-delivery-limit": topology.delivery_limit}
        for lane in range(topology.lane_count(route) + 1):
            for is_soon in (False, True) if lane and route in topology.soon else (False,):
                name, key = work_queue(route, lane, is_soon=is_soon), lane_key(route, lane, is_soon=is_soon)
                yield _queue(name, work, key, arguments)
                yield _queue(name, back, key, arguments)
    for delay in topology.ladder:
        # One delay a queue, never one a message: a long delay at the head would hold up the short ones behind it.
        arguments = {
            **_SAFE,
            "x-dead-letter-exchange": RETURN_EXCHANGE,
            "x-message-ttl": round(delay * 1000),
            "x-delivery-limit": NO_LIMIT,
        }
        yield _queue(retry_queue(delay), Exchange(retry_queue(delay), "fanout", durable=True), "", arguments)


def routing_key(topology: Topology, message: Message, to: Address) -> str:
    """The key under which it is published: on its way to a route, that of its lane there."""
    if to.routing_key not in topology.routes:
        return to.routing_key
    return own_key(topology, to.routing_key, lane_of(message))


def own_key(topology: Topology, route: str, lane: str) -> str:
    """The routing key of what is to wait in this lane; the route's own where it has no such lane."""
    number = topology.lane_number(route, lane_account(lane))
    return lane_key(route, number, is_soon=is_soon_lane(lane) and route in topology.soon)


def standing_lanes(link: Any, topology: Topology, route: str) -> list[tuple[int, str]]:
    """The number and the queue of each lane that stands, those beyond what is needed too."""
    needed = topology.lane_count(route)
    found, number = [(0, work_queue(route))], 0
    while (number := number + 1) <= needed or is_there(link, work_queue(route, number)):
        found.append((number, work_queue(route, number)))
        if route in topology.soon:
            soon = work_queue(route, number, is_soon=True)
            if number <= needed or is_there(link, soon):  # an older version has made none
                found.append((number, soon))
    return found


def is_there(link: Any, name: str) -> bool:
    channel = link.channel()
    try:
        channel.queue_declare(name, passive=True)
        channel.close()
    except link.channel_errors as error:
        if getattr(error, "reply_code", 0) != _NOT_FOUND:
            raise
        return False
    return True


def declare(channel: StdChannel, topology: Topology) -> None:
    for queue in queues(topology):
        queue.bind(channel).declare()


def _queue(name: str, exchange: Exchange, key: str, arguments: dict[str, Any]) -> Queue:
    return Queue(name, exchange, routing_key=key, durable=True, queue_arguments=arguments)
