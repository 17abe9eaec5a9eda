"""Where events stand, and how people and upstreams see them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bellhop.ledger.records.bookings import Entry
from bellhop.ledger.records.calls import Attempt


class State(StrEnum):
    """Where an event stands. An event without a row has not been taken by a worker yet (or never came)."""

    WORKING = "working"
    RETRYING = "retrying"
    IN_DOUBT = "in_doubt"
    """A call's outcome is unknown; the vendor is asked before anything else is done. Not final."""
    HELD = "held"
    """The flood guard keeps it from the vendor until a person has released or discarded it. Not final."""
    DONE = "done"
    RECORDED = "recorded"
    """Known and rightly without a call (a HOLD, a NO_SHOW). Final."""
    SUPERSEDED = "superseded"
    """A newer event of the same booking was worked first. Final."""
    DUPLICATE = "duplicate"
    """Another delivery id carried the same fact. Final."""
    DEAD = "dead"
    DISCARDED = "discarded"
    """A person decided that its dead letter needs nothing. Final."""

    @property
    def unfinished(self) -> bool:
        return self in (State.WORKING, State.RETRYING, State.IN_DOUBT, State.HELD)


@dataclass(frozen=True, slots=True)
class EventView:
    """An event as people and upstreams see it. entries: of its booking, whichever event made them; they are told by
    `describe_entries`."""

    source: str
    id: str
    type: str
    subject: str
    route: str
    account: str
    state: State
    detail: str
    reason: str
    generation: int
    time: datetime
    received: datetime
    updated: datetime
    next_at: datetime | None
    attempt_count: int
    attempts: Sequence[Attempt] = ()
    entries: Sequence[Entry] = ()


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one content of an event stands; generation: of its latest replay."""

    content_hash: str
    state: State
    reason: str
    detail: str
    generation: int
