"""The life of a cause: what people have said of it, and what came since."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa

from bellhop.ledger.audit import record
from bellhop.ledger.causes import cause_key
from bellhop.ledger.engine import Database
from bellhop.ledger.letters import conditions
from bellhop.ledger.next_starts import next_venues
from bellhop.ledger.records import AuditRow, CauseLife, CauseRow, CauseSaid, CauseState, LetterFilter
from bellhop.ledger.tables import cause_lives, dead_letters
from bellhop.schemas.errors import LedgerError

BARS: Final = 12
BAR: Final = timedelta(hours=2)

_C: Final = dead_letters.c
_MOST: Final = 1000


class CauseRefused(LedgerError):
    """Raised when what is said of a cause cannot be; says why."""


class CauseDesk:
    """`ledger.causes`. Every method raises LedgerUnavailable."""

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now

    def find(self, which: LetterFilter, limit: int = 200) -> list[CauseRow]:
        """The letters grouped by what they died of, the largest group first, each with its life."""
        now = self._now()
        groups = _groups(which, now).limit(min(limit, _MOST)).subquery()
        query = sa.select(groups, _C.reason, _C.route, _C.account, _C.error).join(
            dead_letters, _C.id == groups.c.example
        )
        with self._database.read() as connection:
            found = connection.execute(query.order_by(groups.c.count.desc(), groups.c.cause)).mappings().all()
            rows = [_row(stored) for stored in found]
            lives = _lives(connection, [row.cause for row in rows], which, now)
            venues = next_venues(connection, [_C.cause], (((row.cause,), row.next_start) for row in rows), which.states)
        return [replace(row, life=lives.get(row.cause, row.life), venue=venues.get((row.cause,), "")) for row in rows]

    def say(
        self, cause: str, said: CauseSaid | None, who: str, why: str = "", until: datetime | None = None
    ) -> CauseLife:
        """Notes what a person says of a cause; None takes back what was said. until: of SNOOZED, which needs one.

        Raises CauseRefused.
        """
        now = self._now()
        if (said is CauseSaid.SNOOZED) is not (until is not None):
            raise CauseRefused("say until when it is snoozed, and of nothing else")
        if until is not None and until <= now:
            raise CauseRefused("it can be snoozed until a time to come only")
        with self._database.write([f"cause:{cause_key(cause)}"]) as connection:
            if connection.scalar(sa.select(sa.func.count()).where(_C.cause == cause)) == 0:
                raise CauseRefused("no dead letter is of this cause")
            connection.execute(sa.delete(cause_lives).where(cause_lives.c.cause == cause))
            act = said.act if said else "reopen"
            if said is not None:
                values = {"cause": cause, "said": said.value, "who": who, "why": why, "at": now, "until": until}
                connection.execute(sa.insert(cause_lives), values)
            record(connection, [AuditRow(now, who, f"{act} cause", None, why, f"cause {cause_key(cause)}")])
            return _lives(connection, [cause], LetterFilter(), now).get(cause, CauseLife())


def _groups(which: LetterFilter, now: datetime) -> sa.Select[Any]:
    coming = sa.case((_C.not_after >= now, _C.not_after))
    begins = [now - BAR * (BARS - bar) for bar in range(BARS)]
    bars = [
        sa.func.sum(sa.case((sa.and_(_C.died > begin, _C.died <= begin + BAR), 1), else_=0)).label(f"bar{place}")
        for place, begin in enumerate(begins)
    ]
    return (
        sa.select(
            _C.cause,
            sa.func.count().label("count"),
            sa.type_coerce(sa.func.min(_C.died), _C.died.type).label("first"),
            sa.type_coerce(sa.func.max(_C.died), _C.died.type).label("last"),
            sa.func.max(_C.id).label("example"),
            sa.type_coerce(sa.func.min(coming), _C.not_after.type).label("next_start"),
            *bars,
        )
        .where(*conditions(which))
        .group_by(_C.cause)
        .order_by(sa.desc("count"), _C.cause)
    )


def _row(stored: Mapping[Any, Any]) -> CauseRow:
    values = dict(stored)
    trend = tuple(int(values.pop(f"bar{place}")) for place in range(BARS))
    return CauseRow(**values, trend=trend)


def _lives(
    connection: sa.Connection, causes: Sequence[str], which: LetterFilter, now: datetime
) -> Mapping[str, CauseLife]:
    """Of the causes of which somebody has said something."""
    said = connection.execute(sa.select(cause_lives).where(cause_lives.c.cause.in_(list(causes)))).all()
    if not said:
        return {}
    came = (
        sa.select(_C.cause, sa.func.count())
        .join(cause_lives, cause_lives.c.cause == _C.cause)
        .where(_C.cause.in_([row.cause for row in said]), _C.archived > cause_lives.c.at, *conditions(which))
        .group_by(_C.cause)
    )
    since = {cause: count for cause, count in connection.execute(came)}
    return {row.cause: _life(row, since.get(row.cause, 0), now) for row in said}


def _life(row: Any, since: int, now: datetime) -> CauseLife:
    said = CauseSaid(row.said)
    state = CauseState(said.value)
    if (said is CauseSaid.SNOOZED and row.until <= now) or (said is CauseSaid.RESOLVED and since):
        state = CauseState.REOPENED
    return CauseLife(state, row.who, row.why, row.at, row.until, since)
