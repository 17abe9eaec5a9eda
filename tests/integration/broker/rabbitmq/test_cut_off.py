"""A node that is cut off from most of its cluster serves on, and is not believed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bellhop.broker.port import Address, Consumer, Message
from bellhop.broker.rabbitmq.broker import AmqpBroker
from bellhop.broker.rabbitmq.raw import connection
from bellhop.broker.topology import PULSE, PULSE_QUEUE, Topology, work, work_queue
from bellhop.drill.nodes.cluster import RabbitCluster
from bellhop.drill.nodes.rabbitmq import RabbitNode
from bellhop.ingest.standby import WatchedPublisher
from bellhop.schemas.errors import BrokerUnavailable, PublishRefused
from bellhop.schemas.observe import Observe, silent
from tests.support.rabbitmq import rabbitmq_folder
from tests.support.service import wait_for

ROUTE = "members"
TOPOLOGY = Topology((ROUTE,), (60.0,))


class Told(list[str]):
    def __call__(self, event: str, /, **_: object) -> None:
        self.append(event)


@pytest.fixture(scope="module")
def cluster() -> Iterator[RabbitCluster]:
    with rabbitmq_folder() as folder, RabbitCluster.start(folder) as cluster:
        yield cluster


def broker_at(*urls: str, told: Observe = silent) -> AmqpBroker:
    return AmqpBroker(urls, TOPOLOGY, confirm_seconds=5.0, heartbeat_seconds=15.0, observe=told)


def taken(consumer: Consumer) -> list[str]:
    found = consumer.take(1, 0.2)
    consumer.ack(found)
    return [delivery.message.id for delivery in found]


def test_a_consumer_and_the_counts_do_not_believe_a_node_without_a_majority(cluster: RabbitCluster) -> None:
    broker = broker_at(cluster.urls()[0])
    broker.declare()
    consumer = broker.consumer(work_queue(ROUTE), 1)
    wait_for(lambda: not taken(consumer) and consumer.connected, "it is connected", 15)
    broker.publisher().publish(Message("m", b"{}", {}), work(ROUTE)).result(10)
    wait_for(lambda: taken(consumer) == ["m"], "it is delivered", 15)
    cluster.freeze_others()
    try:
        wait_for(lambda: not taken(consumer) and not consumer.connected, "it is lost", 30)
        with pytest.raises(BrokerUnavailable):
            broker.stats()
    finally:
        cluster.mend()
    wait_for(lambda: not taken(consumer) and consumer.connected, "it is connected again", 60)
    assert broker.stats()[ROUTE].ready == 0
    broker.close()


def test_a_consumer_of_a_node_that_is_cut_off_goes_on_at_the_next_one(cluster: RabbitCluster) -> None:
    urls = cluster.urls()
    broker, elsewhere = broker_at(*urls), broker_at(*urls[1:])
    broker.declare()
    consumer, publisher = broker.consumer(work_queue(ROUTE), 1), elsewhere.publisher()
    wait_for(lambda: not taken(consumer) and consumer.connected, "it is connected", 15)
    cluster.cut_off_first()
    try:
        wait_for(
            lambda: publisher.publish(Message("n", b"{}", {}), work(ROUTE)).exception(10) is None, "it is queued", 60
        )
        wait_for(lambda: "n" in taken(consumer), "it is delivered", 60)
        wait_for(lambda: broker.stats() is not None, "the others are asked", 30)
    finally:
        cluster.join_first()
    broker.close()
    elsewhere.close()


def test_a_memory_alarm_costs_an_idle_consumer_nothing(rabbitmq_node: RabbitNode) -> None:
    told = Told()
    broker = broker_at(rabbitmq_node.vhost(), told=told)
    broker.declare()
    consumer = broker.consumer(work_queue(ROUTE), 1)
    with rabbitmq_node.alarm():
        wait_for(lambda: not taken(consumer) and consumer.connected, "it is connected", 15)
        proofs = consumer._pulse._channel
        before = proofs.gets_answered
        wait_for(lambda: not taken(consumer) and proofs.gets_answered > before + 1, "it was proved twice", 30)
    assert told == ["broker.connected"]
    broker.close()


def test_without_the_queue_of_the_pulse_it_goes_on_and_says_so_once(rabbitmq_node: RabbitNode) -> None:
    told, url = Told(), rabbitmq_node.vhost()
    broker = broker_at(url, told=told)
    broker.declare()
    with connection(url, 15.0) as link:
        link.channel().queue_delete(PULSE_QUEUE)
    consumer = broker.consumer(work_queue(ROUTE), 1)
    broker.publisher().publish(Message("m", b"{}", {}), work(ROUTE)).result(10)
    wait_for(lambda: taken(consumer) == ["m"], "it is delivered", 15)
    wait_for(lambda: not taken(consumer) and broker.stats()[ROUTE].ready == 0, "it is counted", 15)
    consumer._lose(OSError())
    wait_for(lambda: not taken(consumer) and consumer.connected, "it is connected again", 15)
    assert told.count("broker.unproven") == 1
    broker.close()


def test_a_publisher_does_not_believe_a_node_without_a_majority(cluster: RabbitCluster) -> None:
    broker = broker_at(cluster.urls()[0])
    broker.declare()
    publisher = WatchedPublisher(broker.publisher())
    assert publisher.problem() == ""
    cluster.freeze_others()
    try:
        wait_for(lambda: publisher.problem() != "", "it is told", 30)
    finally:
        cluster.mend()
    wait_for(lambda: publisher.problem() == "", "it confirms again", 60)
    broker.close()


def test_a_thousand_questions_leave_the_pulse_empty(rabbitmq_node: RabbitNode) -> None:
    url = rabbitmq_node.vhost()
    broker = broker_at(url)
    broker.declare()
    publisher = broker.publisher()
    for asked in [publisher.publish(Message("question", b"", {}), PULSE) for _ in range(1000)]:
        assert asked.exception(10) is None
    with connection(url, 15.0) as link:
        assert link.channel().queue_declare(PULSE_QUEUE, passive=True).message_count == 0
    broker.close()


def test_without_the_queue_of_the_pulse_a_publisher_goes_by_whether_its_question_comes_back(
    rabbitmq_node: RabbitNode,
) -> None:
    url = rabbitmq_node.vhost()
    broker = broker_at(url)
    broker.declare()
    with connection(url, 15.0) as link:
        link.channel().queue_delete(PULSE_QUEUE)
    publisher = WatchedPublisher(broker.publisher())
    assert publisher.problem() == ""
    with rabbitmq_node.alarm():
        wait_for(lambda: publisher.problem() != "", "it is told", 15)
    wait_for(lambda: publisher.problem() == "", "it is over", 15)
    broker.close()


@pytest.mark.parametrize("is_new", [False, True], ids=["connected before", "connected under it"])
def test_under_a_memory_alarm_a_publisher_is_not_well_at_any_time(rabbitmq_node: RabbitNode, is_new: bool) -> None:
    broker = broker_at(rabbitmq_node.vhost())
    broker.declare()
    publisher = WatchedPublisher(broker.publisher())
    if not is_new:
        assert publisher.problem() == ""
    with rabbitmq_node.alarm():
        assert all(publisher.problem() for _ in range(20))
    wait_for(lambda: publisher.problem() == "", "it is over", 15)
    broker.close()


def test_a_publisher_of_a_node_without_a_majority_goes_on_at_the_next_one(
    cluster: RabbitCluster, rabbitmq_node: RabbitNode
) -> None:
    urls, told = (cluster.urls()[0], rabbitmq_node.vhost()), Told()
    alone = [broker_at(url) for url in urls]
    for one in alone:
        one.declare()
    broker = broker_at(*urls, told=told)
    publisher = broker.publisher()
    publisher.publish(Message("m", b"{}", {}), work(ROUTE)).result(10)
    cluster.freeze_others()
    try:
        wait_for(
            lambda: publisher.publish(Message("n", b"{}", {}), work(ROUTE)).exception(10) is None, "it is queued", 30
        )
    finally:
        cluster.mend()
    assert told == ["broker.connected", "broker.lost", "broker.connected"]
    assert alone[1].stats()[ROUTE].ready == 1
    for one in (broker, *alone):
        one.close()


def test_while_another_node_takes_the_lead_a_publisher_stays_well(cluster: RabbitCluster) -> None:
    urls = cluster.urls()
    first, second = broker_at(urls[0]), broker_at(urls[1])
    first.declare()  # and so its node leads
    publisher = WatchedPublisher(second.publisher())
    assert publisher.problem() == ""
    cluster.nodes[0].kill()
    publisher._proved = 0.0
    try:
        assert [publisher.problem() for _ in range(20)] == [""] * 20
    finally:
        cluster.mend()
    for one in (first, second):
        one.close()


def test_a_publisher_leaves_a_node_that_only_refuses_and_stays_where_others_are_confirmed(
    rabbitmq_node: RabbitNode,
) -> None:
    url, told = rabbitmq_node.vhost(), Told()
    broker = broker_at(url, told=told)
    broker.declare()
    arguments = {"x-queue-type": "quorum", "x-max-length": 1, "x-overflow": "reject-publish"}
    with connection(url, 15.0) as link:
        link.channel().queue_declare("full", durable=True, auto_delete=False, arguments=arguments)
    publisher = broker.publisher()

    def is_refused() -> bool:
        return isinstance(publisher.publish(Message("m", b"{}", {}), Address("", "full")).exception(10), PublishRefused)

    wait_for(is_refused, "it is full", 15)
    for _ in range(100):
        publisher.publish(Message("m", b"{}", {}), work(ROUTE)).result(10)
        assert is_refused()
    assert told == ["broker.connected"]
    wait_for(lambda: is_refused() and "broker.lost" in told, "it is left", 15)
    broker.close()
