"""Which SQLite the embedded broker uses."""

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
OLDEST: Final = (3, 35, 0)
"""The first with RETURNING."""
