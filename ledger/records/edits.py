"""Letters' contents that people changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


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
