"""A connection to the embedded broker's file: making it, its journal, its schema, its transactions and errors."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from bellhop.schemas.errors import BrokerError, BrokerUnavailable, PublishUnconfirmed
from bellhop.schemas.sqlite_library import VERSION, sqlite, wal_is_safe
from bellhop.schemas.sqlite_turn import begin_writing

SCHEMA_VERSION: Final = 2
OLDEST: Final = (3, 35, 0)
"""Of SQLite, the first with RETURNING."""

# AUTOINCREMENT: a seq given twice would let the ack of a message long settled delete a new one.
_SCHEMA: Final = (
    """
    CREATE TABLE messages (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        queue TEXT NOT NULL,
        id TEXT NOT NULL,
        headers TEXT NOT NULL,
        enqueued REAL NOT NULL,
        due REAL,
        owner TEXT,
        lease_until REAL,
        token INTEGER NOT NULL DEFAULT 0,
        deliveries INTEGER NOT NULL DEFAULT 0,
        body BLOB NOT NULL
    )
    """,
    "CREATE INDEX messages_ready ON messages (queue, seq) WHERE due IS NULL AND owner IS NULL",
    "CREATE INDEX messages_delayed ON messages (queue, due) WHERE due IS NOT NULL",
    "CREATE INDEX messages_leased ON messages (queue, owner, lease_until) WHERE owner IS NOT NULL",
)

_LANES: Final = (
    "ALTER TABLE messages ADD COLUMN lane TEXT NOT NULL DEFAULT ''",
    "DROP INDEX messages_ready",
    "CREATE INDEX messages_ready ON messages (queue, lane, seq) WHERE due IS NULL AND owner IS NULL",
)

_STEPS: Final = (_SCHEMA, _LANES)
"""What makes of each version the next. What waited before there were lanes waits in the common one."""


# SQLite keeps what it knows of a file's locks per process, and a fork copies that: a child that opens, even anew, what
# its parent had open believes that it holds the parent's locks, and both overwrite each other's commits.
_open: set[DatabaseFile] = set()
_forbidden: set[Path] = set()
"""The files this process must not open, for its parent had them open when it forked."""


def _after_fork() -> None:
    _forbidden.update(file.path for file in _open)


os.register_at_fork(after_in_child=_after_fork)


class FileBusy(BrokerUnavailable):
    """Raised when another connection held the write lock for longer than this one waits. Nothing was written."""


class DatabaseFile:
    """One connection, for one thread at a time. Makes the file and its folders where they are missing.

    `synced`: every commit is on disk before it returns. Without it a power cut may undo the latest commits, but never
    harms the file in WAL mode; elsewhere it could, and every commit is synced anyway.

    Raises BrokerUnavailable (Busy where trying again is enough), BrokerError where no trying again will help.
    """

    def __init__(self, path: Path, *, synced: bool, busy_seconds: float) -> None:
        if VERSION < OLDEST:
            raise BrokerError(f"SQLite {sqlite.sqlite_version} is too old: install pysqlite3")
        self.path = path
        self._busy_seconds = busy_seconds
        self._pid = os.getpid()
        self._check_process()
        _make(path)
        _open.add(self)  # before it is, for another thread may fork at any time
        try:
            with self._translate_errors():
                self.connection: Any = sqlite.connect(
                    path, timeout=busy_seconds, isolation_level=None, check_same_thread=False
                )
        except BrokerError:
            _open.discard(self)
            raise
        try:
            self._identity = _identity(path)
            with self._translate_errors():
                self._set_journal(busy_seconds)
                sync = "FULL" if synced or not wal_is_safe(VERSION) else "NORMAL"
                self.connection.execute(f"PRAGMA synchronous = {sync}")
                self.connection.execute("PRAGMA secure_delete = ON")  # guests are in no free page
                self._set_schema()
        except BrokerError:
            self.close()
            raise

    def close(self) -> None:
        self.connection.close()
        _open.discard(self)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """A transaction. Raises PublishUnconfirmed when it cannot be told whether it was committed."""
        self._check_file()
        with self._translate_errors():
            begin_writing(self.connection, self.connection.execute, sqlite.OperationalError, self._busy_seconds)
            try:
                yield
            except BaseException:
                self._roll_back()
                raise
        try:
            self.connection.execute("COMMIT")
        except sqlite.Error as error:
            self._roll_back()
            if _is_busy(error):  # somebody reads, and the journal is not a WAL
                raise FileBusy(f"broker file {self.path}: {error}") from error
            raise PublishUnconfirmed(f"broker file {self.path}: the commit failed: {error}") from error

    @contextmanager
    def reading(self) -> Iterator[None]:
        """A transaction whose reads all see the same state."""
        with self._translate_errors():
            self.connection.execute("BEGIN")
            try:
                yield
            finally:
                self._roll_back()

    def read(self, sql: str, parameters: Mapping[str, object]) -> list[Any]:
        """All rows at once: a statement left half read would keep the log from being cut."""
        self._check_file()
        with self._translate_errors():
            return list(self.connection.execute(sql, parameters).fetchall())

    @contextmanager
    def _translate_errors(self) -> Iterator[None]:
        """SQLite's errors as the port's."""
        try:
            yield
        except sqlite.Error as error:
            kind = FileBusy if _is_busy(error) else BrokerUnavailable
            raise kind(f"broker file {self.path}: {error}") from error

    def _check_file(self) -> None:
        self._check_process()
        # A file that was deleted or replaced still takes what is written, and nobody would ever read it.
        if self._identity is None or _identity(self.path) != self._identity:
            raise BrokerUnavailable(f"broker file {self.path} was deleted or replaced while in use")

    def _check_process(self) -> None:
        if self.path in _forbidden or self._pid != os.getpid():
            raise BrokerError(
                f"broker file {self.path} was open in this process's parent when it forked: fork before the broker is "
                "used, or start the process anew"
            )

    def _roll_back(self) -> None:
        try:
            if self.connection.in_transaction:
                self.connection.execute("ROLLBACK")
        except sqlite.Error:
            self.connection.close()  # which rolls back

    def _set_journal(self, busy_seconds: float) -> None:
        wanted = "wal" if wal_is_safe(VERSION) else "truncate"
        deadline = time.monotonic() + busy_seconds
        while self._journal() != wanted:  # WAL is kept in the file, any other mode is the connection's own
            try:
                self.connection.execute(f"PRAGMA journal_mode = {wanted}").fetchall()
                break
            except sqlite.OperationalError as error:
                # The change needs the file for itself, and SQLite's own busy time-out does not always cover it.
                if not _is_busy(error) or time.monotonic() >= deadline:
                    raise
                time.sleep(0.01)
        if (found := self._journal()) != wanted:
            raise BrokerError(f"broker file {self.path}: its journal is {found}, and cannot be made {wanted}")

    def _journal(self) -> str:
        return str(self.connection.execute("PRAGMA journal_mode").fetchall()[0][0])

    def _set_schema(self) -> None:
        if self._version() == SCHEMA_VERSION:
            return
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            version = self._version()  # again, for another process may have been quicker
            if version > SCHEMA_VERSION:
                raise BrokerError(
                    f"broker file {self.path} is of a newer Bellhop (schema {version}, this one knows up to "
                    f"{SCHEMA_VERSION}): run that one, or name another file"
                )
            if version == 0 and self.connection.execute("SELECT 1 FROM sqlite_master").fetchall():
                raise BrokerError(f"broker file {self.path} is another program's database: name another file")
            for statement in (statement for step in _STEPS[version:] for statement in step):
                self.connection.execute(statement)
            self.connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
            self.connection.execute("COMMIT")
        finally:
            self._roll_back()

    def _version(self) -> int:
        return int(self.connection.execute("PRAGMA user_version").fetchall()[0][0])


def _make(path: Path) -> None:
    """Makes the file and the folders above it where missing, for this user only."""
    try:
        for folder in reversed(path.parents):
            if not folder.exists():
                folder.mkdir(mode=0o700, exist_ok=True)
        if not path.exists():
            _make_file(path)
    except OSError as error:
        raise BrokerUnavailable(f"broker file {path} cannot be made: {error.strerror}") from error


def _make_file(path: Path) -> None:
    # Made and closed under another name: closing a file drops every lock this process holds on it, and so would
    # take away those of a connection that another thread has just opened (sqlite.org/howtocorrupt.html, 2.2).
    descriptor, draft = tempfile.mkstemp(prefix=path.name, dir=path.parent)
    os.close(descriptor)
    try:
        os.link(draft, path)
    except FileExistsError:
        return  # another process was quicker
    finally:
        os.unlink(draft)
    folder = os.open(path.parent, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(folder)  # or a power cut loses the file with all that was confirmed into it
    finally:
        os.close(folder)


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _is_busy(error: BaseException) -> bool:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite.SQLITE_BUSY, sqlite.SQLITE_LOCKED)
