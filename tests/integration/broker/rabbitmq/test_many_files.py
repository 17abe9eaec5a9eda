"""A consumer in a process with more than a thousand files open, as with a thousand calls under way."""

from __future__ import annotations

import os
import resource
import time
from contextlib import ExitStack

import pytest

from bellhop.broker.port import NoLimits
from bellhop.broker.rabbitmq.consumer import AmqpConsumer
from bellhop.broker.rabbitmq.lanes import LaneQueues
from bellhop.broker.topology import Topology
from bellhop.cli.common import allow_files, most_files

MANY = 1100


def test_a_consumer_waits_and_is_woken_with_a_thousand_files_open() -> None:
    if most_files() < MANY + 100:
        pytest.skip("a process may not have so many files open here")
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    with ExitStack() as stack:
        stack.callback(resource.setrlimit, resource.RLIMIT_NOFILE, before)
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(1024, before[1]), before[1]))
        allow_files()
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (before[1], before[1])
        for _ in range(MANY):
            stack.callback(os.close, os.open(os.devnull, os.O_RDONLY))
        lanes = LaneQueues(Topology((), ()), None, "queue", 1, NoLimits())
        consumer = AmqpConsumer(["amqp://127.0.0.1:9/"], lanes, heartbeat_seconds=60)
        stack.callback(consumer.close)
        assert consumer._bell.fileno() > 1024
        consumer.ack([])
        consumer._wait([], time.monotonic() + 600)  # returns at once: it was rung
