"""Errors reach Sentry where a DSN is set, with tags and without secrets or guests."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.support.facts import spa_booking
from tests.support.service import Service, wait_for


class _Sink(ThreadingHTTPServer):
    """Takes Sentry's envelopes."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: _Sink

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        lines = [json.loads(line) for line in body.splitlines() if line.startswith(b"{")]
        self.server.events += [line for line in lines if "level" in line]
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None: ...


@contextmanager
def sink() -> Iterator[_Sink]:
    with _Sink() as server:
        serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        serving.start()
        yield server
        server.shutdown()
        serving.join()


def test_an_error_reaches_sentry_with_its_tags_and_without_secrets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with sink() as sentry, Service(tmp_path) as service:
        monkeypatch.setenv("BELLHOP_SENTRY__DSN", f"http://publickey@127.0.0.1:{sentry.server_address[1]}/1")
        service.start_all()
        service.sandbox("POST", "faults", method="create_service_reservation", kind="timeout_after", seconds=3)
        assert service.post("doubt-1", "booking.requested", spa_booking("PV-1", 1)) == 202
        service.wait_for_state("doubt-1", "dead")
        wait_for(lambda: any(event.get("tags", {}).get("reason") for event in sentry.events), "Sentry was told")
    told = json.dumps(sentry.events)
    (event,) = [event for event in sentry.events if event.get("tags", {}).get("reason")]
    assert event["tags"]["reason"] == "in_doubt"
    assert event["tags"]["account"] == "pv"
    for secret in ("sandbox-password", "Ada Lee", "example.test", "whsec_"):
        assert secret not in told
