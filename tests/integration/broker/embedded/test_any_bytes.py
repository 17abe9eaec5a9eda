"""What another program wrote into the broker's file is delivered as far as it can be read."""

from __future__ import annotations

from pathlib import Path

import pytest

from bellhop.broker.embedded.broker import EmbeddedBroker
from bellhop.broker.port import Message
from bellhop.broker.topology import Topology, work, work_queue
from bellhop.schemas.sqlite_library import sqlite
from tests.support.deliveries import collect, ids

ROUTE = "members"


@pytest.mark.parametrize("headers", [b"\xff\x00", b"{", b"[1]", b"[" * 100_000, b'{"a": [1], "bellhop-died": 2}', b""])
@pytest.mark.parametrize(("id_", "body"), [(b"\xff" * 300, b"\xff\x00"), ("x" * 5000, "a text"), ("", 7)])
def test_a_row_of_any_kind_is_delivered_between_its_neighbours(
    tmp_path: Path, headers: bytes, id_: object, body: object
) -> None:
    path = tmp_path / "broker.db"
    broker = EmbeddedBroker(f"sqlite:///{path}", Topology((ROUTE,), (1.0,)), lease_seconds=5, confirm_seconds=5)
    broker.declare()
    publisher = broker.publisher()
    publisher.publish(Message("before", b"{}", {}), work(ROUTE)).result(5)
    file = sqlite.connect(path, isolation_level=None)
    file.execute(
        "INSERT INTO messages (queue, id, headers, enqueued, body) VALUES (?, CAST(? AS TEXT), CAST(? AS TEXT), 0, ?)",
        (work_queue(ROUTE), id_, headers, body),
    )
    file.close()
    publisher.publish(Message("after", b"{}", {}), work(ROUTE)).result(5)
    found = collect(broker.consumer(work_queue(ROUTE), 10), 3)
    assert (ids(found)[0], ids(found)[2]) == ("before", "after")
    strange = found[1]
    assert strange.message.body == (body if isinstance(body, bytes) else str(body).encode())
    assert len(strange.message.id.encode()) <= 255
    assert strange.strange["headers"] == headers[:4096].decode("utf-8", "backslashreplace")
    broker.close()
