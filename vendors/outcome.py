"""What becomes of a delivery: a closed set of values. An outcome nobody can name is in doubt or dead, never done."""

from __future__ import annotations

from dataclasses import dataclass

from bellhop.ledger.records import Call, Json
from bellhop.schemas.envelope import Envelope
from bellhop.schemas.reasons import Reason


@dataclass(frozen=True, slots=True)
class Done:
    """The vendor has it. `detail` says so to people. `tombstone` as with Dead.

    forward: events that follow from this one. They are queued before its end is recorded, so none is lost; queued
    twice they are known by their ids.
    """

    detail: str
    tombstone: bool = False
    forward: tuple[Envelope, ...] = ()


@dataclass(frozen=True, slots=True)
class Recorded:
    """Rightly without a call: a HOLD, a NO_SHOW."""

    detail: str


@dataclass(frozen=True, slots=True)
class Retry:
    """Certainly not done, and worth another try. `after` is the vendor's Retry-After in seconds, if it gave one."""

    error: str
    after: float | None = None


@dataclass(frozen=True, slots=True)
class InDoubt:
    """`call` may have happened and nobody knows; before anything else the vendor is asked."""

    call: Call
    error: str


@dataclass(frozen=True, slots=True)
class Dead:
    """A person must decide. `tombstone`: the event is a cancel that counts: it stops older events of its booking."""

    reason: Reason
    error: str
    answer: Json | None = None
    tombstone: bool = False


@dataclass(frozen=True, slots=True)
class Wait:
    """Not its turn, or another worker has it: deliver it again. No attempt is counted. after: in how many seconds it
    may be its turn, None for shortly."""

    detail: str
    after: float | None = None


Outcome = Done | Recorded | Retry | InDoubt | Dead | Wait
