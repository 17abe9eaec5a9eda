"""The last posts that the ingress refused: for people to see, before the upstream gives up sending them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa

from bellhop.ledger.engine import Database
from bellhop.ledger.records import RefusedCount, RefusedPost
from bellhop.ledger.tables import refused_posts as table

KEPT: Final = timedelta(days=7)
MOST: Final = 50
"""Posts of one source."""

_FIELDS: Final = tuple(field.name for field in fields(RefusedPost))
_SAME: Final = ("source", "digest", "first", "times")
_NEWEST: Final = (table.c.last.desc(), table.c.id.desc())


class Refusals:
    """Every method raises LedgerUnavailable."""

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now

    def enter(self, posts: Sequence[RefusedPost]) -> None:
        """Notes the posts; one that came before counts once more. Of each source the last are kept, and of all none
        that is old."""
        insert = self._database.insert(table)
        newer: dict[str, Any] = {name: insert.excluded[name] for name in _FIELDS if name not in _SAME}
        newer["times"] = table.c.times + insert.excluded.times
        entered = insert.on_conflict_do_update(index_elements=["digest", "source"], set_=newer)
        sources = sorted({post.source for post in posts})
        with self._database.write([f"refused:{source}" for source in sources]) as connection:
            for post in posts:
                row = {name: getattr(post, name) for name in _FIELDS}
                connection.execute(entered, row | {"problems": [list(problem) for problem in post.problems]})
            for source in sources:
                mine = table.c.source == source
                kept = sa.select(table.c.id).where(mine).order_by(*_NEWEST).limit(MOST)
                connection.execute(sa.delete(table).where(mine, table.c.id.not_in(kept)))

    def last(self, source: str = "", limit: int = MOST) -> list[RefusedPost]:
        """The newest first; of one source, or of all."""
        asked = sa.select(table).where(table.c.last >= self._now() - KEPT).order_by(*_NEWEST).limit(limit)
        with self._database.read() as connection:
            rows = connection.execute(asked.where(table.c.source == source) if source else asked).mappings().all()
        return [
            RefusedPost(**{name: row[name] for name in _FIELDS if name != "problems"}, problems=_pairs(row["problems"]))
            for row in rows
        ]

    def counts(self, since: datetime) -> list[RefusedCount]:
        """By source, of what came since then."""
        of, number = table.c, sa.func.count().label("posts")
        sums = (sa.func.sum(of.times).label("attempts"), sa.func.min(of.first).label("first"))
        last = sa.func.max(of.last).label("last")
        asked = (
            sa.select(of.source, of.reason, number, *sums, last).where(of.last >= since).group_by(of.source, of.reason)
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


def _pairs(stored: Sequence[Sequence[str]]) -> tuple[tuple[str, str], ...]:
    return tuple((field, rule) for field, rule in stored)
