"""That the ledger was put back as it was at some time: what was worked since it does not know.

Until somebody says that nothing need be minded any more, whatever may have been booked meanwhile is held as in doubt
(`doubtful.LastRestore`): an event that is not known here and tells of a time before the restore, and one that was under
way, or dead, when the copy was made.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from bellhop.ledger import batch
from bellhop.ledger.audit import record
from bellhop.ledger.codec import call_from_json, call_to_json
from bellhop.ledger.doubtful import LastRestore
from bellhop.ledger.doubts import note_doubts, unknown_call
from bellhop.ledger.engine import Database
from bellhop.ledger.known import RANKS, UNFINISHED
from bellhop.ledger.letters import mark_letters
from bellhop.ledger.records import RESTORED, AuditRow, LetterState, State
from bellhop.ledger.strays import UNSEEN
from bellhop.ledger.tables import audit, dead_letters, events, letter_bodies, restores
from bellhop.schemas.envelope import decode_recordable
from bellhop.schemas.errors import EnvelopeError
from bellhop.schemas.reasons import Reason

BACKUP: Final = "backup ledger"
"""The act by which a copy of the ledger knows when it was made."""

_sent: Final = dead_letters.alias("sent")
_DEAD: Final = sa.and_(
    _sent.c.source == events.c.source,
    _sent.c.event_id == events.c.event_id,
    _sent.c.generation == events.c.generation,
    events.c.state == State.DEAD.value,
)
_OF_DEAD: Final = sa.select(_sent.c.id).join(events, _DEAD)
_SENT_ON: Final = sa.and_(_sent.c.state == LetterState.REPLAYED.value, UNSEEN)
"""Of letters whose replay was published and no worker has taken, as far as the ledger knows."""

_DOUBTS: Final = (
    sa.select(*(events.c[name] for name in ("pk", "account", "content_hash", "called_at", "calling")))
    .add_columns(letter_bodies.c.body)
    .join(_sent, _DEAD)
    .join(letter_bodies, letter_bodies.c.letter == _sent.c.id)
    .where(_sent.c.state == LetterState.OPEN.value, events.c.calling.is_not(None))
)

OPEN: Final = sa.select(restores).where(restores.c.released.is_(None)).order_by(restores.c.at.desc())
_NEWEST: Final = batch.select(restores, ("as_of", "at"), (), more="released IS NULL ORDER BY at DESC LIMIT 1")


@dataclass(frozen=True, slots=True)
class Restore:
    """as_of: what was worked later is not known. at: when it was said."""

    as_of: datetime
    at: datetime
    who: str
    why: str


class Restores:
    """`ledger.restores`. Every method raises LedgerUnavailable."""

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now

    def note_backup(self, who: str, what: str) -> None:
        """A copy is about to be made: it holds this row, and so knows its age."""
        with self._database.write() as connection:
            record(connection, [AuditRow(self._now(), who, BACKUP, None, "", what)])

    def last_backup(self) -> datetime | None:
        """When the copy was made that this ledger was put back from, or the last copy of it."""
        with self._database.read() as connection:
            return connection.scalar(sa.select(audit.c.at).where(audit.c.act == BACKUP).order_by(audit.c.id.desc()))

    def say(self, as_of: datetime, who: str, why: str) -> Restore:
        """The ledger is as it was at `as_of`.

        The replay of a letter that was on its way then may have come to an end since: its message is gone, and it is
        published once more. A doubt that was open may have been answered, and its event have gone on: of several
        services a word on the one call says nothing of the others.
        """
        with self._database.write() as connection:
            now = self._now()
            self._hold_doubts(connection, LastRestore(as_of, now), now)
            sent = connection.scalars(_OF_DEAD.where(_SENT_ON)).all()
            mark_letters(connection, sent, LetterState.REPLAYING, now)
            values = {"as_of": as_of, "at": now, "who": who, "why": why}
            connection.execute(sa.insert(restores), values)
            record(connection, [AuditRow(now, who, "ledger restored", None, why, f"as of {as_of.isoformat()}")])
        return Restore(as_of, now, who, why)

    def _hold_doubts(self, connection: sa.Connection, restore: LastRestore, now: datetime) -> None:
        """As a claim holds what comes again. The call stays known: by it a callback is recognised."""
        for row in connection.execute(_DOUBTS).all():
            try:
                envelope = decode_recordable(row.body)
            except EnvelopeError:
                continue
            calling = call_from_json(row.calling)
            if calling is None or envelope.type not in RANKS or envelope.content_hash != row.content_hash:
                continue
            doubt = restore.refuse(envelope, calling).doubt
            if doubt != calling and not calling.repeatable:
                note_doubts(self._database, connection, [unknown_call(row, calling, now)])
                held = {"calling": call_to_json(doubt), "called_at": now}
                connection.execute(sa.update(events).where(events.c.pk == row.pk).values(held))

    def open(self) -> list[Restore]:
        """Those that nobody has released, the newest first."""
        with self._database.read() as connection:
            return [Restore(row.as_of, row.at, row.who, row.why) for row in connection.execute(OPEN)]

    def send_again_since(self, as_of: datetime) -> datetime:
        """From when on upstreams send again what they posted: of what was under way when the copy was made, and of what
        was accepted later, no message may be left; nor of what had died and was not in the archive yet."""
        oldest = sa.select(sa.func.min(events.c.received)).where(sa.or_(events.c.state.in_(UNFINISHED), UNSEEN))
        with self._database.read() as connection:
            first = connection.scalar(oldest)
        return min(first, as_of) if first else as_of

    def release(self, who: str, why: str) -> int:
        """Nothing is held back any more; how many restores were minded until now."""
        with self._database.write() as connection:
            now = self._now()
            freed = sa.update(restores).where(restores.c.released.is_(None)).values(released=now)
            count = connection.execute(freed).rowcount
            record(connection, [AuditRow(now, who, "release ledger", None, why)])
        return count

    def going_on(self) -> int:
        """How many letters of what will be held are being replayed, and no worker has taken them yet."""
        moving = sa.or_(_sent.c.state == LetterState.REPLAYING.value, _SENT_ON)
        with self._database.read() as connection:
            restore = open_restore(connection)
            if restore is None:
                return 0
            return len(connection.scalars(_OF_DEAD.where(moving, events.c.updated < restore.at)).all())

    def held_letters(self) -> list[int]:
        """The open letters of what was held back, by number."""
        query = (
            sa.select(dead_letters.c.id, events.c.calling)
            .join(
                events,
                sa.and_(events.c.source == dead_letters.c.source, events.c.event_id == dead_letters.c.event_id),
            )
            .where(
                events.c.state == State.DEAD.value,
                events.c.calling.is_not(None),
                dead_letters.c.state == "open",
                dead_letters.c.generation == events.c.generation,
            )
            .order_by(dead_letters.c.id)
        )
        with self._database.read() as connection:
            return [row.id for row in connection.execute(query) if row.calling.get("method") == RESTORED]


def open_restore(connection: sa.Connection) -> Any:
    """When the newest that is minded was, and as of when; None where there is none."""
    return next(iter(_NEWEST.run(connection)), None)


def close_outrun(connection: sa.Connection, source: str, event_id: str, generation: int, now: datetime) -> None:
    """Closes the open letters of an event's doubt but that of this replay of it: after a restore it comes from upstream
    and from the letters that the copy has, and each is held."""
    letters = dead_letters.c
    same = (letters.source == source, letters.event_id == event_id, letters.generation != generation)
    asked = (letters.state == LetterState.OPEN.value, letters.reason == Reason.IN_DOUBT.value)
    found = connection.scalars(sa.select(letters.id).where(*same, *asked)).all()
    mark_letters(connection, found, LetterState.REPLAYED, now)
