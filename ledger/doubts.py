"""Calls of unknown end, kept beside their events: by them what comes to light later is known as ours."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from bellhop.ledger.calls import cut_off_values
from bellhop.ledger.codec import call_from_json, call_to_json
from bellhop.ledger.engine import Database
from bellhop.ledger.records import RESTORED, State, VendorCall
from bellhop.ledger.tables import attempts, doubts, events

_DOUBTFUL: Final = sa.select(events.c.pk, events.c.calling).where(
    events.c.source == sa.bindparam("source"),
    events.c.subject == sa.bindparam("subject"),
    events.c.state.in_([State.DEAD.value, State.DISCARDED.value]),
    events.c.calling.is_not(None),
)

_CUT_OFF: Final = sa.select(events.c.pk, events.c.calling, events.c.updated).where(
    events.c.source == sa.bindparam("in_source"),
    events.c.event_id == sa.bindparam("id"),
    events.c.content_hash == sa.bindparam("hash"),
    events.c.state == State.WORKING.value,
    events.c.calling_token == events.c.claim_token,
    events.c.generation <= sa.bindparam("up_to"),
)


def unknown_call(row: Any, call: VendorCall | None, now: datetime) -> Mapping[str, Any] | None:
    """A call of an event (pk, account, called_at) as it is kept; None where there is none, or making it twice is
    harmless, or nobody knows which it was."""
    if call is None or call.repeatable or call.method == RESTORED:
        return None
    since = row.called_at or now
    return {"event_pk": row.pk, "line": call.line, "account": row.account, "call": call_to_json(call), "since": since}


def note_doubts(database: Database, connection: sa.Connection, calls: Iterable[Mapping[str, Any] | None]) -> None:
    """Keeps them; one that is kept already stays."""
    if rows := [call for call in calls if call is not None]:
        connection.execute(database.insert(doubts).on_conflict_do_nothing(), rows)


def keep_buried_doubts(
    database: Database, connection: sa.Connection, buried: Iterable[Mapping[str, Any]], now: datetime
) -> None:
    """Of events (in_source, id, hash) that the broker gave up: a worker may have died in the midst of a call."""
    columns = (events.c.pk, events.c.account, events.c.called_at, events.c.calling)
    for one in buried:
        same = (events.c.source == one["in_source"], events.c.event_id == one["id"])
        row = connection.execute(sa.select(*columns).where(*same, events.c.content_hash == one["hash"])).one_or_none()
        if row is not None:
            note_doubts(database, connection, [unknown_call(row, call_from_json(row.calling), now)])


def doubtful_events(connection: sa.Connection, source: str, subject: str) -> Sequence[int]:
    """The events of a booking (or member) that stand in front of a person, or were discarded, with their call's end
    unknown."""
    rows = connection.execute(_DOUBTFUL, {"source": source, "subject": subject})
    return [row.pk for row in rows if not row.calling.get("repeatable")]


def note_cut_off(connection: sa.Connection, buried: Sequence[dict[str, Any]]) -> None:
    """The calls in the midst of which the workers of buried events died, for the record."""
    for named in buried:
        for row in connection.execute(_CUT_OFF, named):
            if (call := call_from_json(row.calling)) is not None:
                connection.execute(sa.insert(attempts), [cut_off_values(row.pk, call, row.updated)])
