"""The upstream's end of results: keeps what it is told."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from bellhop.drill.history import ToldResult


class Receiver(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        self.told: list[ToldResult] = []
        super().__init__(("127.0.0.1", 0), _Handler)
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/results"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.shutdown()
        self._thread.join(10)
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body: dict[str, Any] = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        told = body["data"]
        self.server.told.append(
            ToldResult(
                id=told["event_id"],
                type=body["type"],
                reference=str(told.get("booking_id") or told.get("member_id")),
                time=body["timestamp"],
                standing=tuple(told.get("vendor_ids", ())),
                cancelled=tuple(told.get("cancelled_ids", ())),
            )
        )
        try:
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()
        except OSError:
            pass  # who told it was killed meanwhile

    def log_message(self, format: str, *args: Any) -> None: ...
