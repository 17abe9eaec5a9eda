"""What becomes of a delivery: a closed set of values. An outcome nobody can name is in doubt or dead, never done."""

from __future__ import annotations

from dataclasses import dataclass

from ledger.records import Call, Json
from schemas.reasons import Reason


@dataclass(frozen=True, slots=True)
class Done:
    """The vendor has it. `detail` says so to people. `tombstone` as with Dead."""

    detail: str
    tombstone: bool = False


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
    """Not its turn, or another worker has it: deliver it again shortly. No attempt is counted."""

    detail: str


Outcome = Done | Recorded | Retry | InDoubt | Dead | Wait
