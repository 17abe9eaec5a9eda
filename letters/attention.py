"""What needs a person, once: the one list that the console's first page, the API and `bellhop attention` show.

Whatever is to be told to people as theirs to do is an item here. How things go otherwise (queues, retries, events in
doubt, of which the vendor is asked first) is no item: nobody has to act on it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Protocol

from bellhop.broker.port import QueueStats
from bellhop.ledger.strays import Stray
from bellhop.letters import attention_items as items
from bellhop.letters.conservation import StatsBroker, find_forgotten, idle_queues
from bellhop.letters.needs import AttentionItem, BrokerCheck, Severity
from bellhop.letters.parts import BeatingParts, find_missing
from bellhop.letters.serializers import NO_VENUES
from bellhop.letters.serializers.flow import count_messages
from bellhop.schemas.errors import BrokerError
from bellhop.schemas.events import VenueFacts
from bellhop.vendors.registry import ROUTES

REFUSED: Final = timedelta(hours=24)  # so long its upstream may send a refused post again
_NEVER: Final = datetime.max.replace(tzinfo=UTC)


class AttentionLedger(Protocol):
    """What is needed of the ledger; every method may raise LedgerUnavailable."""

    @property
    def letters(self) -> Any: ...

    @property
    def jobs(self) -> Any: ...

    @property
    def edits(self) -> Any: ...

    @property
    def accounts(self) -> Any: ...

    @property
    def pauses(self) -> Any: ...

    @property
    def refusals(self) -> Any: ...

    @property
    def parts(self) -> BeatingParts: ...

    @property
    def alerts(self) -> Any: ...

    @property
    def floods(self) -> Any: ...

    @property
    def take_asks(self) -> Any: ...

    @property
    def habits(self) -> Any: ...

    def strays(self, before: datetime) -> Sequence[Stray]: ...


def attention(
    ledger: AttentionLedger, broker: BrokerCheck, now: datetime, venues: Mapping[str, VenueFacts] = NO_VENUES
) -> list[AttentionItem]:
    """Everything that needs a person: the gravest first, then what starts soonest, then what has waited longest.
    venues: by name, for the zone in which it starts. Raises LedgerUnavailable."""
    refusals = ledger.refusals
    found = [
        *items.of_broker(broker),
        *map(items.of_missing_part, find_missing(ledger.parts, now, broker.waiting)),
        *items.of_forgotten(find_forgotten(ledger, broker.idle, now)),
        *(items.of_flood(flood, venues) for flood in ledger.floods.open()),
        *items.of_letters(ledger.letters, now, venues),
        *map(items.of_job, ledger.jobs.find_stopped()),
        *items.of_edits(ledger.edits.waiting(), ledger.letters, now, venues),
        *(items.of_account(view) for view in ledger.accounts.views() if view.breaker != "closed"),
        *map(items.of_pause, ledger.pauses.all()),
        *map(items.of_refused, refusals.counts(now - REFUSED)),
        *(items.of_ask(ask, refusals.count_waiting(ask.source, ask.cause)) for ask in ledger.take_asks.open()),
        *map(items.of_silence, ledger.habits.silent()),
        *map(items.of_dead_receiver, ledger.alerts.dead_receivers()),
    ]
    order = list(Severity)
    return sorted(found, key=lambda one: (order.index(one.severity), one.starts or _NEVER, one.since or _NEVER))


def check_broker(broker: StatsBroker) -> BrokerCheck:
    try:
        return check_queues(broker.stats())
    except BrokerError as error:
        return BrokerCheck(problem=str(error))


def check_queues(stats: Mapping[str, QueueStats]) -> BrokerCheck:
    unroutable, unarchived = (count_messages(stats.get(name)) for name in ("unroutable", "dead"))
    idle = idle_queues(stats)
    waiting = frozenset(route for route in ROUTES if route in stats and route not in idle)
    return BrokerCheck(unroutable, unarchived, idle=idle, waiting=waiting)
