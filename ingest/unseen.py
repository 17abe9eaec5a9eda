"""What this process accepted, until the ledger has it: so that what a broker loses does not vanish without a word.

Nothing is written for it. What was confirmed is remembered here, and asked of the ledger a minute later, many at once.
Nearly all of it is there by then; the rest waits in a queue. An id that has neither a row nor a dead letter after a
quarter of an hour, while no queue that could hold it holds anything, is missing: it is told by its name, once. What if
the process dies here? Then its last minutes go unwatched; its log still has their ids.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from bellhop.broker.port import Message, QueueStats
from bellhop.schemas.clock import SYSTEM_CLOCK, Clock
from bellhop.schemas.errors import BrokerError, LedgerError
from bellhop.schemas.observe import Observe

FIRST_SECONDS: Final = 60.0
"""So long a worker has before the ledger is asked."""
MISSING_SECONDS: Final = 900.0
_LOOK_SECONDS: Final = 30.0
_AT_ONCE: Final = 500
MOST: Final = 50_000
_OTHERS: Final = ("retry", "dead", "unroutable")
"""Where a message may be beside its route's own queue."""


class FindUnknown(Protocol):
    def __call__(self, source: str, ids: Sequence[str], /) -> Collection[str]:
        """Those of the ids of which the ledger has neither a row nor a letter. Raises LedgerError."""
        ...


class QueueCounts(Protocol):
    def stats(self) -> Mapping[str, QueueStats]: ...


@dataclass(slots=True)
class _Accepted:
    """looks: in a row at which no queue could have held it."""

    since: float
    source: str
    id: str
    route: str
    looks: int = 0


class Unseen:
    """`note` is safe from any thread; the rest belongs to one."""

    def __init__(
        self, find_unknown: FindUnknown, broker: QueueCounts, observe: Observe, clock: Clock = SYSTEM_CLOCK
    ) -> None:
        self._find_unknown = find_unknown
        self._broker = broker
        self._observe = observe
        self._clock = clock
        self._new: deque[tuple[float, str, str]] = deque(maxlen=MOST)  # the oldest goes where it is full
        self._waiting: dict[tuple[str, str], _Accepted] = {}

    def start(self) -> None:
        threading.Thread(target=self._run, name="unseen", daemon=True).start()

    def _run(self) -> None:
        pause = threading.Event()
        while not pause.wait(_LOOK_SECONDS):
            self.look()

    def note(self, message: Message, route: str) -> None:
        """The broker has confirmed it."""
        self._new.append((self._clock.monotonic(), message.id, route))

    def look(self) -> None:
        """Asks of what is old enough; tells `event.missing` of each that is lost."""
        now = self._clock.monotonic()
        while self._new and self._new[0][0] <= now - FIRST_SECONDS:
            since, name, route = self._new.popleft()
            source, _, id_ = name.partition("/")
            if len(self._waiting) < MOST:
                self._waiting.setdefault((source, id_), _Accepted(since, source, id_, route))
        try:
            self._forget_known()
            stats = self._broker.stats() if self._waiting else {}
        except (BrokerError, LedgerError):
            return
        for one in list(self._waiting.values()):
            could_wait = any(name not in stats or _holds(stats[name]) for name in (one.route, *_OTHERS))
            one.looks = 0 if could_wait or one.since > now - MISSING_SECONDS else one.looks + 1
            if one.looks > 1:  # at one look it may have been between two queues
                del self._waiting[one.source, one.id]
                self._observe("event.missing", source=one.source, id=one.id, route=one.route)

    def _forget_known(self) -> None:
        """What the ledger has by now is watched by others."""
        by_source: dict[str, list[str]] = {}
        for source, id_ in self._waiting:
            by_source.setdefault(source, []).append(id_)
        for source, ids in by_source.items():
            for start in range(0, len(ids), _AT_ONCE):
                some = ids[start : start + _AT_ONCE]
                for id_ in {*some} - {*self._find_unknown(source, some)}:
                    del self._waiting[source, id_]


def _holds(queue: QueueStats) -> bool:
    return bool(queue.ready or queue.in_flight)
