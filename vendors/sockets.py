"""Opens sockets within a time: the name is asked for, each of its addresses tried, TLS agreed on."""

from __future__ import annotations

import errno
import ipaddress
import os
import socket
import ssl
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, Final, TypeVar
from urllib.parse import quote, urlsplit

from bellhop.schemas.fibres import READABLE, WRITABLE, listening_seconds, wait_for, wait_until

Value = TypeVar("Value")

CheckPeer = Callable[[str, str], None]
"""A host's name and the address it led to, before anything is sent there. Raises OSError where nothing may be."""

_PROBE: Final = (("TCP_KEEPIDLE", 10), ("TCP_KEEPINTVL", 5), ("TCP_KEEPCNT", 3))
"""A peer that is gone while it is waited for is noticed after 25 s; a NAT between does not forget who waits."""

Address = tuple[Any, ...]
"""As `socket.getaddrinfo` has it."""


@dataclass(frozen=True, slots=True)
class Host:
    """Who is connected to."""

    name: str
    port: int
    is_tls: bool


@cache
def read_url(url: str) -> tuple[Host, str]:
    """Its host, and its path and query as they are sent. Kept, as there are few and reading one costs as much as a
    tenth of a call. Raises ValueError."""
    parts = urlsplit(url)
    is_tls = parts.scheme == "https"
    if not parts.hostname or not (is_tls or parts.scheme == "http"):
        raise ValueError("neither http:// nor https://")
    path = quote(f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}", safe="%/:?#[]@!$&'()*+,;=~")
    return Host(parts.hostname, parts.port or (443 if is_tls else 80), is_tls), path


def open_socket(host: Host, seconds: float, check_peer: CheckPeer | None = None) -> socket.socket:
    """A socket through which nothing has been sent, after `seconds` at most, however many addresses there are; those in
    which its thread was kept elsewhere do not count. It never blocks: `send` and `receive` wait for it.

    Raises OSError: gaierror, TimeoutError, ssl.SSLError and the like.
    """
    deadline = listening_seconds() + seconds
    addresses = _look_up(host.name, host.port, seconds)
    if not addresses:
        raise socket.gaierror("no addresses")
    failure: OSError = TimeoutError()
    for place, address in enumerate(addresses):
        # What is left is shared out: an address that swallows everything must not use up the time of the next.
        left = (deadline - listening_seconds()) / (len(addresses) - place)
        if left <= 0:
            break
        try:
            opened = _connect(address, left)
        except OSError as error:
            failure = error
            continue
        return _prepare(opened, host, deadline, check_peer)
    raise failure


def _connect(address: Address, seconds: float) -> socket.socket:
    family, kind, protocol, _, peer = address
    made = socket.socket(family, kind, protocol)
    try:
        made.setblocking(False)
        code = made.connect_ex(peer)
        if code == errno.EINPROGRESS:
            _wait_while_heard(WRITABLE, made, listening_seconds() + seconds)
            code = made.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            raise OSError(code, os.strerror(code))
    except BaseException:
        made.close()
        raise
    return made


def _prepare(opened: socket.socket, host: Host, deadline: float, check_peer: CheckPeer | None) -> socket.socket:
    try:
        if check_peer is not None:
            check_peer(host.name, opened.getpeername()[0])
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in _PROBE:
            if hasattr(socket, name):
                opened.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
        if not host.is_tls:
            return opened
        opened = agreed = _tls().wrap_socket(
            opened, server_hostname=host.name.rstrip("."), do_handshake_on_connect=False
        )
        _until_done(agreed.do_handshake, agreed, READABLE, deadline, _wait_while_heard)
    except BaseException:
        opened.close()
        raise
    return opened


@cache
def _tls() -> ssl.SSLContext:
    """One for all: reading the host's certificates takes longer than a call."""
    made = ssl.create_default_context()
    made.set_alpn_protocols(["http/1.1"])
    return made


def send(sock: socket.socket, data: bytes, deadline: float) -> None:
    """All of it. Raises TimeoutError after monotonic `deadline`, and what the socket does."""
    left = memoryview(data)
    while left:
        left = left[_until_done(partial(sock.send, left), sock, WRITABLE, deadline) :]


def receive(sock: socket.socket, most: int, deadline: float) -> bytes:
    """What has come, b"" at its end. Raises as `send` does."""
    return _until_done(partial(sock.recv, most), sock, READABLE, deadline)


def _wait_while_heard(event: int, sock: socket.socket, deadline: float) -> None:
    """As `wait_until`, with a deadline by `listening_seconds`."""
    while True:
        try:
            return wait_until(event, sock, time.monotonic() + deadline - listening_seconds())
        except TimeoutError:
            if listening_seconds() >= deadline:
                raise


def _until_done(
    act: Callable[[], Value],
    sock: socket.socket,
    event: int,
    deadline: float,
    wait: Callable[[int, socket.socket, float], None] = wait_until,
) -> Value:
    """event: what `act` commonly waits for; TLS may have to write before it can read, and the other way round."""
    while True:
        awaited = event
        try:
            return act()
        except ssl.SSLWantReadError:
            awaited = READABLE
        except ssl.SSLWantWriteError:
            awaited = WRITABLE
        except BlockingIOError:
            pass
        wait(awaited, sock, deadline)


# --- names ------------------------------------------------------------------------------------------------------

_lock: Final = threading.Lock()
_under_way: Final[dict[tuple[str, int], Future[list[Address]]]] = {}


def _look_up(name: str, port: int, seconds: float) -> list[Address]:
    """A name's addresses. Asked for on another thread, as the system's own time-outs cannot be set; those who ask for
    the same name wait for the same answer, so that a resolver that hangs holds one thread for each name."""
    try:
        ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        pass
    else:
        return _addresses(name, port)
    with _lock:
        asked = _under_way.get((name, port))
        if asked is None:
            asked = Future()
            try:
                threading.Thread(target=_resolve, args=(name, port, asked), name="resolver", daemon=True).start()
            except RuntimeError as error:  # the process may have no more: nothing was sent, and the next one asks anew
                raise OSError(errno.EAGAIN, "no thread to ask for its addresses") from error
            _under_way[name, port] = asked
    deadline = listening_seconds() + seconds
    while not asked.done() and (left := deadline - listening_seconds()) > 0:
        with suppress(TimeoutError):
            wait_for(asked, left)
    return asked.result(0)


def _resolve(name: str, port: int, asked: Future[list[Address]]) -> None:
    try:
        found = _addresses(name, port)
    except BaseException as error:  # noqa: BLE001  # whoever waits raises it
        _forget(name, port)
        asked.set_exception(error)
    else:
        _forget(name, port)
        asked.set_result(found)


def _forget(name: str, port: int) -> None:
    with _lock:
        _under_way.pop((name, port), None)


def _addresses(name: str, port: int) -> list[Address]:
    try:
        return list(socket.getaddrinfo(name, port, type=socket.SOCK_STREAM))
    except UnicodeError:
        raise socket.gaierror("no name of a host") from None
