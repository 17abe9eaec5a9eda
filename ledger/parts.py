"""The parts' beats: each process says every few seconds that it runs. By their own word, as no part can see another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, fields
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa

from bellhop.ledger.audit import record
from bellhop.ledger.engine import Database
from bellhop.ledger.records import AuditRow, ReloadAsked
from bellhop.ledger.records.parts import SILENT_AFTER, Part
from bellhop.ledger.tables import parts as table
from bellhop.ledger.tables import reloads

KEPT: Final = timedelta(hours=1)
"""So long people see a part that is gone."""

_FIELDS: Final = tuple(field.name for field in fields(Part))


_TOLD: Final = ("routes", "needs", "seen", "stopped", "digest", "problem")
"""What each beat says anew."""


class PartBeats:
    """Every method raises LedgerUnavailable."""

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now
        self.own = ""
        """The id of the part that beats through this object; "" where none does."""

    def beat(self, part: Part) -> None:
        """Says that a part runs; the first time also forgets those that are long gone. Its times are the ledger's."""
        now = self._now()
        row: dict[str, Any] = asdict(part) | {"routes": list(part.routes), "needs": list(part.needs)}
        row |= {"started": now, "since": now, "seen": now, "stopped": None}
        insert = self._database.insert(table)
        newer: dict[str, Any] = {name: insert.excluded[name] for name in _TOLD}
        # After a gap it begins anew: who has missed beats himself knows nothing of the others'.
        newer["since"] = sa.case((table.c.seen < now - SILENT_AFTER, insert.excluded.since), else_=table.c.since)
        with self._database.write() as connection:
            if self.own != part.id:
                connection.execute(_forget(now))
            connection.execute(insert.on_conflict_do_update(index_elements=["id"], set_=newer), row)
        self.own = part.id

    def leave(self, id_: str) -> None:
        """Says that a part was told to stop: nobody need look for it."""
        with self._database.write() as connection:
            connection.execute(sa.update(table).where(table.c.id == id_).values(stopped=self._now()))

    def ask_reload(self, who: str, why: str) -> ReloadAsked:
        """Has every part read its settings anew, within a few seconds."""
        now = self._now()
        with self._database.write() as connection:
            connection.execute(sa.delete(reloads).where(reloads.c.asked < now - KEPT))
            row = {"asked": now, "who": who, "why": why}
            number = connection.execute(sa.insert(reloads).returning(reloads.c.id), row).scalar_one()
            record(connection, [AuditRow(now, who, "ask for reload", None, why, "of every part's settings")])
        return ReloadAsked(number, now)

    def reload_asked(self) -> ReloadAsked | None:
        """The last one, of the last hour."""
        last = sa.select(reloads.c.id, reloads.c.asked).order_by(reloads.c.id.desc()).limit(1)
        with self._database.read() as connection:
            row = connection.execute(last).one_or_none()
        return None if row is None else ReloadAsked(row.id, row.asked)

    def all(self) -> list[Part]:
        """Those that run, and those gone within the hour; by kind, the newest first."""
        asked = sa.select(table).where(table.c.seen >= self._now() - KEPT)
        with self._database.read() as connection:
            rows = connection.execute(asked.order_by(table.c.kind, table.c.started.desc())).mappings().all()
        return [Part(**{name: row[name] for name in _FIELDS}) for row in rows]


def _forget(now: datetime) -> sa.Delete:
    return sa.delete(table).where(table.c.seen < now - KEPT)
