"""A private RabbitMQ node for the tests, each on a virtual host."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from bellhop.broker.rabbitmq.broker import AmqpBroker
from bellhop.broker.topology import Topology
from bellhop.drill.nodes.rabbitmq import RabbitNode, is_installed, node_folder, remove_folder
from tests.support.require import missing


class AmqpHarness:
    """`tests.support.harness.BrokerHarness` on a virtual host of its own."""

    def __init__(self, node: RabbitNode) -> None:
        self._node = node
        self._open: list[AmqpBroker] = []
        self.urls: tuple[str, ...] = (node.vhost(),)

    def open(self, topology: Topology) -> AmqpBroker:
        broker = AmqpBroker(self.urls, topology, confirm_seconds=5.0, heartbeat_seconds=5.0)
        self._open.append(broker)
        return broker

    def stop(self) -> None:
        self._node.stop()

    def start(self) -> None:
        self._node.start_again()

    def close(self) -> None:
        for broker in self._open:
            broker.close()


@contextlib.contextmanager
def amqp_harness(node: RabbitNode) -> Iterator[AmqpHarness]:
    """A harness that closes its brokers at the end."""
    harness = AmqpHarness(node)
    yield harness
    harness.close()


@contextlib.contextmanager
def rabbitmq_folder() -> Iterator[Path]:
    """A folder for nodes, gone at the end. Skips, or fails, where RabbitMQ is not installed."""
    if not is_installed():
        missing("RabbitMQ", "apt-get install rabbitmq-server")
    folder = node_folder()
    try:
        yield folder
    finally:
        remove_folder(folder)


@pytest.fixture(scope="session")
def rabbitmq_node() -> Iterator[RabbitNode]:
    """One node for the whole run; tests isolate themselves by virtual hosts."""
    with rabbitmq_folder() as folder, RabbitNode.start(folder) as node:
        yield node
