"""Bellhop's processes, each in a group of its own, so that a signal reaches all of it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

_STOP_SECONDS: Final = 30.0


class Processes:
    """By name; the name's first word is the command: `work-1` runs `bellhop work`."""

    def __init__(self, folder: Path, command: Sequence[str], environment: Mapping[str, str]) -> None:
        self._folder = folder
        self._command = tuple(command)
        self._environment = {**os.environ, **environment}
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    @property
    def names(self) -> list[str]:
        return list(self._running)

    def start(self, name: str, *words: str, environment: Mapping[str, str] | None = None) -> None:
        command = [*self._command, name.split("-", 1)[0], *words]
        with (self._folder / f"{name}.log").open("ab") as log:
            self._running[name] = subprocess.Popen(  # noqa: S603  # our own program
                command,
                cwd=self._folder,
                env={**self._environment, **(environment or {})},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    @property
    def ended(self) -> list[str]:
        """Those that ended though nobody ended them."""
        return [name for name, process in self._running.items() if process.poll() is not None]

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """A command, to its end."""
        return subprocess.run(  # noqa: S603  # our own program
            [*self._command, *words],
            cwd=self._folder,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def signal(self, name: str, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._running[name].pid, number)

    def kill(self, name: str) -> None:
        """kill -9, its children with it; frozen ones, too."""
        self.signal(name, signal.SIGKILL)
        self._running.pop(name).wait(_STOP_SECONDS)

    def stop(self, name: str) -> None:
        """As an operator would; killed where it takes too long."""
        process = self._running[name]
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.signal(name, signal.SIGKILL)
        self.kill(name)

    def end(self) -> None:
        for name in self.names:
            self.signal(name, signal.SIGCONT)
            self.kill(name)
