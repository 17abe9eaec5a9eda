"""Every statement about the messages in the embedded broker's file.

A message is in one of three states. Ready: `due` and `owner` are NULL. Delayed: `due` says from when it may be taken.
Leased: `owner` holds it until `lease_until`. `token` rises with each lease, so that an ack of an older one matches
nothing; an ack of the latest one holds even when its time is over. What is ready waits in its `lane`, "" in the common.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bellhop.broker.embedded.file import DatabaseFile
from bellhop.broker.port import QueueStats
from bellhop.broker.topology import DEAD_QUEUE, lane_account

_LANES_READ: Final = 64

_READY: Final = "queue = :queue AND due IS NULL AND owner IS NULL"
_LEASED: Final = "queue = :queue AND owner IS NOT NULL"

_LOOK: Final = f"""
SELECT (SELECT min(due) FROM messages WHERE queue = :queue AND due IS NOT NULL),
    (SELECT min(lease_until) FROM messages WHERE {_LEASED} AND owner <> :owner)
"""  # noqa: S608 - fragments of this module only

# From one lane's first entry in the index to the next lane's: a long backlog is never read whole.
_NEXT_LANES: Final = f"""
WITH RECURSIVE lanes (lane, number) AS (
    SELECT (SELECT min(lane) FROM messages WHERE {_READY} AND lane > CAST(:after AS TEXT)), 1
    UNION ALL
    SELECT (SELECT min(lane) FROM messages WHERE {_READY} AND lane > lanes.lane), number + 1
    FROM lanes WHERE lane IS NOT NULL AND number < :limit
)
SELECT CAST(lane AS BLOB) FROM lanes WHERE lane IS NOT NULL
"""  # noqa: S608
_COMMON: Final = f"SELECT EXISTS (SELECT 1 FROM messages WHERE {_READY} AND lane = '')"  # noqa: S608

_WAITING: Final = f"SELECT CAST(lane AS BLOB), count(*), min(seq) FROM messages WHERE {_READY} GROUP BY lane"  # noqa: S608

_LEASE: Final = f"""
UPDATE messages SET owner = :owner, lease_until = :until, token = token + 1, deliveries = deliveries + 1
WHERE seq IN (SELECT seq FROM messages WHERE {_READY} AND lane = CAST(:lane AS TEXT) ORDER BY seq LIMIT :limit)
RETURNING seq, token, CAST(id AS BLOB), CAST(body AS BLOB), CAST(headers AS BLOB), deliveries - 1, :lane
"""  # noqa: S608 - as BLOB: whoever may write the file may write any bytes, and SQLite refuses to read what is no UTF-8

_STATS: Final = f"""
SELECT
    (SELECT count(*) FROM messages WHERE queue = :queue AND due <= :now),
    (SELECT count(*) FROM messages WHERE queue = :queue AND due > :now),
    (SELECT count(*) FROM messages WHERE {_LEASED} AND lease_until <= :now),
    (SELECT count(*) FROM messages WHERE {_LEASED} AND lease_until > :now),
    (SELECT enqueued FROM messages WHERE seq = :first),
    (SELECT enqueued FROM messages WHERE queue = :queue AND due <= :now ORDER BY due LIMIT 1),
    (SELECT min(enqueued) FROM messages WHERE {_LEASED} AND lease_until <= :now)
"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class NewMessage:
    """A message to be put. Times in seconds since the epoch; `headers` is JSON; `due` is None when it has no delay;
    `lane` is "" for the common one."""

    queue: str
    id: str
    headers: str
    body: bytes
    enqueued: float
    due: float | None
    lane: str = ""


@dataclass(frozen=True, slots=True)
class Lease:
    """A message taken, in the bytes of its file. `seq` and `token` together name this lease of it; `deliveries` counts
    the earlier ones."""

    seq: int
    token: int
    id: bytes
    body: bytes
    headers: bytes
    deliveries: int
    lane: bytes


@dataclass(frozen=True, slots=True)
class Outlook:
    """`due`: a delay is over. `lapsed`: another's lease is over. `next_at`: when either will be so."""

    due: bool
    lapsed: bool
    next_at: float | None


class Store:
    """The messages, over one connection, for one thread at a time.

    `synced`: as of DatabaseFile. Consumers alone do without it, for a power cut that undoes a lease or an ack only
    makes the message come again; and a publish syncs all that was committed before it.

    Every method raises BrokerUnavailable; Busy where trying again is enough. After any other the store is to be
    closed.
    """

    def __init__(self, path: Path, *, synced: bool, busy_seconds: float = 1.0) -> None:
        self._file = DatabaseFile(path, synced=synced, busy_seconds=busy_seconds)
        self._db = self._file.connection

    def close(self) -> None:
        self._file.close()

    def writing(self) -> AbstractContextManager[None]:
        """A transaction. Raises PublishUnconfirmed when it cannot be told whether it was committed."""
        return self._file.writing()

    # Within `writing`

    def put(self, rows: Iterable[NewMessage]) -> None:
        self._db.executemany(
            "INSERT INTO messages (queue, id, headers, body, enqueued, due, lane) VALUES (?, ?, ?, ?, ?, ?, ?)",
            [(row.queue, row.id, row.headers, row.body, row.enqueued, row.due, row.lane) for row in rows],
        )

    def hasten(self, queue: str, until: float | None = None, lanes: Sequence[str] | None = None) -> int:
        """Ends the delays of the queue's messages, of those only that are over at `until`, or that will wait in one of
        `lanes`, where that is given; how many."""
        asked = {"queue": queue, "until": until}
        some = "" if until is None else " AND due <= :until"
        if lanes is not None:
            named = {f"lane_{number}": lane for number, lane in enumerate(lanes)}
            asked |= named
            some += f" AND lane IN ({', '.join(f':{name}' for name in named)})"
        update = f"UPDATE messages SET due = NULL WHERE queue = :queue AND due IS NOT NULL{some}"  # noqa: S608
        count: int = self._db.execute(update, asked).rowcount
        return count

    def delete(self, leases: Iterable[tuple[int, int]]) -> None:
        """Deletes those whose latest lease is this (seq, token)."""
        self._db.executemany("DELETE FROM messages WHERE seq = ? AND token = ?", leases)

    def renew(self, queue: str, owner: str, until: float) -> None:
        self._db.execute(
            "UPDATE messages SET lease_until = ? WHERE queue = ? AND owner = ?",
            (until, queue, owner),
        )

    def reclaim(
        self, queue: str, owner: str, now: float, gone: Collection[str], delivery_limit: int
    ) -> tuple[int, int]:
        """Ends others' leases that are over, or whose owner is among `gone`. What was delivered `delivery_limit`
        times by then moves to the dead queue. Answers how many ended and how many messages died.
        """
        marks = ", ".join("?" * len(gone))
        burying = "0" if queue == DEAD_QUEUE else "deliveries >= ?4"  # a dead letter is never given up
        rows = self._db.execute(
            f"""
            UPDATE messages SET owner = NULL, lease_until = NULL,
                queue = iif({burying}, ?5, queue),
                enqueued = iif({burying}, ?3, enqueued),
                lane = iif({burying}, '', lane),
                deliveries = iif({burying}, 0, deliveries)
            WHERE queue = ?1 AND owner IS NOT NULL AND owner <> ?2 AND (lease_until <= ?3 OR owner IN ({marks}))
            RETURNING queue
            """,  # noqa: S608 - only placeholders are put in
            (queue, owner, now, delivery_limit, DEAD_QUEUE, *gone),
        ).fetchall()
        return len(rows), sum(row[0] != queue for row in rows)

    def lease(self, queue: str, lane: bytes, owner: str, until: float, limit: int) -> list[Lease]:
        """Takes at most `limit` messages of a lane, in order."""
        asked = {"queue": queue, "lane": lane, "owner": owner, "until": until, "limit": limit}
        rows = self._db.execute(_LEASE, asked).fetchall()
        return sorted((Lease(*row) for row in rows), key=lambda lease: lease.seq)

    def give_back(self, queue: str, owner: str) -> int:
        """Ends every lease of `owner` as if it had never begun. Answers how many."""
        return int(
            self._db.execute(
                """
                UPDATE messages SET owner = NULL, lease_until = NULL, deliveries = deliveries - 1
                WHERE queue = ? AND owner = ?
                """,
                (queue, owner),
            ).rowcount
        )

    # Reading

    def look(self, queue: str, owner: str, now: float) -> Outlook:
        """What there is for `owner` to do, without writing."""
        asked = {"queue": queue, "owner": owner}
        ((due, lapse),) = self._file.read(_LOOK, asked)
        times = [at for at in (due, lapse) if at is not None]
        return Outlook(
            due=due is not None and due <= now,
            lapsed=lapse is not None and lapse <= now,
            next_at=min(times, default=None),
        )

    def ready_lanes(self, queue: str, after: bytes) -> Iterator[bytes]:
        """The lanes in which something is ready: the common one, then once round from the one behind `after`."""
        ((is_common_ready,),) = self._file.read(_COMMON, {"queue": queue})
        if is_common_ready:
            yield b""
        for start, end in ((after, None), (b"", after)):
            while lanes := self._file.read(_NEXT_LANES, {"queue": queue, "after": start, "limit": _LANES_READ}):
                for (start,) in lanes:  # noqa: PLW2901 - the next page begins behind it
                    if end is not None and start > end:
                        return
                    yield start

    def owners(self, queue: str) -> set[str]:
        rows = self._file.read(f"SELECT DISTINCT owner FROM messages WHERE {_LEASED}", {"queue": queue})  # noqa: S608
        return {str(row[0]) for row in rows}

    def leases(self, queue: str, owner: str) -> set[tuple[int, int]]:
        """(seq, token) of what `owner` has leased."""
        sql = "SELECT seq, token FROM messages WHERE queue = :queue AND owner = :owner"
        return {(seq, token) for seq, token in self._file.read(sql, {"queue": queue, "owner": owner})}

    def stats(self, queues: Sequence[str], now: float) -> dict[str, tuple[QueueStats, int]]:
        """For each queue, its figures and how many of its messages are delayed. One snapshot."""
        answer = {}
        with self._file.reading():
            for queue in queues:
                waiting = self._file.read(_WAITING, {"queue": queue})
                lanes: Counter[str] = Counter()
                for lane, count, _ in waiting:
                    lanes[lane_account(lane_text(lane))] += count
                asked = {"queue": queue, "now": now, "first": min((seq for *_, seq in waiting), default=None)}
                ((due, delayed, lapsed, leased, *enqueued),) = self._file.read(_STATS, asked)
                oldest = min((at for at in enqueued if at is not None), default=None)
                age = None if oldest is None else max(0.0, now - oldest)
                answer[queue] = QueueStats(lanes.total() + due + lapsed, leased, age, lanes), int(delayed)
        return answer


def lane_text(lane: bytes) -> str:
    return lane.decode("utf-8", "backslashreplace")
