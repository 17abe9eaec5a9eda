"""Dead letters in the archive, and how they are looked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from bellhop.ledger.records.calls import Json


@dataclass(frozen=True, slots=True)
class WaitingLetters:
    """The letters of one route, account and reason that wait for a person. account: "" where they could not be decoded.
    oldest: when the first of them died. soonest: the first start of their bookings that is still to come; None where
    there is none; venue: of the one that starts so, "" where it names none. Times are UTC."""

    route: str
    account: str
    reason: str
    count: int
    oldest: datetime
    soonest: datetime | None
    venue: str = ""


class LetterState(StrEnum):
    OPEN = "open"
    REPLAYING = "replaying"
    """Claimed by a replay whose publish is not yet confirmed; resuming publishes it again with the same generation."""
    REPLAYED = "replayed"
    DISCARDED = "discarded"


@dataclass(frozen=True, slots=True)
class NewLetter:
    """A dead letter as the archiver takes it off the dead queue. `body` is the message's body, byte for byte;
    source, event_id, type, subject and account are empty where it could not be decoded."""

    message_id: str
    body: bytes
    route: str
    reason: str
    error: str
    evidence: Json
    attempts: int
    died: datetime
    source: str = ""
    event_id: str = ""
    type: str = ""
    subject: str = ""
    account: str = ""
    generation: int = 0
    not_after: datetime | None = None


@dataclass(frozen=True, slots=True)
class Letter:
    """A dead letter in the archive. `id` is its number, given in order of archiving.

    cause: what it died of, the same for letters that one mending may help. assignee: who takes care of it, "" nobody.
    """

    id: int
    new: NewLetter
    state: LetterState
    archived: datetime
    cause: str = ""
    assignee: str = ""


class CauseSaid(StrEnum):
    """What a person has said of a cause."""

    ACKNOWLEDGED = "acknowledged"
    SNOOZED = "snoozed"
    RESOLVED = "resolved"

    @property
    def act(self) -> str:
        return {"acknowledged": "acknowledge", "snoozed": "snooze", "resolved": "resolve"}[self.value]


class CauseState(StrEnum):
    """Where a cause stands in its life."""

    NEW = "new"
    ACKNOWLEDGED = "acknowledged"
    SNOOZED = "snoozed"
    RESOLVED = "resolved"
    REOPENED = "reopened"
    """It was resolved and letters came since, or the time is over until which it was snoozed."""


@dataclass(frozen=True, slots=True)
class CauseLife:
    """who, why, at: of what was said last. until: of a snooze. since: how many of its letters came after `at`."""

    state: CauseState = CauseState.NEW
    who: str = ""
    why: str = ""
    at: datetime | None = None
    until: datetime | None = None
    since: int = 0


@dataclass(frozen=True, slots=True)
class CauseRow:
    """The letters of one cause: how many, of what, and when they died. example: one of their numbers. next_start: the
    earliest start to come of their bookings (UTC), None where none is to come; venue: of the one that starts so, ""
    where it names none. trend: how many died in each two hours of the last day, the oldest first."""

    cause: str
    reason: str
    route: str
    account: str
    error: str
    count: int
    first: datetime
    last: datetime
    example: int
    next_start: datetime | None
    trend: Sequence[int] = ()
    life: CauseLife = field(default_factory=CauseLife)
    venue: str = ""


@dataclass(frozen=True, slots=True)
class Note:
    at: datetime
    who: str
    text: str


@dataclass(frozen=True, slots=True)
class LetterFilter:
    """All that is given must hold. `since` and `until` bound the time of death; `ids` are letter numbers. text: words
    that all stand in the letter's id, reference, member, error, or in its guest's name or address."""

    reason: str | None = None
    route: str | None = None
    account: str | None = None
    source: str | None = None
    event_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    ids: Sequence[int] = field(default_factory=tuple)
    states: Sequence[LetterState] = (LetterState.OPEN,)
    cause: str | None = None
    assignee: str | None = None
    text: str = ""


class Order(StrEnum):
    """In which letters are listed. `after` of the next page is the last row's `Page.next`."""

    NEWEST = "newest"
    OLDEST = "oldest"
    URGENT = "urgent"
    """By the booking's start, those to come first, then those without one."""
