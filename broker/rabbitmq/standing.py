"""Queues that stand with other arguments than the settings want: told, and changed with the messages in them.

RabbitMQ changes no argument of a queue that is there, and an argument wins over a policy. So such a queue is emptied
into a spare one, deleted, made anew and filled again. What if the process dies here? The spare keeps what is in it and
what comes meanwhile, and the same command goes on from there.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from kombu.entity import Queue

from bellhop.broker.port import Address, Publisher
from bellhop.broker.rabbitmq.messages import message_of
from bellhop.broker.rabbitmq.topology import NO_LIMIT, is_there, queues
from bellhop.broker.topology import PULSE_QUEUE, Topology, retry_queue
from bellhop.schemas.errors import BrokerError

_MOVED_AT_ONCE: Final = 25
"""Below the 32 acks that RabbitMQ keeps on their way to a quorum queue: those beyond are lost where the channel closes
before they are sent, and their messages come again."""

_LOOKS: Final = 50
_LOOK_SECONDS: Final = 0.2
_SPARE: Final = ".moving"
_INEQUIVALENT: Final = re.compile(
    r"inequivalent arg '(?P<name>[^']+)' for (?P<kind>\w+) '(?P<of>[^']+)'.*?: "
    r"received (?:the value )?(?P<wanted>'[^']*'|none).* but current is (?:the value )?(?P<stands>'[^']*'|none)"
)


def difference_text(error: Any) -> str:
    """What a refused declaration says, in our words."""
    text = str(getattr(error, "reply_text", ""))
    found = _INEQUIVALENT.search(text)
    if found is None:
        return text
    stands, wanted = (found[name].strip("'") for name in ("stands", "wanted"))
    return f"{found['kind']} {found['of']}: {found['name']} stands at {stands}, the settings want {wanted}"


def renew_pulse(link: Any, topology: Topology) -> bool:
    """Makes the queue that is asked for its node's pulse anew where it stands otherwise; whether it did. It holds
    nothing, so that nobody need migrate it."""
    (pulse,) = (queue for queue in queues(topology) if queue.name == PULSE_QUEUE)
    if _difference(link, pulse) is None:
        return False
    channel = link.channel()
    channel.queue_delete(PULSE_QUEUE)
    pulse.bind(channel).declare()
    channel.close()
    return True


def queue_differences(link: Any, topology: Topology) -> list[str]:
    """A sentence for each queue that stands otherwise than it would be declared, but for what a start makes anew by
    itself. Declares nothing that is not there."""
    found: dict[str, None] = {}
    for queue in queues(topology):
        if queue.name != PULSE_QUEUE and (text := _difference(link, queue)) is not None:
            found[text] = None
    return list(found)


def migrate(link: Any, publisher: Publisher, topology: Topology) -> dict[str, int]:
    """Makes such queues anew, by name; how many messages each had when it was filled again. Raises BrokerError."""
    done: dict[str, int] = {}
    steps = [queue for queue in queues(topology) if queue.name in map(retry_queue, topology.ladder)]
    if other := next((queue.name for queue in steps if _difference(link, queue) is not None), None):
        # What is on its way from it to a work queue nobody sees, and it would go with the queue.
        raise BrokerError(f"{other} empties by itself: delete it when it is empty, and a start makes it anew")
    if renew_pulse(link, topology):
        done[PULSE_QUEUE] = 0
    by_name: dict[str, list[Queue]] = {}
    for queue in queues(topology):
        by_name.setdefault(queue.name, []).append(queue)
    for name, bound in by_name.items():
        is_other = any(_difference(link, queue) is not None for queue in bound)
        spare = Queue(name + _SPARE, durable=True, queue_arguments=_SPARE_ARGUMENTS)
        if not is_other and not is_there(link, spare.name):
            continue
        channel = link.channel()
        if is_other:
            _empty(link, channel, publisher, bound, spare)
        done[name] = _fill(link, channel, publisher, bound, spare)
        channel.close()
    return done


_SPARE_ARGUMENTS: Final = {"x-queue-type": "quorum", "x-delivery-limit": NO_LIMIT}


def _empty(link: Any, channel: Any, publisher: Publisher, bound: Sequence[Queue], spare: Queue) -> None:
    name = bound[0].name
    consumers = channel.queue_declare(name, passive=True).consumer_count
    if consumers:
        raise BrokerError(f"{consumers} consumers are on {name}: stop the workers and the archive first")
    spare.bind(channel).queue_declare()
    # Bound before the other is unbound: what comes in between is in both and known to the ledger, not in neither.
    for queue in bound:
        channel.queue_bind(spare.name, queue.exchange.name, queue.routing_key)
    for queue in bound:
        channel.queue_unbind(name, queue.exchange.name, queue.routing_key)
    _drain(link, channel, publisher, name, spare.name)
    channel.queue_delete(name)


def _fill(link: Any, channel: Any, publisher: Publisher, bound: Sequence[Queue], spare: Queue) -> int:
    for queue in bound:
        queue.bind(channel).declare()
    for queue in bound:
        channel.queue_unbind(spare.name, queue.exchange.name, queue.routing_key)
    moved = _drain(link, channel, publisher, spare.name, bound[0].name)
    channel.queue_delete(spare.name)
    return moved


def _drain(link: Any, channel: Any, publisher: Publisher, name: str, into: str) -> int:
    """Moves all there is, until nothing is left and nobody uses it: RabbitMQ itself does not look before it deletes a
    quorum queue, and its counts come a moment late."""
    moved = 0
    for _ in range(_LOOKS):
        moving = link.channel()  # of its own, as who gets from a quorum queue is counted as a consumer until it closes
        moved += move_all(moving, publisher, name, Address("", into))
        moving.close()
        seen = channel.queue_declare(name, passive=True)
        if not seen.message_count and not seen.consumer_count:
            return moved
        time.sleep(_LOOK_SECONDS)
    raise BrokerError(f"{name} has messages or consumers again: stop what uses it, then do the same again")


def move_all(
    channel: Any,
    publisher: Publisher,
    queue: str,
    to: Address,
    wanted: Callable[[Any], bool] = lambda _: True,
) -> int:
    """How many of the queue's messages, as many as are in it now and `wanted`, were moved: each is confirmed before it
    is acked. The others are given back when the channel closes, not before, or they would come again at once; they
    keep their time."""
    moved = 0
    own: list[Any] = []
    for _ in range(int(channel.queue_declare(queue, passive=True).message_count)):
        got = channel.basic_get(queue)
        if got is None:
            break
        if wanted(got):
            own.append(got)
        if len(own) == _MOVED_AT_ONCE:
            moved += _send_on(channel, publisher, own, to)
            own = []
    return moved + _send_on(channel, publisher, own, to)


def _send_on(channel: Any, publisher: Publisher, messages: Sequence[Any], to: Address) -> int:
    """Acks those that were confirmed. Raises BrokerError where one was not; it stays."""
    futures = [publisher.publish(message_of(got), to) for got in messages]
    failure: BrokerError | None = None
    for got, future in zip(messages, futures, strict=True):
        try:
            future.result()
            channel.basic_ack(got.delivery_tag)
        except BrokerError as error:
            failure = error
    if failure is not None:
        raise failure
    return len(messages)


def _difference(link: Any, queue: Queue) -> str | None:
    """None where the queue is as wanted, or not there."""
    if not is_there(link, queue.name):
        return None
    refused = next(_refusals(link, lambda channel: queue.bind(channel).queue_declare()), None)
    return None if refused is None else difference_text(refused)


def _refusals(link: Any, act: Callable[[Any], object]) -> Iterator[Any]:
    """The error for which RabbitMQ closes the channel, none where it does not."""
    channel = link.channel()
    try:
        act(channel)
        channel.close()
    except link.channel_errors as error:
        yield error
