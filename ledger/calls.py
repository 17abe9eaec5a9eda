"""Every call that an event made, as people see them: those that were settled, and the one that was cut off."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from statistics import median
from typing import Any, Final

import sqlalchemy as sa

from bellhop.ledger.codec import call_from_json
from bellhop.ledger.engine import Database
from bellhop.ledger.records import Attempt, VendorCall
from bellhop.ledger.tables import attempts, events

_SAMPLE: Final = 200
UNKNOWN: Final = "unknown"
CUT_OFF: Final = "its worker ended before an answer was recorded: the vendor may have carried it out"
UNDER_WAY: Final = "no answer is recorded: it is under way, or was cut off and the vendor may have carried it out"

_ROWS: Final = (
    sa.select(events.c.pk, events.c.content_hash, events.c.state, events.c.calling, events.c.updated)
    .where(events.c.source == sa.bindparam("source"), events.c.event_id == sa.bindparam("id"))
    .order_by(events.c.pk)
)
_ATTEMPTS: Final = (
    sa.select(attempts).where(attempts.c.event_pk.in_(sa.bindparam("pks", expanding=True))).order_by(attempts.c.pk)
)


def find_calls(database: Database, source: str, id_: str) -> list[Attempt]:
    """See `Ledger.calls`."""
    with database.read() as connection:
        return read_calls(connection, source, id_)


def usual_seconds(database: Database) -> float | None:
    """See `Ledger.usual_call_seconds`."""
    latest = sa.select(attempts.c.seconds).order_by(attempts.c.pk.desc()).limit(_SAMPLE)
    with database.read() as connection:
        took = [seconds for seconds in connection.scalars(latest) if seconds > 0]
    return median(took) if took else None


def read_calls(connection: sa.Connection, source: str, id_: str) -> list[Attempt]:
    """The calls of all contents that the id has had, in the order of time: an edit made none of those of what it edits
    undone."""
    rows = connection.execute(_ROWS, {"source": source, "id": id_}).all()
    found: dict[int, list[Attempt]] = {row.pk: [] for row in rows}
    for row in connection.execute(_ATTEMPTS, {"pks": list(found)}) if rows else ():
        attempt = Attempt(row.method, row.started, row.seconds, row.outcome, row.error, row.answer, row.request)
        found[row.event_pk].append(attempt)
    for row in rows:
        found[row.pk] += _open_call(row, found[row.pk])
    return sorted((attempt for made in found.values() for attempt in made), key=lambda attempt: attempt.started)


def cut_off_values(event_pk: int, call: VendorCall, at: datetime) -> dict[str, Any]:
    """A row of `attempts` for a call that was marked and never settled. at: when it was marked."""
    return {
        "event_pk": event_pk,
        "method": call.method,
        "started": at,
        "seconds": 0.0,
        "outcome": UNKNOWN,
        "error": CUT_OFF,
        "request": dict(call.arguments),
        "answer": None,
    }


def _open_call(row: Any, made: Sequence[Attempt]) -> list[Attempt]:
    """The call that an event is marked with, where no attempt tells of it yet."""
    call = call_from_json(row.calling)
    if call is None or any((one.method, one.outcome) == (call.method, UNKNOWN) for one in made):
        return []
    return [Attempt(call.method, row.updated, 0.0, UNKNOWN, UNDER_WAY, None, call.arguments)]
