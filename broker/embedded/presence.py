"""Whether a consumer of the embedded broker still lives: a lock on a file, which dies with its process."""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from pathlib import Path
from typing import Final

_SUFFIX: Final = ".lock"


class Presence:
    """Held from here until `close`, or until the process ends in whatever way.

    A flock belongs to the open file and not to the process: a child forked while it is held keeps it alive, and
    then only the lease tells that the consumer is gone.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self._path = _path(folder, name)
        while True:
            self._file = os.open(self._path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._file, fcntl.LOCK_EX)
            if self._path.exists():
                break
            os.close(self._file)  # somebody found it before it was locked, took it for a dead one's and removed it

    def close(self) -> None:
        # Unlinked first: whoever finds the file free takes its owner for dead, which from here on is true.
        self._path.unlink(missing_ok=True)
        os.close(self._file)


def is_gone(folder: Path, name: str) -> bool:
    """Whether the consumer of this name has ended. Removes what a dead one left."""
    path = _path(folder, name)
    try:
        file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return True
    except OSError:
        return False  # cannot be told: its lease will
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        with suppress(OSError):
            path.unlink()
    except OSError:
        return False
    finally:
        os.close(file)
    return True


def sweep(folder: Path) -> None:
    """Removes what dead consumers left that held nothing, so that nobody asked about them."""
    for path in folder.glob(f"*{_SUFFIX}"):
        is_gone(folder, path.stem)


def _path(folder: Path, name: str) -> Path:
    return folder / f"{name}{_SUFFIX}"
