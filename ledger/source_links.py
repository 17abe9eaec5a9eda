"""The links by which a source's own people see their page, and what they ask for there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa

from bellhop.ledger.audit import record
from bellhop.ledger.engine import Database
from bellhop.ledger.records import AskState, AuditRow, SourceLink, TakeAsk
from bellhop.ledger.tables import source_links, take_asks

KEPT: Final = timedelta(days=30)
"""So long people see a link or an ask that is over."""

_TOUCHED: Final = timedelta(minutes=1)
_OPEN: Final = take_asks.c.state == AskState.OPEN.value
_ASK_FIELDS: Final = tuple(field.name for field in fields(TakeAsk) if field.name not in ("number", "state"))


class SourceLinks:
    """Every method raises LedgerUnavailable. Of a link's token its SHA-256 alone is kept."""

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now

    def add(self, source: str, sha256: str, expires: datetime, *, who: str, why: str) -> SourceLink:
        now = self._now()
        values: dict[str, Any] = {"source": source, "sha256": sha256, "who": who, "why": why, "created": now}
        values |= {"expires": expires, "last_used": None, "revoked": False}
        with self._database.write() as connection:
            connection.execute(sa.delete(source_links).where(source_links.c.expires < now - KEPT))
            row = connection.execute(sa.insert(source_links).returning(source_links), values).one()
            made = _link(row)
            told = f"{made.name}, until {expires.isoformat(timespec='seconds')}"
            record(connection, [AuditRow(now, who, "make source link", None, why, told)])
        return made

    def holder(self, sha256: str) -> SourceLink | None:
        """The link with this hash, while it lasts. Notes that it was used, once a minute at most."""
        now = self._now()
        with self._database.read() as connection:
            row = connection.execute(sa.select(source_links).where(source_links.c.sha256 == sha256)).one_or_none()
        link = None if row is None else _link(row)
        if link is None or not link.lasts(now):
            return None
        if link.last_used is None or now - link.last_used > _TOUCHED:
            with self._database.write() as connection:
                touched = sa.update(source_links).where(source_links.c.id == link.number).values(last_used=now)
                connection.execute(touched)
        return link

    def all(self, source: str = "") -> list[SourceLink]:
        """The newest first; of one source, or of all."""
        asked = sa.select(source_links).order_by(source_links.c.id.desc())
        asked = asked.where(source_links.c.source == source) if source else asked
        with self._database.read() as connection:
            return [_link(row) for row in connection.execute(asked)]

    def revoke(self, number: int, *, who: str, why: str) -> SourceLink | None:
        """None where there is none of that number, or it is over."""
        now = self._now()
        good = (source_links.c.id == number, source_links.c.revoked.is_(False), source_links.c.expires > now)
        with self._database.write() as connection:
            ended = sa.update(source_links).where(*good).values(revoked=True).returning(source_links)
            row = connection.execute(ended).one_or_none()
            if row is None:
                return None
            record(connection, [AuditRow(now, who, "revoke source link", None, why, _link(row).name)])
        return _link(row)


class TakeAsks:
    """Every method raises LedgerUnavailable."""

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now

    def ask(self, link: SourceLink, cause: str, why: str) -> TakeAsk:
        """Notes it; the one that is open already where there is one."""
        now = self._now()
        same = (take_asks.c.source == link.source, take_asks.c.cause == cause, _OPEN)
        with self._database.write([f"asks:{link.source}"]) as connection:
            connection.execute(sa.delete(take_asks).where(take_asks.c.ended < now - KEPT))
            row = connection.execute(sa.select(take_asks).where(*same)).first()
            if row is None:
                values: dict[str, Any] = {"source": link.source, "cause": cause, "why": why, "asked": now}
                values |= {"asked_by": link.name, "state": AskState.OPEN.value, "ended": None, "who": "", "answer": ""}
                row = connection.execute(sa.insert(take_asks).returning(take_asks), values).one()
                record(connection, [AuditRow(now, link.name, "ask to take refused", None, why, f"cause {cause}")])
        return _ask(row)

    def open(self, source: str = "") -> list[TakeAsk]:
        """The oldest first; of one source, or of all."""
        return self._find(_OPEN, *([take_asks.c.source == source] if source else []))

    def of_source(self, source: str) -> list[TakeAsk]:
        """Also those that are over, the oldest first."""
        return self._find(take_asks.c.source == source)

    def one(self, number: int) -> TakeAsk | None:
        return next(iter(self._find(take_asks.c.id == number)), None)

    def end(self, number: int, state: AskState, *, who: str, answer: str) -> TakeAsk | None:
        """None where it is not open."""
        now = self._now()
        ended = sa.update(take_asks).where(take_asks.c.id == number, _OPEN).returning(take_asks)
        with self._database.write() as connection:
            values = {"state": state.value, "ended": now, "who": who, "answer": answer}
            row = connection.execute(ended.values(values)).one_or_none()
            if row is None:
                return None
            act = "grant ask" if state is AskState.GRANTED else "decline ask"
            record(connection, [AuditRow(now, who, act, None, answer, f"source {row.source}, cause {row.cause}")])
        return _ask(row)

    def _find(self, *chosen: sa.ColumnElement[bool]) -> list[TakeAsk]:
        with self._database.read() as connection:
            rows = connection.execute(sa.select(take_asks).where(*chosen).order_by(take_asks.c.id))
            return [_ask(row) for row in rows]


def _link(row: Any) -> SourceLink:
    return SourceLink(
        row.id, row.source, row.who, row.why, row.created, row.expires, row.last_used, revoked=row.revoked
    )


def _ask(row: Any) -> TakeAsk:
    return TakeAsk(row.id, **{name: getattr(row, name) for name in _ASK_FIELDS}, state=AskState(row.state))
