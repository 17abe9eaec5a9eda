"""pika's connection with one write for all that is published together.

pika hands the socket each frame by itself: three system calls a message, each a packet of its own, and as many reads
for the broker.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import pika
from pika.exceptions import ChannelWrongStateError
from pika.spec import Basic

_MOST: Final = 2**18
"""Bytes of a write, beyond which it is not held back any more."""


class BatchingConnection(pika.SelectConnection):  # type: ignore[misc]  # pika has no types
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._held: list[bytes] | None = None
        self._held_bytes = 0
        self.on_confirm: Callable[[Any], None] | None = None
        """Is given each frame that confirms or refuses a publish, past pika's two tables of who asked for what."""
        super().__init__(*args, **kwargs)

    @property
    def body_bytes(self) -> int:
        """The most that a frame of a body may hold, as agreed with the broker."""
        most: int = self._body_max_length
        return most

    def send(self, channel: Any, frames: bytes) -> None:
        """Whole frames of a channel, made already. Raises ChannelWrongStateError where it is not open."""
        if not channel.is_open:
            raise ChannelWrongStateError("the channel is not open")
        self._output_marshaled_frames([frames])

    def drop(self, reason: Exception) -> None:
        """Without a close, for whose answer one would wait. reason: as told to who minds the connection's end."""
        self._terminate_stream(reason)

    def _process_frame(self, frame_value: Any) -> None:
        """pika's, of a frame that came whole."""
        if self.on_confirm is None or not isinstance(getattr(frame_value, "method", None), Basic.Ack | Basic.Nack):
            super()._process_frame(frame_value)
            return
        self.frames_received += 1
        self.on_confirm(frame_value)

    @contextmanager
    def batch(self) -> Iterator[None]:
        """What is sent inside goes out when it ends, also where it raises: the broker is to get whole messages."""
        self._held = []
        try:
            yield
        finally:
            try:
                self._send_held()
            finally:
                self._held = None

    def _adapter_emit_data(self, data: bytes) -> None:
        """pika's hook for those who send by themselves: it is given whole frames, in their order."""
        if self._held is None:
            super()._adapter_emit_data(data)
            return
        self._held.append(data)
        self._held_bytes += len(data)
        if self._held_bytes > _MOST:
            self._send_held()

    def _send_held(self) -> None:
        held, self._held, self._held_bytes = self._held, [], 0
        if held:
            super()._adapter_emit_data(b"".join(held))
