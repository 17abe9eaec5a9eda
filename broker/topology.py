"""The queues as data. Both drivers read it; nothing else names a queue.

For each route a work queue; one retry queue per step of the ladder, whose messages return to their route's
work queue when the step's time is over; one dead queue.

A work queue has lanes: what names an account in its header `LANE` waits apart from all others'; on a route of
bookings, what starts soon in a second lane of its account. The embedded broker has such lanes for each account.
RabbitMQ has up to LANES_AT_MOST queues of each, numbered from 1 by the account's place; 0 is the work queue itself, the
common lane.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from bellhop.broker.headers import LANE
from bellhop.broker.port import Address, Message

WORK_EXCHANGE: Final = "bellhop.work"
DEAD_EXCHANGE: Final = "bellhop.dead"
ALTERNATE_EXCHANGE: Final = "bellhop.unroutable"
DEAD_QUEUE: Final = "bellhop.dead"
UNROUTABLE_QUEUE: Final = "bellhop.unroutable"
PULSE_QUEUE: Final = "bellhop.pulse"
"""RabbitMQ's alone, and always empty (`broker/rabbitmq/pulse.py`)."""

DELIVERY_LIMIT: Final = 20
"""Where the settings name none."""

LANES_AT_MOST: Final = 64
"""Of a route on RabbitMQ; more accounts share them. A quorum queue is a few processes on each node. All of them come to
526 queues, which took a node from 162 to 254 MB and a worker's start from nothing to a second (bench/README.md)."""

_SOON: Final = ":soon"

DEAD: Final = Address(DEAD_EXCHANGE, "")
NOWHERE: Final = Address(WORK_EXCHANGE, "")
"""What is published there comes back to its publisher as unroutable: a question that no queue sees."""
PULSE: Final = Address(WORK_EXCHANGE, ":pulse")
"""A question, too: most of a cluster's nodes confirm it, as they do all else, and no queue keeps it. It comes back like
those above where there is no pulse: from the embedded broker, and where an older version made the queues."""
QUESTIONS: Final = (NOWHERE, PULSE)


@dataclass(frozen=True, slots=True)
class Topology:
    """`ladder` holds the delays in seconds, rising. A message delivered `delivery_limit` times without ack is dead.
    lanes: of each route, the accounts whose events may come on it, in the order of the settings. soon: the routes whose
    accounts have a lane for what starts soon."""

    routes: Sequence[str]
    ladder: Sequence[float]
    delivery_limit: int = DELIVERY_LIMIT
    lanes: Mapping[str, Sequence[str]] = field(default_factory=dict)
    soon: Collection[str] = ()
    _numbers: Mapping[str, Mapping[str, int]] = field(init=False, repr=False, compare=False)
    """Of `lanes`: asked for with each message."""

    def __post_init__(self) -> None:
        numbers = {
            route: {account: place % LANES_AT_MOST + 1 for place, account in enumerate(accounts)}
            for route, accounts in self.lanes.items()
        }
        object.__setattr__(self, "_numbers", numbers)

    def lane_count(self, route: str) -> int:
        """How many numbered lanes the route needs."""
        return min(len(self.lanes.get(route, ())), LANES_AT_MOST)

    def lane_number(self, route: str, account: str) -> int:
        """The lane of an account; 0 for one that the route does not know."""
        return self._numbers.get(route, {}).get(account, 0)

    def lane_accounts(self, route: str, number: int) -> Sequence[str]:
        """Whose lane it is."""
        is_one = 0 < number <= self.lane_count(route)
        return self.lanes[route][number - 1 :: LANES_AT_MOST] if is_one else ()


def lane_of(message: Message) -> str:
    """The lane in which it is to wait: an account's, or its `soon_lane`; "" for none."""
    return str(message.headers.get(LANE, ""))


def soon_lane(account: str) -> str:
    """Where what starts soon waits for its account. An account's name has no colon."""
    return account + _SOON


def is_soon_lane(lane: str) -> bool:
    return lane.endswith(_SOON)


def lane_account(lane: str) -> str:
    """Whose lane it is."""
    return lane.removesuffix(_SOON)


def lanes_of(accounts: Collection[str]) -> list[str]:
    """All lanes in which what is of these accounts may wait, the common one too."""
    return ["", *accounts, *map(soon_lane, accounts)]


def work_queue(route: str, lane: int = 0, *, is_soon: bool = False) -> str:
    return queue_of(lane_key(route, lane, is_soon=is_soon))


def queue_of(key: str) -> str:
    """The queue of a lane's routing key."""
    return f"bellhop.work.{key}"


def lane_key(route: str, lane: int, *, is_soon: bool = False) -> str:
    """The routing key of a lane. is_soon: of those accounts' lane for what starts soon."""
    return f"{route}:{lane}{_SOON if is_soon else ''}" if lane else route


def route_of(key: str) -> str:
    """The route of a lane's routing key."""
    return key.partition(":")[0]


def retry_queue(delay: float) -> str:
    return f"bellhop.retry.{round(delay * 1000)}ms"


def work(route: str) -> Address:
    """The address of a route's work queue, whose lane the message's header names."""
    return Address(WORK_EXCHANGE, route)


def retry(route: str, delay: float) -> Address:
    """The address from which a message returns to `route` after `delay` seconds, a step of the ladder."""
    return Address(retry_queue(delay), route)
