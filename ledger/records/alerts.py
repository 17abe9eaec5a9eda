"""What people are told outside the console."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bellhop.ledger.records.calls import Json


class AlertMessage(StrEnum):
    """What a message says."""

    NONE = ""
    OPEN = "open"
    MORE = "more"
    """It has doubled or has become graver since it was told."""
    OVER = "over"


@dataclass(frozen=True, slots=True)
class AlertRow:
    """What one receiver is told of one thing, by its key. incident: the same for all messages of it until it is over.

    facts: what is told, see `letters.alerts.facts`. first: when it was seen first. gone: since when it is over. told:
    when its last message was sent, with what count and severity; None before the first. pending: what is to be sent.
    tries: how often it was tried. claimed_until: until then a process is sending it. Times are UTC.
    """

    receiver: str
    key: str
    incident: str
    facts: Json
    first: datetime
    gone: datetime | None = None
    told: datetime | None = None
    told_count: int = 0
    told_severity: str = ""
    pending: AlertMessage = AlertMessage.NONE
    tries: int = 0
    next_at: datetime | None = None
    claimed_until: datetime | None = None
    error: str = ""

    def is_claimed(self, now: datetime) -> bool:
        return self.claimed_until is not None and self.claimed_until > now


@dataclass(frozen=True, slots=True)
class DeadReceiver:
    """An alert receiver that messages do not reach. waiting: how many. since: the oldest's. error: the last's."""

    receiver: str
    waiting: int
    since: datetime
    error: str
