"""Bellhop's processes, each in a group of its own, so that a signal reaches all of it.

Several threads may kill, stop and start different ones at once; one that is being ended is not among `names`."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

_STOP_SECONDS: Final = 30.0


class Processes:
    """By name; the name's first word is the command: `work-1` runs `bellhop work`."""

    def __init__(self, folder: Path, logs: Path, command: Sequence[str], environment: Mapping[str, str]) -> None:
        self._folder, self._logs = folder, logs
        self._command = tuple(command)
        self._environment = {**os.environ, **environment}
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._started: dict[str, Mapping[str, str]] = {}
        self._changing = threading.RLock()

    @property
    def names(self) -> list[str]:
        return list(self._running)

    def start(
        self, name: str, *words: str, environment: Mapping[str, str] | None = None, logs: Path | None = None
    ) -> None:
        """environment: beside that of all. logs: where its log goes instead of where those of all go."""
        command = [*self._command, name.split("-", 1)[0], *words]
        with self._changing, ((logs or self._logs) / f"{name}.log").open("ab") as log:
            self._started[name] = environment or {}
            self._running[name] = subprocess.Popen(  # noqa: S603  # our own program
                command,
                cwd=self._folder,
                env={**self._environment, **self._started[name]},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def revive(self) -> list[str]:
        """Starts again, as they were, those that ended though nobody ended them, as a service manager does; their
        names."""
        with self._changing:
            ended = [name for name, process in self._running.items() if process.poll() is not None]
            for name in ended:
                self.kill(name)
                self.start(name, environment=self._started[name])
        return ended

    def run(self, *words: str, environment: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """A command, to its end."""
        return subprocess.run(  # noqa: S603  # our own program
            [*self._command, *words],
            cwd=self._folder,
            env={**self._environment, **(environment or {})},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def signal(self, name: str, number: signal.Signals) -> None:
        with self._changing:
            _signal(self._running[name], number)

    def kill(self, name: str) -> None:
        """kill -9, its children with it; frozen ones, too."""
        with self._changing:
            process = self._running.pop(name)
        _signal(process, signal.SIGKILL)
        process.wait(_STOP_SECONDS)

    def stop(self, name: str) -> None:
        """As an operator would; killed where it takes too long."""
        with self._changing:
            process = self._running.pop(name)
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_STOP_SECONDS)
        _signal(process, signal.SIGKILL)  # its children, too
        process.wait(_STOP_SECONDS)

    def end(self) -> None:
        for name in self.names:
            self.signal(name, signal.SIGCONT)
            self.kill(name)


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)
