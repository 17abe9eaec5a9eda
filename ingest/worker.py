"""How a process of the ingress answers: gunicorn's threads, and a short way for webhooks that have come whole.

A webhook waits for one thing, the broker's confirm. With a thread for each, half of what accepting costs is waking
threads, four times a webhook. So one that has come whole is read and published by the thread that accepts connections,
and answered by it once the confirm is there; what confirms come together wake it once. Whatever else may wait, for a
body that trickles, for the ledger, for a client that reads slowly, has a thread.
"""

from __future__ import annotations

import socket
import threading
import time
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import nullcontext, suppress
from functools import partial
from selectors import EVENT_READ
from typing import TYPE_CHECKING, Any, Final

import gunicorn.http.wsgi
from gunicorn.workers.gthread import TConn, ThreadWorker

from bellhop.ingest.connection import IngressConnection
from bellhop.ingest.exchange import Exchange
from bellhop.ingest.heads import read_webhook
from bellhop.ingest.reloaded_app import ReloadedApp

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

_HEALTH: Final = (b"GET /healthz", b"GET /readyz", b"GET /metrics")
_HEALTH_THREADS: Final = 2
_CLOSING_SECONDS: Final = 2.0
_REST_BYTES: Final = 64 * 1024
_SILENT_SECONDS: Final = 2  # for a connection that has said nothing yet when the process is told to stop
_PIECE_BYTES: Final = 16 * 1024
"""A webhook is larger once in a thousand."""
_TOGETHER: Final = 16
"""So many webhooks are read before the first of them is published: some milliseconds' work."""
_BEAT_SECONDS: Final = 1.0


class IngressWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """Health is asked for in threads of its own: posts may fill all others, each for as long as it takes to come."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self._health_pool = ThreadPoolExecutor(_HEALTH_THREADS)  # starts its threads when they are needed
        self._awaiting: dict[Exchange, None] = {}  # in their order
        self._settled: deque[Exchange] = deque()
        self._is_woken = False
        self._closing: dict[TConn, float] = {}  # until when each client may close
        self._beat_next = 0.0

    def notify(self) -> None:
        """Is called after whatever happens, and writes to a file each time."""
        if (now := time.monotonic()) >= self._beat_next:
            self._beat_next = now + _BEAT_SECONDS
            super().notify()

    def load_wsgi(self) -> None:
        super().load_wsgi()
        self._base = gunicorn.http.wsgi.base_environ(self.cfg) | {
            "wsgi.multithread": True,
            "wsgi.url_scheme": "http",  # nothing of a webhook depends on it
            "REQUEST_METHOD": "POST",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "SCRIPT_NAME": "",
        }
        self._gather = self.wsgi.gather if isinstance(self.wsgi, ReloadedApp) else None

    def handle_usr1(self, _signal: int, _frame: object) -> None:
        """In a thread: this one accepts connections meanwhile."""
        if isinstance(self.wsgi, ReloadedApp):
            threading.Thread(target=self.wsgi.reload, name="reload", daemon=True).start()

    def enqueue_req(self, conn: TConn) -> None:
        """Hands a connection to a thread once its first bytes are there; one that says nothing needs none."""
        if _is_read_ahead(conn):
            self._submit(conn, b"")
            return
        self._allow(conn)
        came = conn.sock.peer_sent(_PIECE_BYTES)
        if came is None and self.alive and not conn.initialized and not conn.data_ready:
            conn.set_timeout()
            self.pending_conns.append(conn)
            self.poller.register(conn.sock, EVENT_READ, partial(self.on_pending_socket_readable, conn))
        elif came and (environ := self._read(conn, came)) is not None:
            self._begin(conn, environ)
        else:
            self._submit(conn, came or b"")

    def on_client_socket_readable(self, conn: TConn, client: IngressConnection) -> None:
        """As gunicorn's. But a connection stays with the poller while its webhook is answered here: to take it away and
        bring it back costs as much as to read a webhook."""
        try:
            self.keepalived_conns.remove(conn)
        except ValueError:
            if client.is_at_work:  # it sends ahead, or is gone: looked at once it has its answer
                self._unwatch(client)
            return
        came = client.peer_sent(_PIECE_BYTES)
        if came and (environ := self._read(conn, came)) is not None:
            client.is_watched = True
            self._begin(conn, environ)
        else:
            self._unwatch(client)
            self._submit(conn, came or b"")

    def _read(self, conn: TConn, came: bytes) -> WSGIEnvironment | None:
        """The webhook that has come, where it is one, whole, and can be answered here."""
        return None if self._gather is None else read_webhook(came, conn.sock.environ)

    def _submit(self, conn: TConn, came: bytes) -> None:
        """Has a thread read on, behind what has come."""
        pool = self._health_pool if came.startswith(_HEALTH) else self.tpool
        if came:
            conn.init()
            conn.parser.unreader.unread(came)
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

    def _begin(self, conn: TConn, environ: WSGIEnvironment) -> None:
        """Has the application read the request; it waits for nothing but what it says in `Awaited`."""
        conn.sock.is_at_work = True
        try:
            exchange = Exchange(conn, environ, self.wsgi)
        except Exception as error:  # noqa: BLE001  # this thread must go on, whatever one request is
            self._fail(conn, error)
        else:
            self._await(exchange)

    def _await(self, exchange: Exchange) -> None:
        """Answers once all confirms are there."""
        for confirm in exchange.awaited.confirms:
            if not confirm.done():
                self._awaiting[exchange] = None
                confirm.add_done_callback(lambda _: self._note_settled(exchange))
                return
        self._awaiting.pop(exchange, None)
        self._answer(exchange)

    def _note_settled(self, exchange: Exchange) -> None:
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

    def _answer(self, exchange: Exchange) -> None:
        conn = exchange.conn
        conn.sock.is_at_work = False
        try:
            answer, keeps = exchange.answer(self.alive and len(self.keepalived_conns) < self.max_keepalived)
            conn.sock.sendall(answer)
        except Exception as error:  # noqa: BLE001  # as above
            self._fail(conn, error)
            return
        if conn.sock.is_held_up:
            self._unwatch(conn.sock)
            sent = self.tpool.submit(self._send_rest, conn, keeps)
            sent.add_done_callback(lambda done: self.method_queue.defer(self.finish_request, conn, done))
        elif keeps:
            self._keep(conn)
        else:
            self._close(conn)

    def _keep(self, conn: TConn) -> None:
        conn.set_timeout()
        self.keepalived_conns.append(conn)
        if not conn.sock.is_watched:
            self.poller.register(conn.sock, EVENT_READ, partial(self.on_client_socket_readable, conn))

    def _send_rest(self, conn: TConn, keeps: bool) -> bool:
        """In a thread: the client takes its time."""
        conn.init()  # for what gunicorn does next
        conn.sock.settimeout(self.app.request_seconds)
        conn.sock.flush()
        return keeps

    def _fail(self, conn: TConn, error: Exception) -> None:
        """A client that is gone is told nothing, nor is anybody of it."""
        if not isinstance(error, OSError):
            self.handle_error(None, conn.sock, conn.client, error)
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
            self._unwatch(conn.sock)
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
        self._unwatch(conn.sock)
        self.nr_conns -= 1
        conn.close()

    def _unwatch(self, client: socket.socket) -> None:
        with suppress(OSError, ValueError, KeyError):  # it is not watched, or closed
            self.poller.unregister(client)
        if isinstance(client, IngressConnection):
            client.is_watched = False

    def _allow(self, conn: TConn) -> None:
        if not isinstance(conn.sock, IngressConnection):
            conn.sock = IngressConnection(fileno=conn.sock.detach())
            conn.sock.setblocking(False)
            address, port = conn.server[:2]
            own = {"REMOTE_ADDR": conn.client[0], "SERVER_NAME": address, "SERVER_PORT": str(port)}
            conn.sock.environ = self._base | own
        conn.sock.allow(self.app.request_seconds)


def _is_read_ahead(conn: TConn) -> bool:
    """Whether the next request, or its beginning, was read with the one before."""
    return conn.parser is not None and bool(conn.parser.unreader.buf.getvalue())
