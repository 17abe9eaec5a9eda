"""At which venue what starts next does, so that its time can be told by that venue's clock."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from bellhop.ledger.records import LetterState
from bellhop.ledger.tables import dead_letters, letter_bodies
from bellhop.schemas.envelope import decode
from bellhop.schemas.errors import EnvelopeError

Group = tuple[str, ...]


def next_venues(
    connection: sa.Connection,
    columns: Sequence[sa.Column[Any]],
    starts: Iterable[tuple[Group, datetime | None]],
    states: Sequence[LetterState],
) -> dict[Group, str]:
    """The venue that the first letter of each group names. columns: of dead letters, by which they are grouped; starts:
    each group's values of these, and when what starts next of it does. Without what starts never, or cannot be read."""
    c = dead_letters.c
    wanted = [(*group, start) for group, start in starts if start is not None]
    if not wanted:
        return {}
    firsts = (
        sa.select(*columns, sa.func.min(c.id).label("letter"))
        .where(sa.tuple_(*columns, c.not_after).in_(wanted), c.state.in_([state.value for state in states]))
        .group_by(*columns)
        .subquery()
    )
    found: dict[Group, str] = {}
    own = sa.select(*firsts.c, letter_bodies.c.body).join(letter_bodies, letter_bodies.c.letter == firsts.c.letter)
    for *group, _letter, body in connection.execute(own):
        with suppress(EnvelopeError):
            found[tuple(group)] = str(decode(body).data.get("venue") or "")
    return found
