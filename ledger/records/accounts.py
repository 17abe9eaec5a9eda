"""What is said of an account's calls: leave, and how they ended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bellhop.schemas.settings import Limits


class Ended(StrEnum):
    """How a call ended, as far as the account is concerned."""

    ANSWERED = "answered"
    """The vendor is there, whatever it said."""
    AWAY = "away"
    """It could not be reached: nothing was done."""
    ILL = "ill"
    """It did not answer in time, or failed: it may have been done, and each such try may leave an event in doubt."""
    REFUSED = "refused"
    """It refused the account's credentials."""
    THROTTLED = "throttled"
    UNUSED = "unused"
    """Nothing was sent after all."""
    LOGGED_IN = "logged in"
    """It gave a token, or refused one that may have run out: whether the credentials are taken, only a call with a new
    token tells."""


@dataclass(frozen=True, slots=True)
class Permit:
    """Leave to call once, `wait` seconds from now. probe: the breaker is open, and this call tries whether it is over.
    id is "" where nothing limits how many there are at once."""

    account: str
    id: str
    wait: float
    probe: bool


@dataclass(frozen=True, slots=True)
class Denied:
    """after: in how many seconds it may be otherwise. crowded: only because as many calls as allowed are on their
    way, which may end any moment."""

    why: str
    after: float
    crowded: bool = False


@dataclass(frozen=True, slots=True)
class AccountView:
    """An account's state for people. breaker: "closed", "open" or "probing". used and day: calls of that UTC day, for
    accounts with limits; at_once: calls on their way. ill: its calls must ask first, for the last ones found the
    vendor away, or it asked for a pause. refused: the last ones found it refusing the account's credentials.
    held_until: no call has leave before then, for its breaker or the pause that the vendor asked for."""

    account: str
    breaker: str
    failures: int
    open_until: datetime | None
    error: str
    day: str
    used: int
    at_once: int
    ill: bool
    refused: bool = False
    held_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class LeaveAsked:
    """Leave to call at once, in the transaction that marks the call. permit: what there will be of it. The rest: as of
    `AccountStates.acquire`."""

    permit: Permit
    limits: Limits
    last: bool
    lease_seconds: float
