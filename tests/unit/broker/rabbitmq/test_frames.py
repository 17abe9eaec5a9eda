"""The frames that are written without a library, beside those that pika makes of the same."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pika
import pytest
from pika import frame, spec

from bellhop.broker.port import Address
from bellhop.broker.rabbitmq.frames import publish_frames
from bellhop.broker.rabbitmq.raw import Transport

MOST = 100


def by_pika(channel: int, to: Address, body: bytes, id_: str, tag: str, header: tuple[str, str]) -> bytes:
    properties = pika.BasicProperties(
        message_id=id_,
        correlation_id=tag,
        content_type="application/json",
        delivery_mode=2,
        priority=0,
        headers=dict([header]),
    )
    method = spec.Basic.Publish(exchange=to.exchange, routing_key=to.routing_key, mandatory=True)
    pieces = [body[start : start + MOST] for start in range(0, len(body), MOST)]
    frames = [frame.Method(channel, method), frame.Header(channel, len(body), properties)]
    return b"".join(one.marshal() for one in [*frames, *(frame.Body(channel, piece) for piece in pieces)])


@pytest.mark.parametrize("size", [0, 1, MOST - 1, MOST, MOST + 1, 10 * MOST])
@pytest.mark.parametrize(
    ("to", "id_", "tag", "text"),
    [
        (Address("bellhop.work", "members"), "crm/msg_1", "1", "{}"),
        (Address("", "bellhop.work.members:1"), "crm/" + "x" * 251, "18446744073709551615", '{"a": 1}'),
        (Address("bellhop.dead", ""), "crm/\u00e9\U0001f6ce", "7", "\u00e9" * 5000),
    ],
)
def test_they_are_pikas_byte_for_byte(to: Address, id_: str, tag: str, text: str, size: int) -> None:
    body, header = bytes(range(256)) * 4, ("bellhop-headers", text)
    ours = publish_frames(3, to, body[:size], id_=id_, tag=tag, header=header, most=MOST)
    assert ours == by_pika(3, to, body[:size], id_, tag, header)


@pytest.mark.parametrize(("exchange", "id_"), [("x" * 256, "1"), ("x", "\u00e9" * 128)])
def test_a_text_that_is_too_long_is_an_error_and_no_broken_frame(exchange: str, id_: str) -> None:
    with pytest.raises(ValueError, match="256 bytes"):
        publish_frames(1, Address(exchange, "k"), b"", id_=id_, tag="1", header=("h", "{}"), most=MOST)


def test_acks_of_single_deliveries_are_pikas_byte_for_byte_in_one_write() -> None:
    written: list[bytes] = []
    link = SimpleNamespace(transport=SimpleNamespace(write=written.append), bytes_sent=0)
    channel: Any = Transport.Connection.Channel.__new__(Transport.Connection.Channel)
    channel.connection, channel.channel_id = link, 2
    tags = [1, 7, 2**63]
    channel.ack_each(tags)
    acks = [frame.Method(2, spec.Basic.Ack(tag)).marshal() for tag in tags]
    assert (written, link.bytes_sent) == ([b"".join(acks)], len(tags))


def test_an_ack_after_the_connections_end_is_an_error_of_that_connection() -> None:
    channel: Any = Transport.Connection.Channel.__new__(Transport.Connection.Channel)
    channel.connection = None
    with pytest.raises(Transport.Connection.connection_errors):
        channel.ack_each([1])
