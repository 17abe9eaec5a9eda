"""Keeps a few processes running: starts them, restarts what dies, stops them all.

Its methods belong to one thread that lives as long as the process: the kernel's "parent died" signal, by which children
end after a kill -9, is sent when the thread that started them ends.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

_BACK_OFF_SECONDS: Final = (1.0, 2.0, 5.0, 10.0, 30.0)
_SETTLED_SECONDS: Final = 60.0
"""One that lived so long starts anew in the back-off."""
_LOOK_SECONDS: Final = 0.05


class Process(Protocol):
    def poll(self) -> int | None:
        """The exit code; None while it runs."""
        ...

    def signal(self, number: int) -> None:
        """Sends a signal to it and its own children. One that has ended is no error."""
        ...


@dataclass(frozen=True, slots=True)
class DemoProcess:
    """A process to be. log: what it writes on stdout and stderr is appended there."""

    name: str
    command: Sequence[str]
    log: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    reloads: bool = True
    """Whether it takes SIGHUP."""


@dataclass(slots=True)
class _Running:
    part: DemoProcess
    process: Process | None
    since: float
    log_from: int = 0
    deaths: int = 0
    start_at: float = 0.0


class Supervisor:
    """tell: is given a line for the person at the terminal, and the last lines of a log below it."""

    def __init__(
        self,
        tell: Callable[[str], None],
        *,
        spawn: Callable[[DemoProcess], Process] | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._tell = tell
        self._spawn = spawn or Child
        self._monotonic = monotonic
        self._pause = pause
        self._parts: list[_Running] = []

    def start(self, part: DemoProcess) -> None:
        running = _Running(part, None, self._monotonic())
        self._parts.append(running)
        self._begin(running)

    def _begin(self, running: _Running) -> None:
        running.since, running.log_from = self._monotonic(), _size(running.part.log)
        running.process = self._spawn(running.part)

    def look(self) -> None:
        """Tells of what has died since the last look and starts it again when its back-off is over."""
        for running in self._parts:
            now = self._monotonic()
            if running.process is not None and (code := running.process.poll()) is not None:
                running.process = None
                running.deaths = 0 if now - running.since > _SETTLED_SECONDS else running.deaths
                delay = _BACK_OFF_SECONDS[min(running.deaths, len(_BACK_OFF_SECONDS) - 1)]
                running.deaths += 1
                running.start_at = now + delay
                self._tell(f"{running.part.name} ended ({_exit_text(code)}); it is started again in {delay:g} s")
                for line in last_lines(running.part.log, running.log_from):
                    self._tell(f"  {line}")
            if running.process is None and now >= running.start_at:
                self._begin(running)

    def hang_up(self) -> None:
        """SIGHUP to each that takes it."""
        for running in self._parts:
            if running.process is not None and running.part.reloads:
                running.process.signal(signal.SIGHUP)

    def stop(self, grace_seconds: float) -> None:
        """SIGTERM to each in the order of their start; SIGKILL to what is still there after the grace."""
        left = [r.process for r in self._parts if r.process is not None]
        for process in left:
            process.signal(signal.SIGTERM)
        deadline = self._monotonic() + grace_seconds
        while left and self._monotonic() < deadline:
            self._pause(_LOOK_SECONDS)
            left = [process for process in left if process.poll() is None]
        for process in left:
            process.signal(signal.SIGKILL)
        for process in left:
            while process.poll() is None:
                self._pause(_LOOK_SECONDS)
        self._parts.clear()


class Child:
    """A real process, in a group of its own: a Ctrl-C at the terminal is for the supervisor alone."""

    def __init__(self, part: DemoProcess) -> None:
        part.log.parent.mkdir(parents=True, exist_ok=True)
        with part.log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603  # our own command
                list(part.command),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=dict(part.environment),
                start_new_session=True,
            )

    def poll(self) -> int | None:
        return self._process.poll()

    def signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            if number == signal.SIGKILL:
                os.killpg(self._process.pid, number)
            elif self._process.poll() is None:
                self._process.send_signal(number)  # to the leader alone: it stops its own children in order


def last_lines(log: Path, after: int = 0, count: int = 5) -> list[str]:
    """The last lines of what stands in `log` behind its first `after` bytes."""
    try:
        with log.open("rb") as file:
            file.seek(max(after, file.seek(0, os.SEEK_END) - 16_384))
            return file.read().decode("utf-8", "replace").splitlines()[-count:]
    except OSError:
        return []


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:
        return 0


def _exit_text(code: int) -> str:
    return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
