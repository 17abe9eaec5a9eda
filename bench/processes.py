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


def environment(root: Path, more: Mapping[str, str]) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(root), **more}


@contextlib.contextmanager
def running(
    command: Sequence[str], log: Path, more: Mapping[str, str], root: Path = ROOT
) -> Iterator[Callable[[], None]]:
    """Runs `command` in the checkout `root` as long as the block lasts, then asks it to stop, as a deployment would.

    Gives a check that raises BenchFailed once the process has ended by itself.
    """
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, cwd=root, env=environment(root, more), stdout=out, stderr=out, start_new_session=True
        )

    def alive() -> None:
        if process.poll() is not None:
            raise BenchFailed(f"{command[0]} ended with {process.returncode}\n{tail(log)}")

    try:
        yield alive
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=60)
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


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port
