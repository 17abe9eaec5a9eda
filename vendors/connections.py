"""Connections to vendors on which a request never meets the answer to another.

Python's http.client takes an interim answer (102, 103) for the answer itself, and the real one then waits on the kept
connection for whoever asks next: an event ended with another's vendor id. What it has read beyond an answer, it drops.
"""

from __future__ import annotations

import http.client
import socket
from contextlib import suppress
from http import HTTPStatus
from typing import Any, Final

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection

_MOST_INTERIM: Final = 20


class _Answer(http.client.HTTPResponse):
    """Reads interim answers over, and has its connection closed where more came than the answer to the request."""

    def __init__(self, connection: _Kept, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self._connection = connection

    def begin(self) -> None:
        for _ in range(_MOST_INTERIM):
            super().begin()
            if not 100 <= self.status < 200:
                return
            if self.status == HTTPStatus.SWITCHING_PROTOCOLS:
                break  # what follows is not HTTP any more, and nobody asked for it
            self.headers = self.msg = None  # type: ignore[assignment]  # or `begin` does nothing
        raise http.client.HTTPException("no final answer")

    def _close_conn(self) -> None:
        """Is called once the answer is whole, or given up."""
        if self._has_more():
            self._connection.is_spoilt = True
        super()._close_conn()  # type: ignore[misc]  # http.client's own

    def _has_more(self) -> bool:
        sock: socket.socket | None = self._connection.sock
        if sock is None or not hasattr(self.fp, "peek"):
            return False
        before = sock.gettimeout()
        with suppress(OSError, ValueError):  # no more is here, or the connection is gone
            sock.settimeout(0)
            try:
                return bool(self.fp.peek(1))
            finally:
                sock.settimeout(before)
        return False


class _Kept:
    """What both kinds of connection have. urllib3 asks `is_connected` before it uses a kept one again."""

    sock: Any
    is_spoilt = False

    def response_class(self, *arguments: Any, **more: Any) -> _Answer:
        return _Answer(self, *arguments, **more)

    @property
    def is_connected(self) -> bool:
        return not self.is_spoilt and bool(super().is_connected)  # type: ignore[misc]

    def close(self) -> None:
        self.is_spoilt = False
        super().close()  # type: ignore[misc]


class _Http(_Kept, HTTPConnection):  # type: ignore[misc]  # `response_class` is a class there
    pass


class _Https(_Kept, HTTPSConnection):  # type: ignore[misc]
    pass


class _HttpPool(urllib3.HTTPConnectionPool):
    ConnectionCls = _Http


class _HttpsPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _Https


def pools(connections: int) -> urllib3.PoolManager:
    """connections: kept for each host; more are opened when needed, and closed after use.

    Neither retries nor redirects: both would send a booking again without the ledger knowing.
    """
    made = urllib3.PoolManager(num_pools=32, maxsize=connections, block=False, retries=False)
    made.pool_classes_by_scheme = {"http": _HttpPool, "https": _HttpsPool}
    return made
