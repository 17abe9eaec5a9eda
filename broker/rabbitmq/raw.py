"""kombu's connection, with messages as the bytes that came.

kombu would unpack a body whose header `compression` says so, py-amqp would decode one whose `content_encoding` does,
and both raise on what they cannot read: there, one message of somebody else's takes the connection, and with it all
that was prefetched beside it. Here a frame's bytes are collected, and `broker.rabbitmq.properties` reads what it can.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from struct import Struct, unpack_from
from typing import Any, Final

from amqp import spec
from amqp.basic_message import Message as AmqpMessage
from amqp.exceptions import RecoverableConnectionError, UnexpectedFrame
from kombu.connection import Connection
from kombu.transport import pyamqp

from bellhop.broker.rabbitmq import properties

CONNECT_SECONDS: Final = 3.0
_STALE_CONNECTION_MS: Final = 15_000
_PIECE_BYTES: Final = 65_536
_FRAME_HEAD_BYTES, _FRAME_END = 7, 0xCE
_METHOD, _HEADER, _BODY, _HEARTBEAT = 1, 2, 3, 8
_WITH_CONTENT: Final = (spec.Basic.Return, spec.Basic.Deliver, spec.Basic.GetOk)
_ACK: Final = Struct(">BHIHHQBB")
_ACK_BYTES: Final = 13
_GOT: Final = (spec.Basic.GetOk, spec.Basic.GetEmpty)
_TAG_START: Final = 5
"""Of the consumer's tag in a delivery's arguments, after the method's number and the tag's length."""
_BEFORE_NAMES: Final = {spec.Basic.GetOk: 4 + 9}
"""Bytes before the names of exchange and routing key; in a delivery the consumer's tag is among them."""


class RawMessage(AmqpMessage):  # type: ignore[misc]  # amqp has no types
    """`body` as it came; `read` holds what stands beside it."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.read = properties.Properties()
        self.body = b""

    def _load_properties(self, class_id: int, buf: Any, offset: int) -> int:
        self.read = properties.parse_properties(bytes(buf[offset:]))
        return len(buf)

    def inbound_body(self, buf: Any) -> None:
        super().inbound_body(buf)
        if self.ready:
            self.body = bytes(self.body)


class _Channel(pyamqp.Channel):
    gets_answered = 0

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, auto_decode=False, **kwargs)

    def dispatch_method(self, method_sig: tuple[int, int], payload: Any, content: Any) -> None:
        if content is not None:
            payload = _with_readable_names(method_sig, bytes(payload))
        super().dispatch_method(method_sig, payload, content)
        if method_sig in _GOT:
            self.gets_answered += 1

    def ack_each(self, tags: Iterable[int]) -> None:
        """Each alone, all in one write: py-amqp has one for each frame, and each waits for Python's lock anew. Raises
        what py-amqp does."""
        if (link := self.connection) is None:
            raise RecoverableConnectionError("connection already closed")
        acks = [_ACK.pack(_METHOD, self.channel_id, _ACK_BYTES, *spec.Basic.Ack, tag, 0, _FRAME_END) for tag in tags]
        link.transport.write(b"".join(acks))
        link.bytes_sent += len(acks)  # or a heartbeat is sent beside them

    def send_get(self, queue: str) -> None:
        """As `basic_get`, which would wait for the answer for ever: `gets_answered` tells of it. No ack is wanted."""
        self.send_method(spec.Basic.Get, "Bsb", (0, queue, True))


class _Connection(pyamqp.Connection):
    Channel = _Channel

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, frame_handler=_frames, **kwargs)

    def read_arrived(self) -> None:
        """All that has come, to the last byte, without waiting for more: what lies in a TLS buffer would wake no poll.

        In large pieces. py-amqp asks the system five times for each frame, and a message is three frames: each time any
        other thread may go first, and this one waits for it. What is read ahead stays where py-amqp looks for it first.
        Raises what py-amqp does.
        """
        while (piece := self._read_piece()) is not None:
            if not piece:
                self.transport.connected = False
                raise ConnectionResetError("RabbitMQ closed the connection")
            self._take_frames(piece)

    def _read_piece(self) -> bytes | None:
        """None where nothing has come."""
        with suppress(TimeoutError), self.transport.having_timeout(0):
            piece: bytes = self.transport._quick_recv(_PIECE_BYTES)
            return piece
        return None

    def _take_frames(self, piece: bytes) -> None:
        transport = self.transport
        got, at = transport._read_buffer + piece, 0
        try:
            while len(got) >= at + _FRAME_HEAD_BYTES:
                kind, channel, size = unpack_from(">BHI", got, at)
                start, end = at + _FRAME_HEAD_BYTES, at + _FRAME_HEAD_BYTES + size
                if len(got) <= end:
                    break
                if got[end] != _FRAME_END:
                    raise UnexpectedFrame(f"received frame end {got[end]:#04x} while expecting {_FRAME_END:#04x}")
                at = end + 1
                self.on_inbound_frame((kind, channel, got[start:end]))
        finally:
            transport._read_buffer = got[at:]


class Transport(pyamqp.Transport):
    Connection = _Connection


class SecureTransport(pyamqp.SSLTransport):
    Connection = _Connection


def _frames(_connection: Any, dispatch: Callable[..., None]) -> Callable[[tuple[int, int, Any]], bool]:
    """As py-amqp's own handler of frames, with `RawMessage`."""
    expected: dict[int, int] = {}
    partial: dict[int, RawMessage] = {}

    def on_frame(frame: tuple[int, int, Any]) -> bool:
        kind, channel, buf = frame
        _connection.bytes_recv += 1
        if kind == _HEARTBEAT:
            return False
        if kind != expected.get(channel, _METHOD):
            raise UnexpectedFrame(f"received frame {kind} while expecting {expected.get(channel, _METHOD)}")
        if kind == _METHOD:
            signature = unpack_from(">HH", buf, 0)
            if signature in _WITH_CONTENT:
                partial[channel] = RawMessage(frame_method=signature, frame_args=buf)
                expected[channel] = _HEADER
                return False
            dispatch(channel, signature, buf, None)
            return True
        message = partial[channel]
        if kind == _HEADER:
            message.inbound_header(buf)
        else:
            message.inbound_body(buf)
        if not message.ready:
            expected[channel] = _BODY
            return False
        del expected[channel], partial[channel]
        if message.frame_method != spec.Basic.Deliver or not _deliver(_connection.channels[channel], message):
            dispatch(channel, message.frame_method, message.frame_args, message)
        return True

    return on_frame


def _deliver(channel: Any, message: RawMessage) -> bool:
    """As py-amqp does, which takes all of a delivery's arguments apart for it: half of what reading a message costs.
    False where the consumer is not known."""
    payload = message.frame_args
    end = _tag_end(payload)
    consumer = channel.callbacks.get(str(payload[_TAG_START:end], "utf-8", "replace"))
    if consumer is None:
        return False
    message.channel = channel
    message.delivery_info = {"delivery_tag": unpack_from(">Q", payload, end)[0]}
    consumer(message)
    return True


def _tag_end(payload: bytes) -> int:
    """Where a delivery's consumer tag ends, and its delivery tag begins."""
    return _TAG_START + payload[_TAG_START - 1]


def _with_readable_names(method: tuple[int, int], payload: bytes) -> bytes:
    """The method's arguments, where the names of exchange and routing key may be any bytes and py-amqp wants UTF-8."""
    if method == spec.Basic.Return:
        return payload
    # method (4 bytes), [consumer tag], delivery tag (8), redelivered (1), exchange, routing key, …
    at = _BEFORE_NAMES.get(method) or _tag_end(payload) + 9
    for _ in range(2):
        start, end = at + 1, at + 1 + payload[at]
        name = payload[start:end]
        try:
            name.decode()
        except UnicodeDecodeError:
            plain = bytes(byte if byte < 0x80 else ord("?") for byte in name)
            payload = payload[:start] + plain + payload[end:]
        at = end
    return payload


def connection(url: str, heartbeat_seconds: float, connect_seconds: float = CONNECT_SECONDS) -> Any:
    """A kombu connection, not yet connected, whose messages are `RawMessage`s."""
    options: Mapping[int, int] = {}
    if hasattr(socket, "TCP_USER_TIMEOUT"):  # py-amqp sets one second, too short for a loaded network
        options = {socket.TCP_USER_TIMEOUT: _STALE_CONNECTION_MS}
    link = Connection(
        url,
        heartbeat=heartbeat_seconds,
        connect_timeout=connect_seconds,
        transport_options={"socket_settings": options},
    )
    link.transport_cls = SecureTransport if url.startswith("amqps:") else Transport
    return link
