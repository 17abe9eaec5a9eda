"""Which parts run, and which are missed, judged by their beats: for the console, the API, the command line, alerts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

from bellhop.ledger.records import BulkJob, JobState, Part
from bellhop.ledger.records.parts import SILENT_AFTER
from bellhop.letters.serializers import JsonObject
from bellhop.schemas.clock import iso
from bellhop.schemas.errors import LedgerError
from bellhop.schemas.observe import Observe
from bellhop.vendors.registry import ROUTES

RESTARTED_WITHIN: Final = timedelta(minutes=1)
"""So long a part that was told to stop may be away: it is being deployed."""

_NO_ARCHIVE: Final = "waits for the archive: no `bellhop archive` is running"


@dataclass(frozen=True, slots=True)
class MissingPart:
    """what: a route that no worker works, or a kind of part of which none runs. last: when one was seen, None where
    none was within the hour; host: where."""

    what: str
    last: datetime | None = None
    host: str = ""

    @property
    def title(self) -> str:
        return {"ingest": "No ingress runs", "archive": "No archive runs"}.get(self.what, f"No worker for {self.what}")

    @property
    def why(self) -> str:
        command = self.what if self.what in ("ingest", "archive") else f"work {self.what}"
        harm = {
            "ingest": "webhooks are not taken, and their senders try again",
            "archive": "dead letters are not shown, and bulk jobs wait",
        }.get(self.what, "its events wait in their queue")
        seen = f"the last one was on {self.host}" if self.last else "none was seen within the hour"
        return f"{harm}; {seen}: start `bellhop {command}`"


class BeatingParts(Protocol):
    @property
    def own(self) -> str: ...

    def all(self) -> Sequence[Part]: ...


def find_missing(beating: BeatingParts, now: datetime, waiting: Collection[str] = ()) -> list[MissingPart]:
    """What is needed and does not run. waiting: the routes whose queues hold messages, needed whatever the settings
    say. Raises LedgerUnavailable.

    Nothing is missed before somebody has beaten without a gap for as long as the others may be silent: when the ledger
    comes back, or everything was just started, the others' beats are still to come. Who beats itself goes by its own.
    """
    parts = beating.all()
    running = [part for part in parts if part.runs(now)]
    witnesses = [part for part in running if part.id == beating.own] if beating.own else running
    if not parts or ((running or beating.own) and all(now - one.since < SILENT_AFTER for one in witnesses)):
        return []
    needed = {what for part in running or [max(parts, key=lambda one: one.seen)] for what in part.needs} | {*waiting}
    ordered = [what for what in ("ingest", "archive", *ROUTES) if what in needed]
    return [gone for what in ordered if (gone := _missing(what, parts, now)) is not None]


def jobs_wait(beating: BeatingParts, now: datetime) -> Callable[[BulkJob], str]:
    """Tells of a job why it does not go on though it runs, "" where it may: also where no process of this ledger has
    ever beaten. Raises LedgerUnavailable."""
    parts = beating.all()
    runs = not parts or any(part.does("archive") and part.runs(now) for part in parts)

    def waits(job: BulkJob) -> str:
        is_held = job.run_until is not None and job.run_until > now  # by a command that runs it itself, perhaps
        return "" if runs or is_held or job.state is not JobState.RUNNING else _NO_ARCHIVE

    return waits


def count_running(parts: Sequence[Part], now: datetime) -> list[JsonObject]:
    """How many run of each kind and for each route that anybody needs or does."""
    running = [part for part in parts if part.runs(now)]
    asked = {what for part in running for what in (*part.needs, *part.routes, part.kind) if what != "work"}
    return [{"part": what, "count": sum(part.does(what) for part in running)} for what in sorted(asked)]


def measure_parts(beating: BeatingParts, observe: Observe, now: datetime) -> None:
    """Tells `parts.measured`; nothing where it is not known: an old number would be a lie."""
    try:
        groups = count_running(beating.all(), now)
    except LedgerError:
        groups = []
    observe("parts.measured", groups=groups)


def part_row(part: Part, now: datetime, usual: str = "") -> JsonObject:
    """usual: the digest of the settings that most work with."""
    return {
        "name": part.id,
        "kind": part.kind,
        "state": "stopped" if part.stopped else "running" if part.runs(now) else "silent",
        "host": part.host,
        "version": part.version,
        "routes": list(part.routes),
        "started": iso(part.started),
        "seen": iso(part.last),
        "digest": part.digest,
        "differs": bool(part.digest and usual and part.digest != usual and part.runs(now)),
        "problem": part.problem,
    }


def usual_digest(parts: Sequence[Part], now: datetime) -> str:
    """That of the settings most parts that run work with; of several, the one of who started last."""
    told = [part for part in parts if part.digest and part.runs(now)]
    counts = Counter(part.digest for part in told)
    return max(told, key=lambda part: (counts[part.digest], part.started)).digest if told else ""


def part_rows(beating: BeatingParts, now: datetime) -> list[JsonObject]:
    """Those that run first. Raises LedgerUnavailable."""
    parts = beating.all()
    usual = usual_digest(parts, now)
    rows = [part_row(part, now, usual) for part in parts]
    return sorted(rows, key=lambda row: ("running", "silent", "stopped").index(row["state"]))


def _missing(what: str, parts: Sequence[Part], now: datetime) -> MissingPart | None:
    doing = [part for part in parts if part.does(what)]
    if any(part.runs(now) for part in doing):
        return None
    if not doing:
        return MissingPart(what)
    last = max(doing, key=lambda part: part.last)
    patience = RESTARTED_WITHIN if last.stopped else SILENT_AFTER
    return MissingPart(what, last.last, last.host) if now - last.last > patience else None
