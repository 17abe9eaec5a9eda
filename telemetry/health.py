"""A small HTTP server beside a worker or the archive: /healthz, /readyz, /metrics."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

from bellhop.schemas.readiness import HEALTHY, readiness
from bellhop.telemetry.metrics import CONTENT_TYPE

_TEXT: Final = "text/plain; charset=utf-8"
_JSON: Final = "application/json"


class Health:
    """Collects checks; `serve` answers by them. A check gives a sentence, or None while all is well."""

    def __init__(self, exposition: Callable[[], bytes]) -> None:
        self._exposition = exposition
        self._checks: dict[str, Callable[[], str | None]] = {}
        self._server: ThreadingHTTPServer | None = None

    def check(self, name: str, problem: Callable[[], str | None]) -> None:
        self._checks[name] = problem

    def problems(self) -> dict[str, str]:
        """By check; empty while ready. A check that raises is a problem too; one that has none yet is starting."""
        found = {} if self._checks else {"start": "it is starting"}
        for name, check in list(self._checks.items()):
            try:
                problem = check()
            except Exception as error:  # noqa: BLE001  # a probe needs an answer
                problem = f"cannot be told: {type(error).__name__}"
            if problem:
                found[name] = problem
        return found

    def serve(self, host: str, port: int) -> int:
        """Serves from a thread until `close`; the port, which is a free one where `port` is 0. Raises OSError."""

        def answer(path: str) -> tuple[int, str, bytes]:
            if path == "/healthz":
                return 200, _JSON, json.dumps(HEALTHY).encode()
            if path == "/readyz":
                told, status = readiness(self.problems())
                return status, _JSON, json.dumps(told).encode()
            if path == "/metrics":
                return 200, CONTENT_TYPE, self._exposition()
            return 404, _TEXT, b"/healthz, /readyz or /metrics\n"

        class Handler(BaseHTTPRequestHandler):
            timeout = 10  # seconds; a caller that says nothing must not hold a thread for ever

            def do_GET(self) -> None:
                status, kind, body = answer(self.path.partition("?")[0])
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                """Nothing: probes come every few seconds."""

        self._server = ThreadingHTTPServer((host, port), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, name="health", daemon=True).start()
        return int(self._server.server_address[1])

    def close(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
