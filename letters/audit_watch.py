"""Looks whether the audit is whole, now and then, so that somebody is told who did not ask."""

from __future__ import annotations

from typing import Final, Protocol

from bellhop.ledger.records import ChainReport
from bellhop.schemas.clock import SYSTEM_CLOCK, Clock
from bellhop.schemas.errors import LedgerError
from bellhop.schemas.observe import Observe

LOOK_SECONDS: Final = 3600.0
"""It reads every row: a hundred thousand take some seconds."""
BREAKS: Final = ("changed", "missing", "inserted")


class VerifiedAudit(Protocol):
    def verify(self) -> ChainReport:
        """Raises LedgerUnavailable."""


class AuditWatch:
    """Tells `audit.measured` once an hour, of each way to be broken whether it is, and `audit.broken` where it is."""

    def __init__(self, audit: VerifiedAudit, observe: Observe, clock: Clock = SYSTEM_CLOCK) -> None:
        self._audit = audit
        self._observe = observe
        self._clock = clock
        self._due = clock.monotonic()

    def look(self) -> None:
        if self._clock.monotonic() < self._due:
            return
        try:
            broken = self._audit.verify().broken
        except LedgerError as error:
            self._observe("ledger.unavailable", where="audit", error=str(error))
            return
        self._due = self._clock.monotonic() + LOOK_SECONDS
        if broken:
            self._observe("audit.broken", row=broken.row, what=broken.what)
        groups = [{"what": what, "count": int(broken is not None and broken.what == what)} for what in BREAKS]
        self._observe("audit.measured", groups=groups)
