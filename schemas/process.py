"""The name of this process, and what another's says."""

from __future__ import annotations

import os
import socket
import uuid
from functools import cache


def process_name() -> str:
    """A new one each time. Containers of one host name all have the same process id: it alone would let two of them be
    one."""
    return f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"


def own_name() -> str:
    """Of this process, always the same; another one after a fork."""
    return _name_of(os.getpid())


@cache
def _name_of(_process_id: int) -> str:
    return process_name()


def has_ended(name: str) -> bool:
    """Whether a process of this host has ended, or one whose process id this one has by now. One in a container that
    bears this host's name may be alive all the same."""
    host, id_, _ = name.rsplit(":", 2) if name.count(":") >= 2 else ("", "", "")
    if host != socket.gethostname() or not id_.isdecimal():
        return False
    if int(id_) == os.getpid():
        return name != own_name()
    try:
        os.kill(int(id_), 0)
    except (ProcessLookupError, OverflowError):
        return True
    except OSError:
        pass  # it is somebody else's, and lives
    return False
