"""Messages as somebody else's publisher may make them: each a name, a body and properties, for pika."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pika

PLAIN = b"abc"
BOMB = b"[" * 100_000 + b"]" * 100_000


def _deep(levels: int) -> dict[str, Any]:
    table: dict[str, Any] = {}
    for _ in range(levels):
        table = {"a": table}
    return table


def envelope(**changes: Any) -> bytes:
    """One that reads like an envelope, but for the changes."""
    wire = {
        **{"specversion": "1.0", "bellhopversion": 1, "id": "stray", "source": "crm", "type": "member.updated"},
        **{"subject": "3125141", "time": "2026-11-20T12:00:00Z", "received": "2026-11-20T12:00:00Z"},
        **{"route": "members", "account": "pv", "contenthash": "ab" * 32, "generation": 0, "data": {"member_id": 1}},
    }
    return json.dumps(wire | changes).encode()


OWN_BUT_WRONG = json.dumps({"bellhop-attempt": 1e999, "bellhop-enqueued": 10**400, "bellhop-route": ["x"], "a": None})

STRANGE: Mapping[str, tuple[bytes, Mapping[str, Any]]] = {
    "gzip": (PLAIN, {"headers": {"compression": "application/x-gzip"}}),
    "zstd": (PLAIN, {"headers": {"compression": "application/zstd"}}),
    "compression of no name": (PLAIN, {"headers": {"compression": {"a": [1]}}}),
    "pickle": (b"cos\nsystem\n(S'x'\ntR.", {"content_type": "application/x-python-serialize"}),
    "utf-16": ('{"a":1}'.encode("utf-16"), {"content_encoding": "utf-16"}),
    "rot13": (PLAIN, {"content_encoding": "rot13"}),
    "type of any bytes": (PLAIN, {"content_type": b"\xff\xfe\x00"}),
    "id of any bytes": (PLAIN, {"message_id": b"\xff" * 255}),
    "no properties": (PLAIN, {}),
    "transient": (PLAIN, {"delivery_mode": 1, "priority": 9, "type": "x", "reply_to": "y"}),
    "empty": (b"", {}),
    "not UTF-8": (b"\xff\x00\xed\xa0\x80", {}),
    "not JSON": (b"{", {"content_type": "application/json"}),
    "a list": (b"[]", {}),
    "deep": (BOMB, {}),
    "huge": (b"x" * (12 * 2**20), {}),
    "nested tables": (PLAIN, {"headers": _deep(200)}),
    "huge headers": (PLAIN, {"headers": {f"h{n}": "x" * 1000 for n in range(100)}}),
    "headers of all types": (PLAIN, {"headers": {"a": b"\xff", "b": True, "c": None, "d": 2**63 - 1, "": [[]]}}),
    "our header is no text": (PLAIN, {"headers": {"bellhop": 7}}),
    "our header is a table": (PLAIN, {"headers": {"bellhop": {"bellhop-attempt": 1}}}),
    "our header is no JSON": (PLAIN, {"headers": {"bellhop": "{"}}),
    "our header is a bomb": (PLAIN, {"headers": {"bellhop": "[" * 60_000}}),
    "our header is a list": (PLAIN, {"headers": {"bellhop": "[1]"}}),
    "our headers are beyond all bounds": (PLAIN, {"headers": {"bellhop": OWN_BUT_WRONG}}),
    "a count that is none": (PLAIN, {"headers": {"x-delivery-count": "many", "x-death": "yesterday"}}),
    "NUL in an id": (envelope(id="a\x00b"), {}),
    "an id that fits nowhere": (envelope(subject="x" * 5000), {}),
    "a generation beyond all bounds": (envelope(generation=2**40), {}),
    "a number beyond all bounds": (envelope().replace(b'"member_id": 1', b'"member_id": 1e999'), {}),
    "half a character": (envelope(subject="\ud800"), {}),
    "data too deep": (envelope(data=_deep(400)), {}),
    "another version": (envelope(bellhopversion=2), {}),
}


def put(channel: Any, queue: str, name: str) -> None:
    """Puts one straight into a queue, told apart from the same in another queue by its body or its id: what is the
    same in both is one letter."""
    body, properties = made(name, queue)
    channel.basic_publish("", queue, body, properties)


def made(name: str, mark: str) -> tuple[bytes, pika.BasicProperties]:
    body, wanted = STRANGE[name]
    properties = pika.BasicProperties()
    if body == PLAIN:
        body = f"{name} {mark}".encode()
    else:
        properties.message_id = f"{name} {mark}"
    for key, value in wanted.items():
        setattr(properties, key, value)
    return body, properties
