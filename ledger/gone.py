"""Which of the workers that hold claims are gone: as this machine knows, or as their beats tell."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import sqlalchemy as sa

from bellhop.ledger.records.parts import SILENT_AFTER
from bellhop.ledger.tables import parts
from bellhop.schemas.process import has_ended


def gone_workers(connection: sa.Connection, names: Collection[str], now: datetime) -> frozenset[str]:
    """names: as they claim, which are their parts' ids. Of a worker that never beat nothing is known. One that only
    stood still may be named: what is taken from it must be fenced."""
    gone = {name for name in names if has_ended(name)}
    if left := set(names) - gone:
        is_silent = sa.or_(parts.c.stopped.is_not(None), parts.c.seen < now - SILENT_AFTER)
        gone |= set(connection.scalars(sa.select(parts.c.id).where(parts.c.id.in_(sorted(left)), is_silent)))
    return frozenset(gone)
