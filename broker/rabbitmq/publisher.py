"""Publishing to RabbitMQ: one thread with one connection in each process."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager, nullcontext
from functools import partial

from bellhop.broker.port import Address, Message
from bellhop.broker.rabbitmq.publishing_loop import PublishingLoop
from bellhop.broker.rabbitmq.topology import routing_key
from bellhop.broker.topology import Topology
from bellhop.schemas.observe import Observe, silent


class AmqpPublisher:
    """May be made before a fork: each process gets a thread and a connection of its own at its first publish."""

    def __init__(
        self,
        urls: Sequence[str],
        topology: Topology,
        *,
        confirm_seconds: float,
        heartbeat_seconds: float,
        observe: Observe = silent,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._topology = topology
        self._make = partial(PublishingLoop, urls, confirm_seconds, heartbeat_seconds, observe, monotonic)
        # By process id: a fork copies neither the thread nor a usable connection.
        self._loops: dict[int, PublishingLoop] = {}
        self._starting = threading.Lock()

    def publish(self, message: Message, to: Address) -> Future[None]:
        loop = self._loops.get(os.getpid())
        if loop is None:
            loop = self._start()
        return loop.submit(message, Address(to.exchange, routing_key(self._topology, message, to)))

    def gather(self) -> AbstractContextManager[None]:
        """See `broker.port`. The thread is woken once at the end: each wake has two threads change places, which costs
        more than the publish."""
        loop = self._loops.get(os.getpid())
        return nullcontext() if loop is None else loop.gather()

    def close(self, timeout: float = 5.0) -> None:
        loop = self._loops.get(os.getpid())
        if loop is not None:
            loop.close(timeout)

    def _start(self) -> PublishingLoop:
        with self._starting:
            loop = self._loops.get(os.getpid())
            if loop is None:
                loop = self._loops[os.getpid()] = self._make()
            return loop
