"""`bellhop ledger restore` on a ledger that others may be at work on."""

from __future__ import annotations

import os
import socket
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bellhop.ledger.records import Part, Settled
from bellhop.ledger.store import Ledger
from tests.support.command_line import Run, runner
from tests.support.ledger import claim, event, finish, sqlite_ledger

HERE = socket.gethostname()
ENDED = 2**22 + 1  # Linux gives no process such an id


@pytest.fixture
def url(tmp_path: Path) -> str:
    return sqlite_ledger(tmp_path)


@pytest.fixture
def run(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    (tmp_path / "bellhop.toml").write_text(f'[ledger]\nurl = "{url}"\n')
    return runner(tmp_path, monkeypatch, capsys)


def _beat(url: str, kind: str, name: str, *, seconds_ago: float = 0.0, has_stopped: bool = False) -> None:
    at = datetime.now(UTC) - timedelta(seconds=seconds_ago)
    with closing(Ledger.open(url, keep_seconds=1, now=lambda: at)) as ledger:
        ledger.parts.beat(Part(name, kind, name.partition(":")[0], "0.1.0", ("members",), (), at, at, at))
        if has_stopped:
            ledger.parts.leave(name)


def test_a_copy_is_not_put_back_under_who_works(run: Run, url: str) -> None:
    assert run("ledger", "backup", "copy")[0] == 0
    _beat(url, "work", f"{HERE}:{os.getppid()}:a")
    _beat(url, "archive", "elsewhere:7:b")
    code, _, err = run("ledger", "restore", "copy", "--why", "the disk was lost", "--yes")
    assert code == 1
    assert f"work on {HERE} ({HERE}:{os.getppid()}:a)" in err
    assert "archive on elsewhere (elsewhere:7:b)" in err


def test_who_has_stopped_or_ended_or_is_silent_and_the_ingress_are_in_nobodys_way(run: Run, url: str) -> None:
    with closing(Ledger.open(url, keep_seconds=1)) as ledger:
        finish(ledger, event())
    assert run("ledger", "backup", "copy")[0] == 0
    _beat(url, "work", f"{HERE}:{ENDED}:a")
    _beat(url, "work", "elsewhere:7:b", seconds_ago=31)
    _beat(url, "archive", "elsewhere:8:c", has_stopped=True)
    _beat(url, "ingest", "elsewhere:9:d")
    code, out, err = run("ledger", "restore", "copy", "--why", "the disk was lost", "--yes")
    assert (code, err) == (0, "")
    assert out.startswith("the ledger is as it was at ")


def test_a_ledger_that_is_no_database_any_more_makes_room_and_is_kept(run: Run, url: str) -> None:
    with closing(Ledger.open(url, keep_seconds=1)) as ledger:
        finish(ledger, event())
    assert run("ledger", "backup", "copy")[0] == 0
    file = Path(url.removeprefix("sqlite:///"))
    file.write_bytes(b"what a broken disk gives" * 400)
    code, _, err = run("ledger", "restore", "copy", "--why", "the disk was lost", "--yes")
    assert (code, err) == (0, "")
    with closing(Ledger.open(url, keep_seconds=1)) as ledger:
        assert isinstance(claim(ledger, event()), Settled)
    assert file.with_name("ledger.db.broken").read_bytes().startswith(b"what a broken disk gives")
    assert file.stat().st_mode & 0o077 == 0
