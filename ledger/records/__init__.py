"""The ledger's words: what it is asked and what it answers. Plain values; no SQL, no I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from bellhop.schemas.envelope import Envelope
from bellhop.schemas.reasons import Reason

Json = Mapping[str, Any]


class State(StrEnum):
    """Where an event stands. An event without a row has not been taken by a worker yet (or never came)."""

    WORKING = "working"
    RETRYING = "retrying"
    IN_DOUBT = "in_doubt"
    """A call's outcome is unknown; the vendor is asked before anything else is done. Not final."""
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
        return self in (State.WORKING, State.RETRYING, State.IN_DOUBT)


class EntryState(StrEnum):
    BOOKED = "booked"
    """At the vendor, waiting for our confirmation call."""
    CONFIRMED = "confirmed"
    """At the vendor; nothing more to do."""
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Entry:
    """One booking at the vendor. `line` is the index of the event's service it fulfils, `made_by` the id of the
    event that made it. `secret_hash` is SimplyBook's booking hash ("" elsewhere): it signs later calls, and is
    shown to nobody. `slot` says what was wanted, for comparing with what a newer event wants; `took` what was taken
    for it, where that left a choice. `batch` is SimplyBook's batch as type:id, where there is one, and `batch_hash` its
    secret."""

    vendor_id: str
    line: int
    made_by: str
    state: EntryState
    secret_hash: str = ""
    slot: str = ""
    code: str = ""
    batch: str = ""
    batch_hash: str = ""
    took: str = ""


@dataclass(frozen=True, slots=True)
class Booking:
    """All the ledger holds of one upstream booking. `as_of` is the time of the newest event that was applied
    (UTC); None before any. `cancelled`: a cancel was applied, also where nothing had been booked (a tombstone)."""

    source: str
    reference: str
    account: str
    entries: Sequence[Entry] = ()
    as_of: datetime | None = None
    cancelled: bool = False

    @property
    def vendor_ids(self) -> list[str]:
        """Of what stands; where nothing does, of all that ever stood."""
        standing = [entry.vendor_id for entry in self.entries if entry.state is not EntryState.CANCELLED]
        return standing or [entry.vendor_id for entry in self.entries]


@dataclass(frozen=True, slots=True)
class Call:
    """One vendor call about to be made. `arguments` is what a person needs to see later, without credentials.

    repeatable: calling twice is harmless. What is not repeatable is marked in the ledger before it is called.
    line: the service of the event it is for.
    """

    account: str
    method: str
    arguments: Json
    repeatable: bool
    line: int = 0


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try at a vendor call, for the record. Times are UTC; `error`, `request` and `answer` hold no secrets.

    outcome: `ok`, `rejected`, `transient`, `throttled`, `auth` or `unknown`. request: what was asked; it may name the
    guest. answer: what the vendor said where it refused, else what came of it.
    """

    method: str
    started: datetime
    seconds: float
    outcome: str
    error: str = ""
    answer: Json | None = None
    request: Json | None = None


# --- claiming ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Claimed:
    """The event is this worker's until `until` (UTC). `token` fences: a later claim of the same event has a higher one.

    event_pk is the ledger's own row id. in_doubt is the call whose outcome is unknown, to be resolved before
    anything else. booking is None for events that are not about a booking.
    """

    event_pk: int
    token: int
    until: datetime
    booking: Booking | None
    in_doubt: Call | None
    attempts: int


@dataclass(frozen=True, slots=True)
class Settled:
    """Nothing to do: the event's end is already recorded (also just now, as superseded or duplicate). Ack it. at: when
    it was recorded, None for just now."""

    state: State
    detail: str
    at: datetime | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Busy:
    """Another worker holds it, or an older event of its booking is not finished. Deliver it again later."""

    detail: str


@dataclass(frozen=True, slots=True)
class Refused:
    """It is dead: publish the dead letter, then ack. It died now, or in an earlier delivery whose worker was killed
    before the dead letter was confirmed. at: when it did, None for just now."""

    reason: Reason
    error: str
    at: datetime | None = field(default=None, compare=False)


Claim = Claimed | Settled | Busy | Refused


# --- settling ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Settlement:
    """What became of a claimed event. One commit may hold many.

    state: DONE, RECORDED, SUPERSEDED, RETRYING, IN_DOUBT or DEAD.
    booking: the booking as it now stands, None to leave it. It is stored even where the claim was lost meanwhile:
        a vendor's id must never be forgotten.
    applies: whether the event now counts as applied to its booking (moves `as_of`).
    in_doubt: the call in doubt, with state IN_DOUBT.
    next_at: when the retry is due (UTC), for people to see.
    """

    claimed: Claimed
    envelope: Envelope
    state: State
    detail: str = ""
    reason: Reason | None = None
    booking: Booking | None = None
    applies: bool = False
    in_doubt: Call | None = None
    next_at: datetime | None = None
    attempts: Sequence[Attempt] = ()


# --- reading ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class EventView:
    """An event as people and upstreams see it. Vendor ids without hashes."""

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
    vendor_ids: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one content of an event stands; generation: of its latest replay."""

    content_hash: str
    state: State
    reason: str
    detail: str
    generation: int


# --- dead letters -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class WaitingLetters:
    """The letters of one route and reason that wait for a person. oldest: when the first of them died. soonest: the
    first start of their bookings that is still to come; None where there is none. Times are UTC."""

    route: str
    reason: str
    count: int
    oldest: datetime
    soonest: datetime | None


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


@dataclass(frozen=True, slots=True)
class CauseRow:
    """The letters of one cause: how many, of what, and when they died. example: one of their numbers. next_start: the
    earliest start to come of their bookings (UTC), None where none is to come."""

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


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One act of a person: who, when, what, on which letter (None for none), why. what: on what else: a route, a job,
    a user."""

    at: datetime
    who: str
    act: str
    letter: int | None
    why: str
    what: str = ""


# --- what people steer ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Pause:
    """A route that people hold. until: None for until somebody resumes it."""

    route: str
    who: str
    why: str
    since: datetime
    until: datetime | None


class Verdict(StrEnum):
    """What a replay of a letter would come to, judged without the vendor."""

    WOULD_APPLY = "would_apply"
    ALREADY_APPLIED = "already_applied"
    SUPERSEDED = "superseded"
    SLOT_PASSED = "slot_passed"
    INVALID = "invalid"
    """It cannot be read, its contract is broken, or the settings no longer know its account or venue."""
    BREAKER_OPEN = "breaker_open"
    IN_DOUBT = "in_doubt"
    """It may be at the vendor: look there first."""
    CLOSED = "closed"
    """It is not open any more."""


class JobState(StrEnum):
    RUNNING = "running"
    PAUSED = "paused"
    STOPPED = "stopped"
    """By itself: the same cause came back."""
    CANCELLED = "cancelled"
    DONE = "done"

    @property
    def ended(self) -> bool:
        return self in (JobState.DONE, JobState.CANCELLED)


class ItemState(StrEnum):
    WAITING = "waiting"
    SENT = "sent"
    """Replayed; how it ends is not known yet."""
    DONE = "done"
    FAILED = "failed"
    """It died again."""
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class BulkJob:
    """A bulk act on a set of letters frozen when it was approved. kind: "replay" or "discard". rate: letters a second,
    None for as fast as waves allow. wave: how many are sent before their ends are looked at: 1, 5, 25 … counts: items
    by state. detail: how it ended, or why it stopped."""

    id: int
    kind: str
    state: JobState
    who: str
    why: str
    created: datetime
    updated: datetime
    rate: float | None
    wave: int
    counts: Mapping[ItemState, int]
    detail: str

    @property
    def total(self) -> int:
        return sum(self.counts.values())


@dataclass(frozen=True, slots=True)
class JobItem:
    """A letter of a job. verdict: at the time of approval. detail: how it ended."""

    letter: int
    place: int
    verdict: Verdict
    state: ItemState
    detail: str


class EditState(StrEnum):
    PROPOSED = "proposed"
    """It waits for somebody else's approval."""
    APPROVED = "approved"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Edit:
    """A letter's content changed by a person. body: the whole envelope as it would be sent, JSON."""

    id: int
    letter: int
    who: str
    why: str
    at: datetime
    body: bytes
    state: EditState
    approver: str


# --- who may what -----------------------------------------------------------------------------------------------


class Role(StrEnum):
    VIEWER = "viewer"
    OPERATOR = "operator"
    """May also act: replay, discard, pause."""
    ADMIN = "admin"
    """May also manage users and tokens."""

    def covers(self, other: Role) -> bool:
        return list(Role).index(self) >= list(Role).index(other)


@dataclass(frozen=True, slots=True)
class User:
    """password_hash: "" for one who signs in elsewhere (OIDC)."""

    name: str
    role: Role
    password_hash: str = field(repr=False)
    created: datetime
    disabled: bool


@dataclass(frozen=True, slots=True)
class ApiToken:
    """The token itself is shown once and kept only as its SHA-256."""

    id: int
    name: str
    role: Role
    who: str
    created: datetime
    last_used: datetime | None
    revoked: bool
    expires: datetime | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """user: "" for the demo's guest of the one-time link."""

    user: str
    role: Role
    csrf: str = field(repr=False)
    expires: datetime
