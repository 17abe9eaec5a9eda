"""The demo as a person runs it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.service import wait_for

_ROOT = Path(__file__).resolve().parents[3]
_BELLHOP = [sys.executable, "-P", "-m", "bellhop.cli.main"]


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(_ROOT), "BELLHOP_INGEST__PORT": "not for the demo"}


def _children(folder: Path) -> list[int]:
    """The processes that were started by this test, by a mark in their environment."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                line = (entry / "environ").read_bytes()
            except OSError:
                continue
            if f"TEST_FOLDER={folder}".encode() in line:
                found.append(int(entry.name))
    return found


class Demo:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.out = folder / "up.out"
        with self.out.open("wb") as out:
            self.process = subprocess.Popen(
                [*_BELLHOP, "up", "--folder", str(folder / "demo")],
                cwd=folder,
                env={**_environment(), "TEST_FOLDER": str(folder)},
                stdout=out,
                stderr=out,
            )

    def wait_until_it_stands(self) -> None:
        wait_for(lambda: "Ctrl-C stops everything" in self.out.read_text(), "the demo stands", 90)

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*_BELLHOP, "--config", str(self.folder / "demo" / "demo.toml"), *words],
            env={**os.environ, "PYTHONPATH": str(_ROOT)},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    @property
    def children(self) -> list[int]:
        return [pid for pid in _children(self.folder) if pid != self.process.pid]


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    made = Demo(tmp_path)
    yield made
    for pid in (made.process.pid, *made.children):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    made.process.wait(timeout=30)


def test_the_samples_go_through_and_it_ends_by_itself(tmp_path: Path) -> None:
    done = subprocess.run(
        [*_BELLHOP, "up", "--once", "--folder", str(tmp_path / "demo")],
        cwd=tmp_path,
        env=_environment(),
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count(" done ") == 4
    assert done.stdout.count(" dead ") == 1


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs /proc, and the kernel's word of a parent's end")
def test_what_dies_is_started_again_and_nothing_outlives_a_killed_supervisor(demo: Demo) -> None:
    demo.wait_until_it_stands()
    assert demo.run("dead", "list").stdout.count("rejected") == 1
    before = demo.children
    assert len(before) >= 4
    worker = next(pid for pid in before if b"\0work\0" in Path(f"/proc/{pid}/cmdline").read_bytes())
    os.kill(worker, signal.SIGKILL)
    wait_for(lambda: "work ended (killed by SIGKILL)" in demo.out.read_text(), "its end is told")
    wait_for(lambda: len(demo.children) == len(before) and worker not in demo.children, "it is started again")
    sent = demo.run("send", "member.updated", "--json")
    assert sent.returncode == 0, sent.stderr
    os.kill(demo.process.pid, signal.SIGKILL)
    wait_for(lambda: demo.children == [], "the children have ended too", 40)


def test_ctrl_c_stops_everything_in_order(demo: Demo) -> None:
    demo.wait_until_it_stands()
    demo.process.send_signal(signal.SIGINT)
    assert demo.process.wait(timeout=40) == 0
    assert demo.out.read_text().endswith("stopped\n")
    assert demo.children == []
