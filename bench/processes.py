"""Real processes for a round: started in a group of their own, ended whole, their output kept when they fail."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]


class BenchFailed(Exception):
    """Raised when a contender did not do its work; the message ends with its last output."""


def end_on_sigterm() -> None:
    """For a benchmark's main thread: told to stop, it leaves its blocks as with Ctrl-C, and what they run ends."""

    def end(number: int, _frame: object) -> None:
        signal.signal(number, signal.SIG_IGN)  # a second one would cut off what ends the processes
        raise SystemExit(128 + number)

    signal.signal(signal.SIGTERM, end)


def environment(root: Path, more: Mapping[str, str]) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(root), **more}


class Running:
    """A process under way, with its children."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self._process = process
        self._log = log
        # What it and all the children that it waited for have used, once the block has ended.
        self.cpu_seconds = 0.0
        self.peak_mb = 0.0
        """The most that it and its children had in memory, each at its own time; what they share counts for each."""

    @property
    def pid(self) -> int:
        return self._process.pid

    def alive(self) -> None:
        """Raises BenchFailed once the process has ended by itself."""
        if self._process.poll() is not None:
            raise BenchFailed(f"{self._process.args!r} ended with {self._process.returncode}\n{tail(self._log)}")

    def stop(self) -> None:
        """Asks it to stop, as a deployment would, where it was not asked before, and counts what it used. Raises
        BenchFailed after a minute."""
        if self._process.returncode is not None:
            return
        self.peak_mb = peak_mb(self._process.pid)
        self._process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            pid, status, usage = os.wait4(self._process.pid, os.WNOHANG)
            if pid:
                self._process.returncode = os.waitstatus_to_exitcode(status)
                self.cpu_seconds = usage.ru_utime + usage.ru_stime
                return
            time.sleep(0.05)
        raise BenchFailed(f"{self._process.args!r} does not stop\n{tail(self._log)}")


@contextlib.contextmanager
def running(command: Sequence[str], log: Path, more: Mapping[str, str], root: Path = ROOT) -> Iterator[Running]:
    """Runs `command` in the checkout `root` as long as the block lasts, then stops it."""
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, cwd=root, env=environment(root, more), stdout=out, stderr=out, start_new_session=True
        )
    started = Running(process, log)
    try:
        yield started
        started.stop()
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def run(command: Sequence[str], more: Mapping[str, str], root: Path = ROOT) -> str:
    """Runs `command` in the checkout `root` to its end; its output. Raises BenchFailed."""
    done = subprocess.run(
        command, cwd=root, env=environment(root, more), capture_output=True, text=True, timeout=600, check=False
    )
    if done.returncode:
        raise BenchFailed(f"{' '.join(command)} ended with {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def peak_mb(group: int) -> float:
    """Of the processes that a group has at this moment, the most that each ever had in memory, added up."""
    kilobytes = 0
    for status in Path("/proc").glob("[0-9]*/status"):
        with contextlib.suppress(OSError):  # it has ended meanwhile
            if os.getpgid(int(status.parent.name)) == group:
                told = dict(line.split(":", 1) for line in status.read_text().splitlines() if ":" in line)
                kilobytes += int(told.get("VmHWM", "0 kB").split()[0])
    return round(kilobytes / 1024, 1)


def tail(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-25:])


def until(holds: Callable[[], bool], what: str, seconds: float, alive: Callable[[], None], every: float = 0.1) -> None:
    """Waits until `holds`. Raises BenchFailed when `alive` does, or after `seconds`."""
    deadline = time.monotonic() + seconds
    while not holds():
        alive()
        if time.monotonic() > deadline:
            raise BenchFailed(f"not within {seconds:g} s: {what}")
        time.sleep(every)


def used_by(*pids: int) -> list[float]:
    """Processor's seconds so far of each of the processes and all below it, those that have ended and were waited for
    included; all as of one moment."""
    ticks: dict[int, int] = {}
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:  # it has ended
            continue
        own = int(stat.parent.name)
        ticks[own] = sum(map(int, fields[11:15]))
        children.setdefault(int(fields[1]), []).append(own)

    def used(pid: int) -> int:
        return ticks.get(pid, 0) + sum(map(used, children.get(pid, [])))

    return [used(pid) / os.sysconf("SC_CLK_TCK") for pid in pids]


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port
