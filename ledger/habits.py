"""When each source was heard, by the hour: what its habit is learned from, and who is silent beyond it.

Kept apart from the events, which are pruned, and read by their numbers: taking them in costs those who claim nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa

from bellhop.ledger.engine import Database
from bellhop.ledger.records import Silence
from bellhop.ledger.tables import events, heard_hours, silences
from bellhop.schemas.results import RESULTS_ROUTE

KEPT: Final = timedelta(weeks=7)
_CHUNK: Final = 5_000
_CURSOR: Final = ""
"""The row of this source has, as its hour, the number of the last event that was taken in."""


class Habits:
    """Every method raises LedgerUnavailable."""

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now

    def take_in(self) -> int:
        """Counts the next few thousand events; how many, 0 once there is none left."""
        with self._database.write(["habits"]) as connection:
            asked = sa.select(heard_hours.c.hour).where(heard_hours.c.source == _CURSOR)
            row = connection.execute(asked).one_or_none()
            new = sa.select(events.c.pk, events.c.source, events.c.received, events.c.route)
            found = connection.execute(
                new.where(events.c.pk > (row.hour if row else 0)).order_by(events.c.pk).limit(_CHUNK)
            ).all()
            if not found:
                return 0
            hours: dict[tuple[str, int], datetime] = {}
            counts: dict[tuple[str, int], int] = {}
            for one in found:
                if one.route != RESULTS_ROUTE:
                    key = one.source, int(one.received.timestamp() // 3600)
                    hours[key] = max(one.received, hours.get(key, one.received))
                    counts[key] = counts.get(key, 0) + 1
            rows = [{"source": s, "hour": h, "count": counts[s, h], "last": last} for (s, h), last in hours.items()]
            self._enter(connection, [*rows, self._cursor_row(found[-1].pk)])
            old = int((self._now() - KEPT).timestamp() // 3600)
            connection.execute(sa.delete(heard_hours).where(heard_hours.c.source != _CURSOR, heard_hours.c.hour < old))
        return len(found)

    def last_times(self) -> Mapping[str, datetime]:
        """When each source was heard last."""
        last = sa.func.max(heard_hours.c.last)
        asked = sa.select(heard_hours.c.source, sa.type_coerce(last, heard_hours.c.last.type))
        with self._database.read() as connection:
            rows = connection.execute(asked.where(heard_hours.c.source != _CURSOR).group_by(heard_hours.c.source))
            return {source: at for source, at in rows}

    def hours(self, source: str) -> Sequence[int]:
        """The hours since 1970 in which it was heard, in their order."""
        asked = sa.select(heard_hours.c.hour).where(heard_hours.c.source == source).order_by(heard_hours.c.hour)
        with self._database.read() as connection:
            return list(connection.scalars(asked))

    def note_silences(self, found: Sequence[Silence]) -> None:
        """Those that are silent now, in the place of those that were."""
        known = {one.source: one for one in self.silent()}
        if {one.source: one for one in found} == known:
            return
        with self._database.write(["silences"]) as connection:
            connection.execute(sa.delete(silences))
            if found:
                rows = [{"source": one.source, "last": one.last, "why": one.why} for one in found]
                connection.execute(sa.insert(silences), rows)

    def silent(self) -> list[Silence]:
        """By name."""
        with self._database.read() as connection:
            rows = connection.execute(sa.select(silences).order_by(silences.c.source))
            return [Silence(row.source, row.last, row.why) for row in rows]

    def _cursor_row(self, number: int) -> dict[str, Any]:
        return {"source": _CURSOR, "hour": number, "count": 0, "last": self._now()}

    def _enter(self, connection: sa.Connection, rows: Sequence[Mapping[str, Any]]) -> None:
        connection.execute(sa.delete(heard_hours).where(heard_hours.c.source == _CURSOR))
        insert = self._database.insert(heard_hours)
        newer: dict[str, Any] = {
            "count": heard_hours.c["count"] + insert.excluded["count"],
            "last": sa.case(
                (insert.excluded.last > heard_hours.c.last, insert.excluded.last), else_=heard_hours.c.last
            ),
        }
        connection.execute(insert.on_conflict_do_update(index_elements=["source", "hour"], set_=newer), rows)
