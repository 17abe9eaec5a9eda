"""Whether a node still reaches most of its cluster.

One that is cut off from the majority serves on: it lets clients in, keeps their connections, answers passive
declarations from what it remembers, and delivers nothing. What needs the majority it does not answer at all: a
publish's confirm, Basic.Consume, and Basic.Get of a quorum queue, even of one that is empty (seen on RabbitMQ 3.10 and
4.3, decision 39). So it is asked for a message of a queue that never has one. An alarm does not keep it from
answering, as long as nothing is published on the same connection, and RabbitMQ's own log does not grow by it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final

from bellhop.broker.topology import PULSE_QUEUE

ANSWER_SECONDS: Final = 5.0
IDLE_SECONDS: Final = 5.0
"""What was delivered is proof as well: it is asked only where nothing was for as long."""

_NO_QUEUE, _REFUSED = "no queue", 403


class CutOff(ConnectionError):
    """The node did not answer in time."""


class NodePulse:
    """Of one connection, on a channel of its own: one that is not answered stands still."""

    def __init__(self, link: Any, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._link = link
        self._channel = link.channel()
        self._connection = self._channel.connection  # not the link's, which would connect anew by itself
        self._monotonic = monotonic
        self._heard = monotonic()
        self._can_ask = True

    def hear(self) -> None:
        """A message was delivered."""
        self._heard = self._monotonic()

    def beat(self) -> None:
        """Proves it where nothing was heard for a while."""
        if self._monotonic() >= self._heard + IDLE_SECONDS:
            self.prove()

    def prove(self) -> bool:
        """Returns once it has answered, meanwhile reading what else comes; False where nothing can be proved: the queue
        is not there, as an older version left it, or not ours to read. Raises CutOff, and the connection's errors."""
        if self._can_ask:
            try:
                self._ask()
            except self._link.channel_errors as error:
                text, code = str(getattr(error, "reply_text", "")), getattr(error, "reply_code", 0)
                if code != _REFUSED and _NO_QUEUE not in text:
                    raise CutOff from None  # it is there, and none of its nodes to be had
                self._can_ask = False
            self.hear()
        return self._can_ask

    def _ask(self) -> None:
        answered, deadline = self._channel.gets_answered, self._monotonic() + ANSWER_SECONDS
        self._channel.send_get(PULSE_QUEUE)
        while self._channel.gets_answered == answered:
            try:
                # One frame: a heartbeat would have py-amqp's own wait begin anew.
                self._connection.blocking_read(max(0.001, deadline - self._monotonic()))
            except TimeoutError:
                self._connection.collect()  # unasked: RabbitMQ does not answer a close before it has ended channels
                raise CutOff from None
