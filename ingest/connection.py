"""A connection of the ingress: one deadline for all that is read of a request, one write for an answer."""

from __future__ import annotations

import socket
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

END_OF_HEAD: Final = b"\r\n\r\n"


class IngressConnection(socket.socket):
    """A connection whose every read must be over by one deadline. A time-out for each read alone would let a client
    that sends a byte now and then hold its thread for hours. Without blocking it waits for nothing."""

    _deadline = 0.0
    _unsent = b""
    """An answer's head, until its body is there; of an answer that the client does not read, what is left."""

    environ: Mapping[str, object] = {}
    """WSGI's, as far as it is the same for each webhook of it."""
    is_at_work = False
    """Whether a webhook of it waits for its answer, without a thread."""
    is_watched = False
    """Whether the server's poller has it meanwhile."""

    def allow(self, seconds: float) -> None:
        self._deadline = time.monotonic() + seconds

    def recv(self, bufsize: int, flags: int = 0, /) -> bytes:
        """Raises TimeoutError at the deadline."""
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("the request did not come in time")
        with suppress(BlockingIOError):
            return super().recv(bufsize, flags | socket.MSG_DONTWAIT)  # most have come whole: nothing to wait for
        before = self.gettimeout()
        self.settimeout(left if before is None else min(left, before))
        try:
            return super().recv(bufsize, flags)
        finally:
            self.settimeout(before)

    def peer_sent(self, most: int) -> bytes | None:
        """What has come, as far as `most` bytes; None where nothing has. Of a client that is gone b"": whoever reads on
        finds out."""
        try:
            return super().recv(most, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return None
        except OSError:
            return b""

    def sendall(self, data: ReadableBuffer, flags: int = 0, /) -> None:
        """An answer's head waits for its body: sent by itself it is a packet of its own, and two reads for the client.
        gunicorn hands over each head as one piece. An interim one (1xx) has nothing behind it to wait for."""
        piece = bytes(data)
        if piece.endswith(END_OF_HEAD) and piece.startswith(b"HTTP/") and not piece.startswith(b"HTTP/1.1 1"):
            self._unsent = piece
            return
        held, self._unsent = self._unsent + piece, b""
        if self.gettimeout() != 0:
            super().sendall(held, flags)
            return
        with suppress(BlockingIOError):
            held = held[super().send(held, flags) :]
        self._unsent = held

    def flush(self) -> None:
        """Sends what was held back: the head of an answer that has no body. Raises OSError."""
        if self._unsent:
            self.sendall(b"")

    @property
    def is_held_up(self) -> bool:
        """Whether the client has not read the last answer yet, as far as it was sent at all."""
        return bool(self._unsent)
