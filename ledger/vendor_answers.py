"""What vendors say of a company, shared by all processes for some minutes: asked once when several workers start, and
not again when one is started anew."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa

from bellhop.ledger.engine import Database
from bellhop.ledger.tables import vendor_answers
from bellhop.schemas.errors import LedgerUnavailable
from bellhop.schemas.fibres import pause

_ASKING_SECONDS: Final = 30.0
"""How long one process may ask before another does."""

_POLL_SECONDS: Final = 0.05

Told = tuple[Any, float]
"""An answer, and how many seconds ago it was given."""


class VendorAnswers:
    """Answers are JSON. Safe from any thread."""

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now

    def get(
        self,
        company: str,
        question: str,
        most_seconds: float,
        ask: Callable[[], Any],
        *,
        sleep: Callable[[float], None] = pause,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> Told:
        """An answer at most so old, another process's or by `ask`, which one of all processes is in at a time. Raises
        what `ask` does. None is shared with nobody. A ledger that is away keeps nobody from asking."""
        is_mine, deadline = False, monotonic() + _ASKING_SECONDS
        with suppress(LedgerUnavailable):
            while not is_mine and monotonic() <= deadline:
                if (told := self._read(company, question, most_seconds)) is not None:
                    return told
                is_mine = self._begin(company, question, most_seconds)
                if not is_mine:
                    sleep(_POLL_SECONDS)
        answer = given = None
        try:
            answer, given = ask(), self._now()
        finally:
            if is_mine:
                with suppress(LedgerUnavailable):  # then another asks for itself
                    self._end(company, question, answer, given)
        return answer, 0.0

    def _read(self, company: str, question: str, most_seconds: float) -> Told | None:
        now, column = self._now(), vendor_answers.c
        found = sa.select(column.answer, column.given).where(*_row(company, question), *_recent(now, most_seconds))
        with self._database.read() as connection:
            row = connection.execute(found).one_or_none()
        return None if row is None else (json.loads(row.answer), max(0.0, (now - row.given).total_seconds()))

    def _begin(self, company: str, question: str, most_seconds: float) -> bool:
        """Whether this process is the one to ask."""
        now, column = self._now(), vendor_answers.c
        free = sa.or_(column.asking_until.is_(None), column.asking_until <= now)
        is_old = sa.or_(column.given.is_(None), sa.not_(sa.and_(*_recent(now, most_seconds))))
        new = {"company": company, "question": question, "answer": "null"}
        with self._database.write() as connection:
            connection.execute(self._database.insert(vendor_answers).on_conflict_do_nothing(), new)
            taken = connection.execute(
                sa.update(vendor_answers)
                .where(*_row(company, question), free, is_old)
                .values(asking_until=now + timedelta(seconds=_ASKING_SECONDS))
            )
            return bool(taken.rowcount)

    def _end(self, company: str, question: str, answer: Any, given: datetime | None) -> None:
        values: dict[str, Any] = {"asking_until": None}
        if answer is not None and given is not None:
            values |= {"answer": json.dumps(answer), "given": given}
        with self._database.write() as connection:
            connection.execute(sa.update(vendor_answers).where(*_row(company, question)).values(values))


def _row(company: str, question: str) -> tuple[sa.ColumnElement[bool], ...]:
    return vendor_answers.c.company == company, vendor_answers.c.question == question


def _recent(now: datetime, most_seconds: float) -> tuple[sa.ColumnElement[bool], ...]:
    """Neither too old, nor of a clock far ahead."""
    most = timedelta(seconds=most_seconds)
    return vendor_answers.c.given > now - most, vendor_answers.c.given <= now + most
