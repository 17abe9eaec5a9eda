"""The queues as data. Both drivers read it; nothing else names a queue.

For each route a work queue; one retry queue per step of the ladder, whose messages return to their route's
work queue when the step's time is over; one dead queue.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bellhop.broker.port import Address

WORK_EXCHANGE: Final = "bellhop.work"
DEAD_EXCHANGE: Final = "bellhop.dead"
ALTERNATE_EXCHANGE: Final = "bellhop.unroutable"
DEAD_QUEUE: Final = "bellhop.dead"
UNROUTABLE_QUEUE: Final = "bellhop.unroutable"

DELIVERY_LIMIT: Final = 20
"""Where the settings name none."""

DEAD: Final = Address(DEAD_EXCHANGE, "")
NOWHERE: Final = Address(WORK_EXCHANGE, "")
"""What is published there comes back to its publisher as unroutable: a question that no queue sees."""


@dataclass(frozen=True, slots=True)
class Topology:
    """`ladder` holds the delays in seconds, rising. A message delivered `delivery_limit` times without ack is dead."""

    routes: Sequence[str]
    ladder: Sequence[float]
    delivery_limit: int = DELIVERY_LIMIT


def work_queue(route: str) -> str:
    return f"bellhop.work.{route}"


def retry_queue(delay: float) -> str:
    return f"bellhop.retry.{round(delay * 1000)}ms"


def work(route: str) -> Address:
    """The address of a route's work queue."""
    return Address(WORK_EXCHANGE, route)


def retry(route: str, delay: float) -> Address:
    """The address from which a message returns to `route` after `delay` seconds, a step of the ladder."""
    return Address(retry_queue(delay), route)
