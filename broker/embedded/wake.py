"""Waking the consumers of a queue, in this process and in others, without polling.

Each consumer binds a datagram socket in a folder that all processes find by the broker file's path; whoever
commits a message sends one byte to every socket of its queue. A wake-up that is lost costs only delay, for consumers
also look from time to time.
"""

from __future__ import annotations

import hashlib
import os
import select
import socket
import stat
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

from bellhop.schemas.errors import BrokerUnavailable

_SUFFIX: Final = ".wake"
_LONGEST_PATH: Final = 103
"""Bytes of a socket's path: Linux takes 107, macOS 103."""
_LONGEST_NAME: Final = 8 + 1 + 16 + len(_SUFFIX)


def run_folder(database: Path) -> Path:
    """The folder beside the broker's file for what lives only as long as its consumers. Made where missing."""
    folder = _beside(database)
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def wake_folder(database: Path) -> Path:
    """Where the sockets are: the run folder, or a folder of this user among the temporary ones where its path is too
    long for a socket. Made where missing. Raises BrokerUnavailable if somebody else's folder is in its place.
    """
    folder = _wake_folder(database)
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder != _beside(database) and not _is_private(folder):
        raise BrokerUnavailable(f"{folder} is not a private folder of this user: remove it, or shorten {database}")
    return folder


def _beside(database: Path) -> Path:
    return database.with_name(database.name + "-run")


def _wake_folder(database: Path) -> Path:
    beside = _beside(database)
    if len(os.fsencode(beside)) + 1 + _LONGEST_NAME <= _LONGEST_PATH:
        return beside
    return Path(tempfile.gettempdir()) / f"bellhop-{os.geteuid()}-{_digest(str(database), 16)}"


def _is_private(folder: Path) -> bool:
    status = folder.lstat()
    return stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid() and not status.st_mode & 0o077


class Bell:
    """What a consumer sleeps on: `Ringer.ring` for its queue wakes it from any process, `nudge` from any thread."""

    def __init__(self, folder: Path, queue: str, name: str) -> None:
        self._path = folder / f"{_digest(queue, 8)}.{name}{_SUFFIX}"
        self._near, self._far = socket.socketpair()
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._poll = select.poll()
        for end in (self._near, self._far, self._socket):
            end.setblocking(False)
        for end in (self._near, self._socket):
            self._poll.register(end, select.POLLIN)
        try:
            self._socket.bind(str(self._path))
        except OSError:
            self.close()
            raise

    def nudge(self) -> None:
        with suppress(OSError):  # full: it is awake already; closed: nobody sleeps
            self._far.send(b"\0")

    def wait(self, seconds: float) -> bool:
        """Sleeps until it is rung or nudged, at most so long; answers whether it was."""
        return bool(self._poll.poll(max(0.0, seconds) * 1000))

    def clear(self) -> None:
        """Forgets the rings so far. Look for work after it: a ring that comes later is kept for the next `wait`."""
        for end in (self._near, self._socket):
            with suppress(BlockingIOError):
                while end.recv(4096):
                    pass

    def close(self) -> None:
        self._path.unlink(missing_ok=True)
        for end in (self._near, self._far, self._socket):
            end.close()
        with suppress(OSError):  # others' sockets, or the presence, are still there
            self._path.parent.rmdir()


class Ringer:
    """Wakes the consumers of queues. Belongs to one thread."""

    def __init__(self, database: Path) -> None:
        self._folder = _wake_folder(database)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)

    def ring(self, queues: Iterable[str]) -> None:
        """Never raises: the messages are there, and whoever is not woken finds them later."""
        wanted = {_digest(queue, 8) for queue in queues}
        with suppress(OSError), os.scandir(self._folder) as entries:
            for entry in entries:
                if entry.name.endswith(_SUFFIX) and entry.name.partition(".")[0] in wanted:
                    self._ring(entry.path)

    def _ring(self, path: str) -> None:
        try:
            self._socket.sendto(b"\0", path)
        except ConnectionRefusedError:  # its process is dead
            with suppress(OSError):
                os.unlink(path)
        except OSError:
            pass  # full: it has rings enough; gone: it has closed

    def close(self) -> None:
        self._socket.close()


def _digest(text: str, length: int) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:length]
