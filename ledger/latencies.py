"""How long events take from their webhook to their end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

import sqlalchemy as sa

from bellhop.ledger.engine import Database
from bellhop.ledger.records import State
from bellhop.ledger.tables import events

_SAMPLE: Final = 500


def recent_seconds(database: Database, since: datetime) -> Mapping[str, Sequence[float]]:
    """See `Ledger.recent_seconds`."""
    columns = (events.c.route, events.c.received, events.c.updated)
    query = sa.select(*columns).where(events.c.updated >= since, events.c.state == State.DONE.value)
    with database.read() as connection:
        rows = connection.execute(query.order_by(events.c.updated.desc()).limit(_SAMPLE)).all()
    took: dict[str, list[float]] = {}
    for route, received, updated in rows:
        took.setdefault(route, []).append(max(0.0, (updated - received).total_seconds()))
    return took
