"""Moves that tests of brokers share. Each waits for a condition with a deadline."""

from __future__ import annotations

import time
from collections.abc import Sequence

from bellhop.broker.port import Address, Consumer, Delivery, Message, Publisher

PATIENCE_SECONDS = 30.0


def message(name: str) -> Message:
    return Message(name, f"body of {name}".encode(), {})


def put(publisher: Publisher, to: Address, *names: str) -> None:
    """Publishes a message for each name and waits for the confirms."""
    for future in [publisher.publish(message(name), to) for name in names]:
        future.result(PATIENCE_SECONDS)


def collect(consumer: Consumer, count: int, *, limit: int = 100) -> list[Delivery]:
    """Takes until there are `count`; fails the test when they do not come."""
    found: list[Delivery] = []
    deadline = time.monotonic() + PATIENCE_SECONDS
    while len(found) < count:
        assert time.monotonic() < deadline, f"only {ids(found)} came, not {count}"
        found += consumer.take(limit, 0.5)
    return found


def settle(consumer: Consumer, deliveries: Sequence[Delivery]) -> None:
    """Acks, and sends the acks."""
    consumer.ack(deliveries)
    consumer.take(0, 0)


def ids(deliveries: Sequence[Delivery]) -> list[str]:
    return [delivery.message.id for delivery in deliveries]
