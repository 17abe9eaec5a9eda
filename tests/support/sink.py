"""HTTP sinks: what is posted to them is kept. One answers as a test tells it; one takes Sentry's envelopes."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeVar

Served = TypeVar("Served", bound="Sink")


@dataclass(frozen=True)
class Post:
    path: str
    headers: dict[str, str]
    """With names in lower case."""
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        told: dict[str, Any] = json.loads(self.body)
        return told


class Sink(ThreadingHTTPServer):
    """statuses: what the next posts are answered, the last of them from then on. While `open` is not set, posts are
    kept and answered only once it is. location: where the answers redirect to. body: of the answers; promised: how
    long they say it is, None for the truth."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, port: int = 0, *statuses: int, location: str = "") -> None:
        self.posts: list[Post] = []
        self.statuses = list(statuses) or [200]
        self.location = location
        self.body = b""
        self.promised: int | None = None
        self.open = threading.Event()
        self.open.set()
        super().__init__(("127.0.0.1", port), _Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/hooks?from=bellhop"

    def take(self, post: Post) -> int:
        self.posts.append(post)
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        self.open.wait(30)
        return status


class SentrySink(Sink):
    """Takes Sentry's envelopes: `events` are errors, `transactions` finished traces; `raw` is every byte of all."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.transactions: list[dict[str, Any]] = []
        self.raw = b""
        super().__init__()

    @property
    def dsn(self) -> str:
        return f"http://publickey@127.0.0.1:{self.server_address[1]}/1"

    def take(self, post: Post) -> int:
        body = gzip.decompress(post.body) if post.headers.get("content-encoding") == "gzip" else post.body
        self.raw += body
        for line in (json.loads(line) for line in body.splitlines() if line.startswith(b"{")):
            if line.get("type") == "transaction" and "spans" in line:
                self.transactions.append(line)
            elif "level" in line:
                self.events.append(line)
        return 200


class _Handler(BaseHTTPRequestHandler):
    server: Sink

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        named = {name.lower(): value for name, value in self.headers.items()}
        status = self.server.take(Post(self.path, named, body))
        try:
            self.send_response(status)
            if self.server.location:
                self.send_header("Location", self.server.location)
            told = self.server.body
            self.send_header("Content-Length", str(len(told) if self.server.promised is None else self.server.promised))
            self.end_headers()
            self.wfile.write(told)
        except OSError:
            pass  # who posted it was killed meanwhile

    def log_message(self, format: str, *args: Any) -> None: ...


@contextmanager
def serving(server: Served) -> Iterator[Served]:
    with server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            server.open.set()
            server.shutdown()
            thread.join()
