"""What needs a person: the items of the one list that `letters/attention.py` makes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from bellhop.letters.serializers import JsonObject
from bellhop.schemas.clock import iso

AT_RISK: Final = timedelta(hours=4)
"""A dead booking that starts sooner is critical."""
BROKER_HINT: Final = (
    "Look whether the broker that broker.url names is up. Webhooks are refused meanwhile: their senders try again."
)


class Need(StrEnum):
    """Why an item stands in the list."""

    BROKER = "broker"
    PART = "part"
    FORGOTTEN = "forgotten"
    UNARCHIVED = "unarchived"
    UNROUTABLE = "unroutable"
    IN_DOUBT = "in_doubt"
    UNPAID = "unpaid"
    DOUBLED = "doubled"
    LETTERS = "letters"
    JOB = "job"
    EDIT = "edit"
    ACCOUNT = "account"
    ROUTE = "route"
    SOURCE = "source"
    RECEIVER = "receiver"
    FLOOD = "flood"
    ASK = "ask"
    SILENCE = "silence"


LETTERS: Final = (Need.IN_DOUBT, Need.UNPAID, Need.DOUBLED, Need.LETTERS)


class Severity(StrEnum):
    """As the alerts have it. A notice is what somebody did themselves, and may have forgotten."""

    CRITICAL = "critical"
    WARNING = "warning"
    NOTICE = "notice"


@dataclass(frozen=True, slots=True)
class AttentionItem:
    """name: its number or name among those of its kind, "" where there is one alone. path: its page of the console;
    command: the same on the command line. count: of the letters or messages it is about, 1 for a thing by itself.
    since: from when it waits, None where nobody knows. starts: the soonest start to come of its bookings; zone: of the
    venue where it does, such as Europe/London, None where that is not known."""

    need: Need
    name: str
    title: str
    why: str
    severity: Severity
    path: str
    command: str
    count: int = 1
    since: datetime | None = None
    starts: datetime | None = None
    zone: str | None = None


@dataclass(frozen=True, slots=True)
class BrokerCheck:
    """What the broker's queues told. unroutable: messages that no queue wanted. unarchived: dead letters that are not
    in the archive yet, where nobody sees them. idle: the queues that hold nothing; waiting: the routes whose queues
    hold messages. problem: why the broker did not answer, "" where it did."""

    unroutable: int = 0
    unarchived: int = 0
    problem: str = ""
    idle: frozenset[str] = frozenset()
    waiting: frozenset[str] = frozenset()


def attention_row(item: AttentionItem) -> JsonObject:
    return {
        "kind": item.need.value,
        "name": item.name,
        "title": item.title,
        "why": item.why,
        "count": item.count,
        "since": iso(item.since),
        "starts": iso(item.starts),
        "zone": item.zone,
        "severity": item.severity.value,
        "path": item.path,
        "command": item.command,
    }
