"""The ledger's database: opening it, its transactions, and the border behind which no driver's exception is seen."""

from __future__ import annotations

import fcntl
import hashlib
import os
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import (
    DBAPIError,
    InterfaceError,
    InternalError,
    InvalidatePoolError,
    OperationalError,
    SQLAlchemyError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeout

from bellhop.ledger import driver
from bellhop.ledger.sqlite_file import WAIT_SECONDS, sqlite_engine
from bellhop.schemas.errors import LedgerError, LedgerUnavailable

CONNECTIONS: Final = 16
"""To PostgreSQL, where the settings say nothing else."""
_LONGEST_WAY_SECONDS: Final = 0.02

_POSTGRES_BEGIN: Final = "; ".join(
    (
        "BEGIN ISOLATION LEVEL READ COMMITTED",
        f"SET LOCAL lock_timeout = '{WAIT_SECONDS:g}s'",
        # A process that hangs inside a transaction must not keep its locks for ever.
        "SET LOCAL idle_in_transaction_session_timeout = '60s'",
        # A plan kept from when the tables were empty reads them whole: a seventh of the claims, until the next ANALYZE.
        "SET LOCAL plan_cache_mode = force_custom_plan",
    )
)
"""One message. Each transaction brings its settings along: a pooler gives it any session, and PgBouncer refuses those
that a connection would begin with."""
_MIGRATIONS: Final = Path(__file__).parent / "migrations"
_NEWEST: Final = max(path.name.partition("_")[0] for path in (_MIGRATIONS / "versions").glob("[0-9]*_*.py"))
_MIGRATION_LOCK: Final = 0x62656C6C686F70  # "bellhop": of the whole database, so no event's lock can be meant
_UNAVAILABLE: Final = (OperationalError, InterfaceError, InternalError, PoolTimeout)

_LOCK: Final = "SELECT count(pg_advisory_xact_lock(k)) FROM unnest(%s::bigint[]) AS k"
_LOCK_MIGRATION: Final = sa.text(f"SELECT pg_advisory_xact_lock({_MIGRATION_LOCK})")


class Database:
    """A database with its tables made. Safe from any thread. Make one after forking, never before."""

    def __init__(self, url: str, connections: int = CONNECTIONS) -> None:
        """Opens `url`, makes what is missing. connections: to PostgreSQL, at most. Raises LedgerUnavailable, or
        LedgerError saying what to do."""
        self._engine = _engine(_parse_url(url), connections)
        self._writer = self._engine.execution_options(bellhop_writes=True)
        self._lite = self._engine.dialect.name == "sqlite"
        # SQLite's own waiting sleeps, up to 100 ms at a time; threads of one process need not.
        self._turn = threading.Lock()
        try:
            with wrap_errors():
                self._migrate()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        self._engine.dispose()

    @property
    def description(self) -> str:
        """The database and, for SQLite, its journal mode, as an operator would name them."""
        with self.read() as connection:
            if self._lite:
                version = connection.scalar(sa.func.sqlite_version().select())
                return f"SQLite {version}, journal {connection.exec_driver_sql('PRAGMA journal_mode').scalar()}"
            return f"PostgreSQL {connection.exec_driver_sql('SHOW server_version').scalar()}"

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """A connection to read with. Raises LedgerUnavailable."""
        with wrap_errors(), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def write(self, keys: Iterable[str] = ()) -> Iterator[sa.Connection]:
        """A transaction, committed at the end. Raises LedgerUnavailable, or LedgerError.

        SQLite has one writer at a time. On PostgreSQL no two transactions that name a common key run at once; after
        its keys a transaction must lock rows of `events` in the order of their numbers, or two could wait in a ring.
        """
        if not self._lite:
            with wrap_errors(), self._writer.begin() as connection:
                if locks := sorted({_lock(key) for key in keys}):
                    driver.run_text(connection, _LOCK, [f"{{{','.join(map(str, locks))}}}"])
                yield connection
            return
        if not self._turn.acquire(timeout=WAIT_SECONDS):
            raise LedgerUnavailable(f"the ledger was locked by this process for more than {WAIT_SECONDS:g} s")
        try:
            with wrap_errors(), self._writer.begin() as connection:
                yield connection
        finally:
            self._turn.release()

    @property
    def has_one_writer(self) -> bool:
        """Whether nobody else can write while a transaction that writes is open."""
        return self._lite

    def make_way(self, seconds: float) -> None:
        """Between two of many transactions, the last of which took so long: where there is one writer the others have
        their turn, who look whether it is theirs up to a hundredth of a second apart."""
        if self._lite:
            time.sleep(min(seconds, _LONGEST_WAY_SECONDS))

    def checkpoint(self) -> None:
        """Empties SQLite's log of changes, which has what was there before, into its file; not where somebody reads on
        for more than a second, as nobody can write meanwhile."""
        if not self._lite:
            return
        with wrap_errors(), self._engine.connect() as connection:
            driver: Any = connection.connection.driver_connection
            driver.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()  # the most of it, while others write
            driver.execute("PRAGMA busy_timeout=1000")
            driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            driver.execute(f"PRAGMA busy_timeout={int(WAIT_SECONDS * 1000)}")

    def insert(self, table: sa.Table) -> postgresql.Insert | sqlite.Insert:
        """An INSERT that knows ON CONFLICT, in the database's own dialect."""
        return sqlite.insert(table) if self._lite else postgresql.insert(table)

    def _migrate(self) -> None:
        with self._alone():
            with self._engine.begin() as connection:
                if _revision(connection) == _NEWEST:
                    return
            # Loaded where it has something to do: it takes a quarter of the time in which a command starts.
            from bellhop.ledger.upgrade import upgrade

            with self._writer.begin() as connection:
                if not self._lite:
                    connection.execute(_LOCK_MIGRATION)
                upgrade(connection, _MIGRATIONS, _revision(connection))

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keeps other processes from opening a SQLite file while it is made: switching it to WAL does not wait its
        turn. The lock is beside the file: closing the file itself would drop SQLite's own locks on it."""
        file = self._engine.url.database
        if not self._lite or not file:
            yield
            return
        handle = os.open(f"{file}.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)


@contextmanager
def wrap_errors() -> Iterator[None]:
    """Turns SQLAlchemy's exceptions into the ledger's. Only a driver's first line is told: later ones quote values."""
    try:
        yield
    except SQLAlchemyError as error:
        inner = str(error.orig) if isinstance(error, DBAPIError) else str(error)
        text = f"the ledger's database: {(inner.splitlines() or [type(error).__name__])[0]}"
        lost = isinstance(error, DBAPIError) and error.connection_invalidated
        raise (LedgerUnavailable if lost or isinstance(error, _UNAVAILABLE) else LedgerError)(text) from error


def _revision(connection: sa.Connection) -> str | None:
    """The migration that the tables are at; None where there are none yet."""
    if not connection.dialect.has_table(connection, "alembic_version"):
        return None
    found: str | None = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    return found


def _lock(key: str) -> int:
    return int.from_bytes(hashlib.blake2b(key.encode(), digest_size=8).digest(), "big", signed=True)


def _parse_url(url: str) -> sa.URL:
    try:
        parsed = sa.make_url(url)
    except (SQLAlchemyError, ValueError):
        raise LedgerError("ledger.url cannot be read: see docs for examples of sqlite: and postgresql: URLs") from None
    kind = parsed.drivername
    if kind == "sqlite":
        if not parsed.database or parsed.database == ":memory:":
            raise LedgerError("ledger.url names no file: write sqlite:///var/ledger.db")
        return parsed
    if kind in ("postgresql", "postgresql+psycopg"):
        return parsed.set(drivername="postgresql+psycopg")
    raise LedgerError(f"ledger.url starts with {kind}: it must be sqlite or postgresql")


def _engine(url: sa.URL, connections: int) -> sa.Engine:
    return _postgres(url, connections) if url.get_backend_name() == "postgresql" else sqlite_engine(url)


def _postgres(url: sa.URL, connections: int) -> sa.Engine:
    """Nothing in it outlives a transaction, so that it works through a pooler in transaction mode, too. A thread never
    has two connections, so those that wait for one wait in no ring; and each is kept, as a server starts a process for
    a new one."""
    engine = sa.create_engine(
        url,
        pool_size=connections,
        max_overflow=0,
        pool_timeout=WAIT_SECONDS,
        hide_parameters=True,
        connect_args={
            "connect_timeout": int(WAIT_SECONDS),
            "autocommit": True,  # transactions are begun below; the driver must not begin its own
        },
    )

    @sa.event.listens_for(engine, "connect")
    def see_pooler(connection: Any, _record: object) -> None:
        """What is prepared is a session's, and a pooler gives out any."""
        if _is_pooled(connection):
            connection.prepare_threshold = None

    @sa.event.listens_for(engine, "checkout")
    def begin(connection: Any, record: Any, _pooled: object) -> None:
        """A connection that broke while it was idle is told by its transaction's first words: another one is begun."""
        is_new = "is_used" not in record.info  # what is known of a connection goes with it
        record.info["is_used"] = True
        try:
            connection.execute(_POSTGRES_BEGIN)
        except connection.Error:
            if is_new:
                raise
            # The pool opens another, and does so for all of its age: of a host that is gone each would be waited for.
            raise InvalidatePoolError from None

    return engine


def has_pooler(url: str) -> bool:
    """Whether a pooler stands before the ledger's database. Raises LedgerError."""
    engine = _engine(_parse_url(url), 1)
    try:
        with wrap_errors(), engine.connect() as connection:
            return _is_pooled(connection.connection.driver_connection)
    finally:
        engine.dispose()


def _is_pooled(connection: Any) -> bool:
    """connection: the driver's. A pooler cannot tell a client whose session it will get: it stands between where the
    server's process is another than the one that was told when connecting."""
    (pid,) = connection.execute("SELECT pg_backend_pid()").fetchone()
    return bool(pid != connection.info.backend_pid)
