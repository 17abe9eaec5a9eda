"""What stands beside a message's body, read from the bytes that RabbitMQ sent, whoever published it.

py-amqp reads the same, but raises on what it does not expect (a text that is no UTF-8, a time beyond the calendar, a
table within a thousand tables), in the midst of a frame: the connection is lost, the message comes again, and its
neighbours with it. Nothing here raises; what cannot be read is left out.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

SHOWN_CHARACTERS: Final = 200
SHOWN_ITEMS: Final = 50
SHOWN_DEPTH: Final = 3
SHOWN_BYTES: Final = 8192

_SHORT_TEXT, _TABLE, _OCTET, _TIME = "s", "F", "o", "T"
_PROPERTIES: Final = (  # in the order of their flags, the highest bit first
    ("content_type", _SHORT_TEXT),
    ("content_encoding", _SHORT_TEXT),
    ("headers", _TABLE),
    ("delivery_mode", _OCTET),
    ("priority", _OCTET),
    ("correlation_id", _SHORT_TEXT),
    ("reply_to", _SHORT_TEXT),
    ("expiration", _SHORT_TEXT),
    ("message_id", _SHORT_TEXT),
    ("timestamp", _TIME),
    ("type", _SHORT_TEXT),
    ("user_id", _SHORT_TEXT),
    ("app_id", _SHORT_TEXT),
    ("cluster_id", _SHORT_TEXT),
)
_NUMBERS: Final = {
    **{"b": ">b", "B": ">B", "s": ">h", "U": ">h", "u": ">H", "I": ">i", "i": ">I", "l": ">q", "L": ">q"},
    **{"f": ">f", "d": ">d", "T": ">Q", "t": ">?"},
}
_LONG: Final = "SxFA"  # led by their length, of four bytes
_DECIMAL_BYTES: Final = 5


@dataclass(frozen=True, slots=True)
class Properties:
    """`headers`: each with its AMQP type and its bytes, unread. `others`: those that are set, without the headers."""

    headers: Mapping[str, tuple[str, bytes]] = field(default_factory=dict)
    others: Mapping[str, str | int] = field(default_factory=dict)

    def text(self, name: str) -> str | None:
        """A header that is a text of UTF-8, else None."""
        kind, raw = self.headers.get(name, ("", b""))
        try:
            return raw.decode() if kind == "S" else None
        except UnicodeDecodeError:
            return None

    def whole(self, name: str) -> int:
        """A header that is a whole number, else 0."""
        kind, raw = self.headers.get(name, ("", b""))
        value = _json_value(kind, raw, 0) if kind in _NUMBERS else 0
        return value if isinstance(value, int) and not isinstance(value, bool) else 0

    def describe(self) -> dict[str, Any]:
        """As JSON can say it, for people; long texts and deep tables are cut."""
        headers = {
            plain_text(name.encode("utf-8", "surrogateescape")): _json_value(kind, raw, SHOWN_DEPTH)
            for name, (kind, raw) in list(self.headers.items())[:SHOWN_ITEMS]
        }
        told: dict[str, Any] = {
            name: value[:SHOWN_CHARACTERS] if isinstance(value, str) else value for name, value in self.others.items()
        }
        told |= {"headers": headers} if headers else {}
        text = json.dumps(told)
        return told if len(text) <= SHOWN_BYTES else {"cut": text[:SHOWN_BYTES]}


def parse_properties(raw: bytes) -> Properties:
    """Of a content header's bytes from its property flags on; as far as they can be read."""
    headers: dict[str, tuple[str, bytes]] = {}
    others: dict[str, str | int] = {}
    reader = _Reader(raw)
    try:
        flags = reader.number(">H")
        for place, (name, kind) in enumerate(_PROPERTIES):
            if not flags & 0x8000 >> place:
                continue
            if kind == _TABLE:
                headers = dict(_fields(reader.take(reader.number(">I"))))
            elif kind == _SHORT_TEXT:
                others[name] = plain_text(reader.take(reader.number(">B")))
            else:
                others[name] = reader.number(">B" if kind == _OCTET else ">Q")
    except _EndedError:
        pass
    return Properties(headers, others)


def plain_text(raw: bytes) -> str:
    """As text that every store takes: what is no UTF-8, and NUL, is written as `\\x…`."""
    return raw.decode("utf-8", "backslashreplace").replace("\x00", "\\x00")


class _EndedError(Exception):
    """Raised where the bytes end before what they announce, or are of a type that nobody knows."""


class _Reader:
    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self._at = 0

    @property
    def is_over(self) -> bool:
        return self._at >= len(self._raw)

    def take(self, size: int) -> bytes:
        if self._at + size > len(self._raw):
            raise _EndedError
        start, self._at = self._at, self._at + size
        return self._raw[start : self._at]

    def number(self, form: str) -> int:
        value: int = struct.unpack(form, self.take(struct.calcsize(form)))[0]
        return value

    def item(self) -> tuple[str, bytes]:
        """A value's type and bytes."""
        kind = chr(self.number(">B"))
        if kind in _NUMBERS:
            return kind, self.take(struct.calcsize(_NUMBERS[kind]))
        if kind in _LONG:
            return kind, self.take(self.number(">I"))
        if kind == "D":
            return kind, self.take(_DECIMAL_BYTES)
        if kind == "V":
            return kind, b""
        raise _EndedError


def _fields(raw: bytes) -> Iterator[tuple[str, tuple[str, bytes]]]:
    return ((name, item) for name, item in _pairs(raw, lambda reader: reader.take(reader.number(">B"))))


def _pairs(raw: bytes, name: Callable[[_Reader], bytes]) -> Iterator[tuple[str, tuple[str, bytes]]]:
    reader = _Reader(raw)
    try:
        while not reader.is_over:
            yield name(reader).decode("utf-8", "surrogateescape"), reader.item()
    except _EndedError:
        return


def _json_value(kind: str, raw: bytes, depth: int) -> Any:
    """A value as JSON can say it."""
    if kind in "Sx":
        return plain_text(raw[: 4 * SHOWN_CHARACTERS])[:SHOWN_CHARACTERS]
    if kind == "D":
        return f"{struct.unpack('>Bi', raw)[1]}e-{raw[0]}"
    if kind in ("F", "A"):
        if depth <= 0:
            return f"… {len(raw)} bytes"
        if kind == "A":
            items = list(_pairs(raw, lambda _: b""))[:SHOWN_ITEMS]
            return [_json_value(*item, depth - 1) for _, item in items]
        found = list(_fields(raw))[:SHOWN_ITEMS]
        return {
            plain_text(name.encode("utf-8", "surrogateescape")): _json_value(*one, depth - 1) for name, one in found
        }
    if kind == "V":
        return None
    value = struct.unpack(_NUMBERS[kind], raw)[0]
    # NaN and infinity are no JSON.
    return value if not isinstance(value, float) or value - value == 0 else str(value)
