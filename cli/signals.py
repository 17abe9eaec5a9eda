"""What a process does when it is told to stop or to read its settings anew."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from typing import Final

_ACTS: Final[dict[int, Callable[[], None]]] = {}
_TO_STOP: Final = (signal.SIGTERM, signal.SIGINT)


def on_signals(stop: Callable[[], None], hang_up: Callable[[], None] | None = None) -> None:
    """Calls `stop` on SIGTERM and SIGINT, `hang_up` on SIGHUP; each in a thread of its own. For the main thread.

    Python's handlers run in the main thread once it comes to it. One that begins to wait for a lock or a thread's end
    as the signal comes does not until that wait is over: the signal is as good as lost (one of 40 to 180, see
    findings/a-signal-waits-for-the-join.sh). The number of a signal is written to a pipe at once, whatever it does.
    """
    if not _ACTS:
        reader, writer = os.pipe()
        os.set_blocking(writer, False)
        signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        threading.Thread(target=_act_forever, args=(reader,), name="signals", daemon=True).start()
    for number in _TO_STOP:
        _ACTS[number] = stop
    if hang_up is not None:
        _ACTS[signal.SIGHUP] = hang_up
    for one in _ACTS:
        signal.signal(one, _do_nothing)  # else the signal would do what it does by default


def hang_up_parent() -> Callable[[], None]:
    """Sends SIGHUP to the process that forked this one, which has all of its own read their settings anew. To be made
    after the fork: once that process is gone, this one's parent is somebody else."""
    parent = os.getppid()

    def hang_up() -> None:
        if os.getppid() == parent:
            os.kill(parent, signal.SIGHUP)

    return hang_up


def _act_forever(reader: int) -> None:
    while True:
        for number in os.read(reader, 64):
            if (act := _ACTS.get(number)) is not None:
                act()


def _do_nothing(*_: object) -> None:
    pass
