"""The sandbox's HTTP server: HTTP/1.1 with keep-alive, one thread a connection.

Why not werkzeug's server: it closes the connection after every answer. Why not gunicorn: its threads are a fixed pool,
which held time-outs would use up, and it cannot be started inside a test. One thread a connection lets a held call
keep only its own caller waiting.
"""

from __future__ import annotations

import contextlib
import io
import signal
import socket
import socketserver
import struct
import sys
import threading
from collections.abc import Callable, Iterable
from datetime import datetime
from http.server import BaseHTTPRequestHandler
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import unquote_to_bytes

from flask import Flask

from bellhop.sandbox.app import create_sandbox
from bellhop.sandbox.faults import parse_fault
from bellhop.sandbox.front import CONNECTION
from bellhop.sandbox.registry import NAMES
from bellhop.sandbox.seed import Seed
from bellhop.sandbox.state import SandboxState
from bellhop.schemas.clock import utc_now

_LINGER: Final = struct.Struct("ii")
_MAX_BODY: Final = 16 * 1024 * 1024


class _Connection:
    """The `sandbox.front.Connection` of one request."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self.dropped = False

    def hung_up(self) -> bool:
        try:
            return self._sock.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
        except BlockingIOError:
            return False
        except OSError:
            return True

    def drop(self, *, reset: bool) -> None:
        self.dropped = True
        if reset:
            # Closing with a linger time of zero sends RST where a plain close would send FIN.
            self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER.pack(1, 0))


class _Handler(BaseHTTPRequestHandler):
    """Hands each request to the WSGI application."""

    protocol_version = "HTTP/1.1"
    # Answers are small: with Nagle's algorithm each would wait for the caller's delayed acknowledgement (40 ms).
    disable_nagle_algorithm = True
    server: _Server

    def handle(self) -> None:
        # The caller may be gone at any byte.
        with contextlib.suppress(ConnectionError, TimeoutError):
            super().handle()

    def do_GET(self) -> None:
        length = self.headers.get("Content-Length", "0")
        if not length.isdigit() or int(length) > _MAX_BODY or "Transfer-Encoding" in self.headers:
            # Where this request ends, and the next begins, is not known.
            self.close_connection = True
            self._send("400 Bad Request", [("Connection", "close")], b"")
            return
        body = self.rfile.read(int(length))
        connection = _Connection(self.connection)
        status, headers, answer = self._run(body, connection)
        if connection.dropped:
            self.close_connection = True
        else:
            self._send(status, headers, answer)

    do_POST = do_DELETE = do_PUT = do_HEAD = do_GET

    def _run(self, body: bytes, connection: _Connection) -> tuple[str, list[tuple[str, str]], bytes]:
        started: list[Any] = ["500 Internal Server Error", []]

        def start_response(status: str, headers: list[tuple[str, str]], *_error: object) -> None:
            started[:] = status, headers

        chunks = self.server.app(self._environ(body, connection), start_response)
        try:
            answer = b"".join(chunks)
        finally:
            if close := getattr(chunks, "close", None):
                close()
        return started[0], started[1], answer

    def _environ(self, body: bytes, connection: _Connection) -> dict[str, Any]:
        path, _, query = self.path.partition("?")
        host, port = self.server.server_address[:2]
        environ: dict[str, Any] = {
            "REQUEST_METHOD": self.command,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
            "QUERY_STRING": query,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "SERVER_NAME": str(host),
            "SERVER_PORT": str(port),
            "SERVER_PROTOCOL": self.request_version,
            "REMOTE_ADDR": self.client_address[0],
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(body),
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
            CONNECTION: connection,
        }
        for name, value in self.headers.items():
            environ.setdefault(f"HTTP_{name.upper().replace('-', '_')}", value)
        return environ

    def _send(self, status: str, headers: list[tuple[str, str]], body: bytes) -> None:
        """In one write: a second would wait for the first's acknowledgement."""
        lines = [f"HTTP/1.1 {status}", f"Date: {self.date_time_string()}", *(f"{k}: {v}" for k, v in headers)]
        if not any(name.lower() == "content-length" for name, _ in headers):
            lines.append(f"Content-Length: {len(body)}")
        head = "\r\n".join([*lines, "\r\n"]).encode("latin-1")
        self.wfile.write(head if self.command == "HEAD" else head + body)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: a Peoplevine URL holds credentials."""


class _Server(socketserver.ThreadingMixIn, socketserver.TCPServer):
    allow_reuse_address = True
    request_queue_size = 1024
    daemon_threads = False

    def __init__(self, host: str, port: int, app: Flask) -> None:
        self.app: Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]] = app
        self.state: SandboxState = app.extensions["sandbox"]
        self._open: set[socket.socket] = set()
        self._open_lock = threading.Lock()
        super().__init__((host, port), _Handler)

    @property
    def url(self) -> str:
        host, port = self.server_address[:2]
        return f"http://{host!s}:{port}"

    def service_actions(self) -> None:
        """Between two looks for connections. What was put off is done though nobody asks: a callback tells of it."""
        with self.state.lock:
            self.state.catch_up()

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._open_lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._open_lock:
            self._open.discard(request)
        if request.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER.size) == _LINGER.pack(1, 0):
            request.close()  # shutting down first would send FIN before the RST
        else:
            super().shutdown_request(request)

    def stop(self) -> None:
        """Lets held calls go, ends every connection and waits for their threads. Call it once, from another thread
        than the serving one."""
        self.state.release()
        self.shutdown()
        with self._open_lock:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RD)
        self.server_close()


class Sandbox:
    """The sandbox in a thread of this process, for tests: `with Sandbox() as sandbox: … sandbox.url`.

    port 0: a free one.
    """

    def __init__(
        self,
        seed: Seed | None = None,
        now: Callable[[], datetime] = utc_now,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        self._server = _Server(host, port, create_sandbox(seed, now))
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, name="sandbox", daemon=True
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.stop()
        self._thread.join()

    @property
    def url(self) -> str:
        return self._server.url

    @property
    def state(self) -> SandboxState:
        return self._server.state

    def calls(self) -> list[dict[str, Any]]:
        """As `GET /_sandbox/calls`."""
        return self.state.calls_after(0)

    def fault(self, **fault: Any) -> int:
        """As `POST /_sandbox/faults`; the fault's number. Raises ControlError."""
        return self.state.order(parse_fault(fault, NAMES)).id

    def take_back(self, number: int | None = None) -> None:
        """As `DELETE /_sandbox/faults`: one of them, or all."""
        self.state.take_back(number)

    def switch(self, **values: Any) -> None:
        """As `POST /_sandbox/switches`. Raises ControlError."""
        with self.state.lock:
            self.state.switches = self.state.switches.with_values(values)

    def reset(self) -> None:
        """As `POST /_sandbox/reset`."""
        self.state.reset()


def run_sandbox(host: str, port: int, seed: Seed | None = None) -> None:
    """Serves until SIGTERM or SIGINT. Call it from the main thread. Raises OSError where the port is taken."""
    stop = threading.Event()
    before = {number: signal.signal(number, lambda *_: stop.set()) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        with Sandbox(seed, host=host, port=port):
            while not stop.wait(1.0):  # bounded: a signal that comes as a wait begins is handled once that is over
                pass
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
