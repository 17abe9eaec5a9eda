"""What a source's own people may do: the links that let them in, and what they ask for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class SourceLink:
    """A link to one source's own page. who: made it, and why: for whom. Times are UTC."""

    number: int
    source: str
    who: str
    why: str
    created: datetime
    expires: datetime
    last_used: datetime | None = None
    revoked: bool = False

    @property
    def name(self) -> str:
        """As the audit has who came by it."""
        return f"link {self.number} of source {self.source}"

    def lasts(self, now: datetime) -> bool:
        return not self.revoked and self.expires > now


class AskState(StrEnum):
    OPEN = "open"
    GRANTED = "granted"
    DECLINED = "declined"


@dataclass(frozen=True, slots=True)
class TakeAsk:
    """A source asks that its refused posts of one cause be taken again. asked_by: its link; who, answer: of the person
    who ended it."""

    number: int
    source: str
    cause: str
    why: str
    asked: datetime
    asked_by: str
    state: AskState = AskState.OPEN
    ended: datetime | None = None
    who: str = ""
    answer: str = ""


@dataclass(frozen=True, slots=True)
class Silence:
    """A source that is silent beyond its habit. last: when it was heard last, UTC. why: by what that is known."""

    source: str
    last: datetime
    why: str
