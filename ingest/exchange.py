"""A webhook that is answered without a thread, from its environ to the bytes of its answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import gunicorn.http.wsgi
import gunicorn.util
from gunicorn.workers.gthread import TConn

from bellhop.ingest.heads import is_last
from bellhop.ingest.later import AWAITED, Awaited

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment

_KEEP: Final = {True: "keep-alive", False: "close"}


class Exchange:
    """Made, the application has read the request: it waits for nothing but what `awaited` says."""

    __slots__ = ("_headers", "_is_last", "_pieces", "_status", "awaited", "conn")

    def __init__(self, conn: TConn, environ: WSGIEnvironment, app: WSGIApplication) -> None:
        self.conn = conn
        self.awaited = environ[AWAITED] = Awaited()
        self._is_last = is_last(environ)
        self._status = ""
        self._headers: list[tuple[str, str]] = []
        self._pieces = app(environ, self._start_response)

    def answer(self, keeps: bool) -> tuple[bytes, bool]:
        """The answer as gunicorn would write it, and whether its connection is kept, which it is where both want it."""
        try:
            content = b"".join(self._pieces)  # by which the application names the status, at the latest
        finally:
            if close := getattr(self._pieces, "close", None):
                close()
        keeps = keeps and not self._is_last
        lines = [
            f"HTTP/1.1 {self._status}\r\nServer: {gunicorn.http.wsgi.SERVER}\r\nDate: {gunicorn.util.http_date()}\r\n",
            f"Connection: {_KEEP[keeps]}\r\n",
            *[f"{name}: {value}\r\n" for name, value in self._headers],
            "\r\n",
        ]
        return "".join(lines).encode("latin-1") + content, keeps

    def _start_response(
        self, status: str, headers: list[tuple[str, str]], _error: Any = None, /
    ) -> Callable[[bytes], object]:
        self._status, self._headers = status, headers
        return _write


def _write(_piece: bytes) -> object:
    """WSGI's old way to answer, which Flask's answers do not go."""
    raise NotImplementedError
