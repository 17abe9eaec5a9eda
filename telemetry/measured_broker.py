"""A broker whose publishers tell how each publish ended and how long its confirm took."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager
from typing import Final

from bellhop.broker.port import Address, Broker, Consumer, Leave, Message, Publisher, QueueStats, gather
from bellhop.broker.topology import QUESTIONS
from bellhop.schemas.errors import BrokerUnavailable, PublishRefused, Unroutable
from bellhop.schemas.observe import Observe

CONFIRMED: Final = "confirmed"
ENDS: Final = (CONFIRMED, "refused", "unroutable", "unconfirmed", "unavailable")


class MeasuredBroker:
    """Another broker; `publish.settled` is told of each of its publishes: to (`work`, `retry`, `dead`), outcome (one of
    `ENDS`) and seconds from the publish to its confirm or failure."""

    def __init__(self, broker: Broker, observe: Observe, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._broker = broker
        self._observe = observe
        self._monotonic = monotonic

    def declare(self) -> None:
        self._broker.declare()

    def publisher(self) -> Publisher:
        return _MeasuredPublisher(self._broker.publisher(), self._observe, self._monotonic)

    def consumer(self, queue: str, prefetch: int, leave: Leave | None = None) -> Consumer:
        return self._broker.consumer(queue, prefetch, leave)

    def stats(self) -> Mapping[str, QueueStats]:
        return self._broker.stats()

    def differences(self) -> Sequence[str]:
        return self._broker.differences()

    def migrate(self) -> Mapping[str, int]:
        return self._broker.migrate()

    def hasten(self, route: str, accounts: Collection[str] | None = None) -> int:
        return self._broker.hasten(route, accounts)

    def close(self) -> None:
        self._broker.close()


class _MeasuredPublisher:
    def __init__(self, publisher: Publisher, observe: Observe, monotonic: Callable[[], float]) -> None:
        self._publisher = publisher
        self._observe = observe
        self._monotonic = monotonic

    def publish(self, message: Message, to: Address) -> Future[None]:
        if to in QUESTIONS:  # whoever asks is no traffic
            return self._publisher.publish(message, to)
        began = self._monotonic()
        future = self._publisher.publish(message, to)
        future.add_done_callback(lambda done: self._observe_outcome(done, to, self._monotonic() - began))
        return future

    def gather(self) -> AbstractContextManager[None]:
        return gather(self._publisher)

    def close(self, timeout: float = 5.0) -> None:
        self._publisher.close(timeout)

    def _observe_outcome(self, done: Future[None], to: Address, seconds: float) -> None:
        # bellhop.work, bellhop.retry.5000ms, bellhop.dead
        kind = to.exchange.removeprefix("bellhop.").partition(".")[0]
        self._observe("publish.settled", to=kind, outcome=_outcome(done), seconds=seconds)


def _outcome(done: Future[None]) -> str:
    if done.cancelled():
        return "unconfirmed"
    match done.exception():
        case None:
            return CONFIRMED
        case Unroutable():
            return "unroutable"
        case PublishRefused():
            return "refused"
        case BrokerUnavailable():
            return "unavailable"
    return "unconfirmed"
