"""A worker's threads: how many for what it has in hand, and who of them is called when something may begin."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from typing import Final

from bellhop.schemas.fibres import Fibres

_SHARE: Final = 64


def capacity_of(threads: int, share: int = 1) -> int:
    """How many deliveries a worker has in hand at once, of each account half of them: twice its threads, so that one
    half of that works while the other settles. Where they share threads as many again: these are fast, and while the
    ledger writes for some, others are at work."""
    return (4 if share == 1 else 8) * threads


def pool_size(threads: int) -> int:
    """How many events are at work at once. An account alone has half of them, which are the threads of the settings."""
    return 2 * threads


def share_of(threads: int) -> int:
    """How many events one thread may have, where they may share it: two threads at least for the pool, as the ledger
    may keep one."""
    return min(threads, _SHARE)


class IdleThreads:
    """Those that wait for something to begin: asleep, or with fibres that wait for their vendors. To be used with
    `changed` held."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self.changed = threading.Condition()
        self._monotonic = monotonic
        self._listening: dict[Fibres, None] = {}  # with room for more, the last one last
        self._wakes_at = math.inf
        """Monotonic seconds: when a thread wakes for the next turn that time brings. The others wait for changes."""

    def call(self, count: int = 1) -> None:
        """So many come and look. One whose fibres wait first, the last one first: the fewer threads are at work, the
        less they wait for each other. One with a fibre at work, which the ledger may keep, looks by itself later."""
        called = [fibres for fibres in reversed(self._listening) if fibres.is_waiting][:count]
        for fibres in called:
            self.leave(fibres)
            fibres.ring()
        if count > len(called):
            self.changed.notify(count - len(called))

    def call_by(self, until: float) -> None:
        """One comes and looks, unless one that sleeps wakes by monotonic `until` anyway."""
        if until < self._wakes_at:
            self.call()

    def call_all(self) -> None:
        self.call(len(self._listening))
        self.changed.notify_all()

    def listen(self, fibres: Fibres) -> None:
        """Until they are called once, or are no more to be called."""
        self._listening[fibres] = None
        fibres.is_waiting = True

    def leave(self, fibres: Fibres) -> None:
        self._listening.pop(fibres, None)

    def sleep(self, until: float) -> None:
        """Until called, or monotonic `until`."""
        if until >= self._wakes_at or until == math.inf:
            self.changed.wait()
            return
        self._wakes_at = until
        self.changed.wait(until - self._monotonic())
        if self._wakes_at == until:
            self._wakes_at = math.inf
            self.call()  # another one keeps the time, should this one have found work
