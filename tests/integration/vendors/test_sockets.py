"""What is opened to vendors where the process is at its limits, or a vendor is not called any more."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing

import pytest

from bellhop.vendors import connections, exchange
from bellhop.vendors.connections import Connections
from bellhop.vendors.exchange import USABLE_SECONDS, NotSent, Request
from bellhop.vendors.sockets import Host

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


@pytest.fixture
def hosts() -> Iterator[list[Host]]:
    """Two that answer each request and keep their connections."""
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
    opened: list[socket.socket] = []

    def serve(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        opened.append(connection)
        while connection.recv(65536):
            connection.sendall(OK)

    threads = [threading.Thread(target=serve, args=(one,), daemon=True) for one in listeners]
    for thread in threads:
        thread.start()
    yield [Host("127.0.0.1", one.getsockname()[1], is_tls=False) for one in listeners]
    for one in (*listeners, *opened):
        one.close()


def ask(of: Connections, host: Host) -> int:
    request = Request("GET", "/", None, {})
    return of.exchange(host, request, connect_seconds=5, read_seconds=5, is_read=True).status


def test_connections_to_a_host_that_is_called_no_more_are_not_kept(
    hosts: list[Host], monkeypatch: pytest.MonkeyPatch
) -> None:
    of, (first, second) = Connections(keep=8), hosts
    assert ask(of, first) == 200
    (kept,) = of._kept[first]
    later = time.monotonic() + 2 * USABLE_SECONDS
    with monkeypatch.context() as moved:
        for module in (connections, exchange):
            moved.setattr(module.time, "monotonic", lambda: later)
        assert ask(of, second) == 200
    assert (of._kept[first], kept.is_open, len(of._kept[second])) == ([], False, 1)
    of._kept[second].pop().end()


def test_a_name_that_no_thread_can_ask_for_was_not_sent_and_is_asked_for_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    def start(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        host = Host("localhost", listener.getsockname()[1], is_tls=False)
        with monkeypatch.context() as full:
            full.setattr(threading.Thread, "start", start)
            with pytest.raises(NotSent):
                exchange.HttpConnection(host, 5)
        exchange.HttpConnection(host, 5).end()
