"""What alert receivers have been told and are to be told. One process decides; any sends, each message one at a time.

A message is claimed in a commit of its own before it is sent. Who dies in between leaves it claimed for a minute, and
then it is sent once more, under the same incident: nothing is told never.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa

from bellhop.ledger.engine import Database
from bellhop.ledger.records import AlertMessage, AlertRow, DeadReceiver
from bellhop.ledger.tables import alerts

_LOCK: Final = "alerts"
_C: Final = alerts.c
_KEYS: Final = ("receiver", "key")
_NAMES: Final = tuple(field.name for field in fields(AlertRow))
_AT_ONCE: Final = 20
_CLAIM: Final = timedelta(minutes=1)
_DEAD_AFTER: Final = 3
"""So many tries of a message that failed, and its receiver is told of as dead."""
_LATELY: Final = timedelta(hours=1)
"""What nobody has tried for so long is of a receiver that the settings no longer have."""

Revise = Callable[[Sequence[AlertRow]], "tuple[Sequence[AlertRow], Sequence[AlertRow]]"]
"""From all rows those that are to be stored, and those that are to go."""


class Alerts:
    """`ledger.alerts`. Every method raises LedgerUnavailable."""

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now

    def lead(self, process: str, seconds: float) -> bool:
        """Whether this process is to look, for so long: of several one alone, or they would tell each other's end."""
        with self._database.write([_LOCK]) as connection:
            now = self._now()
            leader = connection.execute(sa.select(alerts).where(_C.receiver == "")).one_or_none()
            if leader is not None and leader.incident != process and leader.claimed_until > now:
                return False
            until = now + timedelta(seconds=seconds)
            self._store(connection, AlertRow("", "", process, {}, now, claimed_until=until))
        return True

    def revise(self, revise: Revise) -> None:
        """Changes what is to be told, by what is told."""
        with self._database.write([_LOCK]) as connection:
            stored, gone = revise(_read(connection, _C.receiver != ""))
            for row in gone:
                connection.execute(sa.delete(alerts).where(*_is(row)))
            for row in stored:
                self._store(connection, row)

    def claim(self, receiver: str) -> list[AlertRow]:
        """The messages that are due, as this process' to send."""
        with self._database.read() as connection:
            if not _read(connection, *_due(receiver, self._now())):
                return []
        with self._database.write([_LOCK]) as connection:
            now = self._now()
            found = _read(connection, *_due(receiver, now))[:_AT_ONCE]
            rows = [replace(row, claimed_until=now + _CLAIM, tries=row.tries + 1) for row in found]
            for row in rows:
                self._store(connection, row)
        return rows

    def note_sent(self, sent: AlertRow) -> None:
        """As it was claimed. What is over is forgotten."""
        with self._database.write([_LOCK]) as connection:
            if sent.pending is AlertMessage.OVER:
                connection.execute(sa.delete(alerts).where(*_is(sent)))
                return
            now = self._now()
            values = {
                "told": now,
                "told_count": sent.facts["count"],
                "told_severity": sent.facts["severity"],
                **{"pending": "", "tries": 0, "next_at": None, "claimed_until": None, "error": ""},
            }
            connection.execute(sa.update(alerts).where(*_is(sent)).values(values))

    def note_failed(self, row: AlertRow, error: str, after_seconds: float) -> None:
        """It is tried again after so long. error: in words of our own."""
        with self._database.write([_LOCK]) as connection:
            next_at = self._now() + timedelta(seconds=after_seconds)
            values = {"error": error, "next_at": next_at, "claimed_until": None}
            connection.execute(sa.update(alerts).where(*_is(row)).values(values))

    def all(self) -> list[AlertRow]:
        with self._database.read() as connection:
            return _read(connection, _C.receiver != "")

    def dead_receivers(self) -> list[DeadReceiver]:
        """Those that messages have not reached several times."""
        lately = self._now() - _LATELY
        failed = (_C.pending != "", _C.tries >= _DEAD_AFTER, _C.error != "", _C.next_at > lately)
        with self._database.read() as connection:
            rows = _read(connection, *failed)
        names = sorted({row.receiver for row in rows})
        by_name = [(name, [row for row in rows if row.receiver == name]) for name in names]
        return [DeadReceiver(name, len(own), min(row.first for row in own), own[-1].error) for name, own in by_name]

    def _store(self, connection: sa.Connection, row: AlertRow) -> None:
        values: dict[str, Any] = {name: getattr(row, name) for name in _NAMES}
        insert = self._database.insert(alerts)
        newer = {name: insert.excluded[name] for name in _NAMES if name not in _KEYS}
        connection.execute(insert.on_conflict_do_update(index_elements=list(_KEYS), set_=newer), values)


def _read(connection: sa.Connection, *conditions: sa.ColumnElement[bool]) -> list[AlertRow]:
    query = sa.select(alerts).where(*conditions).order_by(_C.first, _C.key, _C.receiver)
    rows = [dict(row._mapping) for row in connection.execute(query)]
    return [AlertRow(**{**row, "pending": AlertMessage(row["pending"])}) for row in rows]


def _is(row: AlertRow) -> Sequence[sa.ColumnElement[bool]]:
    return (_C.receiver == row.receiver, _C.key == row.key, _C.incident == row.incident)


def _due(receiver: str, now: datetime) -> Sequence[sa.ColumnElement[bool]]:
    is_free = sa.or_(_C.claimed_until.is_(None), _C.claimed_until <= now)
    return (_C.receiver == receiver, _C.pending != "", _C.next_at <= now, is_free)
