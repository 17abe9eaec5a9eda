"""A call gets the answer to itself and to no other, whatever a vendor sends on a kept connection. Over real sockets."""

from __future__ import annotations

import json
import re
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

import pytest

from bellhop.schemas.redact import Redactor
from bellhop.vendors.failure import Kind, VendorFailure
from bellhop.vendors.http import HttpAnswer, HttpClient, Where

EARLY = b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n"
PROCESSING = b"HTTP/1.1 102 Processing\r\n\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
SWITCH = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n"
CALLS = 6


def ok(name: object, *, chunked: bool = False) -> bytes:
    body = json.dumps({"answer_to": name}).encode()
    if chunked:
        return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)


class Vendor:
    """Answers each request with `pieces`, in which NAME is the request's own answer, and keeps its connections.
    A piece of no bytes is a pause until the client has read what came before."""

    def __init__(self, pieces: Sequence[bytes], *, chunked: bool) -> None:
        self.pieces = pieces
        self.chunked = chunked
        self.connections = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._open: list[socket.socket] = []
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._open:
            connection.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._open.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        got = b""
        with suppress(OSError):  # the client has closed it, or the test is over
            while piece := connection.recv(65536):
                got += piece
                while found := re.match(rb"GET /(\d+) .*?\r\n\r\n", got, re.DOTALL):
                    got = got[found.end() :]
                    self._answer(connection, int(found[1]))

    def _answer(self, connection: socket.socket, number: int) -> None:
        for piece in self.pieces:
            if not piece:
                threading.Event().wait(0.05)
            connection.sendall(piece.replace(b"NAME", ok(number, chunked=self.chunked)))


@contextmanager
def vendor(*pieces: bytes, chunked: bool = False) -> Iterator[Vendor]:
    made = Vendor(pieces, chunked=chunked)
    try:
        yield made
    finally:
        made.close()


def ask(client: HttpClient, at: Vendor, number: int) -> HttpAnswer:
    return client.request(Where("vendor", "ask"), "GET", f"{at.url}/{number}", connect_seconds=5, read_seconds=5)


def answers(at: Vendor) -> list[object]:
    """Of calls one after another by one client."""
    client = HttpClient(pool_size=1, redactor=Redactor([]))
    return [ask(client, at, number).json for number in range(CALLS)]


MINE = [{"answer_to": number} for number in range(CALLS)]


@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
@pytest.mark.parametrize(
    "pieces",
    [
        (EARLY + b"NAME",),
        (EARLY, b"", b"NAME"),
        (PROCESSING, b"", PROCESSING, b"", b"NAME"),
        (CONTINUE + PROCESSING + EARLY, b"", b"NAME"),
    ],
    ids=["in one", "103, then the answer", "102 twice", "100, 102, 103"],
)
def test_interim_answers_are_read_over_and_the_connection_is_not_used_again(
    pieces: Sequence[bytes], chunked: bool
) -> None:
    with vendor(*pieces, chunked=chunked) as at:
        assert answers(at) == MINE
        assert at.connections == CALLS


@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
@pytest.mark.parametrize(
    "pieces",
    [
        (b"NAME" + ok("nobody"),),
        (b"NAME" + ok("nobody")[:30],),
        (b"NAME\r\n",),
        (b"NAMEx",),
        (b"NAMENAME",),
    ],
    ids=["two answers", "a piece of another", "an empty line", "a byte", "twice"],
)
def test_a_connection_on_which_more_came_than_the_answer_is_not_used_again(
    pieces: Sequence[bytes], chunked: bool
) -> None:
    with vendor(*pieces, chunked=chunked) as at:
        assert answers(at) == MINE
        assert at.connections == CALLS


def test_a_connection_is_kept_where_nothing_more_comes() -> None:
    with vendor(b"NAME") as at:
        assert answers(at) == MINE
        assert at.connections == 1


@pytest.mark.parametrize("pieces", [(SWITCH + b"NAME",), (EARLY * 1000 + b"NAME",)], ids=["101", "without end"])
def test_what_never_comes_to_an_answer_leaves_a_doubt_and_no_trace_on_the_next_call(pieces: Sequence[bytes]) -> None:
    client = HttpClient(pool_size=1, redactor=Redactor([]))
    with vendor(*pieces) as at:
        with pytest.raises(VendorFailure) as caught:
            ask(client, at, 0)
        assert caught.value.kind is Kind.UNKNOWN
        at.pieces = (b"NAME",)
        assert [ask(client, at, number).json for number in range(CALLS)] == MINE
        assert at.connections == 2
