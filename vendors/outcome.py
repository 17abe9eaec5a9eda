"""What becomes of a delivery: a closed set of values. An outcome nobody can name is in doubt or dead, never done.

Each has its `name` for logs and traces, and the ledger's `state` for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from bellhop.ledger.records import Booking, Entry, Json, State, VendorCall
from bellhop.schemas.envelope import Envelope
from bellhop.schemas.reasons import Reason
from bellhop.vendors.failure import VendorFailure


@dataclass(frozen=True, slots=True)
class Done:
    """The vendor has it. `detail` says so to people. `tombstone` as with Dead.

    forward: events that follow from this one. They are queued before its end is recorded, so none is lost; queued
    twice they are known by their ids. booking: as with Dead.
    """

    name: ClassVar[str] = "done"
    state: ClassVar[State] = State.DONE

    detail: str
    tombstone: bool = False
    forward: tuple[Envelope, ...] = ()
    booking: Booking | None = None


@dataclass(frozen=True, slots=True)
class Recorded:
    """Rightly without a call: a HOLD, a NO_SHOW. applies: what stands is as it asks, so nothing older counts."""

    name: ClassVar[str] = "recorded"
    state: ClassVar[State] = State.RECORDED

    detail: str
    applies: bool = False


@dataclass(frozen=True, slots=True)
class Repeated:
    """What it asks stands already, by another event: a fact that came again under a new id. Nothing was called."""

    name: ClassVar[str] = "duplicate"
    state: ClassVar[State] = State.DUPLICATE

    detail: str


@dataclass(frozen=True, slots=True)
class Retry:
    """Certainly not done, and worth another try. `after` is the vendor's Retry-After in seconds, if it gave one.
    reason: of its letter once every retry was tried, None for that."""

    name: ClassVar[str] = "retry"
    state: ClassVar[State] = State.RETRYING

    error: str
    after: float | None = None
    reason: Reason | None = None


@dataclass(frozen=True, slots=True)
class InDoubt:
    """`call` may have happened and nobody knows; before anything else the vendor is asked. after: in how many seconds
    at the earliest, None for by the ladder."""

    name: ClassVar[str] = "in_doubt"
    state: ClassVar[State] = State.IN_DOUBT

    call: VendorCall
    error: str
    after: float | None = None


@dataclass(frozen=True, slots=True)
class Dead:
    """A person must decide. `tombstone`: the event is a cancel that counts: it stops older events of its booking.
    applies: the event counts, as what no call can do is with the person: older events of its booking do not any more.
    booking: as it is to be kept, where it is another than the calls left it."""

    name: ClassVar[str] = "dead"
    state: ClassVar[State] = State.DEAD

    reason: Reason
    error: str
    answer: Json | None = None
    tombstone: bool = False
    applies: bool = False
    booking: Booking | None = None


@dataclass(frozen=True, slots=True)
class Wait:
    """Not its turn, or another worker has it: deliver it again. No attempt is counted. after: in how many seconds it
    may be its turn, None for shortly. in_lane: it waits in its account's lane, until that is free again. is_held: a
    person decides when, and has it brought back at once."""

    name: ClassVar[str] = "busy"
    state: ClassVar[State] = State.RETRYING

    detail: str
    after: float | None = None
    in_lane: bool = False
    is_held: bool = False


@dataclass(frozen=True, slots=True)
class Refusal:
    """The vendor refused a call, and that is not the event's end: there is something else to call. No outcome."""

    failure: VendorFailure
    booking: Booking


@dataclass(frozen=True, slots=True)
class Shown:
    """What a call in doubt has made, as the vendor itself shows it. No outcome: the event goes on with it."""

    entries: tuple[Entry, ...]


Outcome = Done | Recorded | Repeated | Retry | InDoubt | Dead | Wait

Performed = Booking | Outcome | Refusal
"""What making a call comes to."""


def outcome_text(outcome: Outcome) -> str:
    """What it says to people."""
    return outcome.detail if isinstance(outcome, (Done, Recorded, Repeated, Wait)) else outcome.error
