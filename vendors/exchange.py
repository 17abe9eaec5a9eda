"""One request and its answer over a connection: within a time, and with what was sent known.

Python's http.client gives every read a time of its own, so that an answer in drops never ends; takes an interim answer
(102, 103) for the answer itself; and drops what it has read beyond an answer. It also was what a call cost most. So the
request is written here, as one piece, and its answer is read by `vendors.answers`.
"""

from __future__ import annotations

import re
import select
import socket
import ssl
import time
import zlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from http.client import HTTPException
from typing import Final

from bellhop.schemas.fibres import READABLE, wait_until
from bellhop.vendors.answers import AnswerHead, AnswerReader
from bellhop.vendors.sockets import CheckPeer, Host, open_socket, send

MAX_ANSWER_BYTES: Final = 5 * 1024 * 1024
USABLE_SECONDS: Final = 3.0
"""A connection that answered longer ago is not used again. What stands between (a NAT, a balancer) may have dropped it
without a word, and then nobody knows what became of the request; servers commonly close theirs after five seconds."""

_MOST_INTERIM: Final = 20
_UNWRITABLE: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
"""In a line of a request's head: it would end the line, or is allowed in none."""


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
    """headers: by their names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class HttpConnection:
    """Made open; for one exchange after another, by one thread at a time. Raises NotSent."""

    def __init__(self, host: Host, connect_seconds: float, check_peer: CheckPeer | None = None) -> None:
        self.to = host
        self.is_open = True
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
        is_lasting = False
        try:
            written = _head_and_body(request, self.to)
            reader = AnswerReader(self.sock, deadline)
            head, is_spoilt = self._ask(written, reader, deadline)
            body, is_whole = read_answer_body(reader, head, request.enough)
            is_lasting = is_whole and not (is_spoilt or head.is_last or reader.has_more)
        finally:
            if not is_lasting:
                self.end()
        self._answered = time.monotonic()
        return RawAnswer(head.status, head.headers, body)

    def end(self) -> None:
        self.is_open = False
        self.sock.close()

    def is_fresh(self) -> bool:
        return time.monotonic() - self._answered <= USABLE_SECONDS

    def is_usable(self) -> bool:
        """Whether a request may go out on it: it answered just now, all that came was an answer, and nobody hung up."""
        if not self.is_open or not self.is_fresh():
            return False
        # What TLS has read already, the system does not know of.
        return not (isinstance(self.sock, ssl.SSLSocket) and self.sock.pending()) and not self._poll.poll(0)

    def _ask(self, written: bytes, reader: AnswerReader, deadline: float) -> tuple[AnswerHead, bool]:
        """The answer's head, and whether interim ones came before it. Who sends these is not always one with who sends
        the answer: on the next call they may be out of step."""
        try:
            with suppress(BrokenPipeError):  # who has heard enough may have answered before it hung up
                send(self.sock, written, deadline)
            wait_until(READABLE, self.sock, deadline)
            for count in range(_MOST_INTERIM):
                head = reader.head()
                if head.status >= 200:
                    return head, count > 0
                if head.status == HTTPStatus.SWITCHING_PROTOCOLS:
                    break  # what follows is not HTTP any more, and nobody asked for it
            raise HTTPException("no final answer")
        except (OSError, HTTPException) as error:
            raise Unanswered from error


def _head_and_body(request: Request, host: Host) -> bytes:
    """As it is sent. Raises NotSent: of what no header may hold, say."""
    try:
        fields = {"host": _host_field(host), "accept-encoding": "identity", **request.headers}
        if request.body is not None or request.method == "POST":
            fields["content-length"] = str(len(request.body or b""))
        lines = [f"{request.method} {request.target} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items())]
        if " " in request.target or any(map(_UNWRITABLE.search, lines)):
            raise ValueError("a character that no head of a request may have")
        return "\r\n".join((*lines, "", "")).encode("latin-1") + (request.body or b"")
    except ValueError as error:
        raise NotSent from error


@cache
def _host_field(host: Host) -> str:
    """Raises ValueError."""
    name = f"[{host.name.partition('%')[0]}]" if ":" in host.name else host.name
    name = name if name.isascii() else name.encode("idna").decode("ascii")
    return name if host.port == (443 if host.is_tls else 80) else f"{name}:{host.port}"


def read_answer_body(reader: AnswerReader, head: AnswerHead, enough: int | None) -> tuple[bytes, bool]:
    """Its body, what comes of it at least, and whether it came to its end. Raises BrokenOff."""
    most = MAX_ANSWER_BYTES if enough is None else enough
    parts: list[bytes] = []
    is_whole = False
    try:
        is_whole = not head.is_cut and (_read_chunks if head.is_chunked else _read_plain)(reader, head, most, parts)
    except (OSError, HTTPException):
        # An answer that ends with the connection is as whole as its content says, however that ended.
        is_whole = not head.is_chunked and head.length is None
    body, is_unpacked = _unpack(b"".join(parts), head.headers.get("content-encoding", ""), most)
    if enough is None and not (is_whole and is_unpacked):
        raise BrokenOff(RawAnswer(head.status, head.headers, body))
    return body, is_whole


def _read_plain(reader: AnswerReader, head: AnswerHead, most: int, parts: list[bytes]) -> bool:
    """Whether all of it came. parts: get what comes, also where it breaks off; so does `_read_chunks`."""
    left, room = head.length, most
    while left != 0 and room > 0:
        piece = reader.body_piece(room if left is None else min(left, room))
        if not piece:
            return left is None
        parts.append(piece)
        room -= len(piece)
        left = None if left is None else left - len(piece)
    return left == 0


def _read_chunks(reader: AnswerReader, _head: AnswerHead, most: int, parts: list[bytes]) -> bool:
    while size := reader.chunk_size():
        while size > 0:
            if most <= 0:
                return False
            piece = reader.body_piece(min(size, most))
            if not piece:
                return False
            parts.append(piece)
            size -= len(piece)
            most -= len(piece)
        reader.end_chunk()
    return True


def _unpack(body: bytes, coding: str, most: int) -> tuple[bytes, bool]:
    """The body as it was before it was compressed, which nobody asked for; and whether it came out. coding: the
    header's value."""
    is_whole = True
    for one in reversed(coding.lower().split(",")):
        if one.strip() in ("gzip", "x-gzip", "deflate") and is_whole:
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
