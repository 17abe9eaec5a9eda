"""Whatever lies in a queue is delivered as it is, and what is beside it too."""

from __future__ import annotations

import json

import pytest

from bellhop.broker.port import Message
from bellhop.broker.topology import DEAD, DEAD_QUEUE, Topology, retry, work, work_queue
from bellhop.vendors.registry import ROUTES
from tests.support.deliveries import collect, ids, put
from tests.support.harness import BrokerHarness
from tests.support.strange import STRANGE

ROUTE = ROUTES[0]
STEP = 0.2
TOPOLOGY = Topology(ROUTES, (STEP,))
BODIES = {name: body for name, (body, _) in STRANGE.items()}


@pytest.mark.parametrize("way", ["work", "retry", "dead"])
def test_any_body_comes_as_it_was_put_with_its_neighbours_before_and_after(harness: BrokerHarness, way: str) -> None:
    broker = harness.open(TOPOLOGY)
    broker.declare()
    publisher = broker.publisher()
    to = {"work": work(ROUTE), "retry": retry(ROUTE, STEP), "dead": DEAD}[way]
    for name, body in BODIES.items():
        put(publisher, to, f"before {name}")
        publisher.publish(Message(name, body, {"bellhop-route": "x"}), to).result(30)
    put(publisher, to, "last")
    consumer = broker.consumer(DEAD_QUEUE if way == "dead" else work_queue(ROUTE), 200)
    found = collect(consumer, 2 * len(BODIES) + 1)
    assert {d.message.id: d.message.body for d in found if d.message.id in BODIES} == BODIES
    assert [d for d in ids(found) if d not in BODIES] == [*(f"before {name}" for name in BODIES), "last"]
    assert {d.deliveries for d in found} == {0}
    assert all(not d.strange for d in found)


def test_headers_that_fit_nowhere_are_left_out_and_the_others_kept(harness: BrokerHarness) -> None:
    broker = harness.open(TOPOLOGY)
    broker.declare()
    wrong = json.loads('{"bellhop-attempt": 1e999, "bellhop-enqueued": 1' + "0" * 400 + ', "a": "\\ud800", "b": [1]}')
    broker.publisher().publish(Message("m", b"{}", {**wrong, "bellhop-died": 1.5}), work(ROUTE)).result(10)
    (delivery,) = collect(broker.consumer(work_queue(ROUTE), 1), 1)
    assert delivery.message.headers == {"a": "\\ud800", "bellhop-died": 1.5}
