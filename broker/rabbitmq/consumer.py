"""Consuming from RabbitMQ: kombu's connection, with the thread that calls `take` as its only one.

Sharing a connection between threads is unsafe (kombu#929, py-amqp#267), so acks from other threads are queued and
sent by `take`, which is woken for them.
"""

from __future__ import annotations

import contextlib
import random
import select
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from bellhop.broker.port import Delivery
from bellhop.broker.rabbitmq.lanes import LaneQueues
from bellhop.broker.rabbitmq.messages import message_of, read_strange
from bellhop.broker.rabbitmq.pulse import NodePulse
from bellhop.broker.rabbitmq.raw import RawMessage, connection
from bellhop.schemas.observe import Observe, silent

FIRST_PAUSE_SECONDS: Final = 0.1
LONGEST_PAUSE_SECONDS: Final = 5.0
LOOK_SECONDS: Final = 600.0
"""How often it is looked for lanes that are new: RabbitMQ logs an error where there are none."""


@dataclass(frozen=True, slots=True)
class _Tag:
    """`link` counts connections: an ack of an earlier one's delivery would hit another's."""

    link: int
    number: int


class AmqpConsumer:
    """See `broker.port.Consumer`. Reconnects to the next URL each time, with back-off and jitter."""

    def __init__(
        self,
        urls: Sequence[str],
        lanes: LaneQueues,
        *,
        heartbeat_seconds: float,
        observe: Observe = silent,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._urls = urls
        self._lanes = lanes
        self._heartbeat_seconds = heartbeat_seconds
        self._observe = observe
        self._monotonic = monotonic
        self._connection: Any = None
        self._consuming: dict[str, str] = {}  # the consumers' tags by queue, none while it rests
        self._resting = False
        self._fetches = True
        self._channel: Any = None
        self._pulse: Any = None  # of this connection
        self._told_unproven = False
        self._link = 0
        self._unacked: dict[int, None] = {}  # tags of this connection, rising
        self._acks: deque[_Tag] = deque()
        self._bell, self._ringer = socket.socketpair()
        for end in (self._bell, self._ringer):
            end.setblocking(False)
        self._rung = threading.Event()
        self._pause = FIRST_PAUSE_SECONDS
        self._next_try = self._next_beat = self._next_look = 0.0
        self._closed = False

    @property
    def connected(self) -> bool:
        return self._channel is not None

    def ack(self, deliveries: Sequence[Delivery]) -> None:
        self._acks.extend(delivery.tag for delivery in deliveries if isinstance(delivery.tag, _Tag))
        if not self._rung.is_set():
            self._rung.set()
            with contextlib.suppress(OSError):  # full or closed: it is awake, or has no more to wake for
                self._ringer.send(b"!")

    def rest(self) -> None:
        if self._resting or self._closed:
            return
        self._resting = True
        if self._channel is None:
            return
        try:
            self._cancel()  # what arrives before its answer is among what is given back
            for number in [one.tag.number for one in self._lanes.all_arrived() if isinstance(one.tag, _Tag)]:
                self._channel.basic_reject(number, requeue=True)
                del self._unacked[number]
            self._lanes.clear()
        except self._errors() as error:
            self._lose(error)

    def stop_fetching(self) -> bool:
        if self._fetches and not self._closed:
            self._fetches = False
            if self._channel is not None:
                try:
                    self._cancel()
                except self._errors() as error:
                    self._lose(error)
        return not self._acks and not self._lanes.has_counted()

    def start_fetching(self) -> None:
        if not self._fetches and not self._closed:
            self._fetches = True
            self._resume()

    def take(self, limit: int, timeout: float) -> Sequence[Delivery]:
        deadline = self._monotonic() + timeout
        if limit:
            self._wake_up()
        while not self._closed:
            if not self._open():
                self._wait([], min(deadline, self._next_try))
                if self._monotonic() >= deadline:
                    return ()
                continue
            try:
                acked = self._send_acks()
                self._connection.connection.read_arrived()
                self._beat()
                picked = self._pick(limit) if limit else []
                if picked or acked or self._monotonic() >= deadline:
                    return picked
                self._wait([self._connection.connection.sock], min(deadline, self._next_beat))
            except self._errors() as error:
                self._lose(error)
                return ()
        return ()

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        if self._channel is not None:
            with contextlib.suppress(*self._errors()):
                self._send_acks()
        self._drop()
        self._bell.close()
        self._ringer.close()

    def _wake_up(self) -> None:
        if not self._resting:
            return
        self._resting = False
        self._resume()

    def _resume(self) -> None:
        if self._channel is not None and self._is_consuming:
            try:
                self._consume(self._channel)
            except self._errors() as error:
                self._lose(error)

    @property
    def _is_consuming(self) -> bool:
        return self._fetches and not self._resting

    def _cancel(self) -> None:
        for tag in self._consuming.values():
            self._channel.basic_cancel(tag)
        self._consuming.clear()

    def _pick(self, limit: int) -> list[Delivery]:
        if self._fetches:
            return self._lanes.pick(limit)
        picked = self._lanes.pick_counted(limit)
        return picked + self._lanes.pick(limit - len(picked))

    # --- connection ---------------------------------------------------------------------------------------------

    def _open(self) -> bool:
        if self._channel is not None:
            return True
        if self._monotonic() < self._next_try:
            return False
        self._link += 1
        url = self._urls[(self._link - 1) % len(self._urls)]
        self._connection = connection(url, self._heartbeat_seconds)
        try:
            self._pulse = NodePulse(self._connection, self._monotonic)
            if not self._pulse.prove() and not self._told_unproven:  # a node that is cut off answers no consume either
                self._told_unproven = True
                self._observe("broker.unproven", part="consumer", queue=self._lanes.queue)
            channel = self._connection.channel()
            self._consuming.clear()
            if self._is_consuming:
                self._consume(channel)
        except self._errors() as error:
            self._lose(error)
            return False
        self._channel = channel
        self._pause = FIRST_PAUSE_SECONDS
        self._next_beat = self._monotonic()
        self._observe("broker.connected", part="consumer", queue=self._lanes.queue)
        return True

    def _consume(self, channel: Any) -> None:
        """All lanes that stand and are not consumed yet: other processes' settings may have made more."""
        for queue, prefetch in self._lanes.queues(self._connection):
            if queue not in self._consuming:
                channel.basic_qos(0, prefetch, False)  # of each consumer from here on
                # Not kombu's own consumer, which would unpack what it is given.
                self._consuming[queue] = channel.basic_consume(queue, callback=partial(self._on_message, queue))
        self._next_look = self._monotonic() + LOOK_SECONDS

    def _errors(self) -> tuple[type[BaseException], ...]:
        if self._connection is None:
            return (OSError,)
        return (*self._connection.connection_errors, *self._connection.channel_errors, OSError)

    def _lose(self, error: BaseException) -> None:
        """Forgets the connection with all it held: the broker delivers that again."""
        self._observe("broker.lost", part="consumer", queue=self._lanes.queue, error=type(error).__name__)
        self._drop()
        self._next_try = self._monotonic() + self._pause * random.uniform(0.5, 1.0)  # noqa: S311  # spreads reconnects
        self._pause = min(2 * self._pause, LONGEST_PAUSE_SECONDS)

    def _drop(self) -> None:
        self._channel = None
        self._lanes.clear()
        self._unacked.clear()
        if self._connection is not None:
            with contextlib.suppress(*self._errors()):
                self._connection.release()

    # --- reading and acking -------------------------------------------------------------------------------------

    def _on_message(self, queue: str, message: RawMessage) -> None:
        self._pulse.hear()
        tag = message.delivery_info["delivery_tag"]
        self._unacked[tag] = None
        count = max(0, message.read.whole("x-delivery-count"))
        own = message_of(message)
        lane = self._lanes.own_lane(queue, own)
        self._lanes.arrive(Delivery(own, _Tag(self._link, tag), count, read_strange(message.read), lane))

    def _send_acks(self) -> bool:
        """Whether there were any. Tags without a gap are acked by one frame."""
        self._answer_bell()
        done: set[int] = set()
        seen = False
        while self._acks:
            seen = True
            tag = self._acks.popleft()
            if tag.link == self._link and tag.number in self._unacked:
                done.add(tag.number)
        if not done:
            return seen
        last = 0
        for number in self._unacked:  # rising
            if number not in done:
                break
            last = number
        if last:
            self._channel.basic_ack(last, multiple=True)
        if alone := sorted(number for number in done if number > last):
            self._channel.ack_each(alone)
        for number in done:
            del self._unacked[number]
        return True

    def _beat(self) -> None:
        if self._monotonic() >= self._next_beat:
            self._connection.heartbeat_check()
            self._next_beat = self._monotonic() + self._heartbeat_seconds / 4
        self._pulse.beat()
        if self._monotonic() >= self._next_look and self._is_consuming:
            self._consume(self._channel)

    def _wait(self, sockets: list[socket.socket], until: float) -> None:
        seconds = max(0.0, until - self._monotonic())
        poll = select.poll()  # select() fails from a thousand open files on, as with so many calls under way
        for one in (self._bell, *sockets):
            poll.register(one, select.POLLIN)
        poll.poll(1000 * seconds)
        if not sockets and self._rung.is_set():  # nothing to ack on, and it would wake us for ever
            self._acks.clear()
            self._answer_bell()

    def _answer_bell(self) -> None:
        with contextlib.suppress(BlockingIOError):
            self._bell.recv(4096)
        self._rung.clear()  # only now: who rang in between would be heard no more, nor anybody after
