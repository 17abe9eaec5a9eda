"""Paused routes: workers take none of their messages until resumed, or until the time given.

Workers look once a second, and what they have taken by then is not begun either: each claim looks again. So nothing is
begun that is claimed after `pause` has returned.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime
from typing import Final

import sqlalchemy as sa

from bellhop.ledger import batch
from bellhop.ledger.audit import record
from bellhop.ledger.engine import Database
from bellhop.ledger.records import AuditRow, Pause
from bellhop.ledger.tables import pauses
from bellhop.schemas.errors import LedgerError

_OF_ROUTES: Final = batch.select(pauses, ["route", "until"], ["route"])


class PauseRefused(LedgerError):
    """Raised for a pause whose end is over."""


class Pauses:
    """Every method raises LedgerUnavailable."""

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now

    def pause(self, route: str, who: str, why: str, until: datetime | None = None) -> None:
        """Pauses a route. until: UTC; None until somebody resumes it. Pausing it again takes the newer words. Raises
        PauseRefused for an end that is over."""
        with self._database.write([f"route:{route}"]) as connection:
            now = self._now()
            if until is not None and until <= now:
                raise PauseRefused(f"route {route} cannot be paused until a time in the past")
            row = {"route": route, "who": who, "why": why, "since": now, "until": until}
            insert = self._database.insert(pauses)
            newer = {name: insert.excluded[name] for name in row if name != "route"}
            connection.execute(insert.on_conflict_do_update(index_elements=["route"], set_=newer), row)
            ends = "" if until is None else f" (until {until.isoformat(timespec='seconds')})"
            record(connection, [AuditRow(now, who, "pause", None, why + ends, f"route {route}")])

    def resume(self, route: str, who: str, why: str) -> bool:
        """Whether it was paused. One whose time was over was not."""
        with self._database.write([f"route:{route}"]) as connection:
            gone = sa.delete(pauses).where(pauses.c.route == route).returning(pauses.c.until)
            now = self._now()
            held = any(row.until is None or row.until > now for row in connection.execute(gone))
            if held:
                record(connection, [AuditRow(now, who, "resume", None, why, f"route {route}")])
        return held

    def all(self) -> list[Pause]:
        """Those in force now, by route."""
        now = self._now()
        holds = sa.or_(pauses.c.until.is_(None), pauses.c.until > now)
        with self._database.read() as connection:
            rows = connection.execute(sa.select(pauses).where(holds).order_by(pauses.c.route))
            return [Pause(row.route, row.who, row.why, row.since, row.until) for row in rows]


def paused_routes(connection: sa.Connection, routes: Collection[str], now: datetime) -> frozenset[str]:
    """Those of them that are paused, in the transaction that claims."""
    rows = _OF_ROUTES.run(connection, routes)
    return frozenset(row.route for row in rows if row.until is None or row.until > now)
