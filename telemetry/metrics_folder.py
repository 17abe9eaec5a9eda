"""The folder in which the ingress' processes add their numbers up."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from pathlib import Path
from typing import Final

_PREFIX: Final = "bellhop-metrics-"


def shared_folder(parent: Path) -> str:
    """A new, empty one, this process' and its children's. Removes those that a `kill -9` left behind: a folder in use
    is locked, and the lock ends with the last of its processes."""
    for left in parent.glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):  # in use, another user's, or another start removes it
            held = _lock(left)
            shutil.rmtree(left, ignore_errors=True)
            os.close(held)
    while True:
        made = tempfile.mkdtemp(prefix=_PREFIX, dir=parent)
        with contextlib.suppress(OSError):
            _lock(Path(made))  # never closed: see above
            if os.path.isdir(made):  # or another start took it for one that was left
                return made


def _lock(folder: Path) -> int:
    """The descriptor that holds the lock. Raises OSError where another process does."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor
