"""A vendor that says back whatever it was told, in every way in which a server writes. None of it may be told on."""

from __future__ import annotations

import html
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import quote, quote_plus, unquote

_READS: Final[dict[str, Any]] = {
    "getTimeframe": "5",
    "getCompanyParam": "",
    "getAdditionalFields": [],
    "getUnitList": [],
}
Answer = tuple[int, str, bytes]
"""Status, type and body. A body of which more is promised than comes breaks off."""


class EchoVendor(ThreadingHTTPServer):
    """Both vendors. `ways` are how the calls that book are answered, one after another, and then from the first on."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, token: str) -> None:
        self.token = token
        self.booked = self.logins = 0
        self._lock = threading.Lock()
        # Pages that are no word of the vendor's would open the breaker, were they many in a row.
        pages = (_in_html, _in_url, _in_escaped_json, _in_text, _cut_off)
        self.ways = tuple(way for page in pages for way in (_in_words, page, _in_json, _as_keys))
        self.open = threading.Event()  # as `tests.support.sink` has it; nothing is held here
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def answer(self, path: str, heard: str, body: bytes) -> Answer:
        """heard: all that the request said, its secrets among it."""
        call = json.loads(body) if body.startswith(b'{"jsonrpc"') else {}
        method = call.get("method", path)
        if method == "getToken":
            self.logins += 1
            return _json(200, {"jsonrpc": "2.0", "result": f"{self.token}{self.logins}", "id": call["id"]})
        if method in _READS:
            return _json(200, {"jsonrpc": "2.0", "result": _READS[method], "id": call["id"]})
        with self._lock:
            way = self.ways[self.booked % len(self.ways)]
            self.booked += 1
        return way(heard, call.get("id"))


def _in_words(heard: str, id_: object) -> Answer:
    error = {"code": -32600, "message": f"Refused: {heard}", "data": {"said": heard, "list": [heard]}}
    return _json(200, {"jsonrpc": "2.0", "error": error, "id": id_, "success": False, "reason": f"Refused: {heard}"})


def _in_html(heard: str, _: object) -> Answer:
    return 403, "text/html", f"<p>{html.escape(heard)}<p>{html.escape(html.escape(heard))}".encode()


def _in_url(heard: str, _: object) -> Answer:
    return 500, "text/html", f"{quote(heard)} {quote_plus(heard)} {quote(quote(heard))}".encode()


def _in_json(heard: str, id_: object) -> Answer:
    return _json(200, {"jsonrpc": "2.0", "result": {"unknown": heard, "more": [heard]}, "id": id_})


def _in_escaped_json(heard: str, _: object) -> Answer:
    return 200, "text/plain", f"PHP Notice: {json.dumps(json.dumps(heard))} {html.escape(json.dumps(heard))}".encode()


def _in_text(heard: str, _: object) -> Answer:
    return 404, "text/plain", heard.encode()


def _cut_off(heard: str, _: object) -> Answer:
    """In the middle of the last secret."""
    return -200, "application/json", f'{{"said": "{heard}'.encode()[:-3]


def _as_keys(heard: str, id_: object) -> Answer:
    return _json(200, {"jsonrpc": "2.0", "result": {heard: {heard: 1}}, "id": id_})


def _json(status: int, value: object) -> Answer:
    return status, "application/json", json.dumps(value).encode()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: EchoVendor

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        params = json.loads(body).get("params", []) if body.startswith(b'{"jsonrpc"') else []
        said = [param for param in params if isinstance(param, str)]
        heard = " | ".join(
            [unquote(self.path), *said, *(self.headers.get(n, "") for n in ("x-company-login", "x-token"))]
        )
        status, kind, content = self.server.answer(self.path, heard, body)
        self.send_response(abs(status))
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content) + (100 if status < 0 else 0)))
        self.end_headers()
        self.wfile.write(content)
        self.close_connection = status < 0

    do_GET = do_HEAD = do_POST

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""
