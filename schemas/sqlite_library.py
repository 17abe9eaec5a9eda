"""Which SQLite is used, and whether it may keep a write-ahead log: one answer for embedded broker and ledger."""

from __future__ import annotations

import importlib
from typing import Any, Final


def _load() -> Any:
    """`pysqlite3` where it is installed, for it carries a newer SQLite than most systems; else Python's own."""
    try:
        return importlib.import_module("pysqlite3.dbapi2")
    except ImportError:
        return importlib.import_module("sqlite3")


sqlite: Final[Any] = _load()
VERSION: Final[tuple[int, ...]] = tuple(sqlite.sqlite_version_info)


def wal_is_safe(version: tuple[int, ...]) -> bool:
    """Whether this version is free of the bug by which connections that write or checkpoint together can corrupt
    a WAL file: 3.7.0 to 3.51.2 have it, except 3.50 from 3.50.7 and 3.44 from 3.44.6 on.

    Source: https://sqlite.org/wal.html#walresetbug.
    """
    if version < (3, 7, 0) or version >= (3, 51, 3):
        return True
    return (3, 50, 7) <= version < (3, 51, 0) or (3, 44, 6) <= version < (3, 45, 0)
