"""Signals are acted on whatever the main thread does."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

_WAITS_IN_C = """
import os, sqlite3, sys
from bellhop.cli.signals import on_signals

holder = sqlite3.connect(sys.argv[1], isolation_level=None, check_same_thread=False)
holder.execute("BEGIN EXCLUSIVE")
on_signals(holder.rollback, holder.rollback)
waiter = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=20)
print("ready", flush=True)
waiter.execute("BEGIN EXCLUSIVE")  # in C, where no handler of Python's runs, until the lock is free
print("through", flush=True)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP], ids=lambda one: one.name)
def test_a_signal_is_acted_on_while_the_main_thread_waits_in_c(tmp_path: Path, number: signal.Signals) -> None:
    command = [sys.executable, "-c", _WAITS_IN_C, str(tmp_path / "one.db")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        through = threading.Event()
        sender = threading.Thread(target=_send, args=(process.pid, number, through))
        sender.start()
        try:
            assert process.stdout.readline() == "through\n"
        finally:
            through.set()
            sender.join()


def _send(pid: int, number: int, through: threading.Event) -> None:
    """Again and again: the first may come before the wait begins."""
    while not through.wait(0.05):
        os.kill(pid, number)
