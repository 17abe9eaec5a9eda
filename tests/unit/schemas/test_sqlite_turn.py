"""Whoever wants to write waits for its turn, a little at a time, and not for ever."""

from __future__ import annotations

import pytest

from bellhop.schemas import sqlite_turn
from bellhop.schemas.sqlite_turn import begin_writing


class LockedError(Exception):
    pass


class File:
    """Another writes until it was asked for so often."""

    def __init__(self, locked: int, words: str = "database is locked") -> None:
        self.locked, self.words = locked, words
        self.told: list[str] = []

    def execute(self, statement: str) -> None:
        self.told.append(statement)
        if statement.startswith("BEGIN") and self.locked > 0:
            self.locked -= 1
            raise LockedError(self.words)


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """For how long, each time; it is then so much later."""
    pauses: list[float] = []
    monkeypatch.setattr(sqlite_turn.time, "sleep", pauses.append)
    monkeypatch.setattr(sqlite_turn.time, "monotonic", lambda: sum(pauses))
    return pauses


def begin(file: File) -> None:
    begin_writing(file, file.execute, LockedError, 10)


def test_who_is_alone_begins_at_once_and_waits_afterwards_as_before(slept: list[float]) -> None:
    file = File(locked=0)
    begin(file)
    assert file.told == ["PRAGMA busy_timeout = 0", "BEGIN IMMEDIATE", "PRAGMA busy_timeout = 10000"]
    assert slept == []


def test_a_commit_of_another_process_is_waited_for_a_little_at_a_time(slept: list[float]) -> None:
    file = File(locked=8)
    begin(file)
    assert sum(slept) < 0.006
    assert file.told.count("BEGIN IMMEDIATE") == 9


def test_one_that_writes_on_is_waited_for_so_long_and_no_longer(slept: list[float]) -> None:
    file = File(locked=100_000)
    with pytest.raises(LockedError):
        begin(file)
    assert 10 <= sum(slept) < 10.1
    assert max(slept) == 0.01
    assert file.told[-1] == "PRAGMA busy_timeout = 10000"


def test_another_error_is_no_reason_to_wait(slept: list[float]) -> None:
    with pytest.raises(LockedError, match="disk"):
        begin(File(locked=1, words="disk I/O error"))
    assert slept == []
