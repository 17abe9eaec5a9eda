"""What RabbitMQ sends comes in pieces that end anywhere: its frames are the same, and nothing is lost between."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from amqp.exceptions import UnexpectedFrame
from hypothesis import given
from hypothesis import strategies as st

from bellhop.broker.rabbitmq.raw import Transport

CONNECTION = Transport.Connection
Frame = tuple[int, int, bytes]


class Pieces:
    """A transport at which these have arrived, one after another."""

    connected = True

    def __init__(self, pieces: list[bytes]) -> None:
        self._read_buffer = b""
        self._pieces = iter(pieces)

    @contextmanager
    def having_timeout(self, _seconds: float) -> Iterator[None]:
        try:
            yield
        except StopIteration:
            raise TimeoutError from None

    def _quick_recv(self, _most: int) -> bytes:
        return next(self._pieces)


class Link(CONNECTION):
    def __init__(self, pieces: list[bytes], refused: bytes = b"\0none") -> None:
        self.pieces, self.refused = Pieces(pieces), refused
        self.frames: list[Frame] = []

    @property
    def transport(self) -> Any:
        return self.pieces

    def on_inbound_frame(self, frame: Frame) -> None:
        self.frames.append(frame)
        if frame[2] == self.refused:
            raise ConnectionError("refused")

    @property
    def left(self) -> bytes:
        return self.pieces._read_buffer


def written(frame: Frame) -> bytes:
    kind, channel, payload = frame
    return struct.pack(">BHI", kind, channel, len(payload)) + payload + b"\xce"


FRAMES = st.lists(st.tuples(st.integers(1, 8), st.integers(0, 9), st.binary(max_size=40)), max_size=12)


@given(FRAMES, st.lists(st.integers(1, 60), min_size=1), st.binary(max_size=6))
def test_frames_are_the_same_wherever_their_bytes_are_cut(frames: list[Frame], sizes: list[int], begun: bytes) -> None:
    sent, pieces = b"".join(map(written, frames)) + begun, []
    while sent:
        for size in sizes:
            pieces.append(sent[:size])
            sent = sent[size:]
    link = Link([piece for piece in pieces if piece])
    link.read_arrived()
    assert link.frames == frames
    assert link.left == begun


def test_what_follows_a_frame_that_raises_is_kept() -> None:
    first, second = (1, 0, b"close"), (1, 1, b"after")
    link = Link([written(first) + written(second)], refused=b"close")
    with pytest.raises(ConnectionError):
        link.read_arrived()
    assert (link.frames, link.left) == ([first], written(second))


def test_a_frame_that_does_not_end_where_it_should_is_refused() -> None:
    with pytest.raises(UnexpectedFrame, match="frame end"):
        Link([written((1, 0, b"x"))[:-1] + b"\x00"]).read_arrived()


def test_a_connection_that_was_closed_is_told() -> None:
    link = Link([b""])
    with pytest.raises(ConnectionResetError):
        link.read_arrived()
    assert not link.pieces.connected
