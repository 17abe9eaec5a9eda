"""The archive looks whether the audit is whole once an hour, and what floods hold is told with it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from bellhop.ledger.records import ChainBreak, ChainReport, Flood, FloodState
from bellhop.letters.audit_watch import LOOK_SECONDS, AuditWatch
from bellhop.letters.floods import measure_floods
from bellhop.schemas.clock import Clock
from bellhop.schemas.errors import LedgerUnavailable
from bellhop.telemetry.metrics import Metrics
from tests.support.ledger import NOON

WHOLE = ChainReport(3, 0, 3, "9f86d0", None)
CHANGED = ChainReport(1, 0, 1, "9f86d0", ChainBreak(2, "changed", "its content is not what its hash was made of"))


@dataclass
class Told:
    """An observer that keeps what it was told, and the metrics made of it."""

    metrics: Metrics = field(default_factory=Metrics)
    events: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def __call__(self, event: str, /, **fields: Any) -> None:
        self.events.append((event, fields))
        self.metrics(event, fields)

    def names(self) -> list[str]:
        return [event for event, _ in self.events]

    def shown(self, series: str) -> bool:
        return series in self.metrics.exposition().decode().splitlines()


@dataclass
class Audit:
    answer: ChainReport | None
    asked: int = 0

    def verify(self) -> ChainReport:
        self.asked += 1
        if self.answer is None:
            raise LedgerUnavailable("away")
        return self.answer


@dataclass
class Floods:
    held: list[Flood] | None

    def open(self) -> list[Flood]:
        if self.held is None:
            raise LedgerUnavailable("away")
        return self.held


def test_a_row_that_was_changed_is_told_with_its_number_and_shown_by_a_metric() -> None:
    told, audit, now = Told(), Audit(WHOLE), [0.0]
    watch = AuditWatch(audit, told, Clock(monotonic=lambda: now[0]))
    watch.look()
    assert told.names() == ["audit.measured"]
    assert told.shown('bellhop_audit_broken{what="changed"} 0.0')
    audit.answer = CHANGED
    watch.look()
    assert audit.asked == 1  # it reads every row: not with each measure
    now[0] += LOOK_SECONDS
    watch.look()
    assert ("audit.broken", {"row": 2, "what": "changed"}) in told.events
    assert told.shown('bellhop_audit_broken{what="changed"} 1.0')
    assert told.shown('bellhop_audit_broken{what="missing"} 0.0')


def test_a_ledger_that_is_away_is_asked_again_at_the_next_look() -> None:
    told, audit = Told(), Audit(None)
    watch = AuditWatch(audit, told, Clock(monotonic=lambda: 0.0))
    watch.look()
    assert told.names() == ["ledger.unavailable"]
    audit.answer = WHOLE
    watch.look()
    assert told.names()[-1] == "audit.measured"


def test_what_a_flood_holds_is_shown_until_it_ends_or_is_not_known() -> None:
    told = Told()
    held = Flood(1, "crm", NOON, "more than 25 cancels", FloodState.OPEN, held=15)
    measure_floods(Floods([held]), told)
    assert told.shown('bellhop_floods_held{source="crm"} 15.0')
    measure_floods(Floods(None), told)
    assert not told.shown('bellhop_floods_held{source="crm"} 15.0')
