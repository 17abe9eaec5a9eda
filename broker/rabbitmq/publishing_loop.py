"""The thread that publishes to RabbitMQ, with pipelined confirms: pika, on one connection.

Callers append to a queue and wake the thread once; it publishes all that waits and resolves each future when the
broker confirms. kombu's publisher would wait for each confirm before the next publish, and can credit a stale
confirm to a later message.
"""

from __future__ import annotations

import json
import math
import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any, Final

import pika
from pika.adapters.select_connection import IOLoop

from bellhop.broker.port import Address, Message
from bellhop.broker.rabbitmq.batching import BatchingConnection
from bellhop.broker.rabbitmq.frames import publish_frames
from bellhop.broker.rabbitmq.outbox import Outbox, Pending
from bellhop.broker.rabbitmq.pulse import CutOff
from bellhop.broker.rabbitmq.topology import HEADERS
from bellhop.broker.reach import Reach
from bellhop.schemas.errors import BrokerUnavailable
from bellhop.schemas.observe import Observe

FIRST_PAUSE_SECONDS: Final = 0.1
LONGEST_PAUSE_SECONDS: Final = 5.0
CONNECT_SECONDS: Final = 3.0
AWAY_SECONDS: Final = 1.0
"""A broker that comes back sooner is waited for."""


class PublishingLoop:
    """All but `submit`, `gather` and `close` runs on its thread."""

    def __init__(
        self,
        urls: Sequence[str],
        confirm_seconds: float,
        heartbeat_seconds: float,
        observe: Observe,
        monotonic: Callable[[], float],
    ) -> None:
        self._parameters = [_parameters(url, confirm_seconds, heartbeat_seconds) for url in urls]
        self._confirm_seconds = confirm_seconds
        self._observe = observe
        self._monotonic = monotonic
        self._outbox = Outbox()
        self._woken = False
        self._is_gathering = False
        self._closing = False
        self._pause = FIRST_PAUSE_SECONDS
        self._attempts = 0
        self._reach = Reach()
        self._is_blocked = False
        self._apart_since = monotonic()  # from the broker
        self._confirmed = 0.0  # when it did last, or was there to
        self._connection: Any = None
        self._channel: Any = None  # set only while it can publish
        self._ioloop = IOLoop()
        self._thread = threading.Thread(target=self._run, name="amqp-publisher", daemon=True)
        self._thread.start()

    # --- any thread ---------------------------------------------------------------------------------------------

    def submit(self, message: Message, to: Address) -> Future[None]:
        if refused := self._reach.refusal(is_probed=self._is_blocked or bool(self._outbox)):
            return refused
        if self._closing:
            closed: Future[None] = Future()
            closed.set_exception(BrokerUnavailable("the publisher is closed"))
            return closed
        future = self._outbox.add(message, to, self._monotonic() + self._confirm_seconds)
        if not self._is_gathering:
            self._wake()
        return future

    @contextmanager
    def gather(self) -> Iterator[None]:
        self._is_gathering = True
        try:
            yield
        finally:
            self._is_gathering = False  # first: who appends from here on wakes the thread itself
            if self._outbox.is_waiting:
                self._wake()

    def _wake(self) -> None:
        """Once for all that is appended before the thread looks."""
        if not self._woken:
            self._woken = True
            self._ioloop.add_callback_threadsafe(self._guard(self._flush))

    def close(self, timeout: float) -> None:
        deadline = self._monotonic() + timeout
        while self._outbox and self._monotonic() < deadline and self._thread.is_alive():
            time.sleep(0.01)
        self._closing = True
        if self._thread.is_alive():
            self._ioloop.add_callback_threadsafe(self._shut)
            self._thread.join(timeout=2.0)
        self._outbox.fail_sent("the publisher was closed before the broker confirmed")
        self._outbox.fail_waiting("the publisher was closed")

    # --- connection ---------------------------------------------------------------------------------------------

    def _run(self) -> None:
        self._connect()
        self._sweep()
        try:
            self._ioloop.start()
        finally:
            self._closing = True
            self._ioloop.close()

    def _connect(self) -> None:
        if self._closing:
            return
        parameters = self._parameters[self._attempts % len(self._parameters)]
        self._attempts += 1
        try:
            self._connection = BatchingConnection(
                parameters,
                on_open_callback=self._guard(self._on_connected),
                on_open_error_callback=self._guard(self._on_connection_lost),
                on_close_callback=self._guard(self._on_connection_lost),
                custom_ioloop=self._ioloop,
            )
        except Exception as error:  # noqa: BLE001  # or the thread ends, and every later publish with it
            self._on_connection_lost(None, error)

    def _on_connected(self, connection: Any) -> None:
        connection.add_on_connection_blocked_callback(self._guard(self._on_blocked))
        connection.add_on_connection_unblocked_callback(self._guard(self._on_unblocked))
        connection.channel(on_open_callback=self._guard(self._channel_opened))

    def _channel_opened(self, channel: Any) -> None:
        channel.add_on_close_callback(self._guard(self._channel_closed))
        channel.add_on_return_callback(self._guard(self._on_return))
        self._outbox.begin_channel()

        def ready(_: Any) -> None:
            self._channel = channel
            self._connection.on_confirm = on_confirm
            self._apart_since, self._confirmed = math.inf, self._monotonic()
            self._pause = FIRST_PAUSE_SECONDS
            self._observe("broker.connected", part="publisher")
            self._flush()

        on_confirm = self._guard(self._on_confirm)
        channel.confirm_delivery(on_confirm, callback=self._guard(ready))

    def _on_blocked(self, _connection: Any, _frame: Any) -> None:
        """An alarm: the broker reads no more from this connection until it is over. It says so when it gets a publish,
        once for each connection, and at the end."""
        self._is_blocked = True
        self._reach.lose("it is under an alarm")
        self._observe("broker.blocked", part="publisher")
        self._outbox.fail_sent("the broker is under an alarm and confirms no publish")
        self._outbox.fail_waiting("the broker is under an alarm and confirms no publish")

    def _on_unblocked(self, _connection: Any, _frame: Any) -> None:
        self._is_blocked = False
        self._reach.regain()

    def _hear(self) -> None:
        """The broker has answered a publish. Under an alarm it answers the first one of a connection all the same."""
        if not self._is_blocked:
            self._reach.regain()

    def _channel_closed(self, channel: Any, reason: Any) -> None:
        """The broker closed the channel (no such exchange, say), or the connection went: begin anew."""
        self._channel = None
        self._outbox.fail_sent(f"the channel closed before the broker confirmed ({_words(reason)})")
        if channel.connection.is_open:
            channel.connection.close()

    def _on_connection_lost(self, _connection: Any, reason: Any) -> None:
        self._channel = None
        self._apart_since = min(self._apart_since, self._monotonic())
        self._outbox.fail_sent(f"the connection closed before the broker confirmed ({_words(reason)})")
        if self._closing:
            self._ioloop.stop()
            return
        self._is_blocked = False
        self._observe("broker.lost", part="publisher", error=_words(reason))
        if self._monotonic() - self._apart_since >= AWAY_SECONDS:
            self._reach.lose("it is not reached")
            self._outbox.fail_waiting("no connection to the broker to publish on")
        pause = self._pause * random.uniform(0.5, 1.0)  # noqa: S311  # spreads reconnects, protects nothing
        self._pause = min(2 * self._pause, LONGEST_PAUSE_SECONDS)
        self._ioloop.call_later(pause, self._connect)

    def _shut(self) -> None:
        if self._connection is not None and self._connection.is_open:
            self._connection.close()
        else:
            self._ioloop.stop()

    # --- publishing ---------------------------------------------------------------------------------------------

    def _flush(self) -> None:
        # Cleared first: what is appended from here on wakes the loop again.
        self._woken = False
        if self._channel is None:
            return
        with self._connection.batch():
            while self._channel is not None and (taken := self._outbox.next()) is not None:
                self._send(*taken)

    def _send(self, tag: int, pending: Pending) -> None:
        message = pending.message
        frames = publish_frames(
            self._channel.channel_number,
            pending.to,
            message.body,
            id_=message.id,
            tag=str(tag),  # tells apart two messages with the same id when one is returned
            header=(HEADERS, json.dumps(dict(message.headers))),
            most=self._connection.body_bytes,
        )
        self._connection.send(self._channel, frames)

    def _on_confirm(self, frame: Any) -> None:
        nacked = isinstance(frame.method, pika.spec.Basic.Nack)
        self._hear()
        settled = self._outbox.answer(frame.method.delivery_tag, multiple=frame.method.multiple, nacked=nacked)
        if nacked:
            self._leave_who_confirms_nothing()
        elif settled:
            self._confirmed = self._monotonic()

    def _on_return(self, _channel: Any, method: Any, properties: Any, _body: bytes) -> None:
        self._hear()
        where = f"exchange {method.exchange!r}, key {method.routing_key!r}"
        self._outbox.bring_back(int(properties.correlation_id), where)

    # --- time and failure ---------------------------------------------------------------------------------------

    def _sweep(self) -> None:
        """Fails what is overdue, so that no caller waits longer than the confirm time."""
        now = self._monotonic()
        if late := self._outbox.overdue(now):
            self._reach.lose("it did not confirm in time")
            self._outbox.fail(late, f"the broker did not confirm within {self._confirm_seconds:g} s")
            self._leave_who_confirms_nothing()
        self._outbox.fail_waiting("no connection to the broker", until=now)
        if not self._closing:
            self._ioloop.call_later(min(0.25, self._confirm_seconds / 4), self._guard(self._sweep))

    def _leave_who_confirms_nothing(self) -> None:
        """Of all that was published in the confirm time. It may be cut off from the majority; or this channel's first
        publish to a queue came just as its leader was lost, and RabbitMQ 3.10 refuses on it all that follow."""
        if self._confirmed + self._confirm_seconds <= self._monotonic():
            self._confirmed = math.inf  # once
            self._connection.drop(CutOff())

    def _guard(self, callback: Callable[..., None]) -> Callable[..., None]:
        """An exception in a callback would end the loop, and every publish after it would wait in vain."""

        def safe(*arguments: Any) -> None:
            try:
                callback(*arguments)
            except Exception as error:  # noqa: BLE001
                self._observe("publisher.crashed", error=type(error).__name__, where=callback.__name__)
                self._outbox.fail_sent(f"the publisher failed: {type(error).__name__}")
                if self._connection is not None and self._connection.is_open:
                    self._connection.close()

        return safe


def _parameters(url: str, confirm_seconds: float, heartbeat_seconds: float) -> pika.URLParameters:
    parameters = pika.URLParameters(url)
    parameters.heartbeat = round(heartbeat_seconds)
    # Under a disk or memory alarm the broker stops reading: pika's default would then wait for ever.
    parameters.blocked_connection_timeout = confirm_seconds
    parameters.socket_timeout = CONNECT_SECONDS
    parameters.stack_timeout = 2 * CONNECT_SECONDS
    parameters.connection_attempts = 1
    return parameters


def _words(reason: Any) -> str:
    """An exception's kind and the broker's own code; no text that could quote a URL."""
    code = getattr(reason, "reply_code", "")
    return f"{type(reason).__name__} {code}".strip()
