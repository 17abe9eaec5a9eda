"""Which versions of SQLite may keep a write-ahead log: one answer for the embedded broker and for the ledger."""

from __future__ import annotations


def wal_is_safe(version: tuple[int, ...]) -> bool:
    """Whether this version is free of the bug by which connections that write or checkpoint together can corrupt
    a WAL file: 3.7.0 to 3.51.2 have it, except 3.50 from 3.50.7 and 3.44 from 3.44.6 on.

    Source: https://sqlite.org/wal.html#walresetbug.
    """
    if version < (3, 7, 0) or version >= (3, 51, 3):
        return True
    return (3, 50, 7) <= version < (3, 51, 0) or (3, 44, 6) <= version < (3, 45, 0)
