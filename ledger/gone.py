"""What processes that are gone have left: claims, as this machine or their beats tell, and calls on their way."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import sqlalchemy as sa

from bellhop.ledger.records.parts import SILENT_AFTER
from bellhop.ledger.tables import parts, permits
from bellhop.schemas.process import has_ended


def gone_workers(connection: sa.Connection, names: Collection[str], now: datetime) -> frozenset[str]:
    """names: as they claim, which are their parts' ids. Of a worker that never beat nothing is known. One that only
    stood still may be named: what is taken from it must be fenced."""
    gone = {name for name in names if has_ended(name)}
    if left := set(names) - gone:
        is_silent = sa.or_(parts.c.stopped.is_not(None), parts.c.seen < now - SILENT_AFTER)
        gone |= set(connection.scalars(sa.select(parts.c.id).where(parts.c.id.in_(sorted(left)), is_silent)))
    return frozenset(gone)


def calls_on_their_way(connection: sa.Connection, account: str, now: datetime) -> int:
    """How many, without those of processes that have ended here: nobody waits for their answers any more."""
    connection.execute(sa.delete(permits).where(permits.c.account == account, permits.c.until <= now))
    ids = list(connection.scalars(sa.select(permits.c.id).where(permits.c.account == account)))
    if left := [id_ for id_ in ids if has_ended(id_.rpartition("/")[0])]:
        connection.execute(sa.delete(permits).where(permits.c.id.in_(left)))
    return len(ids) - len(left)
