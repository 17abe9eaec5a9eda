"""What many drills came to, as Markdown: docs/reliability.md has it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from bellhop.drill.checker import check
from bellhop.drill.doubts import DoubtCount
from bellhop.drill.history import DrillRun, Record
from bellhop.drill.report import FaultRow, fault_rows

_PLACES: Final = {
    ("embedded", "sqlite"): "embedded, SQLite",
    ("embedded", "postgresql"): "embedded, PostgreSQL",
    ("rabbitmq", "sqlite"): "RabbitMQ, SQLite",
    ("rabbitmq", "postgresql"): "RabbitMQ, PostgreSQL",
}
Place = tuple[str, str]


@dataclass
class _Sum:
    """Of every drill on one broker and ledger. faults: by name, how often it was done and how many events were posted
    meanwhile."""

    seeds: list[int] = field(default_factory=list)
    accepted: int = 0
    violations: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    times: Counter[str] = field(default_factory=Counter)
    posted: Counter[str] = field(default_factory=Counter)
    broken: Counter[str] = field(default_factory=Counter)

    def add_rows(self, rows: Iterable[FaultRow]) -> None:
        for row in rows:
            self.times[row.name] += row.times
            self.posted[row.name] += row.posted
            self.broken[row.name] += len(row.broken)


def tables(histories: Iterable[Sequence[Record]]) -> str:
    """Three tables: fault by fault, place by place, vendor by vendor."""
    sums = {place: _Sum() for place in _PLACES}
    doubts: dict[str, DoubtCount] = {}
    for records in histories:
        verdict = check(records)
        for run in (one for one in records if isinstance(one, DrillRun)):
            one = sums[run.broker, run.ledger]
            one.seeds.append(run.seed)
            one.accepted += verdict.accepted
            one.violations += len(verdict.violations)
            one.counts.update(verdict.counts)
            one.add_rows(fault_rows(records, verdict))
        for vendor, count in verdict.doubts.items():
            doubts[vendor] = doubts.get(vendor, DoubtCount(0, 0, 0, 0)).plus(count)
    return "\n\n".join("\n".join(rows) for rows in (_fault_table(sums), _place_table(sums), _doubt_table(doubts)))


def _fault_table(sums: dict[Place, _Sum]) -> Iterator[str]:
    """In each cell: how often, and how many events were posted meanwhile."""
    yield f"| fault | {' | '.join(_PLACES.values())} | broken |"
    yield f"|---|{'---:|' * (len(_PLACES) + 1)}"
    for name in sorted({name for one in sums.values() for name in one.times}):
        cells = [f"{one.times[name]} / {one.posted[name]}" if one.times[name] else "" for one in sums.values()]
        yield f"| {name} | {' | '.join(cells)} | {sum(one.broken[name] for one in sums.values())} |"


def _place_table(sums: dict[Place, _Sum]) -> Iterator[str]:
    yield "| broker, ledger | drills, seeds | accepted | done | other ends | before a person | on its way | broken |"
    yield "|---|---|---:|---:|---:|---:|---:|---:|"
    for place, one in sums.items():
        done, person, way = (one.counts[name] for name in ("done", "in front of a person", "on its way"))
        seeds = f"{len(one.seeds)}: {', '.join(map(str, sorted(set(one.seeds))))}" if one.seeds else "none"
        cells = (one.accepted, done, one.accepted - done - person - way, person, way, one.violations)
        yield f"| {_PLACES[place]} | {seeds} | {' | '.join(map(str, cells))} |"


def _doubt_table(doubts: dict[str, DoubtCount]) -> Iterator[str]:
    yield "| vendor | of unknown end | before a person in the end | carried out, not answered | without a person |"
    yield "|---|---:|---:|---:|---:|"
    for vendor, count in sorted(doubts.items()):
        cells = (count.unknown, count.unsettled, count.carried_out, f"{count.share:.1f} %")
        yield f"| {vendor} | {' | '.join(map(str, cells))} |"
