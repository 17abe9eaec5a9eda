"""What people steer: holds of routes, and the audit of their acts."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Pause:
    """A route that people hold. until: None for until somebody resumes it."""

    route: str
    who: str
    why: str
    since: datetime
    until: datetime | None


@dataclass(frozen=True, slots=True)
class ChainLink:
    """Where a row of audit stands in the chain, see `ledger.chain`: its number, the hash of the row before, and its
    own. forgotten: the row that tells why its words are gone, None while they are there."""

    id: int = 0
    prev: str = ""
    words_hash: str = ""
    hash: str = ""
    forgotten: int | None = None


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One act of a person: who, when, what, on which letter (None for none), why. what: on what else: a route, a job,
    a user. link: of one that is stored."""

    at: datetime
    who: str
    act: str
    letter: int | None
    why: str
    what: str = ""
    link: ChainLink = field(default=ChainLink(), compare=False)


@dataclass(frozen=True, slots=True)
class GuestFound:
    """What the ledger has of a guest: how many events, dead letters and refused posts tell of them, and what still
    needs them: ids of events, numbers of letters, references of bookings that stand and are to come."""

    events: int
    letters: int
    refused: int
    at_work: tuple[str, ...]
    open_letters: tuple[int, ...]
    in_doubt: tuple[str, ...]
    coming: tuple[str, ...]
    sources: tuple[str, ...]

    @property
    def digest(self) -> str:
        """By which whoever has seen this says that they mean just this."""
        return hashlib.sha256(json.dumps(asdict(self)).encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class ChainBreak:
    """The first row of the audit that does not fit: it was `changed`, is `missing`, or was `inserted`."""

    row: int
    what: str
    why: str


@dataclass(frozen=True, slots=True)
class ChainReport:
    """rows: how many fit, after `before` (0: none was pruned), up to `last` with its `hash`."""

    rows: int
    before: int
    last: int
    hash: str
    broken: ChainBreak | None
