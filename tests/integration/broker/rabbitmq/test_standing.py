"""Queues that stand otherwise than the settings want: told, and changed with the messages in them."""

from __future__ import annotations

import subprocess
import sys
import threading

import pika
import pytest

from bellhop.broker.port import Message
from bellhop.broker.rabbitmq.broker import AmqpBroker
from bellhop.broker.topology import PULSE, PULSE_QUEUE, Topology, retry, work, work_queue
from bellhop.schemas.errors import BrokerError
from tests.support.deliveries import collect, ids
from tests.support.rabbitmq import RabbitNode
from tests.support.service import wait_for

ROUTES = ("members", "pulls")
STEP = 0.5
COUNT = 300


def broker_at(url: str, limit: int, ladder: tuple[float, ...] = (STEP,)) -> AmqpBroker:
    return AmqpBroker([url], Topology(ROUTES, ladder, limit), confirm_seconds=10.0, heartbeat_seconds=5.0)


@pytest.fixture
def url(rabbitmq_node: RabbitNode) -> str:
    """Queues with a limit of 20, and messages in each: one of them a stranger's."""
    url = rabbitmq_node.vhost()
    broker = broker_at(url, 20)
    broker.declare()
    publisher = broker.publisher()
    sent = [publisher.publish(Message(f"m{n}", b"%d" % n, {"a": n}), work("members")) for n in range(COUNT)]
    sent.append(publisher.publish(Message("other", b"{}", {}), work("pulls")))
    for future in sent:
        future.result(10)
    stranger = pika.BlockingConnection(pika.URLParameters(url))
    stranger.channel().basic_publish("", work_queue("members"), b"\xff", pika.BasicProperties(message_id="stranger"))
    stranger.close()
    wait_for(lambda: broker.stats()["members"].ready == COUNT + 1, "they are there")
    broker.close()
    return url


def test_what_stands_otherwise_is_named_with_what_stands_and_what_is_wanted(url: str) -> None:
    assert broker_at(url, 20).differences() == []
    assert broker_at(url, 7).differences() == [
        f"queue {work_queue(route)}: x-delivery-limit stands at 20, the settings want 7" for route in ROUTES
    ]
    with pytest.raises(BrokerError, match=r"x-delivery-limit stands at 20, the settings want 7.*queues migrate"):
        broker_at(url, 7).declare()


def _make_old_pulse(url: str) -> None:
    """As an older build declared it: without a limit of its length."""
    link = pika.BlockingConnection(pika.URLParameters(url))
    channel = link.channel()
    channel.queue_delete(PULSE_QUEUE)
    channel.queue_declare(PULSE_QUEUE, durable=True, arguments={"x-queue-type": "quorum"})
    link.close()


def test_a_start_makes_an_older_versions_pulse_anew_and_touches_no_other_queue(url: str) -> None:
    _make_old_pulse(url)
    broker = broker_at(url, 20)
    assert broker.differences() == [], "nobody need do anything"
    broker.declare()
    broker.declare()
    assert broker.stats()["members"].ready == COUNT + 1
    broker.publisher().publish(Message("asks", b"", {}), PULSE).result(10)  # it is bound as it is to be
    broker.close()


def test_so_does_a_migration(url: str) -> None:
    _make_old_pulse(url)
    broker = broker_at(url, 20)
    assert broker.migrate() == {PULSE_QUEUE: 0}
    assert broker.migrate() == {}
    broker.publisher().publish(Message("asks", b"", {}), PULSE).result(10)
    broker.close()


def test_looking_declares_nothing(rabbitmq_node: RabbitNode) -> None:
    url = rabbitmq_node.vhost()
    assert broker_at(url, 20).differences() == []
    with pytest.raises(BrokerError, match="not declared yet"):
        broker_at(url, 20).stats()


def test_a_limit_is_changed_with_the_messages_in_the_queues_and_those_that_come_meanwhile(url: str) -> None:
    broker = broker_at(url, 7)
    publisher = broker.publisher()
    stop, during = threading.Event(), []

    def publish() -> None:
        while not stop.is_set():
            to = retry("members", STEP) if len(during) % 2 else work("members")
            publisher.publish(Message(f"during{len(during)}", b"{}", {}), to).result(10)
            during.append(f"during{len(during)}")

    thread = threading.Thread(target=publish)
    thread.start()
    try:
        moved = broker.migrate()
    finally:
        stop.set()
        thread.join()
    assert set(moved) == {work_queue(route) for route in ROUTES}
    assert moved[work_queue("pulls")] == 1
    assert broker.differences() == []
    assert broker.migrate() == {}
    consumer = broker.consumer(work_queue("members"), 5000)
    found: list[str] = []
    wanted = {*(f"m{n}" for n in range(COUNT)), "stranger", *during}
    wait_for(lambda: _taken(consumer, found) >= wanted, "every message comes", 30)
    assert set(found) == wanted
    assert during
    broker.declare()
    broker.close()


def _taken(consumer: object, found: list[str]) -> set[str]:
    found += ids(consumer.take(1000, 0.2))  # type: ignore[attr-defined]
    return set(found)


MIGRATES = """
import sys
from tests.integration.broker.rabbitmq.test_standing import broker_at
print("begins", flush=True)
broker_at(sys.argv[1], 7).migrate()
"""


def test_a_migration_that_is_killed_loses_nothing_and_goes_on(url: str) -> None:
    broker = broker_at(url, 7)
    for patience in (0.05, 0.15, 0.3):
        child = subprocess.Popen([sys.executable, "-c", MIGRATES, url], stdout=subprocess.PIPE)
        assert child.stdout is not None
        child.stdout.readline()
        with pytest.raises(subprocess.TimeoutExpired):
            child.wait(patience)
        child.kill()
        child.wait()
        child.stdout.close()
    broker.migrate()
    assert broker.differences() == []
    consumer = broker.consumer(work_queue("members"), 5000)
    bodies = {d.message.id: d.message.body for d in collect(consumer, COUNT + 1)}
    wait_for(lambda: not bodies.update({d.message.id: d.message.body for d in consumer.take(1000, 0.2)}), "all came")
    assert bodies == {f"m{n}": b"%d" % n for n in range(COUNT)} | {"stranger": b"\xff"}
    broker.close()


def test_a_queue_that_somebody_consumes_is_not_changed(url: str) -> None:
    working = broker_at(url, 20).consumer(work_queue("members"), 1)
    collect(working, 1)
    with pytest.raises(BrokerError, match=r"1 consumers are on .*stop the workers"):
        broker_at(url, 7).migrate()
    working.close()


def test_a_new_ladder_needs_no_change_and_what_waits_in_the_old_comes_back(url: str) -> None:
    old = broker_at(url, 20)
    old.publisher().publish(Message("waits", b"{}", {}), retry("pulls", STEP)).result(10)
    new = broker_at(url, 20, (1.0, 2.0))
    assert new.differences() == []
    new.declare()
    assert sorted(ids(collect(new.consumer(work_queue("pulls"), 10), 2))) == ["other", "waits"]
    old.close()
    new.close()
