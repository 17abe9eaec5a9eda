"""Whose turn it is to write to a file of SQLite, which has one writer at a time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final

_SHORTEST_SECONDS: Final = 0.0003
_LONGEST_SECONDS: Final = 0.01
"""How long it is waited at a time: a commit takes 1 to 3 ms."""


def begin_writing(connection: Any, execute: Callable[[str], object], locked: type[Exception], seconds: float) -> None:
    """Begins a transaction that writes: one that reads first and writes then would fail where another process wrote in
    between. connection: the driver's own; execute: runs a statement on it, and raises `locked` where another writes, as
    this does where others have for `seconds`.

    While another process writes it is asked again and again, every few tenths of a millisecond at first. SQLite's own
    waiting sleeps for 1, 2, 5, 10 and up to 100 ms: two workers on one file slept for a third of their time.
    """
    deadline, pause = time.monotonic() + seconds, _SHORTEST_SECONDS
    connection.execute("PRAGMA busy_timeout = 0")
    try:
        while True:
            try:
                execute("BEGIN IMMEDIATE")
                return
            except locked as error:
                if "locked" not in str(error) or time.monotonic() >= deadline:
                    raise
            time.sleep(pause)
            pause = min(1.2 * pause, _LONGEST_SECONDS)
    finally:
        connection.execute(f"PRAGMA busy_timeout = {int(1000 * seconds)}")
