"""The lanes of one queue as a consumer sees them: which queues to consume, and what has arrived in each."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Any, Final

from bellhop.broker.headers import DEATHS
from bellhop.broker.port import Delivery, Leave, Message
from bellhop.broker.rabbitmq.topology import own_key, standing_lanes
from bellhop.broker.topology import Topology, lane_of, queue_of

_MOST_PREFETCHED: Final = 2**16 - 1


class LaneQueues:
    """`route` is None for a queue that is no work queue and has none. Belongs to the thread of `take`."""

    def __init__(self, topology: Topology, route: str | None, queue: str, prefetch: int, leave: Leave) -> None:
        self.queue = queue
        self._topology = topology
        self._route = route
        self._prefetch = prefetch
        self._leave = leave
        self._arrived: dict[str, deque[Delivery]] = {}

    def queues(self, link: Any) -> Iterator[tuple[str, int]]:
        """The queues of all lanes that stand, each with its prefetch."""
        if self._route is None:
            yield self.queue, self._prefetch_of(0)
            return
        for number, queue in standing_lanes(link, self._topology, self._route):
            yield queue, self._prefetch_of(number)

    def _prefetch_of(self, lane: int) -> int:
        accounts = self._topology.lane_accounts(self._route, lane) if self._route else ()
        wanted = [self._leave.most(account) for account in accounts] or [self._leave.most("")]
        return min(self._prefetch, sum(wanted), _MOST_PREFETCHED)

    def own_lane(self, queue: str, message: Message) -> str:
        """The lane of a message that came from the lane it names; "" of any other."""
        if self._route is None:
            return ""
        key = own_key(self._topology, self._route, lane := lane_of(message))
        return lane if key != self._route and queue == queue_of(key) else ""

    def arrive(self, delivery: Delivery) -> None:
        self._arrived.setdefault(delivery.lane, deque()).append(delivery)

    def pick(self, limit: int) -> list[Delivery]:
        """What has arrived and has room, one account after the other; the next time another one is first."""
        picked: list[Delivery] = []
        for lane in list(self._arrived):
            if len(picked) >= limit:
                break
            if lane and self._leave.is_full(len(picked)):
                if "" in self._arrived:
                    continue
                break
            waiting = self._arrived[lane]
            count = min(len(waiting), limit - len(picked), self._leave.room(lane, len(picked)))
            if count > 0:
                picked += [waiting.popleft() for _ in range(count)]
                del self._arrived[lane]
                if waiting:
                    self._arrived[lane] = waiting  # behind the others
        return picked

    def pick_counted(self, limit: int) -> list[Delivery]:
        """What has arrived with a count of deaths, whatever leave its account has."""
        picked: list[Delivery] = []
        for lane, waiting in list(self._arrived.items()):
            for delivery in [one for one in waiting if _is_counted(one)][: limit - len(picked)]:
                waiting.remove(delivery)
                picked.append(delivery)
            if not waiting:
                del self._arrived[lane]
        return picked

    def has_counted(self) -> bool:
        return any(map(_is_counted, self.all_arrived()))

    def all_arrived(self) -> list[Delivery]:
        return [delivery for waiting in self._arrived.values() for delivery in waiting]

    def clear(self) -> None:
        self._arrived.clear()


def _is_counted(delivery: Delivery) -> bool:
    return DEATHS in delivery.message.headers
