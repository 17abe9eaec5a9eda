"""What processes that are gone have left: claims, as this machine or their beats tell, and calls on their way."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final

import sqlalchemy as sa

from bellhop.ledger import batch
from bellhop.ledger.records.parts import SILENT_AFTER
from bellhop.ledger.tables import parts, permits
from bellhop.schemas.process import has_ended

_PERMITS: Final = batch.select(permits, ("id", "until"), ["account"])
_END_PERMITS: Final = batch.delete(permits, "id")


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
    found = _PERMITS.run(connection, [account])
    ended = {name for name in {_process_of(one.id) for one in found} if has_ended(name)}
    left = [one.id for one in found if one.until <= now or _process_of(one.id) in ended]
    end_permits(connection, left)
    return len(found) - len(left)


def end_permits(connection: sa.Connection, ids: Sequence[str]) -> None:
    _END_PERMITS.run(connection, [(id_,) for id_ in ids])


def _process_of(permit: str) -> str:
    return permit.rpartition("/")[0]
