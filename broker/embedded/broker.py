"""The embedded broker: one SQLite file, for any number of processes of one user on one host.

Durability: a publish is confirmed after a synced commit. Exclusiveness: a lease with a fencing token; a lease ends
by ack, by `close`, when its time is over, or at once when its consumer's process is seen to be dead. Limits: the
file must be on a local disk, and the wall clock decides when a delay or a lease is over.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Final

from bellhop.broker.embedded.consumer import EmbeddedConsumer
from bellhop.broker.embedded.publisher import EmbeddedPublisher
from bellhop.broker.embedded.store import Store
from bellhop.broker.embedded.wake import Ringer
from bellhop.broker.port import Leave, QueueStats
from bellhop.broker.topology import DEAD, DEAD_QUEUE, UNROUTABLE_QUEUE, Topology, lanes_of, retry, work, work_queue
from bellhop.schemas.clock import steady_time
from bellhop.schemas.errors import BrokerError
from bellhop.schemas.observe import Observe, silent
from bellhop.schemas.sqlite_library import VERSION, sqlite, wal_is_safe

_SCHEME: Final = "sqlite:///"


class EmbeddedBroker:
    """`url` is `sqlite:///relative/path.db` or `sqlite:////absolute/path.db`. Raises BrokerError for any other.

    `lease_seconds`: how long a consumer that neither takes nor dies keeps its deliveries. `poll_seconds`: how often
    a waiting consumer looks although nobody woke it. `now` gives seconds since the epoch, the same for all processes.
    """

    def __init__(
        self,
        url: str,
        topology: Topology,
        *,
        lease_seconds: float,
        confirm_seconds: float,
        observe: Observe = silent,
        now: Callable[[], float] = steady_time,
        poll_seconds: float = 1.0,
    ) -> None:
        self._path = path_of(url)
        self._topology = topology
        self._lease_seconds = lease_seconds
        self._confirm_seconds = confirm_seconds
        self._observe = observe
        self._now = now
        self._poll_seconds = poll_seconds
        self._queues = {route: work_queue(route) for route in topology.routes} | {"dead": DEAD_QUEUE}
        self._places = {DEAD: (DEAD_QUEUE, 0.0)}
        for route in topology.routes:
            self._places[work(route)] = (work_queue(route), 0.0)
            self._places |= {retry(route, delay): (work_queue(route), delay) for delay in topology.ladder}
        self._open: list[EmbeddedPublisher | EmbeddedConsumer] = []

    def declare(self) -> None:
        if not wal_is_safe(VERSION):
            self._observe("broker.degraded", sqlite=sqlite.sqlite_version, journal="truncate")
        Store(self._path, synced=True).close()

    def publisher(self) -> EmbeddedPublisher:
        publisher = EmbeddedPublisher(
            self._path,
            self._places,
            confirm_seconds=self._confirm_seconds,
            observe=self._observe,
            now=self._now,
        )
        self._open.append(publisher)
        return publisher

    def consumer(self, queue: str, prefetch: int, leave: Leave | None = None) -> EmbeddedConsumer:
        # What no queue takes is refused at once here, so that the unroutable queue is there and always empty.
        if queue not in (*self._queues.values(), UNROUTABLE_QUEUE):
            raise BrokerError(f"no queue {queue} is in the topology")
        consumer = EmbeddedConsumer(
            self._path,
            queue,
            prefetch,
            leave,
            delivery_limit=self._topology.delivery_limit,
            lease_seconds=self._lease_seconds,
            poll_seconds=self._poll_seconds,
            observe=self._observe,
            now=self._now,
        )
        self._open.append(consumer)
        return consumer

    def stats(self) -> Mapping[str, QueueStats]:
        store = Store(self._path, synced=False)
        try:
            found = store.stats(list(self._queues.values()), self._now())
        finally:
            store.close()
        delayed = sum(count for _, count in found.values())
        return {
            **{name: found[queue][0] for name, queue in self._queues.items()},
            "unroutable": QueueStats(0, 0, None),  # what no queue takes is refused at once
            "retry": QueueStats(delayed, 0, None),
        }

    def differences(self) -> Sequence[str]:
        """A file has no arguments that could differ."""
        return ()

    def migrate(self) -> Mapping[str, int]:
        return {}

    def hasten(self, route: str, accounts: Collection[str] | None = None) -> int:
        if route not in self._topology.routes:
            raise BrokerError(f"no route {route} is in the topology")
        queue = work_queue(route)
        store = Store(self._path, synced=True)
        try:
            with store.writing():
                count = store.hasten(queue, lanes=None if accounts is None else lanes_of(accounts))
        finally:
            store.close()
        ringer = Ringer(self._path)
        ringer.ring([queue])
        ringer.close()
        return count

    def close(self) -> None:
        """Closes every publisher and consumer made here that is still open. No thread may be in a `take` any more."""
        while self._open:
            self._open.pop().close()


def path_of(url: str) -> Path:
    """The file a URL names, resolved, so that every process finds the same folders beside it."""
    path = url.removeprefix(_SCHEME)
    if path == url or not path or path.startswith(":") or "?" in path:
        raise BrokerError(f"the embedded broker's URL is {_SCHEME}path/to/file.db (with a fourth / where absolute)")
    return Path(path).resolve()
