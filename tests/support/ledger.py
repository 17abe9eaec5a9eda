"""Ledgers to test with: one suite, over SQLite and PostgreSQL, with a clock that only tests move."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import psycopg
import pytest

from bellhop.ledger.records import (
    Booking,
    Claim,
    Claimed,
    Entry,
    EntryState,
    NewLetter,
    Refused,
    Settlement,
    State,
    VendorCall,
)
from bellhop.ledger.store import Ledger
from bellhop.ledger.tables import metadata
from bellhop.schemas.asked import asked_of
from bellhop.schemas.envelope import Envelope, content_hash, encode
from bellhop.schemas.reasons import Reason
from bellhop.schemas.settings.floods import FloodLimits

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
LEASE = 60.0
BOOK_A_SLOT = VendorCall(
    "sb",
    "book",
    {"event_id": "1", "unit_id": "3", "date": "2027-05-10", "time": "09:15:00", "count": 1},
    repeatable=False,
)
"""As SimplyBook.me's handler marks it."""
BOOK = VendorCall("sb", "book", {"slot": "a"}, repeatable=False)


class Clock:
    """Stands still until a test moves it."""

    def __init__(self) -> None:
        self.time = NOON

    def __call__(self) -> datetime:
        return self.time

    def advance(self, **by: float) -> None:
        self.time += timedelta(**by)


OpenLedger = Callable[..., Ledger]


BACKENDS: Final = ("sqlite", "postgresql")
POOLED: Final = (*BACKENDS, "pgbouncer")
"""Also PostgreSQL behind a pooler in transaction mode."""


@pytest.fixture(params=BACKENDS)
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database of its own without any tables."""
    yield from without_tables(request, tmp_path)


def without_tables(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/ledger.db"
        return
    server: str = request.getfixturevalue("postgres_url")
    name = f"ledger_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        front: str = server if request.param == "postgresql" else request.getfixturevalue("pgbouncer_url")
        yield front.rsplit("/", 1)[0] + f"/{name}"
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@cache
def _without_a_row() -> bytes:
    with TemporaryDirectory() as folder:
        Ledger.open(f"sqlite:///{folder}/ledger.db", keep_seconds=1).close()
        return Path(folder, "ledger.db").read_bytes()


def sqlite_ledger(folder: Path) -> str:
    """The URL of the folder's ledger: the one that is there, or else one without a row. That is a copy, as every test
    that ran the migrations anew would wait for them, and each process that runs them imports Alembic."""
    file = folder / "ledger.db"
    if not file.exists():
        file.touch(mode=0o600)  # as Bellhop makes it
        file.write_bytes(_without_a_row())
    return f"sqlite:///{file}"


@pytest.fixture(scope="session")
def postgres_ledger(postgres_url: str) -> str:
    """A ledger to be emptied for each test, as making a database takes longer than most of them."""
    Ledger.open(postgres_url, keep_seconds=1).close()
    return postgres_url


@pytest.fixture(params=BACKENDS)
def ledger_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database of the test's own with the ledger's tables and not a row in them."""
    return without_rows(request, tmp_path)


def without_rows(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return sqlite_ledger(tmp_path)
    url: str = request.getfixturevalue("postgres_ledger")
    with psycopg.connect(url, autocommit=True) as connection:
        # A child that a test killed may still hold locks here.
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid() AND state <> 'idle'"
        )
        # TRUNCATE makes and removes some two hundred files, which takes longer than most of the tests.
        sequences = connection.execute("SELECT sequencename FROM pg_sequences WHERE schemaname = 'public'").fetchall()
        emptied = [f"DELETE FROM {table}" for table in metadata.tables]
        connection.execute("; ".join(emptied + [f"ALTER SEQUENCE {name} RESTART" for (name,) in sequences]))
    front: str = url if request.param == "postgresql" else request.getfixturevalue("pgbouncer_url")
    return front


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def open_ledger(ledger_url: str, clock: Clock) -> Iterator[OpenLedger]:
    """Opens ledgers on one database, as several processes would."""
    with ExitStack() as opened:

        def open_one(*, second_approver: bool = False) -> Ledger:
            ledger = Ledger.open(ledger_url, keep_seconds=90 * 86400, second_approver=second_approver, now=clock)
            opened.callback(ledger.close)
            return ledger

        yield open_one


@pytest.fixture
def ledger(open_ledger: OpenLedger) -> Ledger:
    return open_ledger()


@pytest.fixture
def strict(open_ledger: OpenLedger) -> Ledger:
    """With the rule that another person must approve an edit."""
    return open_ledger(second_approver=True)


def event(
    id_: str = "e-1",
    kind: str = "booking.requested",
    *,
    subject: str = "R-1",
    at: float = 0.0,
    data: Mapping[str, Any] | None = None,
    generation: int = 0,
    not_after: datetime | None = None,
    source: str = "crm",
) -> Envelope:
    """An envelope; `at` is its time, in seconds after noon."""
    is_booking = kind.startswith("booking.")
    content = {"booking_id" if is_booking else "member_id": subject, **(data or {})}
    time = NOON + timedelta(seconds=at)
    return Envelope(
        id=id_,
        source=source,
        type=kind,
        subject=subject,
        route="bookings.simplybook" if is_booking else "members",
        account="sb",
        time=time,
        received=NOON,
        data=content,
        content_hash=content_hash(kind, time, content),
        not_after=not_after,
        generation=generation,
    )


def entry(vendor_id: str, state: EntryState = EntryState.CONFIRMED, **more: Any) -> Entry:
    return Entry(vendor_id, 0, "e-1", state, **{"account": "sb", **more})


def booking(*entries: Entry, cancelled: bool = False) -> Booking:
    return Booking("crm", "R-1", "sb", entries, cancelled=cancelled)


def claim(ledger: Ledger, envelope: Envelope, worker: str = "w-1") -> Claim:
    (answer,) = ledger.claim([envelope], worker, LEASE)
    return answer


def take(ledger: Ledger, envelope: Envelope, worker: str = "w-1") -> Claimed:
    answer = claim(ledger, envelope, worker)
    assert isinstance(answer, Claimed), answer
    return answer


def end(ledger: Ledger, envelope: Envelope, state: State, **more: Any) -> Claimed:
    """Claims and settles."""
    claimed = take(ledger, envelope)
    assert ledger.settle([Settlement(claimed, envelope, state, **more)]) == []
    return claimed


def finish(ledger: Ledger, envelope: Envelope, **more: Any) -> Claimed:
    return end(ledger, envelope, State.DONE, applies=True, **more)


def die(ledger: Ledger, envelope: Envelope, reason: Reason = Reason.REJECTED, **more: Any) -> Claimed:
    return end(ledger, envelope, State.DEAD, reason=reason, detail="the vendor said no", **more)


def die_in_doubt(ledger: Ledger, envelope: Envelope, call: VendorCall = BOOK) -> None:
    claimed = ledger.calling(take(ledger, envelope), call, None, LEASE)
    ended = Settlement(claimed, envelope, State.DEAD, reason=Reason.IN_DOUBT, detail="nobody knows")
    assert ledger.settle([ended]) == []


def flood(ledger: Ledger, source: str = "crm", cancels: int = 3) -> list[Claim]:
    """Cancels of a source that may cancel one: all but the first are held."""
    ledger.floods.limits = {source: FloodLimits(cancels=1)}
    asked = [event(f"c-{n}", "booking.cancelled", subject=f"F-{n}", source=source) for n in range(cancels)]
    return ledger.claim(asked, "w-1", LEASE)


def conflict(ledger: Ledger) -> None:
    """A booking of a guest called Ada that stands, and the letter of another content of the same fact."""
    slots = [
        {"service_id": "1", "provider_id": "2", "start": f"2026-12-24T{hour}:00:00+00:00", "count": 1}
        for hour in (10, 11)
    ]
    told: dict[str, Any] = {
        "venue": "salon",
        "client": {"name": "Ada Lee", "email": "ada@example.com"},
        "services": slots[:1],
    }
    first = event("e-1", "booking.changed", data=told)
    made = entry("4711", asked=asked_of(first.type, told, slots[:1]))
    claimed = ledger.calling(take(ledger, first), BOOK, None, LEASE)
    stands = Settlement(claimed, first, State.DONE, applies=True, booking=booking(made))
    assert ledger.settle([stands]) == []
    other = {**told, "client": {**told["client"], "name": "Ada Low"}, "services": slots[1:]}
    second = event("e-2", "booking.changed", data=other)
    assert isinstance(claim(ledger, second), Refused)
    ledger.letters.archive([letter(second, Reason.CONFLICT)])


def letter(envelope: Envelope, reason: Reason = Reason.REJECTED, **more: Any) -> NewLetter:
    """The dead letter of an event."""
    return NewLetter(
        message_id=envelope.message_id,
        body=encode(envelope),
        route=envelope.route,
        reason=reason.value,
        error="the vendor said no",
        evidence={"answer": 400},
        attempts=1,
        died=NOON,
        source=envelope.source,
        event_id=envelope.id,
        type=envelope.type,
        subject=envelope.subject,
        account=envelope.account,
        generation=envelope.generation,
        **more,
    )
