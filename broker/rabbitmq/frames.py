"""A message as the frames of AMQP 0-9-1 with which it is published.

pika makes an object of each frame and each part of it, at three times the cost: the dearest part of a publish. The
bytes are the same, to which a test holds them.
Source: AMQP 0-9-1, 2.3.5 (frames), 4.2.6 (content), and its class `basic`.
"""

from __future__ import annotations

import struct
from functools import lru_cache
from typing import Final

from bellhop.broker.port import Address

_FRAME: Final = struct.Struct(">BHI")  # type, channel, size; the payload and the end follow
_HEADER: Final = struct.Struct(">HHQH")  # class, weight, the body's size, which properties there are
_END: Final = b"\xce"
_METHOD_FRAME, _HEADER_FRAME, _BODY_FRAME = 1, 2, 3
_BASIC, _PUBLISH = 60, 40
_MANDATORY: Final = b"\x01"
_LONGEST: Final = 255
_SET: Final = 0x8000 | 0x2000 | 0x1000 | 0x0800 | 0x0400 | 0x0080
"""content-type, headers, delivery-mode, priority, correlation-id, message-id: in this order."""
_JSON: Final = b"\x10application/json"
_PERSISTENT: Final = b"\x02"
_NO_PRIORITY: Final = b"\x00"


def publish_frames(
    channel: int, to: Address, body: bytes, *, id_: str, tag: str, header: tuple[str, str], most: int
) -> bytes:
    """A persistent message of JSON that comes back where no queue takes it. tag: its correlation id. header: the name
    and the text of its one header. most: bytes of a body's frame. Raises ValueError for a text that is too long."""
    name, text = header
    value = text.encode()
    table = b"".join((_short(name), b"S", len(value).to_bytes(4, "big"), value))
    payload = b"".join(
        (
            _HEADER.pack(_BASIC, 0, len(body), _SET),
            _JSON,
            len(table).to_bytes(4, "big"),
            table,
            _PERSISTENT,
            _NO_PRIORITY,
            _short(tag),
            _short(id_),
        )
    )
    parts = [_method(channel, to), _FRAME.pack(_HEADER_FRAME, channel, len(payload)), payload, _END]
    for start in range(0, len(body), most):
        piece = body[start : start + most]
        parts += (_FRAME.pack(_BODY_FRAME, channel, len(piece)), piece, _END)
    return b"".join(parts)


@lru_cache(1024)  # an exchange and a key for each queue
def _method(channel: int, to: Address) -> bytes:
    payload = b"".join(
        (struct.pack(">HHH", _BASIC, _PUBLISH, 0), _short(to.exchange), _short(to.routing_key), _MANDATORY)
    )
    return _FRAME.pack(_METHOD_FRAME, channel, len(payload)) + payload + _END


def _short(text: str) -> bytes:
    value = text.encode()
    if len(value) > _LONGEST:
        raise ValueError(f"a text of {len(value)} bytes, where AMQP has at most {_LONGEST}")
    return len(value).to_bytes(1, "big") + value
