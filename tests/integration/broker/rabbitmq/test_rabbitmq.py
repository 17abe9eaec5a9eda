"""What is special to RabbitMQ: several addresses, queues of another make, foreign publishers."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import threading

import pytest
from kombu import Connection
from pika import SelectConnection

from bellhop.broker.port import Message
from bellhop.broker.rabbitmq.broker import AmqpBroker
from bellhop.broker.rabbitmq.consumer import AmqpConsumer
from bellhop.broker.topology import Topology, retry, retry_queue, work, work_queue
from bellhop.schemas.errors import BrokerError, BrokerUnavailable, PublishUnconfirmed, Unroutable
from bellhop.schemas.observe import silent
from tests.support.rabbitmq import RabbitNode
from tests.support.service import free_port, wait_for

ROUTE = "members"
TOPOLOGY = Topology((ROUTE,), (60.0,))
TWO = Topology((ROUTE, "pulls"), (3600.0,))


def broker_at(*urls: str, topology: Topology = TOPOLOGY, confirm_seconds: float = 5.0) -> AmqpBroker:
    return AmqpBroker(urls, topology, confirm_seconds=confirm_seconds, heartbeat_seconds=5.0, observe=silent)


def nowhere() -> str:
    return f"amqp://guest:guest@127.0.0.1:{free_port()}/"


def test_the_next_address_is_tried_where_the_first_does_not_answer(rabbitmq_node: RabbitNode) -> None:
    broker = broker_at(nowhere(), rabbitmq_node.vhost())
    broker.declare()
    broker.publisher().publish(Message("m", b"{}", {}), work(ROUTE)).result(10)
    consumer = broker.consumer(work_queue(ROUTE), 1)
    found: list[str] = []
    wait_for(lambda: bool(found.extend(d.message.id for d in consumer.take(1, 0.5)) or found), "it is delivered", 15)
    assert found == ["m"]
    assert broker.stats()[ROUTE].ready == 0
    broker.close()


def test_an_address_that_did_not_answer_is_asked_last_from_then_on(rabbitmq_node: RabbitNode) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        mute.setblocking(False)

        def accepted() -> int:
            found = 0
            with contextlib.suppress(BlockingIOError):
                while True:
                    mute.accept()[0].close()
                    found += 1
            return found

        broker = broker_at(f"amqp://guest:guest@127.0.0.1:{mute.getsockname()[1]}/", rabbitmq_node.vhost())
        broker.declare()
        assert accepted() > 0
        assert broker.stats()[ROUTE].ready == 0
        assert accepted() == 0
        broker.close()


def test_a_publish_without_any_broker_fails_within_its_time_and_names_no_password() -> None:
    broker = broker_at(nowhere(), confirm_seconds=0.5)
    error = broker.publisher().publish(Message("m", b"{}", {}), work(ROUTE)).exception(10)
    assert isinstance(error, BrokerUnavailable | PublishUnconfirmed)
    with pytest.raises(BrokerUnavailable) as caught:
        broker.declare()
    assert "guest" not in f"{error}{caught.value}"
    broker.close()


def test_a_queue_of_another_make_is_told_with_what_to_do(rabbitmq_node: RabbitNode) -> None:
    url = rabbitmq_node.vhost()
    first = broker_at(url)
    first.declare()
    first.close()
    with pytest.raises(BrokerError, match=r"exists with other arguments.*Drain and delete"):
        broker_at(url, topology=Topology((ROUTE,), (60.0,), delivery_limit=7)).declare()


def test_what_returns_for_a_route_that_is_gone_waits_in_the_unroutable_queue(rabbitmq_node: RabbitNode) -> None:
    url = rabbitmq_node.vhost()
    broker = broker_at(url, topology=Topology((ROUTE,), (0.2,)))
    broker.declare()
    publisher = broker.publisher()
    with Connection(url) as connection:
        connection.channel().queue_delete(work_queue(ROUTE))
    assert isinstance(publisher.publish(Message("new", b"{}", {}), work(ROUTE)).exception(10), Unroutable)
    publisher.publish(Message("back", b"{}", {}), retry(ROUTE, 0.2)).result(10)
    with Connection(url) as connection:
        channel = connection.channel()
        wait_for(
            lambda: channel.queue_declare("bellhop.unroutable", passive=True).message_count == 1, "it is caught", 10
        )
    broker.close()


def test_a_message_that_somebody_else_published_is_delivered_without_headers(rabbitmq_node: RabbitNode) -> None:
    url = rabbitmq_node.vhost()
    broker = broker_at(url)
    broker.declare()
    with Connection(url) as connection:
        connection.Producer().publish(b"not ours", exchange="bellhop.work", routing_key=ROUTE, headers={"bellhop": "{"})
    consumer = broker.consumer(work_queue(ROUTE), 1)
    found: list[tuple[bytes, dict[str, object]]] = []
    wait_for(
        lambda: bool(found.extend((d.message.body, dict(d.message.headers)) for d in consumer.take(1, 0.5)) or found),
        "it is delivered",
        10,
    )
    assert found == [(b"not ours", {})]
    broker.close()


HASTENS = """
import sys
import threading
from tests.integration.broker.rabbitmq.test_rabbitmq import ROUTE, TWO, broker_at
broker = broker_at(sys.argv[1], topology=TWO)
print("begins", flush=True)
broker.hasten(ROUTE)
"""


def test_a_hastening_that_is_killed_loses_nothing_and_may_be_done_again(rabbitmq_node: RabbitNode) -> None:
    url = rabbitmq_node.vhost()
    broker = broker_at(url, topology=TWO)
    broker.declare()
    publisher = broker.publisher()
    names = {f"m-{number}" for number in range(1200)}
    sent = [publisher.publish(Message(name, b"{}", {}), retry(ROUTE, 3600.0)) for name in names]
    sent.append(publisher.publish(Message("other", b"{}", {}), retry("pulls", 3600.0)))
    for future in sent:
        future.result(30)
    for moved in (1, 300, 700):
        child = subprocess.Popen([sys.executable, "-c", HASTENS, url], stdout=subprocess.PIPE)
        assert child.stdout is not None
        child.stdout.readline()
        wait_for(lambda moved=moved: broker.stats()[ROUTE].ready >= moved, "it is under way", 30)
        child.kill()
        child.wait()
        child.stdout.close()
    wait_for(lambda: broker.stats()["retry"].ready + broker.stats()[ROUTE].ready >= 1201, "what it held is back", 30)
    broker.hasten(ROUTE)
    consumer = broker.consumer(work_queue(ROUTE), 2000)
    found: list[str] = []
    wait_for(lambda: len(set(_taken(consumer, found))) == 1200, "each comes", 30)
    assert set(found) == names
    assert broker.stats()["pulls"].ready == 0
    wait_for(lambda: broker.stats()["retry"].ready == 1, "the other route's waits on", 30)
    broker.close()


def _taken(consumer: AmqpConsumer, found: list[str]) -> list[str]:
    deliveries = consumer.take(2000, 0.2)
    consumer.ack(deliveries)
    found += [delivery.message.id for delivery in deliveries]
    return found


def test_what_is_hastened_to_a_queue_that_is_gone_stays_in_the_ladder(rabbitmq_node: RabbitNode) -> None:
    url = rabbitmq_node.vhost()
    broker = broker_at(url)
    broker.declare()
    broker.publisher().publish(Message("m", b"{}", {}), retry(ROUTE, 60.0)).result(10)
    with Connection(url) as connection:
        connection.channel().queue_delete(work_queue(ROUTE))
    with pytest.raises(Unroutable):
        broker.hasten(ROUTE)
    with Connection(url) as connection:
        channel = connection.channel()
        ladder = retry_queue(60.0)
        wait_for(lambda: channel.queue_declare(ladder, passive=True).message_count == 1, "it is back", 10)
    broker.close()


def test_messages_that_wait_together_leave_together_and_whole(
    rabbitmq_node: RabbitNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    broker = broker_at(rabbitmq_node.vhost())
    broker.declare()
    publisher = broker.publisher()
    publisher.publish(Message("first", b"{}", {}), work(ROUTE)).result(10)
    written: list[int] = []
    emit = SelectConnection._adapter_emit_data

    def count(connection: SelectConnection, data: bytes) -> None:
        written.append(len(data))
        emit(connection, data)

    monkeypatch.setattr(SelectConnection, "_adapter_emit_data", count)
    (loop,) = publisher._loops.values()
    held = threading.Event()
    loop._ioloop.add_callback_threadsafe(held.wait)  # so that all of them are there when it looks
    sizes = [0, 1, 200_000, 3_000_000, *[500] * 196]
    futures = [publisher.publish(Message(f"m{i}", b"x" * size, {}), work(ROUTE)) for i, size in enumerate(sizes)]
    held.set()
    for future in futures:
        future.result(10)
    assert len(written) <= 12, "a few writes for two hundred messages, of which one is large"
    consumer = broker.consumer(work_queue(ROUTE), 300)
    found: list[int] = []

    def take_all() -> bool:
        found.extend(len(delivery.message.body) for delivery in consumer.take(300, 0.5))
        return len(found) > len(sizes)

    wait_for(take_all, "all are delivered", 20)
    assert sorted(found) == sorted([2, *sizes])
    broker.close()
