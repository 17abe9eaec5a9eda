"""The broker port: all that Bellhop asks of a queue. `broker.rabbitmq` and `broker.embedded` implement it.

The rules, which `tests/contract/broker/test_broker.py` holds every implementation to:

Durability. A publish's future resolves only when the message survives the death of every process and of
    the machine (a quorum of nodes has it on disk; a committed, synced transaction). Until then nobody may
    answer 2xx, nor ack what the message replaces.
Delivery. At least once. A delivery whose consumer dies, or closes before acking, is delivered again.
Ack. Says that the message's work is settled elsewhere. An ack that the broker never got (connection lost,
    lease gone) is not an error: the message comes again, and the ledger knows it.
Order. First in, first out within a lane of a queue, as far as redelivery and delays allow. No more is promised.
Lanes. What names a lane in its header `LANE` waits there: an account's, or that account's for what starts soon. A
    consumer takes of a lane what its `Leave` has room for, and what has no room keeps no other lane waiting.
Threads. A Publisher is safe from any thread. A Consumer's `take`, `rest` and `close` belong to one thread; `ack` may be
    called from any. Both start their threads and connections lazily, so that they may be made before a fork.
Poison. A message delivered more often than the topology's delivery limit goes to the dead queue by itself.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any, Final, Protocol, runtime_checkable

LONGEST_ID: Final = 255
"""Bytes of a message's id, as AMQP's short texts have it."""

ANY_NUMBER: Final = 2**31 - 1

Headers = Mapping[str, str | int | float]


@dataclass(frozen=True, slots=True)
class Message:
    """`id` is at most 255 bytes of UTF-8; `headers` stay under 64 KiB together. Header names are `broker.headers`."""

    id: str
    body: bytes
    headers: Headers


@dataclass(frozen=True, slots=True)
class Address:
    """Where a message goes. Make one with `work`, `retry` or `DEAD` of `broker.topology`."""

    exchange: str
    routing_key: str


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message handed to a consumer. `tag` is the driver's own and means nothing elsewhere.

    `deliveries` counts earlier deliveries of this very message that were not acked, as far as the broker knows.
    `lane`: the lane of its own in which it waited; "" where it waited in none: then it may need to go there.
    `strange`: what stands beside a message that somebody else published, as far as JSON can say it, bounded. The body
    is always as it came: no driver unpacks or decodes it.
    """

    message: Message
    tag: object
    deliveries: int = 0
    strange: Mapping[str, Any] = field(default_factory=dict)
    lane: str = ""


@dataclass(frozen=True, slots=True)
class QueueStats:
    """`ready` waits, `in_flight` is with consumers, `oldest_seconds` is the age of the first waiting message; the last
    two are None where the broker cannot tell. `lanes`: of what waits, how much is whose; "" for what is in no lane, and
    accounts that share a lane are told together, parted by commas.
    """

    ready: int
    in_flight: int | None
    oldest_seconds: float | None
    lanes: Mapping[str, int] = field(default_factory=dict)


class Leave(Protocol):
    """What a consumer may take of each lane now. Safe from any thread."""

    def most(self, lane: str) -> int:
        """How many of a lane's deliveries are ever wanted at once."""
        ...

    def room(self, lane: str, beside: int) -> int:
        """How many more may be taken of it, where `beside` of other lanes are being taken at the same moment."""
        ...

    def is_full(self, beside: int) -> bool:
        """Whether no lane but the common one has room, whichever it is: so of a thousand none need be asked."""
        ...


class NoLimits:
    """For who takes whatever comes."""

    def most(self, lane: str) -> int:
        return ANY_NUMBER

    def room(self, lane: str, beside: int) -> int:
        return ANY_NUMBER

    def is_full(self, beside: int) -> bool:
        return False


class Publisher(Protocol):
    def publish(self, message: Message, to: Address) -> Future[None]:
        """Hands the message over and returns at once.

        The future fails with Unroutable or PublishRefused (the broker does not have it), PublishUnconfirmed
        (it may) or BrokerUnavailable. It is never left pending for longer than the settings' confirm time.
        """
        ...

    def close(self, timeout: float = 5.0) -> None:
        """Waits for pending confirms up to `timeout` seconds, then fails the rest as unconfirmed."""
        ...


@runtime_checkable
class Gathers(Protocol):
    def gather(self) -> AbstractContextManager[None]:
        """What this process publishes inside may leave together at its end. For one thread at a time, which must wait
        for no confirm inside."""
        ...


def gather(publisher: Publisher) -> AbstractContextManager[None]:
    """Of a publisher that gains nothing by it: nothing."""
    return publisher.gather() if isinstance(publisher, Gathers) else nullcontext()


class Consumer(Protocol):
    def take(self, limit: int, timeout: float) -> Sequence[Delivery]:
        """At most `limit` deliveries, waiting up to `timeout` seconds for the first; also sends queued acks
        and keeps the connection alive, so it must be called often even with a limit of 0.

        Reconnects by itself with back-off; while the broker is away it returns nothing. Wakes early when an
        ack is queued.
        """
        ...

    def ack(self, deliveries: Sequence[Delivery]) -> None:
        """Queues the acks; they are sent by `take` or `close`. Safe from any thread."""
        ...

    def rest(self) -> None:
        """Gives back what was fetched ahead and not taken, and fetches no more until `take` has a limit again. For
        long pauses: RabbitMQ takes what is held for half an hour away, which counts towards its delivery limit
        before 4.3. Belongs to the thread of `take`."""
        ...

    def stop_fetching(self) -> bool:
        """Fetches nothing more until `start_fetching`; `take` still gives out what was fetched. Whether all
        that bears a count of deaths was taken and no ack waits to be sent: if this process died now, none would be
        counted once more but what is in the taker's hands. Belongs to the thread of `take`."""
        ...

    def start_fetching(self) -> None:
        """As before `stop_fetching`. Belongs to the thread of `take`."""
        ...

    @property
    def connected(self) -> bool:
        """Whether the broker counts this consumer as one at this moment, as far as is known here."""
        ...

    def close(self) -> None:
        """Sends queued acks and gives every other delivery back."""
        ...


class Broker(Protocol):
    def declare(self) -> None:
        """Makes every queue of the topology, or finds it as it should be. Raises BrokerError. Idempotent."""
        ...

    def publisher(self) -> Publisher: ...

    def consumer(self, queue: str, prefetch: int, leave: Leave | None = None) -> Consumer:
        """A consumer of one queue (`broker.topology` names them), all its lanes, that has taken at most `prefetch` of a
        lane and not acked them. leave: what it may take of each; whatever comes, where there is none."""
        ...

    def stats(self) -> Mapping[str, QueueStats]:
        """By route; `dead` and `unroutable` for those queues, `retry` for all steps of the ladder together.

        Raises BrokerUnavailable.
        """
        ...

    def differences(self) -> Sequence[str]:
        """A sentence for each queue that stands otherwise than the settings want and `declare` cannot change. Looks for
        a few seconds at most. Raises BrokerError."""
        ...

    def migrate(self) -> Mapping[str, int]:
        """Makes those queues as wanted, with the messages in them: how many each had, by name. Nobody may consume
        them meanwhile; publishing may go on. Raises BrokerError; the same again goes on from there."""
        ...

    def hasten(self, route: str, accounts: Collection[str] | None = None) -> int:
        """Ends the delays of all that waits in the retry ladder for `route`: how many. Those of other routes wait on.
        accounts: of what is on its way to a lane, that of these accounts alone.

        Raises BrokerError; what was moved by then is moved.
        """
        ...

    def close(self) -> None: ...
