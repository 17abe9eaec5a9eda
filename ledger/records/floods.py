"""Cancels and changes that are held because they are too many at once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class FloodState(StrEnum):
    OPEN = "open"
    """What its source cancels or changes is held."""
    RELEASED = "released"
    DISCARDED = "discarded"


@dataclass(frozen=True, slots=True)
class Flood:
    """limit: which limit of the settings was passed, in words. held: how many events are held now; soonest: the first
    start to come of their bookings; venue: of the one that starts so, "" where it is not known. who, reason: of the
    person who ended it; ended: when. Times are UTC."""

    id: int
    source: str
    since: datetime
    limit: str
    state: FloodState
    held: int = 0
    soonest: datetime | None = None
    who: str = ""
    reason: str = ""
    ended: datetime | None = None
    venue: str = ""


@dataclass(frozen=True, slots=True)
class HeldEvent:
    """One of those that a flood holds. starts: its booking's start, None where it says none; venue: its
    booking's, "" where it is not known."""

    source: str
    id: str
    type: str
    subject: str
    account: str
    received: datetime
    starts: datetime | None
    venue: str = ""
