"""How a process of the ingress answers: gunicorn's threads, and a short way for webhooks that have come whole.

A webhook waits for one thing, the broker's confirm. With a thread for each, half of what accepting costs is waking
threads, four times a webhook. So one that has come whole is read and published by the thread that accepts connections,
and answered by it once the confirm is there; what confirms come together wake it once. Whatever else may wait, for a
body that trickles, for the ledger, for a client that reads slowly, has a thread.
"""

from __future__ import annotations

import re
import socket
import threading
import time
from collections import deque
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import nullcontext, suppress
from functools import partial
from selectors import EVENT_READ
from typing import Any, Final

import gunicorn.http.wsgi
from gunicorn.http.errors import NoMoreData
from gunicorn.workers.gthread import TConn, ThreadWorker

from bellhop.ingest.connection import END_OF_HEAD, IngressConnection
from bellhop.ingest.later import AWAITED, Awaited
from bellhop.ingest.reloaded_app import ReloadedApp

_HEALTH: Final = (b"GET /healthz", b"GET /readyz", b"GET /metrics")
_HEALTH_THREADS: Final = 2
_CLOSING_SECONDS: Final = 2.0
_REST_BYTES: Final = 64 * 1024
_SILENT_SECONDS: Final = 2  # for a connection that has said nothing yet when the process is told to stop
_WEBHOOK: Final = b"POST /webhooks/"
_PEEK_BYTES: Final = 16 * 1024
"""A webhook is larger once in a thousand."""
_TOGETHER: Final = 16
"""So many webhooks are read before the first of them is published: some milliseconds' work."""
_LENGTH: Final = re.compile(rb"\r\ncontent-length: ?(\d{1,5})\r\n", re.IGNORECASE)
_WAITS: Final = re.compile(rb"\r\n(?:expect|transfer-encoding)[ \t]*:", re.IGNORECASE)


_KEPT: Final[Future[bool]] = Future()
_KEPT.set_result(True)


class _Exchange:
    """A request that is answered without a thread. pieces: the answer's, made as they are asked for."""

    __slots__ = ("awaited", "conn", "pieces", "response")

    def __init__(self, conn: TConn, response: Any, pieces: Iterable[bytes], awaited: Awaited) -> None:
        self.conn = conn
        self.response = response
        self.pieces = pieces
        self.awaited = awaited


class IngressWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """Health is asked for in threads of its own: posts may fill all others, each for as long as it takes to come."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self._health_pool = ThreadPoolExecutor(_HEALTH_THREADS)  # starts its threads when they are needed
        self._awaiting: dict[_Exchange, None] = {}  # in their order
        self._settled: deque[_Exchange] = deque()
        self._is_woken = False
        self._closing: dict[TConn, float] = {}  # until when each client may close

    def load_wsgi(self) -> None:
        super().load_wsgi()
        self._gather = self.wsgi.gather if isinstance(self.wsgi, ReloadedApp) else None

    def handle_usr1(self, _signal: int, _frame: object) -> None:
        """In a thread: this one accepts connections meanwhile."""
        if isinstance(self.wsgi, ReloadedApp):
            threading.Thread(target=self.wsgi.reload, name="reload", daemon=True).start()

    def enqueue_req(self, conn: TConn) -> None:
        """Hands a connection to a thread once its first bytes are there; one that says nothing needs none."""
        first = _first_bytes(conn.sock)
        if first is None and self.alive and not conn.initialized and not conn.data_ready:
            conn.set_timeout()
            self.pending_conns.append(conn)
            self.poller.register(conn.sock, EVENT_READ, partial(self.on_pending_socket_readable, conn))
            return
        if first and self._gather and _is_whole_webhook(first) and not _is_read_ahead(conn):
            self._begin(conn)
            return
        pool = self._health_pool if first is not None and first.startswith(_HEALTH) else self.tpool
        handled = pool.submit(self.handle, conn)
        handled.add_done_callback(lambda done: self.method_queue.defer(self.finish_request, conn, done))

    def set_accept_enabled(self, enabled: bool) -> None:
        """Is called last when the process is told to stop. gunicorn would leave the socket listening while requests are
        finished, and never accept: who connects then would be reset in the end. Refused at once, they go elsewhere."""
        super().set_accept_enabled(enabled)
        if not self.alive:
            for conn in self.pending_conns:
                conn.timeout = min(conn.timeout, time.monotonic() + _SILENT_SECONDS)
        if self.alive or self.app.listener_outlives:
            return
        for listener in self.sockets:
            self._accept_all(listener)
            listener.close()

    def _accept_all(self, listener: socket.socket) -> None:
        """Those who are connected already, as closing the socket would reset them."""
        before = -1
        while before != self.nr_conns:
            before = self.nr_conns
            self.accept(listener)

    def handle(self, conn: TConn) -> object:
        """Runs in a thread of the pool, once for each request; head and body share one deadline."""
        self._allow(conn)
        try:
            return super().handle(conn)
        finally:
            with suppress(OSError):  # gone, or closed after an error: there is nobody to tell
                conn.sock.flush()

    def wait_for_and_dispatch_events(self, timeout: float) -> None:
        """As gunicorn's, a few at a time: what these publish leaves together."""
        events = self.poller.select(timeout)
        for start in range(0, len(events), _TOGETHER):
            with self._gather() if self._gather else nullcontext():
                for key, _ in events[start : start + _TOGETHER]:
                    key.data(key.fileobj)

    def murder_pending(self) -> None:
        """Is called after whatever happens, once a second at least."""
        super().murder_pending()
        now = time.monotonic()
        while (first := next(iter(self._awaiting), None)) and first.awaited.until <= now:
            del self._awaiting[first]
            self._answer(first)
        while (conn := next(iter(self._closing), None)) and self._closing[conn] <= now:
            self._end(conn)

    # --- webhooks that have come whole: all but `_note_settled` runs on the thread that accepts ---------------------

    def _begin(self, conn: TConn) -> None:
        """Has the application read the request; it waits for nothing but what it says in `Awaited`."""
        self._allow(conn)
        request = None
        try:
            conn.init()
            if conn.sock.gettimeout() != 0:
                conn.sock.setblocking(False)
            request = next(conn.parser)
            response, environ = gunicorn.http.wsgi.create(request, conn.sock, conn.client, conn.server, self.cfg)
            environ["wsgi.multithread"] = True
            awaited = environ[AWAITED] = Awaited()
            exchange = _Exchange(conn, response, self.wsgi(environ, response.start_response), awaited)
        except Exception as error:  # noqa: BLE001  # this thread must go on, whatever one request is
            self._fail(conn, request, error)
        else:
            self._await(exchange)

    def _await(self, exchange: _Exchange) -> None:
        """Answers once all confirms are there."""
        for confirm in exchange.awaited.confirms:
            if not confirm.done():
                self._awaiting[exchange] = None
                confirm.add_done_callback(lambda _: self._note_settled(exchange))
                return
        self._awaiting.pop(exchange, None)
        self._answer(exchange)

    def _note_settled(self, exchange: _Exchange) -> None:
        """From any thread. What is settled before this one looks wakes it once."""
        self._settled.append(exchange)
        if not self._is_woken:
            self._is_woken = True
            self.method_queue.defer(self._go_on)

    def _go_on(self) -> None:
        self._is_woken = False  # first: what is settled from here on wakes it again
        while self._settled:
            exchange = self._settled.popleft()
            if exchange in self._awaiting:
                self._await(exchange)

    def _answer(self, exchange: _Exchange) -> None:
        conn, response, pieces = exchange.conn, exchange.response, exchange.pieces
        try:
            if not self.alive or len(self.keepalived_conns) >= self.max_keepalived:
                response.force_close()
            try:
                for piece in pieces:
                    response.write(piece)
                response.close()
            finally:
                if close := getattr(pieces, "close", None):
                    close()
            conn.sock.flush()
            keeps = not response.should_close() and conn.parser.finish_body()
        except Exception as error:  # noqa: BLE001  # as above
            self._fail(conn, response.req, error)
            return
        if conn.sock.is_held_up:
            sent = self.tpool.submit(self._send_rest, conn, keeps)
            sent.add_done_callback(lambda done: self.method_queue.defer(self.finish_request, conn, done))
        elif keeps:
            self.finish_request(conn, _KEPT)
        else:
            self._close(conn)

    def _send_rest(self, conn: TConn, keeps: bool) -> bool:
        """In a thread: the client takes its time."""
        conn.sock.settimeout(self.app.request_seconds)
        conn.sock.flush()
        return keeps

    def _fail(self, conn: TConn, request: Any, error: Exception) -> None:
        """A client that is gone is told nothing, nor is anybody of it."""
        is_gone = isinstance(error, OSError | StopIteration | NoMoreData)
        if not is_gone:
            self.handle_error(request, conn.sock, conn.client, error)
            with suppress(OSError):
                conn.sock.flush()
        self._close(conn)

    # --- the end of a connection --------------------------------------------------------------------------------

    def finish_request(self, conn: TConn, handled: Future[Any]) -> None:
        """gunicorn waits here for the client to close, too, which everybody else would wait for."""
        if handled.cancelled() or handled.exception() is not None or handled.result():
            super().finish_request(conn, handled)
        else:
            self._close(conn)

    def _close(self, conn: TConn) -> None:
        """Says that no more will come, and has the client a moment to close: what it still sends would, unread, undo
        the answer."""
        try:
            conn.sock.setblocking(False)
            conn.sock.shutdown(socket.SHUT_WR)
            self.poller.register(conn.sock, EVENT_READ, partial(self._read_rest, conn))
        except (OSError, ValueError, KeyError):  # gone
            self._end(conn)
        else:
            self._closing[conn] = time.monotonic() + _CLOSING_SECONDS

    def _read_rest(self, conn: TConn, _: object) -> None:
        with suppress(BlockingIOError):
            try:
                is_over = not socket.socket.recv(conn.sock, _REST_BYTES)
            except ConnectionError:
                is_over = True
            if is_over:
                self._end(conn)

    def _end(self, conn: TConn) -> None:
        self._closing.pop(conn, None)
        with suppress(OSError, ValueError, KeyError):
            self.poller.unregister(conn.sock)
        self.nr_conns -= 1
        conn.close()

    def _allow(self, conn: TConn) -> None:
        if not isinstance(conn.sock, IngressConnection):
            conn.sock = IngressConnection(fileno=conn.sock.detach())
        conn.sock.allow(self.app.request_seconds)


def _first_bytes(connection: socket.socket) -> bytes | None:
    """What has come and was not read yet, as far as it is looked at; None where nothing has."""
    try:
        return socket.socket.recv(connection, _PEEK_BYTES, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except BlockingIOError:
        return None
    except OSError:
        return b""  # gone: its thread finds out


def _is_whole_webhook(seen: bytes) -> bool:
    """Whether this is one webhook, to its last byte, and no more: nothing of it is to be waited for. What it says is
    the parser's to find out."""
    if not seen.startswith(_WEBHOOK) or (end := seen.find(END_OF_HEAD)) < 0:
        return False
    length = _LENGTH.search(seen, 0, end + 2)
    if length is None or _WAITS.search(seen, 0, end + 2):
        return False
    return len(seen) == end + len(END_OF_HEAD) + int(length[1])


def _is_read_ahead(conn: TConn) -> bool:
    """Whether the next request, or its beginning, was read with the one before."""
    return conn.parser is not None and bool(conn.parser.unreader.buf.getvalue())
