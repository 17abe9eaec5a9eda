"""Pulls: how far each account has been pulled, and that one pull of an account runs at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from bellhop.ledger.accounts import account_key, blank
from bellhop.ledger.engine import Database
from bellhop.ledger.tables import accounts, watermarks


@dataclass(frozen=True, slots=True)
class Watermark:
    """reached: everything older has been pulled. pulled: when that pull began."""

    account: str
    what: str
    reached: datetime
    pulled: datetime


class PullMarks:
    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now

    def begin(self, account: str, by: str, lease_seconds: float) -> bool:
        """Takes the account's turn for `by`, for so long at most. False where another has it."""
        with self._database.write([account_key(account)]) as connection:
            now = self._now()
            connection.execute(self._database.insert(accounts).on_conflict_do_nothing(), blank(account, now))
            free = sa.or_(accounts.c.pull_until.is_(None), accounts.c.pull_until <= now, accounts.c.pull_by == by)
            taken = connection.execute(
                sa.update(accounts)
                .where(accounts.c.account == account, free)
                .values(pull_by=by, pull_until=now + timedelta(seconds=lease_seconds))
            )
            return taken.rowcount > 0

    def end(self, account: str, by: str, moved: Watermark | None) -> None:
        """Gives the turn back, and after a success moves the watermark, never backwards."""
        with self._database.write([account_key(account)]) as connection:
            if moved is not None:
                self._move(connection, moved)
            mine = sa.update(accounts).where(accounts.c.account == account, accounts.c.pull_by == by)
            connection.execute(mine.values(pull_by="", pull_until=None))

    def watermark(self, account: str, what: str) -> Watermark | None:
        """None where it was never pulled."""
        found = sa.select(watermarks).where(watermarks.c.account == account, watermarks.c.what == what)
        with self._database.read() as connection:
            row = connection.execute(found).one_or_none()
        return None if row is None else Watermark(row.account, row.what, row.reached, row.pulled)

    def watermarks(self) -> list[Watermark]:
        """All there are, by account and kind."""
        with self._database.read() as connection:
            rows = connection.execute(sa.select(watermarks).order_by(watermarks.c.account, watermarks.c.what)).all()
        return [Watermark(row.account, row.what, row.reached, row.pulled) for row in rows]

    def _move(self, connection: sa.Connection, moved: Watermark) -> None:
        values = {"account": moved.account, "what": moved.what, "reached": moved.reached, "pulled": moved.pulled}
        insert = self._database.insert(watermarks)
        later = {
            name: sa.case((insert.excluded[name] > watermarks.c[name], insert.excluded[name]), else_=watermarks.c[name])
            for name in ("reached", "pulled")
        }
        connection.execute(insert.on_conflict_do_update(index_elements=["account", "what"], set_=later), values)
