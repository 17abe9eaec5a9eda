"""One request and its answer over a connection: within a time, and with what was sent known.

Python's http.client gives every read a time of its own, so that an answer in drops never ends; takes an interim answer
(102, 103) for the answer itself; and drops what it has read beyond an answer. Each is put right here.
"""

from __future__ import annotations

import http.client
import io
import select
import socket
import ssl
import time
import zlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from bellhop.vendors.sockets import CheckPeer, Host, open_socket

MAX_ANSWER_BYTES: Final = 5 * 1024 * 1024
USABLE_SECONDS: Final = 3.0
"""A connection that answered longer ago is not used again. What stands between (a NAT, a balancer) may have dropped it
without a word, and then nobody knows what became of the request; servers commonly close theirs after five seconds."""

_MOST_INTERIM: Final = 20
_PIECE_BYTES: Final = 65_536
_SLACK_SECONDS: Final = 0.01
"""Setting a socket's time-out is a system call: for less than this it is left as it is."""


class NotSent(Exception):
    """Nothing was sent: no connection, or a request that cannot be written. Its cause says which."""


class Unanswered(Exception):
    """The request was sent, at least in part, and no status came. Its cause says why; TimeoutError among others."""


class BrokenOff(Exception):
    """A status came, and not all of the body. answer: what came of it."""

    def __init__(self, answer: RawAnswer) -> None:
        super().__init__()
        self.answer = answer


@dataclass(frozen=True, slots=True)
class Request:
    """enough: where the status is the answer, no more bytes of a body are read, and a body that breaks off is what came
    of it; None: a body counts, and counts whole."""

    method: str
    target: str
    body: bytes | None
    headers: Mapping[str, str]
    enough: int | None = None


@dataclass(frozen=True, slots=True)
class RawAnswer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes


class HttpConnection(http.client.HTTPConnection):
    """Made open; for one exchange after another, by one thread at a time. Raises NotSent."""

    def __init__(self, host: Host, connect_seconds: float, check_peer: CheckPeer | None = None) -> None:
        super().__init__(host.name, host.port)
        self.default_port = 443 if host.is_tls else 80
        self.to = host
        self.is_spoilt = False
        self._outgoing: list[bytes] = []
        self._incoming: _Incoming | None = None
        self._answered = time.monotonic()
        try:
            self.sock: socket.socket = open_socket(host, connect_seconds, check_peer)
        except OSError as error:
            raise NotSent from error
        self._poll = select.poll()
        self._poll.register(self.sock, select.POLLIN)

    def exchange(self, request: Request, deadline: float) -> RawAnswer:
        """The whole answer, by `deadline` (`time.monotonic`). Ends itself where it is of no more use.

        Raises NotSent, Unanswered, BrokenOff.
        """
        is_whole = False
        try:
            answer = self._ask(request, deadline)
            body = self._read(answer, request.enough)
            is_whole = answer.isclosed()
        finally:
            if not is_whole or self.is_spoilt:
                self.end()
        self._answered = time.monotonic()
        return RawAnswer(answer.status, answer.headers, body)

    def end(self) -> None:
        """Closes it and what is read from it; `close` alone leaves an answer that ends with the connection readable."""
        self.close()
        if self._incoming is not None:
            self._incoming.close()

    def is_usable(self) -> bool:
        """Whether a request may go out on it: it answered just now, all that came was an answer, and nobody hung up."""
        if self.sock is None or time.monotonic() - self._answered > USABLE_SECONDS:
            return False
        # What TLS has read already, the system does not know of.
        return not (isinstance(self.sock, ssl.SSLSocket) and self.sock.pending()) and not self._poll.poll(0)

    def send(self, data: Any) -> None:
        """What http.client sends in pieces is kept, to go out as one."""
        self._outgoing.append(data)

    def _ask(self, request: Request, deadline: float) -> _Answer:
        try:
            self.request(request.method, request.target, request.body, dict(request.headers))
        except (http.client.HTTPException, ValueError) as error:  # a character that no header may have, say
            raise NotSent from error
        self._incoming = _Incoming(self.sock, deadline)
        self.response_class = partial(_Answer, self, self._incoming)  # type: ignore[assignment]  # not the socket's own
        outgoing, self._outgoing = b"".join(self._outgoing), []
        try:
            with suppress(BrokenPipeError):  # who has heard enough may have answered before it hung up
                self.sock.sendall(outgoing)
            return self.getresponse()  # type: ignore[return-value]  # of `response_class`
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise Unanswered from error

    def _read(self, answer: _Answer, enough: int | None) -> bytes:
        """Its body, what comes of it at least. Raises BrokenOff."""
        most, parts, size = MAX_ANSWER_BYTES if enough is None else enough, [], 0
        is_whole = False
        try:
            while size < most and not is_whole:
                parts.append(answer.read_piece(most - size))
                size += len(parts[-1])
                is_whole = not parts[-1]
        except (OSError, http.client.HTTPException, ValueError):
            # An answer that ends with the connection is as whole as its content says, however that ended.
            is_whole = not answer.chunked and answer.length is None
        body, is_unpacked = _unpack(b"".join(parts), answer.headers, most)
        if enough is None and not (is_whole and is_unpacked):
            raise BrokenOff(RawAnswer(answer.status, answer.headers, body))
        return body


class _Answer(http.client.HTTPResponse):
    """Reads interim answers over, and has its connection closed after them or where more came than the answer."""

    fp: io.BufferedReader

    def __init__(self, connection: HttpConnection, incoming: _Incoming, _sock: socket.socket, **more: Any) -> None:
        self._connection = connection
        self._incoming = incoming
        super().__init__(incoming, **more)  # type: ignore[arg-type]  # `makefile` is all it calls

    def begin(self) -> None:
        for _ in range(_MOST_INTERIM):
            super().begin()
            if not 100 <= self.status < 200:
                return
            if self.status == http.HTTPStatus.SWITCHING_PROTOCOLS:
                break  # what follows is not HTTP any more, and nobody asked for it
            self.headers = self.msg = None  # type: ignore[assignment]  # or `begin` does nothing
        raise http.client.HTTPException("no final answer")

    def read_piece(self, most: int) -> bytes:
        """What has come of the body, b"" once it is whole. Raises IncompleteRead and what a socket raises."""
        if self.isclosed():
            return b""
        if self.chunked:
            return self.read1(most)
        got = b"" if self.length == 0 else self.fp.read1(min(most, _PIECE_BYTES, self.length or most))
        if self.length:
            if not got:
                raise http.client.IncompleteRead(b"", self.length)
            self.length -= len(got)
        if not got or self.length == 0:
            self._close_conn()
        return got

    def _read_status(self) -> tuple[str, int, str]:
        version, status, reason = super()._read_status()  # type: ignore[misc]  # http.client's own
        if 100 <= status < 200:
            # Who sends these is not always one with who sends the answer: on the next call they may be out of step.
            self._connection.is_spoilt = True
        return version, status, reason

    def _close_conn(self) -> None:
        """Is called once the answer is whole, or given up."""
        self._connection.is_spoilt |= self._incoming.has_more(self.fp)
        super()._close_conn()  # type: ignore[misc]  # http.client's own


class _Incoming(io.RawIOBase):
    """The bytes that come through a socket until the deadline; then TimeoutError."""

    def __init__(self, sock: socket.socket, deadline: float) -> None:
        self._sock = sock
        self._deadline = deadline
        self._raw = sock.makefile("rb", buffering=0)
        self._is_over = False
        self._timeout = deadline - time.monotonic()
        sock.settimeout(max(self._timeout, 0.001))

    def makefile(self, _mode: str) -> io.BufferedReader:
        """As a socket has it."""
        return io.BufferedReader(self, _PIECE_BYTES)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        if self._is_over:
            return None
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        if self._timeout - left > _SLACK_SECONDS:
            self._sock.settimeout(left)
            self._timeout = left
        return self._raw.readinto(buffer)

    def has_more(self, buffered: io.BufferedReader) -> bool:
        """Whether more has been read than was asked for. Nothing is read for it: what comes later shows when the
        connection is to be used again."""
        self._is_over = True
        return bool(buffered.peek(1))

    def close(self) -> None:
        self._raw.close()
        super().close()


def _unpack(body: bytes, headers: http.client.HTTPMessage, most: int) -> tuple[bytes, bool]:
    """The body as it was before it was compressed, which nobody asked for; and whether it came out."""
    codings = [one.strip().lower() for one in ",".join(headers.get_all("content-encoding", [])).split(",")]
    is_whole = True
    for coding in reversed(codings):
        if coding in ("gzip", "x-gzip", "deflate") and is_whole:
            body, is_whole = _inflate(body, most)
    return body, is_whole


def _inflate(body: bytes, most: int) -> tuple[bytes, bool]:
    """All its members: gzip may have several, one after another."""
    for bits in (zlib.MAX_WBITS | 32, -zlib.MAX_WBITS):  # "deflate" has a head or has none
        found, left, is_whole = b"", body, False
        try:
            while (left or not is_whole) and len(found) < most:
                unpacking = zlib.decompressobj(bits)
                found += unpacking.decompress(left, most - len(found))
                left, is_whole = unpacking.unused_data, unpacking.eof
                if not is_whole:
                    break
        except zlib.error:
            if not is_whole:
                continue  # what stands after a whole member is none
        return found, is_whole
    return body, False
