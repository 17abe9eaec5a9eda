"""What is told: the attention list's items, and dead letters by their cause.

Titles and counts only. What a vendor, an upstream or a person wrote (an error, an id, a reason) may name a guest, and
does not leave Bellhop this way: the link leads to it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from bellhop.ledger.records import CauseRow
from bellhop.letters.needs import AT_RISK, BROKER_HINT, LETTERS, AttentionItem, Need, Severity
from bellhop.letters.serializers import NO_VENUES, zone_name
from bellhop.schemas.clock import iso
from bellhop.schemas.events import VenueFacts
from bellhop.schemas.reasons import Reason

_CRITICAL: Final = (Reason.IN_DOUBT, Reason.UNPAID, Reason.DOUBLED)
_SAYS_ENOUGH: Final = (Need.UNARCHIVED, Need.UNROUTABLE, Need.SOURCE, Need.FLOOD, Need.SILENCE)
"""The `why` of these is in words of our own alone."""
_ELSEWHERE: Final = (Need.FORGOTTEN,)
"""The path of these holds an upstream's words."""


@dataclass(frozen=True, slots=True)
class Alert:
    """One thing that people are told. key: the same for as long as it is the same thing. count: of the letters, posts
    or messages that it is. since, starts: ISO 8601 or None, starts
    by the clock of its venue. path: its page of the console."""

    key: str
    severity: str
    title: str
    detail: str
    count: int
    since: str | None
    starts: str | None
    path: str
    command: str

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, facts: Mapping[str, Any]) -> Alert:
        return cls(**facts)


def alerts_of(
    items: Sequence[AttentionItem],
    causes: Sequence[CauseRow],
    now: datetime,
    venues: Mapping[str, VenueFacts] = NO_VENUES,
) -> list[Alert]:
    """causes: of the open letters; venues: by name."""
    return [*map(_of_item, (item for item in items if item.need not in LETTERS)), *_of_causes(causes, now, venues)]


def _of_item(item: AttentionItem) -> Alert:
    hint = BROKER_HINT if item.need is Need.BROKER else item.why if item.need in _SAYS_ENOUGH else ""
    is_elsewhere = item.need in _ELSEWHERE
    return Alert(
        key=f"{item.need.value}/{item.name}",
        severity=item.severity.value,
        title=item.title,
        detail=hint,
        count=item.count,
        since=iso(item.since),
        starts=_local(item.starts, item.zone),
        path="/" if is_elsewhere else item.path,
        command="bellhop attention" if is_elsewhere else item.command,
    )


def _of_causes(causes: Sequence[CauseRow], now: datetime, venues: Mapping[str, VenueFacts]) -> Iterator[Alert]:
    for row in causes:
        is_near = row.next_start is not None and row.next_start - now < AT_RISK
        code = row.cause.split("/")[2] if row.cause.count("/") > 2 else "-"
        query = {name: value for name, value in (("reason", row.reason), ("account", row.account)) if value}
        options = "".join(f" --{name} {value}" for name, value in query.items())
        where = f" at {row.account}" if row.account else f" of {row.route}" if row.route else ""
        yield Alert(
            key=f"letters/{hashlib.sha256(row.cause.encode()).hexdigest()[:16]}",
            severity=(Severity.CRITICAL if is_near or row.reason in _CRITICAL else Severity.WARNING).value,
            title=f"{row.count} dead letter{'s' if row.count != 1 else ''}{where}: {row.reason}"
            + (f" ({code})" if code != "-" else ""),
            detail=f"What to do: docs/runbook.md, {row.reason}.",
            count=row.count,
            since=iso(row.first),
            starts=_local(row.next_start, zone_name(row.venue, venues)),
            path=f"/letters?{urlencode(query)}",
            command=f"bellhop dead list{options}",
        )


def _local(moment: datetime | None, zone: str | None) -> str | None:
    """ISO 8601 by the clock of a venue in that zone; UTC where none is known."""
    if moment is None or zone is None:
        return iso(moment)
    return moment.astimezone(ZoneInfo(zone)).isoformat(timespec="seconds")


def ledger_away() -> Alert:
    """What is told from memory, as the ledger is what remembers all else."""
    return Alert(
        key="ledger/",
        severity=Severity.CRITICAL.value,
        title="The ledger is away",
        detail="Webhooks are accepted and wait in their queues; nothing is called, and no dead letter is shown. "
        "Look whether the database that ledger.url names is up.",
        count=1,
        since=None,
        starts=None,
        path="/",
        command="bellhop ledger status",
    )


def trial_alert() -> Alert:
    title = "Test: alerts of Bellhop reach you"
    detail = "Somebody ran `bellhop alerts test`. Nothing needs to be done."
    return replace(ledger_away(), key="test/", severity="notice", title=title, detail=detail, command="bellhop alerts")
