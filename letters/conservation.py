"""Whether every event that was accepted is somewhere: what has ended, what waits, what is at work, and what is lost.

Nothing is written for it. The ledger knows when each unfinished event was to come again, and which dead ones have a
letter; the broker, which queues are empty. An event that is long due while its route's queue holds nothing has no
message any more: nobody will work it, and no person sees it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, Protocol

from bellhop.broker.port import QueueStats
from bellhop.ledger.records import State
from bellhop.ledger.strays import Stray
from bellhop.letters.serializers.flow import count_messages
from bellhop.schemas.clock import SYSTEM_CLOCK, Clock
from bellhop.schemas.errors import BrokerError, LedgerError
from bellhop.schemas.observe import Observe
from bellhop.vendors.registry import ROUTES

DUE_FOR: Final = timedelta(minutes=15)
"""Longer than any claim, any worker that stands still, and any step that a broker takes to give a message back."""
_DEAD: Final = "dead"
_NAMED: Final = 10
_LOOK_SECONDS: Final = 60.0


class StrayLedger(Protocol):
    def strays(self, before: datetime) -> Sequence[Stray]: ...


class StatsBroker(Protocol):
    def stats(self) -> Mapping[str, QueueStats]: ...


def idle_queues(stats: Mapping[str, QueueStats]) -> frozenset[str]:
    """The routes, and `dead`, whose queues hold nothing."""
    return frozenset(name for name in (*ROUTES, _DEAD) if name in stats and not count_messages(stats[name]))


def find_forgotten(ledger: StrayLedger, idle: Collection[str], now: datetime) -> list[Stray]:
    """The events that nothing brings on, the oldest first. idle: see `idle_queues`. Raises LedgerUnavailable."""
    found = ledger.strays(now - DUE_FOR) if idle else ()
    lost = [one for one in found if one.route in idle and (one.state is not State.DEAD or _DEAD in idle)]
    return sorted(lost, key=lambda one: one.since)


def names_of(strays: Sequence[Stray]) -> str:
    """Their ids, for people."""
    names = ", ".join(f"{one.source}/{one.id} ({one.state})" for one in strays[:_NAMED])
    return f"{names}, …" if len(strays) > _NAMED else names


class ConservationWatch:
    """Looks once a minute, however often it is asked: it reads what has died in the last months."""

    def __init__(self, ledger: StrayLedger, broker: StatsBroker, observe: Observe, clock: Clock = SYSTEM_CLOCK) -> None:
        self._ledger = ledger
        self._broker = broker
        self._observe = observe
        self._clock = clock
        self._next = clock.monotonic()

    def look(self) -> None:
        """Tells `events.forgotten` of each route, and the ids of those there are; no number where it is not known."""
        if self._clock.monotonic() < self._next:
            return
        self._next = self._clock.monotonic() + _LOOK_SECONDS
        try:
            found = find_forgotten(self._ledger, idle_queues(self._broker.stats()), self._clock.now())
        except (BrokerError, LedgerError):
            self._observe("events.forgotten", groups=[])
            return
        counts = [{"route": route, "count": sum(one.route == route for one in found)} for route in ROUTES]
        self._observe("events.forgotten", groups=counts)
        for one in found:
            self._observe("event.forgotten", source=one.source, id=one.id, route=one.route, state=one.state.value)
