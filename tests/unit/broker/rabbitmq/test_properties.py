"""What stands beside a message is read from any bytes."""

from __future__ import annotations

import json
import struct
from typing import Any

import pytest
from amqp.basic_message import Message as AmqpMessage
from hypothesis import given
from hypothesis import strategies as st

from bellhop.broker.rabbitmq.properties import SHOWN_BYTES, Properties, parse_properties


def written(**properties: Any) -> bytes:
    """As py-amqp writes them."""
    raw: bytes = AmqpMessage(**properties)._serialize_properties()
    return raw


def with_headers(table: bytes) -> bytes:
    return struct.pack(">HI", 0x2000, len(table)) + table


def header(name: bytes, kind: bytes, value: bytes) -> bytes:
    return bytes([len(name)]) + name + kind + value


def text(value: bytes) -> bytes:
    return struct.pack(">I", len(value)) + value


def test_all_that_a_publisher_may_set_is_read() -> None:
    found = parse_properties(
        written(
            content_type="application/json",
            application_headers={"bellhop": "{}", "x-delivery-count": 3, "list": [1, {"a": None}], "on": True},
            delivery_mode=2,
            priority=0,
            message_id="crm/é",
            timestamp=12,
            app_id="other",
        )
    )
    assert found.text("bellhop") == "{}"
    assert found.whole("x-delivery-count") == 3
    assert found.others["message_id"] == "crm/é"
    assert found.describe() == {
        "content_type": "application/json",
        "delivery_mode": 2,
        "priority": 0,
        "message_id": "crm/é",
        "timestamp": 12,
        "app_id": "other",
        "headers": {"bellhop": "{}", "x-delivery-count": 3, "list": [1, {"a": None}], "on": True},
    }


@pytest.mark.parametrize(("kind", "value"), [(b"S", text(b"7")), (b"t", b"\x01"), (b"d", struct.pack(">d", 2.0))])
def test_a_count_of_another_type_is_none(kind: bytes, value: bytes) -> None:
    assert parse_properties(with_headers(header(b"x-delivery-count", kind, value))).whole("x-delivery-count") == 0


def test_what_is_no_utf8_is_shown_and_what_follows_it_is_read() -> None:
    raw = struct.pack(">HB", 0x8080, 2) + b"\xff\x00" + bytes([3]) + b"m-1"
    assert parse_properties(raw).others == {"content_type": "\\xff\\x00", "message_id": "m-1"}


def test_a_time_beyond_the_calendar_and_a_number_that_is_none_are_shown() -> None:
    table = header(b"at", b"T", b"\xff" * 8) + header(b"nan", b"d", struct.pack(">d", float("nan")))
    assert parse_properties(with_headers(table)).describe()["headers"] == {"at": 2**64 - 1, "nan": "nan"}


def test_a_table_within_a_thousand_tables_is_cut_and_its_neighbours_are_read() -> None:
    nest = text(b"")
    for _ in range(20_000):
        nest = text(header(b"a", b"F", nest))
        if len(nest) > 100_000:
            break
    found = parse_properties(
        with_headers(header(b"nest", b"F", nest) + header(b"x-delivery-count", b"l", struct.pack(">q", 2)))
    )
    assert found.whole("x-delivery-count") == 2
    assert found.describe()["headers"]["nest"]["a"]["a"]["a"].startswith("… ")


def test_what_is_shown_is_bounded() -> None:
    table = b"".join(header(b"h%d" % n, b"S", text(b"x" * 1000)) for n in range(200))
    assert len(json.dumps(parse_properties(with_headers(table)).describe())) < 2 * SHOWN_BYTES


def test_of_a_table_of_a_type_that_nobody_knows_the_first_headers_are_read() -> None:
    found = parse_properties(
        with_headers(header(b"a", b"S", text(b"1")) + header(b"b", b"?", b"") + header(b"c", b"V", b""))
    )
    assert (found.text("a"), list(found.headers)) == ("1", ["a"])


@given(st.binary(max_size=200) | st.binary(max_size=100).map(with_headers))
def test_no_bytes_make_it_fail(raw: bytes) -> None:
    found = parse_properties(raw)
    assert isinstance(found, Properties)
    assert json.loads(json.dumps(found.describe())) == found.describe()
    json.dumps(found.describe(), ensure_ascii=False).encode()
    found.whole("x-delivery-count")
