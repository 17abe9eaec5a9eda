"""Reads what comes through a socket as answers of HTTP/1.1 (RFC 9112), until a deadline.

Strict where it decides how much of what came is the answer, as what is left over would be taken for the next one's;
lenient in all else, for who answers at all has perhaps booked. Malformed is told as `http.client` tells it.
"""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import BadStatusLine, HTTPException, IncompleteRead, LineTooLong, RemoteDisconnected
from typing import Final

from bellhop.schemas.fibres import give_way
from bellhop.vendors.sockets import receive

_FIRST_BYTES: Final = 4096
"""What is read into stands ready for as long as the answer is waited for, with each of a thousand calls."""
_PIECE_BYTES: Final = 65_536
_BYTES_AT_ONCE: Final = 4 * _PIECE_BYTES
"""So much is read as it is there, also once the time is over: its thread may have been elsewhere. Who sends more
without a pause is held to the time, and gives way to the others of its thread."""
_MOST_LINE_BYTES: Final = 65_536
"""Of a head as a whole, and of a chunk's size or a trailer."""
_MOST_TRAILERS: Final = 100

_STATUS: Final = re.compile(rb"HTTP/1\.(\d+)[ \t]+([1-9]\d\d)(?:[ \t].*)?")
_HEAD_END: Final = re.compile(rb"\r?\n\r?\n")
_FOLD: Final = re.compile(rb"\r?\n[ \t]+")
_LENGTH: Final = re.compile(r"[0-9]{1,15}")
_CHUNK: Final = re.compile(rb"[ \t]*([0-9A-Fa-f]{1,15})[ \t]*(?:;.*)?")
_LISTS: Final = frozenset(("connection", "content-encoding", "transfer-encoding"))
"""Fields whose values are one list, also where they come in several lines."""
_BODILESS: Final = (204, 304)


@dataclass(frozen=True, slots=True)
class AnswerHead:
    """headers: by their names in lower case; of one that comes twice the first. is_cut: the connection ended before
    the head did."""

    status: int
    headers: Mapping[str, str]
    is_http_1_0: bool = False
    is_cut: bool = False

    @property
    def is_chunked(self) -> bool:
        return self.headers.get("transfer-encoding", "").lower() == "chunked"

    @property
    def length(self) -> int | None:
        """Of the body, in bytes; None where it ends otherwise."""
        if self.status in _BODILESS:
            return 0
        told = self.headers.get("content-length", "")
        return int(told) if _LENGTH.fullmatch(told) and not self.is_chunked else None

    @property
    def is_last(self) -> bool:
        """Whether the connection ends with it."""
        options = self.headers.get("connection", "").lower()
        if self.length is None and not self.is_chunked:
            return True
        return "keep-alive" not in options if self.is_http_1_0 else "close" in options


class AnswerReader:
    """Of one answer, and of the interim ones before it."""

    def __init__(self, sock: socket.socket, deadline: float) -> None:
        """sock: of `open_socket`. deadline: by `time.monotonic`; who is waited for longer raises TimeoutError."""
        self._sock = sock
        self._deadline = deadline
        self._got = b""
        self._piece = _FIRST_BYTES
        self._received = 0

    @property
    def has_more(self) -> bool:
        """Whether more has come than was asked for. Nothing is read for it: what comes later shows when the connection
        is to be used again."""
        return bool(self._got)

    def head(self) -> AnswerHead:
        """The next one's, interim or final. Raises HTTPException, and what a socket raises."""
        while (end := _HEAD_END.search(self._got)) is None:
            if len(self._got) > _MOST_LINE_BYTES:
                raise LineTooLong("header")
            if not self._receive():
                return self._cut_head()
        head, self._got = self._got[: end.start()], self._got[end.end() :]
        first, *lines = _FOLD.sub(b" ", head).split(b"\n")
        return _head(first, lines)

    def body_piece(self, most: int) -> bytes:
        """What has come of it, b"" at the connection's end."""
        if not self._got:
            self._receive()
        piece, self._got = self._got[:most], self._got[most:]
        return piece

    def chunk_size(self) -> int:
        """Of the next chunk; once it is 0 the body is whole. Raises HTTPException."""
        found = _CHUNK.fullmatch(self._line())
        if found is None:
            raise IncompleteRead(b"")
        size = int(found[1], 16)
        if size == 0:
            for _ in range(_MOST_TRAILERS):
                if not self._line(may_end=True):
                    return 0
            raise HTTPException("too many trailers")
        return size

    def end_chunk(self) -> None:
        if self._line():
            raise IncompleteRead(b"")

    def _line(self, *, may_end: bool = False) -> bytes:
        """may_end: also with the connection."""
        while b"\n" not in self._got:
            if len(self._got) > _MOST_LINE_BYTES:
                raise LineTooLong("chunk")
            if not self._receive():
                if may_end:
                    break
                raise IncompleteRead(b"")
        line, _, self._got = self._got.partition(b"\n")
        return line.rstrip(b"\r")

    def _cut_head(self) -> AnswerHead:
        if not self._got:
            raise RemoteDisconnected("hung up without an answer")
        first, _, self._got = self._got.partition(b"\n")
        head = _head(first, [])
        return AnswerHead(head.status, {}, is_cut=True)

    def _receive(self) -> bool:
        if self._received > _BYTES_AT_ONCE:
            give_way(0)
            if time.monotonic() >= self._deadline:
                raise TimeoutError
        piece = receive(self._sock, self._piece, self._deadline)
        self._piece = _PIECE_BYTES
        self._received += len(piece)
        self._got += piece
        return bool(piece)


def _head(first: bytes, lines: list[bytes]) -> AnswerHead:
    found = _STATUS.fullmatch(first.rstrip(b"\r"))
    if found is None:
        raise BadStatusLine(first[:100].decode("latin-1"))
    headers: dict[str, str] = {}
    for line in lines:
        name, _, value = line.decode("latin-1").partition(":")
        name, value = name.strip().lower(), value.strip()
        if name in _LISTS and name in headers:
            headers[name] += f", {value}"
        else:
            headers.setdefault(name, value)
    return AnswerHead(int(found[2]), headers, is_http_1_0=found[1] == b"0")
