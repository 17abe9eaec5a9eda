"""Posts that the ingress refused: for people to see, and to take once what refused them is mended."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa

from bellhop.ledger.audit import record
from bellhop.ledger.engine import Database
from bellhop.ledger.records import AuditRow, RefusalCause, RefusedCount, RefusedPost
from bellhop.ledger.tables import events
from bellhop.ledger.tables import refused_posts as table
from bellhop.schemas.quantities import quantity

KEPT: Final = timedelta(days=7)
MOST: Final = 10_000
"""Posts of one source: more than a day of bookings, should one new field stop them all."""

_OWN: Final = ("number", "taken", "became")
_FIELDS: Final = tuple(field.name for field in fields(RefusedPost) if field.name not in _OWN)
_SAME: Final = ("source", "digest", "first", "times", "signed_id", "salt")
_SHOWN: Final = tuple(column for column in table.c if column.name != "content")
_NEWEST: Final = (table.c.last.desc(), table.c.id.desc())
_MANY: Final = 1_000_000
_SINCE: Final = sa.and_(
    events.c.event_id == table.c.signed_id, events.c.source == table.c.source, events.c.received > table.c.first
)
_WAITS: Final = sa.and_(table.c.taken.is_(None), ~sa.exists().where(_SINCE))
"""Neither taken by a person, nor sent again by the upstream, under the same id, and accepted."""


class Refusals:
    """Every method raises LedgerUnavailable."""

    def __init__(self, database: Database, now: Callable[[], datetime], most: int = MOST) -> None:
        self._database = database
        self._now = now
        self._most = most

    def enter(self, posts: Sequence[RefusedPost]) -> None:
        """Notes the posts; one that came before counts once more. Of each source the last are kept, and of all none
        that is old."""
        insert = self._database.insert(table)
        newer: dict[str, Any] = {name: insert.excluded[name] for name in _FIELDS if name not in _SAME}
        newer |= {"times": table.c.times + insert.excluded.times, "taken": None, "became": ""}
        entered = insert.on_conflict_do_update(index_elements=["digest", "source"], set_=newer)
        sources = sorted({post.source for post in posts})
        with self._database.write([f"refused:{source}" for source in sources]) as connection:
            for post in posts:
                row = {name: getattr(post, name) for name in _FIELDS}
                connection.execute(entered, row | {"problems": [list(problem) for problem in post.problems]})
            for source in sources:
                mine = sa.select(table.c.id).where(table.c.source == source)
                beyond = mine.order_by(*_NEWEST).limit(_MANY).offset(self._most)
                connection.execute(sa.delete(table).where(table.c.id.in_(beyond)))

    def last(self, source: str = "", limit: int = 50) -> list[RefusedPost]:
        """The newest first, without their contents; of one source, or of all."""
        return self._find(_SHOWN, limit, *([table.c.source == source] if source else []))

    def waiting(self, source: str = "", *, cause: str = "", numbers: Sequence[int] = ()) -> list[RefusedPost]:
        """With their contents, the oldest first: what nobody has taken, nor the upstream sent again with success."""
        chosen = [table.c.source == source] if source else []
        chosen += [table.c.id.in_(numbers)] if numbers else []
        found = self._find(table.c, _MANY, _WAITS, *chosen)
        return [post for post in reversed(found) if cause in ("", post.cause)]

    def causes(self, source: str = "") -> list[RefusalCause]:
        """Of what waits, the cause of most posts first."""
        by_cause: dict[str, list[RefusedPost]] = {}
        for post in self._find(_SHOWN, _MANY, _WAITS, *([table.c.source == source] if source else [])):
            by_cause.setdefault(post.cause, []).append(post)
        made = [
            RefusalCause(
                cause,
                posts[0],
                len(posts),
                sum(post.times for post in posts),
                min(post.first for post in posts),
                posts[0].last,
            )
            for cause, posts in by_cause.items()
        ]
        return sorted(made, key=lambda one: (-one.posts, -one.attempts))

    def count_waiting(self, source: str, cause: str) -> int:
        """The posts of one cause that `waiting` gives, without their contents."""
        return next((found.posts for found in self.causes(source) if found.cause == cause), 0)

    def note_taken(self, became: Mapping[int, str], who: str, why: str) -> None:
        """became: by the number of each post that was taken, the first of its events."""
        now = self._now()
        with self._database.write() as connection:
            for number, event in became.items():
                connection.execute(sa.update(table).where(table.c.id == number).values(taken=now, became=event))
            record(connection, [AuditRow(now, who, "take refused", None, why, quantity(len(became), "refused post"))])

    def _find(
        self, columns: Iterable[sa.Column[Any]], limit: int, *chosen: sa.ColumnElement[bool]
    ) -> list[RefusedPost]:
        asked = sa.select(*columns).where(table.c.last >= self._now() - KEPT, *chosen).order_by(*_NEWEST).limit(limit)
        with self._database.read() as connection:
            return [_post(row) for row in connection.execute(asked).mappings()]

    def counts(self, since: datetime) -> list[RefusedCount]:
        """By source, of what came since then."""
        of, number = table.c, sa.func.count().label("posts")
        sums = (sa.func.sum(of.times).label("attempts"), sa.func.min(of.first).label("first"))
        last = sa.func.max(of.last).label("last")
        asked = (
            sa.select(of.source, of.reason, number, *sums, last)
            .where(of.last >= since, _WAITS)
            .group_by(of.source, of.reason)
        )
        by_source: dict[str, list[Any]] = {}
        with self._database.read() as connection:
            for row in connection.execute(asked.order_by(of.source, of.reason)):
                by_source.setdefault(row.source, []).append(row)
        return [
            RefusedCount(
                source,
                sum(row.posts for row in rows),
                sum(row.attempts for row in rows),
                {row.reason: row.posts for row in rows},
                min(row.first for row in rows),
                max(row.last for row in rows),
            )
            for source, rows in by_source.items()
        ]


def _post(row: sa.RowMapping) -> RefusedPost:
    known = {name: row[name] for name in (*_FIELDS, *_OWN) if name in row}
    problems = tuple((field, rule) for field, rule in row["problems"])
    return RefusedPost(**known | {"number": row["id"], "problems": problems})
