"""Who is running: the processes of this Bellhop, as they tell it themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

SILENT_AFTER: Final = timedelta(seconds=30)
"""A part that has not beaten for so long does not run any more, or does not reach the ledger."""


@dataclass(frozen=True, slots=True)
class Part:
    """A process. id: its own, never another's. kind: `ingest`, `work`, `archive` or `console`. routes: those it works;
    needs: what its settings need of others, routes and kinds. since: from when on it has beaten without a gap; seen:
    its last beat; stopped: when it was told to stop, and did. digest: of the settings that it works with, "" where it
    does not say; problem: why it refused those that it was to take since, "" where it did not."""

    id: str
    kind: str
    host: str
    version: str
    routes: Sequence[str]
    needs: Sequence[str]
    started: datetime
    since: datetime
    seen: datetime
    stopped: datetime | None = None
    digest: str = ""
    problem: str = ""

    @property
    def last(self) -> datetime:
        return self.stopped or self.seen

    def runs(self, now: datetime) -> bool:
        return self.stopped is None and now - self.seen <= SILENT_AFTER

    def does(self, what: str) -> bool:
        """what: a route, or a kind of part."""
        return what == self.kind or what in self.routes


@dataclass(frozen=True, slots=True)
class ReloadAsked:
    """That all parts were asked to read their settings anew. number: a later one has a higher one. Times are UTC."""

    number: int
    asked: datetime
