"""A call's two limits hold for the whole of it, however slowly a vendor connects, answers or hangs up; and a call that
must not happen twice does not go out on a connection that may be dead. Over real sockets.

`within` is no measurement: without the limits each of these would last for more than ten times as long.
"""

from __future__ import annotations

import gzip
import math
import select
import socket
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

import pytest

from bellhop.schemas import fibres
from bellhop.schemas.fibres import AWAY_SECONDS, READABLE, Fibres, listening_seconds, pause
from bellhop.schemas.redact import Redactor
from bellhop.vendors import exchange, sockets
from bellhop.vendors.exchange import HttpConnection
from bellhop.vendors.failure import Kind, VendorFailure
from bellhop.vendors.http import HttpAnswer, HttpClient, Where
from bellhop.vendors.sockets import Host, open_socket

CONNECT_SECONDS, READ_SECONDS, WITHIN_SECONDS = 0.3, 0.4, 4.0
BODY = b'{"ok": true}'
WHOLE = b"HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n" + BODY
OPEN_END = b"HTTP/1.1 200 OK\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

Serve = Callable[[socket.socket, int], None]
"""What is done with the connection of this number once a request has come on it; it is closed after."""


class Vendor:
    def __init__(self, serve: Serve) -> None:
        self.requests: list[int] = []
        self.connections = 0
        self._serve = serve
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/"
        self.over = threading.Event()
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self.over.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._open:
            connection.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self._open.append(connection)
                number, self.connections = self.connections, self.connections + 1  # before it is answered
                threading.Thread(target=self._requests, args=(connection, number), daemon=True).start()

    def _requests(self, connection: socket.socket, number: int) -> None:
        with suppress(OSError), connection:
            while connection.recv(65_536):
                self.requests.append(number)
                self._serve(connection, number)


@contextmanager
def vendor(serve: Serve) -> Iterator[Vendor]:
    made = Vendor(serve)
    try:
        yield made
    finally:
        made.close()


def within(act: Callable[[], Any]) -> Any:
    """What `act` gives back or raises; fails where it is still at it after seconds."""
    ended: Future[Any] = Future()

    def run() -> None:
        try:
            ended.set_result(act())
        except Exception as error:  # noqa: BLE001  # handed on
            ended.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return ended.result(WITHIN_SECONDS)


def http() -> HttpClient:
    return HttpClient(pool_size=2, redactor=Redactor())


def ask(client: HttpClient, url: str, *, body: bytes = b"{}", is_read: bool = False) -> HttpAnswer:
    answer: HttpAnswer = within(
        lambda: client.request(
            Where("vendor", "book"),
            "POST",
            url,
            body=body,
            connect_seconds=CONNECT_SECONDS,
            read_seconds=READ_SECONDS,
            is_read=is_read,
        )
    )
    return answer


def failing(url: str, **more: Any) -> VendorFailure:
    with pytest.raises(VendorFailure) as caught:
        ask(http(), url, **more)
    return caught.value


def drip(begin: bytes, *drops: bytes) -> Serve:
    """Sends `begin`, and then the drops over and over, one by one and without end."""

    def serve(connection: socket.socket, _: int) -> None:
        connection.sendall(begin)
        while drops:
            for drop in drops:
                connection.sendall(drop)
                threading.Event().wait(0.05)
        threading.Event().wait(60)

    return serve


# --- the read limit ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "serve",
    [
        drip(b""),
        drip(b"HTTP/1.1 2", b"0"),
        drip(b"HTTP/1.1 200 ", b"O"),
        drip(b"HTTP/1.1 200 OK\r\nX-Long: ", b"x"),
        drip(b"HTTP/1.1 200 OK\r\n", b"X-Many: x\r\n"),
        drip(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        drip(b"", b"HTTP/1.1 103 Early", b" Hints\r\n\r\n"),
        drip(b"HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n", b" "),
        drip(b"HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n" + BODY[:-1]),
        drip(CHUNKED, b"1\r\n", b" ", b"\r\n"),
        drip(CHUNKED, b"0"),
        drip(CHUNKED + b"1; ", b"extension"),
        drip(CHUNKED + b"c\r\n" + BODY + b"\r\n0\r\n", b"X-Trailer: x\r\n"),
        drip(CHUNKED + b"c\r\n" + BODY + b"\r\n"),
    ],
    ids=[
        *("silence", "status", "reason", "a header", "headers", "100", "103", "length", "the last byte"),
        *("chunks", "a chunk's size", "an extension", "trailers", "the last chunk"),
    ],
)
def test_an_answer_in_drops_is_in_doubt_at_the_read_limit(serve: Serve) -> None:
    with vendor(serve) as at:
        assert failing(at.url).kind is Kind.UNKNOWN


def crumbs(connection: socket.socket, _number: int) -> None:
    """More of an answer is there whenever one looks."""
    connection.sendall(CHUNKED)
    while True:
        connection.sendall(b"1\r\n{\r\n" * 5000)


def test_an_answer_that_comes_without_a_pause_is_in_doubt_at_the_read_limit() -> None:
    with vendor(crumbs) as at, pytest.raises(VendorFailure, match="broke off") as caught:
        ask(http(), at.url)
    assert caught.value.kind is Kind.UNKNOWN


def test_an_answer_that_comes_without_a_pause_keeps_nobody_waiting_that_shares_its_thread() -> None:
    ended: list[str] = []

    def read() -> None:
        with pytest.raises(exchange.BrokenOff):
            HttpConnection(Host("127.0.0.1", int(at.url.rsplit(":", 1)[1].rstrip("/")), False), 1.0).exchange(
                exchange.Request("GET", "/", None, {}), time.monotonic() + 3 * READ_SECONDS
            )
        ended.append("it")

    def wait() -> None:
        pause(READ_SECONDS)
        ended.append("another")

    with vendor(crumbs) as at, Fibres() as fibres:
        fibres.start(read, wait)
        while fibres.count:
            fibres.turn(math.inf)
    assert ended == ["another", "it"]


@pytest.mark.parametrize("drops", [(), (b" ",)], ids=["held open", "in drops"])
def test_an_answer_that_ends_with_the_connection_is_known_by_its_content(drops: tuple[bytes, ...]) -> None:
    """The vendor's word is there and whole; that it does not hang up takes nothing from it."""
    with vendor(drip(OPEN_END + BODY, *drops)) as at:
        assert ask(http(), at.url).json == {"ok": True}


def test_what_came_of_an_answer_that_broke_off_is_kept_with_the_failure() -> None:
    with vendor(drip(b'HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{"id": "4711", ')) as at:
        failure = failing(at.url)
    assert (failure.kind, failure.status) == (Kind.UNKNOWN, None)
    assert failure.answer == {"status": 200, "body": '{"id": "4711", ', "look_for": ["4711"]}


@pytest.mark.parametrize("more", [b"", b"Connection: close\r\n"], ids=["kept", "to be closed"])
def test_who_does_not_close_after_a_whole_answer_is_not_waited_for(more: bytes) -> None:
    with vendor(drip(WHOLE.replace(b"\r\n", b"\r\n" + more, 1), b"x")) as at:
        assert ask(http(), at.url).json == {"ok": True}


def test_a_vendor_that_takes_no_more_of_a_request_is_in_doubt_at_the_read_limit() -> None:
    with vendor(drip(b"")) as at:
        assert failing(at.url, body=b"x" * 30_000_000).kind is Kind.UNKNOWN


# --- the connect limit ------------------------------------------------------------------------------------------------


@pytest.fixture
def nowhere() -> Iterator[tuple[str, int]]:
    """An address that answers no SYN: its queue of connections is full."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(listener.getsockname())
        assert select.select([], waiting, [], 5)[1], "it has one, and room for no more"
        yield listener.getsockname()
        for one in waiting:
            one.close()


def lead(monkeypatch: pytest.MonkeyPatch, *peers: tuple[str, int]) -> None:
    """Every name leads to these."""
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", peer) for peer in peers]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_more: found)


def test_an_address_that_does_not_answer_was_not_called(nowhere: tuple[str, int]) -> None:
    failure = failing(f"http://127.0.0.1:{nowhere[1]}/")
    assert failure.kind is Kind.TRANSIENT
    assert "no connection in time" in str(failure)


def test_of_several_addresses_those_that_do_not_answer_leave_time_for_the_next(
    nowhere: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    with vendor(drip(WHOLE)) as at:
        lead(monkeypatch, nowhere, nowhere, ("127.0.0.1", int(at.url.rsplit(":", 1)[1].rstrip("/"))))
        assert ask(http(), "http://vendor.test/").json == {"ok": True}


def test_the_connect_limit_holds_for_all_addresses_together(
    nowhere: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    lead(monkeypatch, *[nowhere] * 50)
    assert failing("http://vendor.test/").kind is Kind.TRANSIENT


def test_a_resolver_that_hangs_is_waited_for_up_to_the_connect_limit_and_asked_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    over, asked = threading.Event(), []

    def hang(name: str, *_args: object, **_more: object) -> list[Any]:
        asked.append(name)
        over.wait(60)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    for _ in range(3):
        failure = failing("http://slow.vendor.test/")
        assert failure.kind is Kind.TRANSIENT
        assert "no connection in time" in str(failure)
    over.set()
    assert asked == ["slow.vendor.test"]


@pytest.mark.parametrize("drops", [(), (b"\x16\x03\x03\x40\x00", b"x")], ids=["silence", "in drops"])
def test_tls_that_is_not_agreed_on_by_the_connect_limit_was_not_called(drops: tuple[bytes, ...]) -> None:
    with vendor(drip(b"", *drops)) as at:
        assert failing(at.url.replace("http:", "https:")).kind is Kind.TRANSIENT


# --- kept connections -------------------------------------------------------------------------------------------------


def answer_once(connection: socket.socket, _: int) -> None:
    """Answers the first request of a connection, and hangs up on the second without a word."""
    connection.sendall(WHOLE)
    connection.recv(65_536)
    connection.close()


def test_a_read_on_a_connection_that_turns_out_closed_is_asked_once_more_over_a_fresh_one() -> None:
    with vendor(answer_once) as at:
        client = http()
        for _ in range(3):
            assert ask(client, at.url, is_read=True).json == {"ok": True}
        assert at.connections == 3


def test_a_read_over_a_fresh_connection_is_not_asked_again() -> None:
    with vendor(lambda connection, _: connection.close()) as at:
        assert failing(at.url, is_read=True).kind is Kind.UNKNOWN
        assert at.requests == [0]


def test_a_call_that_is_no_read_is_never_made_again_by_itself() -> None:
    with vendor(answer_once) as at:
        client = http()
        ask(client, at.url)
        with pytest.raises(VendorFailure) as caught:
            ask(client, at.url)
        assert caught.value.kind is Kind.UNKNOWN
        assert at.connections == 1


@pytest.mark.parametrize("is_read", [True, False], ids=["read", "booking"])
def test_a_connection_that_answered_too_long_ago_is_not_used_again(
    is_read: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As behind a NAT that has dropped it: whatever is sent on it is heard by nobody."""

    def once(connection: socket.socket, _: int) -> None:
        connection.sendall(WHOLE)
        while connection.recv(65_536):
            pass

    with vendor(once) as at:
        client = http()
        ask(client, at.url)
        monkeypatch.setattr(exchange, "USABLE_SECONDS", -1.0)
        assert ask(client, at.url, is_read=is_read).json == {"ok": True}
        assert at.connections == 2


def test_calls_in_a_row_share_a_connection() -> None:
    with vendor(lambda connection, _: connection.sendall(WHOLE)) as at:
        client = http()
        for _ in range(5):
            ask(client, at.url)
        assert at.requests == [0] * 5


def test_a_connection_is_probed_while_it_is_waited_on() -> None:
    with vendor(drip(WHOLE)) as at:
        connection = HttpConnection(Host("127.0.0.1", int(at.url.rsplit(":", 1)[1].rstrip("/")), False), 1.0)
        assert connection.sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        assert connection.sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) <= 15
        connection.end()


def test_a_header_that_cannot_be_written_was_not_sent() -> None:
    with vendor(drip(WHOLE)) as at:
        with pytest.raises(VendorFailure) as caught:
            http().request(
                Where("v", "book"), "GET", at.url, headers={"X-Token": "a\nb"}, connect_seconds=1, read_seconds=1
            )
        assert caught.value.kind is Kind.TRANSIENT
        assert at.requests == []


packed_by_gzip = partial(gzip.compress, mtime=0)
"""The time in it would give each process of a test run other names of tests."""


@pytest.mark.parametrize(
    ("coding", "packed"),
    [
        ("gzip", packed_by_gzip(BODY)),
        ("deflate", zlib.compress(BODY)),
        ("identity, gzip", packed_by_gzip(BODY)),
        ("deflate, gzip", packed_by_gzip(zlib.compress(BODY))),
        ("gzip", packed_by_gzip(BODY[:5]) + packed_by_gzip(BODY[5:])),
        ("gzip", packed_by_gzip(BODY) + bytes(8)),
    ],
)
def test_an_answer_that_is_compressed_unasked_is_read(coding: str, packed: bytes) -> None:
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: {coding}\r\nContent-Length: {len(packed)}\r\n\r\n"
    with vendor(drip(head.encode() + packed)) as at:
        assert ask(http(), at.url).json == {"ok": True}


# --- a thread that is kept elsewhere ----------------------------------------------------------------------------------


def test_what_its_thread_does_elsewhere_takes_no_time_from_opening_a_connection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As a ledger that is frozen does. The name's addresses come at its end, where nothing would be left for them."""
    thawed, look_up, opened = threading.Event(), sockets._addresses, []

    def frozen() -> None:
        time.sleep(AWAY_SECONDS + 0.1)
        thawed.set()

    def late(name: str, port: int) -> list[sockets.Address]:
        thawed.wait()
        return look_up("127.0.0.1", port)

    monkeypatch.setattr(sockets, "_addresses", late)
    with socket.create_server(("127.0.0.1", 0)) as listener, Fibres() as together:
        host = Host("vendor.test", listener.getsockname()[1], is_tls=False)
        together.start(lambda: opened.append(open_socket(host, CONNECT_SECONDS)), frozen)
        while together.count:
            together.turn(math.inf)
    for one in opened:
        one.close()
    assert len(opened) == 1


def test_who_is_silent_after_its_thread_came_back_is_given_up() -> None:
    told: list[Exception] = []

    def connect() -> None:
        try:
            sockets._wait_while_heard(READABLE, ours, listening_seconds() + CONNECT_SECONDS)
        except TimeoutError as error:
            told.append(error)

    ours, theirs = socket.socketpair()
    with ours, theirs, Fibres() as together:
        together.start(connect, lambda: time.sleep(AWAY_SECONDS + 0.1))
        together.turn(time.monotonic())
        assert told == [], "nobody listened"
        while together.count:
            together.turn(math.inf)
    assert len(told) == 1


def test_a_thread_that_is_away_for_too_long_gives_the_connection_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """The event may be another worker's by then."""
    monkeypatch.setattr(fibres, "MOST_AWAY_SECONDS", 0.1)
    given_up: list[bool] = []

    def connect() -> None:
        until = listening_seconds() + CONNECT_SECONDS
        pause(0)
        given_up.append(listening_seconds() >= until)

    with Fibres() as together:
        together.start(connect, lambda: time.sleep(AWAY_SECONDS + 0.1))
        while together.count:
            together.turn(math.inf)
    assert given_up == [True]
