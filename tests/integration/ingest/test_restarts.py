"""What clients meet while the ingress is stopped and started again under load. Nothing but counts is asserted."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.support.service import free_port, wait_for

ROOT = Path(__file__).resolve().parents[3]
RESTARTS: Final = 4
CLIENTS: Final = 6

# One that answers after a moment, as a confirm takes one.
PROGRAM = """
import json, sys, time
from bellhop.ingest.server import serve
from tests.support.ingress import settings

def app(environ, start_response):
    time.sleep(0.02)
    start_response("202 Accepted", [("Content-Length", "2")])
    return [b"ok"]

def observe(event, /, **fields):
    print(json.dumps({"event": event, **fields}), flush=True)

serve(settings(**json.loads(sys.argv[1])), lambda: app, observe=observe)
"""
REQUEST = b"POST /webhooks/crm HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}"


class Load:
    """Clients that send without a pause, half of them on a new connection each time, until the end.

    `ends` counts requests: `answered`, or `refused` (never connected), or `broken` (connected, and no whole answer).
    """

    def __init__(self, port: int) -> None:
        self.ends: Counter[str] = Counter()
        self.closes = 0
        self._port = port
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(n % 2 == 0,)) for n in range(CLIENTS)]

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def end(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def more(self, count: int) -> None:
        """Waits until so many more were answered."""
        wanted = self.ends["answered"] + count
        wait_for(lambda: self.ends["answered"] >= wanted, f"{count} more are answered", 30)

    def _run(self, keeps: bool) -> None:
        client: socket.socket | None = None
        while not self._stop.is_set():
            try:
                client = client or socket.create_connection(("127.0.0.1", self._port), timeout=30)
            except ConnectionRefusedError:
                self._count("refused")
                self._stop.wait(0.01)
                continue
            is_last = self._ask(client)
            if is_last or not keeps:
                client.close()
                client = None
        if client is not None:
            client.close()

    def _ask(self, client: socket.socket) -> bool:
        """Whether the connection has had its last answer."""
        got = b""
        try:
            client.sendall(REQUEST)
            while not got.endswith(b"\r\n\r\nok"):
                piece = client.recv(65536)
                if not piece:
                    break
                got += piece
        except OSError:
            pass
        is_whole = got.startswith(b"HTTP/1.1 202 ") and got.endswith(b"\r\n\r\nok")
        self._count("answered" if is_whole else "broken")
        closes = b"connection: close" in got.lower()
        self.closes += closes
        return closes or not is_whole

    def _count(self, end: str) -> None:
        with self._lock:
            self.ends[end] += 1


@contextmanager
def ingress(folder: Path, port: int, held: socket.socket | None = None) -> Iterator[subprocess.Popen[bytes]]:
    """A process of it that listens. held: a socket that it is handed, as systemd does, instead of listening itself."""
    program = [sys.executable, "-c", PROGRAM, json.dumps({"port": port, "processes": 2, "threads": 4})]
    handing = ["bash", "-c", f'LISTEN_PID=$$ LISTEN_FDS=1 exec "$@" 3<&{held.fileno()}', "bash"] if held else []
    with (folder / "out").open("wb") as out, (folder / "err").open("ab") as err:
        process = subprocess.Popen(
            [*handing, *program],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            pass_fds=[held.fileno()] if held else [],
            stdout=out,
            stderr=err,
            start_new_session=True,
        )
    try:
        wait_for(lambda: b"server.listening" in (folder / "out").read_bytes(), "it listens", 30)
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def restarted(folder: Path, port: int, held: socket.socket | None = None) -> Load:
    """The load over some restarts, each of a process that is at work."""
    with Load(port) as load:
        for _ in range(RESTARTS):
            with ingress(folder, port, held) as process:
                load.more(10 * CLIENTS)
                process.send_signal(signal.SIGTERM)
                assert process.wait(40) == 0
        with ingress(folder, port, held):
            load.more(10 * CLIENTS)
            load.end()
    assert (folder / "err").read_text() == ""
    return load


def test_a_restart_breaks_no_connection_and_kept_ones_are_told_to_close(tmp_path: Path) -> None:
    load = restarted(tmp_path, free_port())
    assert load.ends["broken"] == 0, load.ends
    assert load.closes >= RESTARTS


def test_a_restart_refuses_nothing_where_the_socket_outlives_the_process(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=512) as held:
        load = restarted(tmp_path, held.getsockname()[1], held)
    assert (load.ends["broken"], load.ends["refused"]) == (0, 0), load.ends
    assert load.closes >= RESTARTS
