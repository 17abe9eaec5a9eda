"""`GET /events/<source>/<id>`: where an event stands, told to its own source."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

from flask import Request, Response

from bellhop.broker.port import QueueStats
from bellhop.ingest.problems import unauthorized_problem
from bellhop.ingest.verify import NotVerified, Verifier
from bellhop.ledger.records import Attempt, EventView, describe_entries
from bellhop.schemas.contract import has_control
from bellhop.schemas.errors import BrokerError, LedgerUnavailable
from bellhop.schemas.events import MAX_ID
from bellhop.schemas.problems import Problem


class EventReader(Protocol):
    """All that the ingress asks of the ledger."""

    def event(self, source: str, id_: str, /) -> EventView | None:
        """The event with its attempts, None before a worker has taken it. Raises LedgerUnavailable."""
        ...


class WatchedQueues(Protocol):
    def stats(self) -> Mapping[str, QueueStats]: ...


_ASKED: Final = 10_000
_HELD: Final = timedelta(minutes=1)
"""For longer no worker holds a message that it has not claimed."""
_UNKNOWN: Final = (
    "No event has this id: it was never answered 2xx, or it ended so long ago that it was forgotten. If it was answered"
    " 2xx this very moment, ask again."
)


class EventStatus:
    """waiting: whether a message lies in a queue that may be of an event that no worker has taken yet; None where none
    can be seen, but a worker may hold one."""

    def __init__(
        self,
        verifiers: Mapping[str, Verifier],
        events: EventReader,
        now: Callable[[], datetime],
        waiting: Callable[[], bool | None] = lambda: True,
    ) -> None:
        self._waiting = waiting
        self._asked: OrderedDict[tuple[str, str], datetime] = OrderedDict()
        self._verifiers = verifiers
        self._events = events
        self._now = now

    def get(self, request: Request, source: str, id_: str) -> Response:
        """Takes the source's own credentials (`Verifier.verify_reader`). Raises Problem: 404 for an unknown source, for
        what cannot be an id, and for an id that neither the ledger nor any queue can have; 401, 503 while the ledger is
        away."""
        verifier = self._verifiers.get(source)
        if verifier is None:
            raise Problem(404, "unknown-source", "This Bellhop has no source of that name.")
        try:
            verifier.verify_reader(request.headers, id_, self._now())
        except NotVerified as error:
            raise unauthorized_problem(error) from None
        if len(id_) > MAX_ID or has_control(id_):
            raise Problem(404, "unknown-event", "No event has such an id.")
        view = self._view(source, id_)
        if view is None and self._may_be_gone(source, id_) and (view := self._view(source, id_)) is None:
            raise Problem(404, "unknown-event", _UNKNOWN)
        told = _status_of(view) if view is not None else _pending(source, id_)
        return Response(json.dumps(told), 200, {"Cache-Control": "no-store"}, content_type="application/json")

    def _may_be_gone(self, source: str, id_: str) -> bool:
        """Whether no queue can have the event, so that the ledger, asked once more, has it or nobody has. Where nobody
        knows what workers hold, an id is given a minute from when it was asked for first."""
        waiting = self._waiting()
        if waiting is not None:
            return not waiting
        first = self._asked.setdefault((source, id_), self._now())
        if len(self._asked) > _ASKED:
            self._asked.popitem(last=False)
        return self._now() - first > _HELD

    def _view(self, source: str, id_: str) -> EventView | None:
        try:
            return self._events.event(source, id_)
        except LedgerUnavailable:
            detail = "Where the event stands cannot be told now. That changes nothing for the event itself."
            raise Problem(503, "ledger-away", detail, headers={"Retry-After": "5"}) from None


def holds_messages(broker: WatchedQueues) -> bool | None:
    """Whether an event may lie in a queue that no worker has taken it from; also where the broker is away. None where
    none is seen and the broker does not tell what workers hold."""
    try:
        queues = broker.stats()
    except BrokerError:
        return True
    found = [queue for name, queue in queues.items() if name != "dead"]
    if any(queue.ready or queue.in_flight for queue in found):
        return True
    return None if any(queue.in_flight is None for queue in found) else False


def _status_of(view: EventView) -> dict[str, Any]:
    """Neither the event's data nor the vendor's answers: both may hold what is a guest's own."""
    return {
        "id": view.id,
        "source": view.source,
        "type": view.type,
        "state": view.state.value,
        "detail": view.detail,
        "reason": view.reason,
        "received": view.received.isoformat(),
        "updated": view.updated.isoformat(),
        "next_at": view.next_at.isoformat() if view.next_at else None,
        "attempts": [_attempt(attempt) for attempt in view.attempts],
        **describe_entries(view.entries),
    }


def _attempt(attempt: Attempt) -> dict[str, Any]:
    return {
        "method": attempt.method,
        "started": attempt.started.isoformat(),
        "seconds": attempt.seconds,
        "outcome": attempt.outcome,
        "error": attempt.error,
    }


def _pending(source: str, id_: str) -> dict[str, Any]:
    """The ledger cannot tell an event that waits in its queue from one that never came."""
    detail = "not taken by a worker yet; if this id was never answered 2xx, it is unknown here"
    return {
        "id": id_,
        "source": source,
        "state": "pending",
        "detail": detail,
        "next_at": None,
        "attempts": [],
        **describe_entries(()),
    }
