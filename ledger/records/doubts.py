"""Calls whose end is not known, or once was not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bellhop.ledger.records.calls import VendorCall
from bellhop.ledger.records.events import State


@dataclass(frozen=True, slots=True)
class Doubt:
    """A call that may have happened. since: when it was made, None where nobody noted it. words: the numbers of the
    guest's words, see `ledger.search_terms`. is_open: nobody knows its end yet; otherwise it was made again, or a
    person said that it made nothing."""

    event_pk: int
    source: str
    event_id: str
    subject: str
    state: State
    call: VendorCall
    since: datetime | None
    words: frozenset[int]
    is_open: bool


class ProofResult(StrEnum):
    """What it came to that a booking was found which a call in doubt made."""

    BOOKED = "booked"
    """The ledger has it as its event's, which goes on."""
    KNOWN = "known"
    """The ledger had it already."""
    SURPLUS = "surplus"
    """Its event has ended otherwise, or another was booked in its place: it stands beside what should."""
    AT_WORK = "at_work"
    """An event of its booking is being worked: nothing was changed, ask again."""


@dataclass(frozen=True, slots=True)
class Proven:
    """letters: the numbers of those that now go on, marked `replaying`, the newest event's first."""

    result: ProofResult
    letters: tuple[int, ...] = ()
