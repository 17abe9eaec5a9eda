"""Copies of the ledger, by kept tools: SQLite's own backup API, PostgreSQL's pg_dump and pg_restore.

What if the process dies here? A copy that is not whole keeps its draft's name. A SQLite ledger that is put back has
been told so before it takes its place; PostgreSQL's right after it, so workers must not run meanwhile.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from contextlib import closing, suppress
from datetime import datetime
from pathlib import Path
from typing import Final

import sqlalchemy as sa

from bellhop.ledger.engine import has_pooler
from bellhop.ledger.store import Ledger
from bellhop.schemas.errors import LedgerError
from bellhop.schemas.sqlite_library import sqlite

SECONDS: Final = 3600.0
_VERSIONS: Final = re.compile(r" TABLE \S+ alembic_version ")

Open = Callable[[str], Ledger]


def backup(ledger: Ledger, url: str, file: Path, who: str) -> None:
    """A copy of the ledger as it is now, while it is at work. Raises LedgerError, saying what to do."""
    if file.exists():
        raise LedgerError(f"{file} is there already: name another file")
    ledger.restores.note_backup(who, file.name)
    draft = file.with_name(f"{file.name}.draft")
    parsed = sa.make_url(url)
    try:
        os.close(os.open(draft, os.O_CREAT | os.O_WRONLY, 0o600))  # guests' data is in it
        if parsed.get_backend_name() == "sqlite":
            _copy(Path(parsed.database or ""), draft)
        else:
            _run(["pg_dump", "--format=custom", f"--file={draft}"], parsed)
        os.replace(draft, file)
    except OSError as error:
        raise LedgerError(f"{file} cannot be written: {error.strerror}") from error


def restore(url: str, file: Path, who: str, why: str, as_of: datetime | None, open_ledger: Open) -> datetime:
    """Puts the copy in the ledger's place, which then holds back what may have been booked since; answers as of when it
    is. as_of: None for what the copy itself knows. Nothing of Bellhop's may run meanwhile. Raises LedgerError."""
    if not file.is_file():
        raise LedgerError(f"there is no file {file}")
    parsed = sa.make_url(url)
    if parsed.get_backend_name() != "sqlite":
        if not _VERSIONS.search(_run(["pg_restore", "--list", str(file)], parsed)):
            raise LedgerError(f"{file} is no copy of a ledger: it has none of its tables")
        command = ["pg_restore", "--clean", "--if-exists", "--no-owner", "--single-transaction", "--exit-on-error"]
        _run([*command, f"--dbname={parsed.database}", str(file)], parsed)
        return _tell(open_ledger(url), who, why, as_of)
    target = Path(parsed.database or "")
    draft = target.with_name(f"{target.name}.restored")
    try:
        shutil.copyfile(file, draft)
        draft.chmod(0o600)
        _must_be_whole(draft, file)
        told = _tell(open_ledger(f"sqlite:///{draft}"), who, why, as_of)
        if target.exists() and not _is_database(target):
            _put_aside(target)
        _copy(draft, target)
    except OSError as error:
        raise LedgerError(f"{target} cannot be written: {error.strerror}") from error
    finally:
        for left in target.parent.glob(f"{draft.name}*"):
            left.unlink(missing_ok=True)
    return told


def _tell(ledger: Ledger, who: str, why: str, as_of: datetime | None) -> datetime:
    try:
        since = as_of or ledger.restores.last_backup()
        if since is None:
            raise LedgerError("the copy does not know when it was made: say --as-of TIME")
        ledger.restores.say(since, who, why)
        return since
    finally:
        ledger.close()


def _must_be_whole(draft: Path, file: Path) -> None:
    """Raises LedgerError where it is no ledger on SQLite: an empty file is a database, too, and of one that was cut off
    only what is missing cannot be read."""
    try:
        with closing(sqlite.connect(draft)) as one:
            (said,) = one.execute("PRAGMA quick_check(1)").fetchone()
            one.execute("SELECT version_num FROM alembic_version")
    except sqlite.Error as error:
        raise LedgerError(f"{file} is no copy of a ledger: {error}") from error
    if said != "ok":
        raise LedgerError(f"{file} is not whole: {said}")


def _is_database(file: Path) -> bool:
    """Whether SQLite can still tell what it is: into all else, whatever of it is broken, a copy can be put."""
    try:
        with closing(sqlite.connect(file)) as one:
            one.execute("PRAGMA schema_version").fetchone()
    except sqlite.DatabaseError as error:
        return "not a database" not in str(error)
    return True


def _put_aside(target: Path) -> None:
    """With its log, which must not be taken for another's."""
    for end in ("", "-wal", "-shm"):
        with suppress(FileNotFoundError):
            os.replace(f"{target}{end}", f"{target}.broken{end}")
    os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


def _copy(source: Path, target: Path) -> None:
    """Page by page, as SQLite does it: also of a ledger at work, with what is in its journal."""
    try:
        one, other = sqlite.connect(source, timeout=10.0), sqlite.connect(target, timeout=10.0)
        try:
            one.backup(other)
        finally:
            one.close()
            other.close()
    except sqlite.Error as error:
        raise LedgerError(f"{source} cannot be copied to {target}: {error}") from error


def libpq_environment(url: sa.URL) -> dict[str, str]:
    """What a URL says, for PostgreSQL's own programs, as libpq reads it: several hosts, certificates and all. On a
    command line a password would be everybody's to see."""
    from psycopg import pq

    url = url.set(drivername="postgresql+psycopg")
    _, told = url.get_dialect()().create_connect_args(url)
    names = {one.keyword.decode(): one.envvar.decode() for one in pq.Conninfo.get_defaults() if one.envvar}
    return {names[key]: str(value) for key, value in told.items() if key in names and value}


def _refuse_pooler(url: sa.URL) -> None:
    """A pooler gives one session to many: pg_dump empties its search path, and whoever gets it next finds no table."""
    if has_pooler(url.render_as_string(hide_password=False)):
        raise LedgerError(
            "a pooler stands before the database: give the database's own address as url of [ledger] for this"
        )


def _run(command: list[str], url: sa.URL) -> str:
    """What it wrote."""
    _refuse_pooler(url)
    environment = {**os.environ, **libpq_environment(url)}
    try:
        done = subprocess.run(  # noqa: S603  # a fixed program, and its arguments are no shell's
            command, env=environment, capture_output=True, text=True, timeout=SECONDS, check=False
        )
    except FileNotFoundError:
        raise LedgerError(f"{command[0]} is not installed: it comes with PostgreSQL's client") from None
    except subprocess.TimeoutExpired:
        raise LedgerError(f"{command[0]} did not end within {SECONDS:g} s") from None
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        raise LedgerError(f"{command[0]}: {lines[0]}")
    return done.stdout
