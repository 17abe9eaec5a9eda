"""What is read from what came: the message as it was published, and what stands beside one that somebody else did."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from bellhop.broker.headers import clean_headers
from bellhop.broker.port import LONGEST_ID, Headers, Message
from bellhop.broker.rabbitmq.properties import Properties
from bellhop.broker.rabbitmq.raw import RawMessage
from bellhop.broker.rabbitmq.topology import HEADERS

_NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})


def message_of(message: RawMessage) -> Message:
    """The message as published; as much of it as can be read, where somebody else published it."""
    id_ = str(message.read.others.get("message_id", ""))
    return Message(id_.encode()[:LONGEST_ID].decode(errors="ignore"), message.body, _own_headers(message.read))


def read_strange(read: Properties) -> Mapping[str, Any]:
    """What a message bears that we did not publish; nothing beside one of our own."""
    is_ours = all(name == HEADERS or name.startswith("x-") for name in read.headers) and HEADERS in read.headers
    return _NOTHING if is_ours else read.describe()


def _own_headers(read: Properties) -> Headers:
    """The headers as published; none where somebody else published."""
    try:
        return clean_headers(json.loads(read.text(HEADERS) or "{}"))
    except (ValueError, RecursionError):
        return {}
