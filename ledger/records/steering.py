"""What people steer: holds of routes, and the audit of their acts."""

from __future__ import annotations

from dataclasses import dataclass
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
class AuditRow:
    """One act of a person: who, when, what, on which letter (None for none), why. what: on what else: a route, a job,
    a user."""

    at: datetime
    who: str
    act: str
    letter: int | None
    why: str
    what: str = ""
