"""The ledger's words: what it is asked and what it answers. Plain values; no SQL, no I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from schemas.envelope import Envelope
from schemas.reasons import Reason

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
    """One try at a vendor call, for the record. Times are UTC; `error` and `answer` hold no secrets.

    outcome: `ok`, `rejected`, `transient`, `throttled`, `auth` or `unknown`.
    """

    method: str
    started: datetime
    seconds: float
    outcome: str
    error: str = ""
    answer: Json | None = None


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
    """Nothing to do: the event's end is already recorded (also just now, as superseded or duplicate). Ack it."""

    state: State
    detail: str


@dataclass(frozen=True, slots=True)
class Busy:
    """Another worker holds it, or an older event of its booking is not finished. Deliver it again later."""

    detail: str


@dataclass(frozen=True, slots=True)
class Refused:
    """It is dead: publish the dead letter, then ack. It died now, or in an earlier delivery whose worker was killed
    before the dead letter was confirmed."""

    reason: Reason
    error: str


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


# --- dead letters -----------------------------------------------------------------------------------------------


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
    """A dead letter in the archive. `id` is its number, given in order of archiving."""

    id: int
    new: NewLetter
    state: LetterState
    archived: datetime


@dataclass(frozen=True, slots=True)
class LetterFilter:
    """All that is given must hold. `since` and `until` bound the time of death; `ids` are letter numbers."""

    reason: str | None = None
    route: str | None = None
    account: str | None = None
    source: str | None = None
    event_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    ids: Sequence[int] = field(default_factory=tuple)
    states: Sequence[LetterState] = (LetterState.OPEN,)


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One act of a person: who, when, what, on which letter (None for none), why."""

    at: datetime
    who: str
    act: str
    letter: int | None
    why: str
