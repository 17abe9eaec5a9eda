"""The audit: rows that tell who did what, chained (`ledger.chain`), and whether the chain holds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from bellhop.ledger.chain import ChainEnds, ChainWalk, hash_row, hash_words
from bellhop.ledger.engine import Database
from bellhop.ledger.records import AuditRow, ChainLink, ChainReport
from bellhop.ledger.tables import audit, audit_chain

_CHUNK: Final = 1000
_TRIES: Final = 5
_BEGIN: Final = sa.text(
    "INSERT INTO audit_chain (id, before_id, before_hash, last_id, last_hash) VALUES (1, 0, '', 0, '')"
    " ON CONFLICT DO NOTHING"
)
_LINK: Final = (
    sa.update(audit)
    .where(audit.c.id == sa.bindparam("number"))
    .values({name: sa.bindparam(name) for name in ("prev", "words_hash", "hash")})
)


def record(connection: sa.Connection, acts: Sequence[AuditRow]) -> int:
    """Rows of audit, in the transaction of what they tell of; the last one's number, 0 for none. On PostgreSQL the
    chain's end is held until the commit: it must be the last that the transaction locks."""
    if not acts:
        return 0
    last = _hold(connection).last_hash
    values = [{name: getattr(act, name) for name in ("at", "who", "act", "letter", "why", "what")} for act in acts]
    # As they are stored: what no database takes was replaced.
    stored = connection.execute(sa.insert(audit).returning(audit, sort_by_parameter_order=True), values)
    links = list(link_rows(stored, last))
    connection.execute(_LINK, links)
    connection.execute(sa.update(audit_chain).values(last_id=links[-1]["number"], last_hash=links[-1]["hash"]))
    number: int = links[-1]["number"]
    return number


def link_rows(stored: Iterable[Any], last: str) -> Iterator[dict[str, Any]]:
    """What chains stored rows, in their order, to the hash of the row before them."""
    for row in stored:
        words = hash_words(row.why, row.what)
        hash_ = hash_row(last, row.id, AuditRow(row.at, row.who, row.act, row.letter, row.why, row.what), words)
        yield {"number": row.id, "prev": last, "words_hash": words, "hash": hash_}
        last = hash_


def stored_act(row: Any) -> AuditRow:
    link = ChainLink(row.id, row.prev, row.words_hash, row.hash, row.forgotten)
    return AuditRow(row.at, row.who, row.act, row.letter, row.why, row.what, link)


def prune_audit(database: Database, before: datetime) -> int:
    """Deletes the oldest rows, up to the first that is not older; the chain then begins after them. How many, a batch
    at a time."""
    with database.write() as connection:
        ends = _hold(connection)
        kept = sa.select(sa.func.min(audit.c.id)).where(audit.c.at >= before).scalar_subquery()
        old = sa.select(audit.c.id, audit.c.hash).where(sa.or_(kept.is_(None), audit.c.id < kept))
        rows = connection.execute(old.where(audit.c.id <= ends.last_id).order_by(audit.c.id).limit(_CHUNK)).all()
        if not rows:
            return 0
        connection.execute(sa.update(audit_chain).values(before_id=rows[-1].id, before_hash=rows[-1].hash))
        return connection.execute(sa.delete(audit).where(audit.c.id <= rows[-1].id)).rowcount


class AuditChain:
    """`ledger.audit_chain`. Every method raises LedgerUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def rows(self, after: int = 0) -> Iterator[AuditRow]:
        """All above this number, the oldest first; read some at a time."""
        while True:
            query = sa.select(audit).where(audit.c.id > after).order_by(audit.c.id).limit(_CHUNK)
            with self._database.read() as connection:
                some = connection.execute(query).all()
            yield from map(stored_act, some)
            if len(some) < _CHUNK:
                return
            after = some[-1].id

    def verify(self, noted: tuple[int, str] | None = None) -> ChainReport:
        """Whether the chain holds, from its beginning, or what was pruned, to its end, and where it first does not.

        noted: number and hash of a row, as somebody noted them: it must have that hash still. While it is read others
        may go on to write.
        """
        for _ in range(_TRIES):
            before = self._ends()
            walk = ChainWalk(before, noted)
            walk.walk(self.rows())
            now = self._ends()
            if now.before_id == before.before_id:
                break  # else rows were pruned meanwhile
        return walk.report(now)

    def _ends(self) -> ChainEnds:
        with self._database.read() as connection:
            row = connection.execute(sa.select(audit_chain)).one_or_none()
        return ChainEnds(row.before_id, row.before_hash, row.last_id, row.last_hash) if row else ChainEnds()


def _hold(connection: sa.Connection) -> Any:
    """The chain's ends, locked. Where somebody took them away the chain begins anew, which `verify` finds."""
    held = sa.select(audit_chain).with_for_update()
    row = connection.execute(held).one_or_none()
    if row is None:
        connection.execute(_BEGIN)
        row = connection.execute(held).one()
    return row
