"""A hundred thousand dead letters in the archive: how long people wait for a list, a grouping and a search.

`python -m bench.letters [--letters N] [--postgres URL]`: SQLite in a temporary folder, and PostgreSQL where a URL is
given (a database of its own is made and dropped). Prints the median and the worst of several asks, in milliseconds,
and exits with 1 where a median is over the limit.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import psycopg

from bellhop.ledger.records import Claimed, LetterFilter, LetterState, NewLetter, Order, Settlement, State
from bellhop.ledger.store import Ledger
from bellhop.schemas.envelope import Envelope, content_hash, encode
from bellhop.schemas.reasons import Reason

LIMIT_MS = 200.0
ASKS = 9
CHUNK = 1000
REASONS = ("rejected", "rejected", "rejected", "exhausted", "auth", "in_doubt", "too_late", "unsupported")
ERRORS = (
    "simplybook book: Selected time start is not available (-32054)",
    "simplybook book: Client email value is wrong (-32062)",
    "peoplevine sync_member: Member not found",
    "every retry was tried; last: peoplevine create_service_reservation: no answer in time",
    "simplybook getToken: Wrong API key (-33002)",
    "Peoplevine's API has no cancel: cancel reservation {n} in Peoplevine by hand, then discard this",
)
NAMES = ("Ada Lee", "Zoë Brown", "Mohammed Ali", "Li Xiaolong", "Ines Costa")


def letters(count: int, now: datetime) -> Iterator[tuple[Envelope, NewLetter]]:
    """As a club's worst month would leave them, each with its event."""
    for n in range(count):
        start = now + timedelta(minutes=n % 20_000 - 5_000)
        data = {
            "booking_id": f"R-{n}",
            "venue": "salon",
            "client": {"name": NAMES[n % len(NAMES)], "email": f"guest{n}@example.test"},
            "services": [{"service_id": "7", "provider_id": str(n % 64), "start": start.isoformat()}],
        }
        event = Envelope(
            id=f"event-{n}",
            source=f"crm-{n % 3}",
            type="booking.requested",
            subject=f"R-{n}",
            route="bookings.simplybook",
            account=f"account-{n % 4}",
            time=now,
            received=now,
            data=data,
            content_hash=content_hash("booking.requested", now, data),
            not_after=start,
        )
        letter = NewLetter(
            message_id=event.message_id,
            body=encode(event),
            route=event.route,
            reason=REASONS[n % len(REASONS)],
            error=ERRORS[n % len(ERRORS)].format(n=n),
            evidence={"attempts": [{"method": "book", "error": "no", "started": now.isoformat()}] * 3, "answer": None},
            attempts=3,
            died=now - timedelta(seconds=n),
            source=event.source,
            event_id=event.id,
            type=event.type,
            subject=event.subject,
            account=event.account,
            not_after=event.not_after,
        )
        yield event, letter


def fill(ledger: Ledger, count: int) -> None:
    everything = letters(count, datetime.now(UTC))
    while batch := list(itertools.islice(everything, CHUNK)):
        claims = ledger.claim([event for event, _ in batch], "bench", 600)
        ends = [
            Settlement(claim, event, State.DEAD, detail=letter.error, reason=Reason(letter.reason))
            for claim, (event, letter) in zip(claims, batch, strict=True)
            if isinstance(claim, Claimed)
        ]
        if len(ends) < len(batch):
            sys.exit(f"{len(batch) - len(ends)} of the bench's own events could not be claimed")
        ledger.settle(ends)
        ledger.letters.archive([letter for _, letter in batch])


def asks(ledger: Ledger, count: int) -> dict[str, Callable[[], object]]:
    """What the screens ask."""
    desk, waiting = ledger.letters, (LetterState.OPEN, LetterState.REPLAYING)
    everything = LetterFilter(states=waiting)
    one = f"guest{count // 2}@example.test"
    return {
        "list, the newest": lambda: desk.page(everything, Order.NEWEST, 50),
        "list, the most urgent": lambda: desk.page(everything, Order.URGENT, 50),
        "list, of a reason and an account": lambda: desk.page(
            LetterFilter(states=waiting, reason="auth", account="account-0"), Order.NEWEST, 50
        ),
        "group by cause": lambda: ledger.causes.find(everything, 50),
        "group by reason": lambda: desk.by_reason(everything),
        "count": lambda: desk.count(everything),
        "search an address": lambda: desk.page(LetterFilter(states=waiting, text=one), Order.NEWEST, 50),
        "search a name and a word": lambda: desk.page(
            LetterFilter(states=waiting, text="zoë available"), Order.NEWEST, 50
        ),
        "search what is nowhere": lambda: desk.page(LetterFilter(states=waiting, text="nobody"), Order.NEWEST, 50),
        "find a reference": lambda: ledger.find_events(f"R-{count // 2}", 50),
        "find a guest by an address": lambda: ledger.find_events(one, 50),
        "find a guest by a name many have": lambda: ledger.find_events("Zoe Brown", 50),
        "find who is nowhere": lambda: ledger.find_events("Nobody Whoever", 50),
    }


def measure(name: str, ledger: Ledger, count: int) -> bool:
    """Whether every median is within the limit."""
    began = time.perf_counter()
    fill(ledger, count)
    print(f"{name}: {count} letters archived in {time.perf_counter() - began:.0f} s")
    good = True
    for what, ask in asks(ledger, count).items():
        ask()
        times = []
        for _ in range(ASKS):
            began = time.perf_counter()
            ask()
            times.append((time.perf_counter() - began) * 1000)
        median = statistics.median(times)
        good = good and median <= LIMIT_MS
        mark = "" if median <= LIMIT_MS else f"  over {LIMIT_MS:g} ms"
        print(f"  {what:36} {median:7.1f} ms  worst {max(times):7.1f} ms{mark}")
    return good


@contextmanager
def postgres(url: str) -> Iterator[str]:
    """A database of its own on the server."""
    name = f"bench_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        try:
            yield url.rsplit("/", 1)[0] + f"/{name}"
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--letters", type=int, default=100_000)
    parser.add_argument("--postgres", metavar="URL")
    given = parser.parse_args()
    good = True
    with tempfile.TemporaryDirectory() as folder:
        ledger = Ledger.open(f"sqlite:///{folder}/ledger.db", keep_seconds=90 * 86400)
        good = measure("SQLite", ledger, given.letters) and good
        ledger.close()
    if given.postgres:
        with postgres(given.postgres) as url:
            ledger = Ledger.open(url, keep_seconds=90 * 86400)
            good = measure("PostgreSQL", ledger, given.letters) and good
            ledger.close()
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
