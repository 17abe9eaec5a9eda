"""What a person cancels by hand, as a dead letter asks for it: by discarding the letter they say that it is done.

Nothing else tells it, at a vendor that has no cancel and posts no callback. In the commit that discards; where the
letter is restored, what it took away stands again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

import sqlalchemy as sa

from bellhop.ledger.bookings import read_bookings, store
from bellhop.ledger.records import TO_CANCEL, Entry, EntryState, Letter


def note_cancelled(connection: sa.Connection, letters: Sequence[Letter], now: datetime) -> None:
    """Letters that are discarded; the keys of their bookings must be locked."""

    def cancel(entry: Entry, event_id: str) -> Entry:
        is_asked = entry.stands and entry.left_by == f"{TO_CANCEL}{event_id}"
        gone = {"state": EntryState.CANCELLED, "cancelled_by": event_id, "changed_by": event_id}
        return replace(entry, **gone) if is_asked else entry  # type: ignore[arg-type]

    _change(connection, letters, cancel, now)


def note_standing(connection: sa.Connection, letters: Sequence[Letter], now: datetime) -> None:
    """Letters that are restored, likewise."""

    def stand(entry: Entry, event_id: str) -> Entry:
        is_asked = not entry.stands and entry.left_by == f"{TO_CANCEL}{event_id}" and entry.cancelled_by == event_id
        return replace(entry, state=EntryState.CONFIRMED, cancelled_by="") if is_asked else entry

    _change(connection, letters, stand, now)


def _change(
    connection: sa.Connection,
    letters: Sequence[Letter],
    change: Callable[[Entry, str], Entry],
    now: datetime,
) -> None:
    keys = [(one.new.source, one.new.subject) for one in letters]
    held, changed = read_bookings(connection, sorted(set(keys))), set()
    for key, letter in zip(keys, letters, strict=True):
        if key not in held:
            continue
        before = held[key].booking
        entries = tuple(change(entry, letter.new.event_id) for entry in before.entries)
        if entries != tuple(before.entries):
            held[key] = replace(held[key], booking=replace(before, entries=entries))
            changed.add(key)
    store(connection, [held[key] for key in sorted(changed)], now)
