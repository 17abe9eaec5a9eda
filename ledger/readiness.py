"""Which letters can go back to work, as their event is not there already; and which nobody need look at any more."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import sqlalchemy as sa

from bellhop.ledger.doubtful import LastRestore
from bellhop.ledger.doubts import doubtful_events
from bellhop.ledger.known import UNFINISHED
from bellhop.ledger.records import NewLetter, State
from bellhop.ledger.tables import dead_letters, events, restores
from bellhop.schemas.reasons import Reason

_CHUNK: Final = 500
WEIGHED: Final = (Reason.IN_DOUBT, Reason.DELIVERY_LIMIT)
"""The reasons of letters that may need nobody when they come."""
OUTRUN: Final = "its event went on by a later replay before it came"
_ENDED: Final = "its event had ended: the broker buried a copy of it"


def chunks(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    """In order, as many as a statement takes."""
    ordered = sorted(set(ids))
    for start in range(0, len(ordered), _CHUNK):
        yield ordered[start : start + _CHUNK]


def unready_letters(connection: sa.Connection, ids: Sequence[int]) -> dict[int, str]:
    same = sa.and_(events.c.source == dead_letters.c.source, events.c.event_id == dead_letters.c.event_id)
    columns = (dead_letters.c.id, events.c.event_id, events.c.state, events.c.generation, events.c.next_at)
    query = sa.select(*columns).join(events, same).where(events.c.state.in_(UNFINISHED))
    rows = [
        row
        for some in chunks(ids)
        for row in connection.execute(query.where(dead_letters.c.id.in_(some)).order_by(dead_letters.c.id))
    ]
    return {row.id: _open_words(row) for row in rows}


def _open_words(row: Any) -> str:
    what = f"event {row.event_id} is {row.state}" + (f" (replay {row.generation})" if row.generation else "")
    again = f", next at {row.next_at:%Y-%m-%d %H:%M:%S} UTC" if row.next_at else ""
    return f"{what}{again}: wait for its end, then replay what is still dead"


def doubt_is_over(connection: sa.Connection, own: Mapping[str, Any], letter: NewLetter) -> bool:
    """Whether nothing of the letter's booking is in doubt any more, though it died of that. own: names its event."""
    if letter.reason != Reason.IN_DOUBT or doubtful_events(connection, letter.source, letter.subject):
        return False
    row = _event(connection, own)
    return row is not None and row.state == State.DEAD and row.generation == letter.generation


def why_closed(connection: sa.Connection, own: Mapping[str, Any], letter: NewLetter) -> str:
    """Why nobody need look at a letter that has just come; "" where somebody must. own: as above."""
    row = _event(connection, own)
    if row is None or (row.state == State.DISCARDED and row.calling is not None):
        return ""
    if letter.reason == Reason.DELIVERY_LIMIT:
        return "" if row.state == State.DEAD or State(row.state).unfinished else _ENDED
    return OUTRUN if _is_outrun(connection, row, letter) else ""


def _is_outrun(connection: sa.Connection, row: Any, letter: NewLetter) -> bool:
    """Whether its event has gone on by a later replay, of which its end tells, or a letter of its own.

    A ledger that was put back may not know what the letter tells of, unless it held the event itself since.
    """
    if row.generation <= letter.generation:
        return False
    said = [LastRestore(one.as_of, one.at) for one in connection.execute(sa.select(restores))]
    return not said or (row.updated > max(one.said for one in said) and any(one.is_hold(letter.error) for one in said))


def _event(connection: sa.Connection, own: Mapping[str, Any]) -> Any:
    same = (events.c.source == own["in_source"], events.c.event_id == own["id"], events.c.content_hash == own["hash"])
    columns = (events.c.state, events.c.generation, events.c.calling, events.c.updated)
    return connection.execute(sa.select(*columns).where(*same)).one_or_none()


def died_since_closed(own: Mapping[str, Any]) -> sa.Exists:
    """Of a row of dead letters: whether its event died in doubt after it was closed. A copy of a letter says nothing
    new, as its event died before. own: what names its event."""
    return sa.exists().where(
        events.c.source == own["in_source"],
        events.c.event_id == own["id"],
        events.c.content_hash == own["hash"],
        events.c.generation == own["up_to"],
        events.c.state == State.DEAD.value,
        events.c.calling.is_not(None),
        events.c.updated > dead_letters.c.updated,
    )
