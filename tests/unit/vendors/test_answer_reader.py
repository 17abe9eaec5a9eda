"""How an answer is read from what comes of it, in whatever pieces."""

from __future__ import annotations

import math
from http.client import BadStatusLine, HTTPException, LineTooLong, RemoteDisconnected
from typing import Any

import pytest

from bellhop.vendors.answers import AnswerHead, AnswerReader
from bellhop.vendors.exchange import BrokenOff, read_answer_body


class Pieces:
    """A socket through which these come; then its peer has hung up."""

    def __init__(self, *pieces: bytes) -> None:
        self.left = list(pieces)

    def settimeout(self, _seconds: float) -> None: ...

    def recv(self, size: int) -> bytes:
        piece = self.left.pop(0) if self.left else b""
        if piece[size:]:
            self.left.insert(0, piece[size:])
        return piece[:size]


def reader(*pieces: bytes) -> AnswerReader:
    sock: Any = Pieces(*pieces)
    return AnswerReader(sock, math.inf)


def head(told: bytes) -> AnswerHead:
    return reader(told).head()


BODY = b'{"id": 4711}'
LENGTH = b"HTTP/1.1 200 OK\r\nContent-Type: text/json\r\nContent-Length: 12\r\n\r\n" + BODY
CHUNKS = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    b'5;name="a;b"\r\n{"id"\r\n007 \r\n: 4711}\r\n0\r\nDigest: x\r\n\r\n'
)
OPEN_END = b"HTTP/1.1 200 OK\r\n\r\n" + BODY
BARE_LINES = b"HTTP/1.0 200\nContent-Length: 12\nX-Folded: a\n b\n\n" + BODY


@pytest.mark.parametrize("told", [LENGTH, CHUNKS, OPEN_END, BARE_LINES], ids=["length", "chunks", "open end", "LF"])
def test_an_answer_is_the_same_in_whatever_pieces_it_comes(told: bytes) -> None:
    for size in (1, 2, 3, 7, len(told)):
        read = reader(*(told[start : start + size] for start in range(0, len(told), size)))
        found = read.head()
        assert (found.status, read_answer_body(read, found, None)) == (200, (BODY, True))
        assert not read.has_more


@pytest.mark.parametrize("told", [LENGTH, CHUNKS], ids=["length", "chunks"])
def test_an_answer_that_is_cut_off_anywhere_is_never_taken_for_a_whole_one(told: bytes) -> None:
    # What is cut within the trailers is whole: some hang up after the last chunk.
    end = len(told) if told is LENGTH else told.index(b"\r\n0\r\n") + 4
    for place in range(end):
        read = reader(told[:place])
        with pytest.raises((BrokenOff, HTTPException)) as caught:
            read_answer_body(read, read.head(), None)
        is_status_known = b"\n" in told[:place]
        assert isinstance(caught.value, BrokenOff) or not is_status_known, told[:place]


def test_what_comes_beyond_an_answer_is_seen() -> None:
    for told in (LENGTH, CHUNKS):
        read = reader(told + b"x")
        assert read_answer_body(read, read.head(), None) == (BODY, True)
        assert read.has_more


@pytest.mark.parametrize(
    ("told", "error"),
    [
        (b"", RemoteDisconnected),
        (b"nonsense\r\n\r\n", BadStatusLine),
        (b"\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", BadStatusLine),
        (b"HTTP/1.1 099 Low\r\n\r\n", BadStatusLine),
        (b"HTTP/1.1 20 Short\r\n\r\n", BadStatusLine),
        (b"HTTP/2 200\r\n\r\n", BadStatusLine),
    ],
)
def test_what_is_no_status_is_no_answer(told: bytes, error: type[HTTPException]) -> None:
    with pytest.raises(error):
        head(told)


def test_a_head_without_end_is_given_up() -> None:
    with pytest.raises(LineTooLong):
        reader(b"HTTP/1.1 200 OK\r\n", *[b"X: y\r\n" * 9000] * 3).head()


def test_of_a_field_that_comes_twice_the_first_counts_and_lists_are_joined() -> None:
    found = head(
        b"HTTP/1.1 429 Slow\r\nRetry-After: 7\r\nretry-after: 9\r\nBroken line\r\nContent-Encoding: deflate\r\n"
        b"CONTENT-ENCODING:\tgzip\r\nX-Long: a\r\n\tb\r\n\r\n"
    )
    assert found.headers["retry-after"] == "7"
    assert found.headers["content-encoding"] == "deflate, gzip"
    assert found.headers["x-long"] == "a b"


@pytest.mark.parametrize(
    ("fields", "length", "is_last"),
    [
        (b"Content-Length: 3", 3, False),
        (b"Content-Length: 3\r\nConnection: Keep-Alive, Close", 3, True),
        (b"Content-Length: +3", None, True),
        (b"Content-Length: 3, 3", None, True),
        (b"Content-Length: " + b"9" * 5000, None, True),
        (b"Content-Length: 3\r\nTransfer-Encoding: Chunked", None, False),
        (b"Transfer-Encoding: gzip, chunked", None, True),
        (b"X: y", None, True),
    ],
)
def test_an_answer_tells_how_long_it_is_and_whether_another_may_follow(
    fields: bytes, length: int | None, is_last: bool
) -> None:
    found = head(b"HTTP/1.1 200 OK\r\n" + fields + b"\r\n\r\n")
    assert (found.length, found.is_last) == (length, is_last)


def test_a_connection_of_http_1_0_lasts_only_where_it_says_so() -> None:
    assert head(b"HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\n").is_last
    assert not head(b"HTTP/1.0 200 OK\r\nContent-Length: 3\r\nConnection: keep-alive\r\n\r\n").is_last


def test_an_answer_without_a_body_is_whole_at_once() -> None:
    read = reader(b"HTTP/1.1 204 No Content\r\n\r\n")
    found = read.head()
    assert read_answer_body(read, found, None) == (b"", True)
    assert not found.is_last


def test_where_the_status_is_enough_no_more_is_read_than_asked_for() -> None:
    read = reader(LENGTH[:-4])
    assert read_answer_body(read, read.head(), 5) == (BODY[:5], False)
