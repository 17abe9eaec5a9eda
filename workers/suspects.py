"""What workers died over before is worked alone, so that it takes nobody with it.

A broker counts, for each message that a dying process held, one delivery more: for the one it died over and for all
that had been fetched beside it alike. So that count is carried along (`bellhop-deaths`) where a message is sent on
without having been worked, and from a few deaths on a message is suspected. A process works one suspect at a time,
while it works nothing else, and sends the others on through the ladder: what it dies over then is that one. One that
was worked to any end is suspected no more.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Final

from bellhop.broker.headers import DEATHS
from bellhop.broker.port import Delivery

DEATHS_IN_COMPANY: Final = 3
"""Lost connections count too, and are no reason to work one by one."""
DEATHS_ALONE: Final = 3
QUIET_SECONDS: Final = 0.3
"""For what a broker has sent and nobody has taken yet, and for acks on their way."""


def deaths_of(delivery: Delivery) -> int:
    """How often it was delivered and never worked to an end, as far as is known."""
    before = delivery.message.headers.get(DEATHS, 0)
    return delivery.deliveries + (max(0, int(before)) if isinstance(before, int | float) else 0)


class Suspects:
    """One for a process, whatever routes it works. Safe from any thread."""

    def __init__(self, delivery_limit: int, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.deaths = min(DEATHS_IN_COMPANY, delivery_limit - 1)
        self.limit = min(DEATHS_IN_COMPANY + DEATHS_ALONE, delivery_limit)
        self._turn = threading.Lock()
        self._changed = threading.Condition()
        self._monotonic = monotonic
        self._stirred = monotonic()
        self._in_hand = 0
        self._at_work = 0
        self._alone = False

    def enter(self) -> bool:
        """Whether it is the caller's turn to work a suspect; then `leave` ends it."""
        return self._turn.acquire(blocking=False)

    def leave(self) -> None:
        self._turn.release()

    def received(self, delivery: Delivery) -> None:
        """A suspect has come, on any route."""
        with self._changed:
            self._in_hand += 1
            if delivery.deliveries:  # one of those that a dead process held: the others are on their way
                self._stirred = self._monotonic()

    def settled(self) -> None:
        """A suspect has ended or was sent on, and its ack is about to be sent."""
        with self._changed:
            self._in_hand -= 1
            self._stirred = self._monotonic()

    def may_begin(self) -> bool:
        """Whether the process holds no suspect but one. Begun sooner, it would take the others with it."""
        with self._changed:
            return self._in_hand == 1 and self._monotonic() - self._stirred >= QUIET_SECONDS

    def place(self, deaths: int) -> AbstractContextManager[None]:
        """Where a job of so many deaths is worked: a suspect while nothing else is."""
        return self._by_itself() if deaths >= self.deaths else self._in_company()

    @contextmanager
    def _in_company(self) -> Iterator[None]:
        with self._changed:
            self._changed.wait_for(lambda: not self._alone)
            self._at_work += 1
        try:
            yield
        finally:
            with self._changed:
                self._at_work -= 1
                self._changed.notify_all()

    @contextmanager
    def _by_itself(self) -> Iterator[None]:
        with self._changed:
            self._alone = True  # from now on nobody begins; there is but one suspect at a time
            self._changed.wait_for(lambda: not self._at_work)
        try:
            yield
        finally:
            with self._changed:
                self._alone = False
                self._changed.notify_all()
