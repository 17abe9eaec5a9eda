"""A ledger of many events on PostgreSQL beside an empty one: rates of claims and settlements, bytes, and pruning.

    make bench-ledger ARGS="--events 10000000"    on a PostgreSQL of its own, or --postgres URL: on that server

Both ledgers are databases of their own, made and dropped. The rates are taken in turns, a few batches here and a few
there, so that the machine's noise falls on both; then a tenth of the events is pruned, for two minutes at most, while
others are claimed. Ten million events take ten minutes to fill, and 12 GB. Exits with 1 where the rate is below 0.9 of
the empty ledger's.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import psycopg

from bellhop.drill.nodes.postgres import PostgresNode
from bellhop.ledger.records import Attempt, Claimed, Settlement, State
from bellhop.ledger.store import Ledger
from bellhop.schemas.clock import utc_now
from bellhop.schemas.envelope import Envelope, content_hash
from bellhop.schemas.routes import MEMBERS_ROUTE
from bench.letters import postgres
from bench.work import body

LEAST_RATIO: Final = 0.9
BATCH: Final = 50
ROUNDS: Final = 30
PRUNE_SECONDS: Final = 120.0
KEEP_DAYS: Final = 90
_CHUNK: Final = 250_000
_OLD_SHARE: Final = 10
TABLES: Final = ("events", "attempts", "event_words")

_FILL: Final = (
    # As many days back as are kept, the oldest first; every tenth is older, and goes when the ledger is pruned.
    """
    INSERT INTO events (pk, source, event_id, content_hash, business_key, type, subject, route, account, time, received,
        state, detail, reason, generation, claimed_by, claim_token, claim_until, calling_token, attempts, updated)
    SELECT n, 'crm', 'old-' || n, sha256(n::text::bytea)::text, 'crm/' || n || '/member.updated', 'member.updated',
        n::text, 'members', 'pv', at, at, 'done', 'synchronised', '', 0, 'w', 1, at, 0, 1, at
    FROM (SELECT n, %(now)s - CASE WHEN n %% %(share)s = 0 THEN %(keep)s + 1000000
        ELSE (%(keep)s::numeric * (%(count)s - n) / %(count)s)::bigint END AS at
        FROM generate_series(%(first)s::bigint, %(last)s) AS n) AS old
    """,
    """
    INSERT INTO attempts (event_pk, method, started, seconds, outcome, error, request, answer)
    SELECT n, 'sync_member', %(now)s, 0.3, 'ok', '', '{"member_id": "1000000"}', '{"detail": "synchronised"}'
    FROM generate_series(%(first)s::bigint, %(last)s) AS n
    """,
    """
    INSERT INTO event_words (word, event_pk)
    SELECT hashint8extended(n * 8 + word, 1), n
    FROM generate_series(%(first)s::bigint, %(last)s) AS n, generate_series(1, 5) AS word
    """,
)
"""Words are numbers without order, as hashes are: their index is what a large ledger is written to at random."""
_LEAVE_INDEXES: Final = """
    UPDATE pg_index SET indisready = false WHERE indrelid IN (SELECT oid FROM pg_class WHERE relname = ANY(%s))
"""
_LEFT: Final = """
    SELECT relname FROM pg_class JOIN pg_index ON indrelid = pg_class.oid WHERE relname = ANY(%s) AND NOT indisready
"""


def fill(url: str, count: int) -> None:
    """Up to `count` events, on from what is there: a chunk is a transaction. No index is kept meanwhile; made anew at
    the end they take a quarter of the time."""
    now = int(utc_now().timestamp() * 1_000_000)
    told = {"now": now, "count": count, "keep": KEEP_DAYS * 86400 * 1_000_000, "share": _OLD_SHARE}
    with psycopg.connect(_plain(url), autocommit=True) as connection:
        filled = _filled(connection)
        if filled < count:
            connection.execute(_LEAVE_INDEXES, [list(TABLES)])
        for first in range(filled + 1, count + 1, _CHUNK):
            last = min(first + _CHUNK - 1, count)
            with connection.transaction():
                for statement in _FILL:
                    connection.execute(statement, {**told, "first": first, "last": last})
                connection.execute("SELECT setval(pg_get_serial_sequence('events', 'pk'), %s)", [last])
            print(f"{last:,} events", file=sys.stderr, flush=True)
        connection.execute("SET maintenance_work_mem = '512MB'")
        for table in {table for (table,) in connection.execute(_LEFT, [list(TABLES)])}:
            connection.execute(f"REINDEX TABLE {table}")
            connection.execute(f"VACUUM ANALYZE {table}")
        connection.execute("CHECKPOINT")


def _filled(connection: psycopg.Connection[tuple[Any, ...]]) -> int:
    """How many events it has: what a run left that was ended in the middle, the next one goes on from."""
    found = connection.execute("SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM events_pk_seq").fetchone()
    return int(found[0]) if found else 0


def _plain(url: str) -> str:
    return url.replace("postgresql+psycopg", "postgresql")


def events(first: int) -> Iterator[Envelope]:
    for number in itertools.count(first):
        told, now = body(number), utc_now()
        yield Envelope(
            id=f"new-{number}",
            source="crm",
            type=told["type"],
            subject=told["data"]["member_id"],
            route=MEMBERS_ROUTE,
            account="pv",
            time=now,
            received=now,
            data=told["data"],
            content_hash=content_hash(told["type"], now, told["data"]),
        )


def work(ledger: Ledger, envelopes: Sequence[Envelope]) -> float:
    """Seconds from the claim of a batch to its settlement."""
    began = time.perf_counter()
    claims = ledger.claim(envelopes, "bench", 60)
    tried = (Attempt("sync_member", utc_now(), 0.3, "ok", "", {"detail": "synchronised"}, {"member_id": "1"}),)
    ledger.settle(
        [
            Settlement(claim, envelope, State.DONE, "synchronised", attempts=tried)
            for claim, envelope in zip(claims, envelopes, strict=True)
            if isinstance(claim, Claimed)
        ]
    )
    return time.perf_counter() - began


def rates(ledgers: Sequence[Ledger], source: Iterator[Envelope]) -> list[float]:
    """Events a second of each, the median of its batches, which are taken in turns."""
    took: list[list[float]] = [[] for _ in ledgers]
    for number in range(ROUNDS + 5):
        for ledger, times in zip(ledgers, took, strict=True):
            seconds = work(ledger, list(itertools.islice(source, BATCH)))
            if number >= 5:  # plans and pages are cold before
                times.append(seconds)
    return [BATCH / statistics.median(times) for times in took]


def prune_beside(ledger: Ledger, url: str, source: Iterator[Envelope]) -> tuple[int, float, list[float]]:
    """How many events were pruned, within how many seconds, and what batches of claims took meanwhile."""
    took: list[float] = []
    pruning = threading.Thread(target=ledger.prune, daemon=True)
    began, before = time.perf_counter(), _deleted(url)
    pruning.start()
    while pruning.is_alive() and time.perf_counter() - began < PRUNE_SECONDS:
        took.append(work(ledger, list(itertools.islice(source, BATCH))))
    seconds = time.perf_counter() - began
    time.sleep(1)  # the server counts a little late
    return _deleted(url) - before, seconds, took


def _deleted(url: str) -> int:
    with psycopg.connect(_plain(url)) as connection:
        found = connection.execute("SELECT n_tup_del FROM pg_stat_user_tables WHERE relname = 'events'").fetchone()
        return int(found[0]) if found else 0


def sizes(url: str) -> dict[str, int]:
    """Bytes by table, with its indexes."""
    asked = "SELECT relname, pg_total_relation_size(oid) FROM pg_class WHERE relname = ANY(%s) AND relkind = 'r'"
    with psycopg.connect(_plain(url)) as connection:
        return dict(connection.execute(asked, [list(TABLES)]).fetchall())


def measure(server: str, count: int, kept: str | None) -> bool:
    """Prints what is found; whether the rate is near the empty ledger's."""
    with ExitStack() as opened:
        urls = [opened.enter_context(postgres(server)), kept or opened.enter_context(postgres(server))]
        empty, full = (
            Ledger.open(url, keep_seconds=KEEP_DAYS * 86400, keep_payload_seconds=None, now=utc_now) for url in urls
        )
        opened.callback(empty.close)
        opened.callback(full.close)
        began = time.perf_counter()
        fill(urls[1], count)
        print(f"{count:,} events filled in {time.perf_counter() - began:.0f} s", flush=True)
        found, source = sizes(urls[1]), events(time.time_ns())
        each = {table: f"{size / count:,.0f}" for table, size in sorted(found.items())}
        print(f"bytes an event: {each}, {sum(found.values()) / count:,.0f} in all", flush=True)
        bare, rate = rates((empty, full), source)
        print(f"claimed and settled a second: {rate:,.0f}, empty {bare:,.0f}: {rate / bare:.2f} x", flush=True)
        alone = statistics.median(work(full, list(itertools.islice(source, BATCH))) for _ in range(ROUNDS))
        gone, seconds, took = prune_beside(full, urls[1], source)
        print(
            f"pruned {gone:,} events in {seconds:.0f} s ({gone / seconds:,.0f}/s); a batch of {BATCH} claims meanwhile "
            f"took {1000 * statistics.median(took):.0f} ms, at most {1000 * max(took):.0f} ms; alone "
            f"{1000 * alone:.0f} ms"
        )
        return rate >= LEAST_RATIO * bare


def main() -> int:
    parser = argparse.ArgumentParser(description="Measures a large ledger beside an empty one.")
    parser.add_argument("--events", type=int, default=10_000_000)
    parser.add_argument("--postgres", metavar="URL", help="a server to make databases on; else one of its own")
    parser.add_argument("--ledger", metavar="URL", help="with --postgres: the large ledger, which stays filled")
    given = parser.parse_args()
    if given.postgres:
        return 0 if measure(given.postgres, given.events, given.ledger) else 1
    with tempfile.TemporaryDirectory(prefix="bellhop-", dir="/tmp") as folder:  # short: a socket's path has 107 bytes
        node = PostgresNode.start(Path(folder))
        try:
            return 0 if measure(node.url, given.events, None) else 1
        finally:
            node.destroy()


if __name__ == "__main__":
    sys.exit(main())
