"""The embedded broker against a model of what it promises, over random histories of several consumers."""

from __future__ import annotations

import tempfile
from pathlib import Path

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from broker.embedded import EmbeddedBroker
from broker.embedded_consumer import EmbeddedConsumer
from broker.port import Delivery
from broker.topology import DEAD_QUEUE, Topology, retry, work, work_queue
from tests.support.deliveries import message, put

ROUTE, DELAY, LEASE = "a", 10.0, 30.0
TOPOLOGY = Topology((ROUTE,), ladder=(DELAY,), delivery_limit=3)


class EmbeddedModel(RuleBasedStateMachine):
    """Consumers come, take, ack, close, or stop calling `take` for ever; time passes."""

    consumers = Bundle("consumers")

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory(prefix="bellhop-test-")
        self.time = 1_800_000_000.0
        self.broker = EmbeddedBroker(
            f"sqlite:///{Path(self.folder.name) / 'b.db'}",
            TOPOLOGY,
            lease_seconds=LEASE,
            confirm_seconds=30.0,
            now=lambda: self.time,
        )
        self.publisher = self.broker.publisher()
        self.due: dict[str, float] = {}
        """Every message not yet acked, and from when it may be taken."""
        self.settled: set[str] = set()
        self.held: dict[EmbeddedConsumer, dict[str, tuple[Delivery, float]]] = {}
        """What each consumer took and neither acked nor gave back, with the end of its lease."""

    @rule(delayed=st.booleans(), count=st.integers(1, 4))
    def publish(self, delayed: bool, count: int) -> None:
        names = [f"m{len(self.due) + len(self.settled) + i}" for i in range(count)]
        put(self.publisher, retry(ROUTE, DELAY) if delayed else work(ROUTE), *names)
        self.due |= {name: self.time + (DELAY if delayed else 0.0) for name in names}

    @rule(target=consumers, prefetch=st.integers(1, 4), dead=st.booleans())
    def begin(self, prefetch: int, dead: bool) -> EmbeddedConsumer:
        consumer = self.broker.consumer(DEAD_QUEUE if dead else work_queue(ROUTE), prefetch)
        self.held[consumer] = {}
        return consumer

    @rule(consumer=consumers, limit=st.integers(0, 4))
    def take(self, consumer: EmbeddedConsumer, limit: int) -> None:
        leased = {name for held in self.held.values() for name, (_, until) in held.items() if until > self.time}
        taken = consumer.take(limit, 0)
        assert len(taken) <= limit
        for delivery in taken:
            name = delivery.message.id
            assert delivery.message == message(name)
            assert name not in self.settled, "it was acked"
            assert self.due[name] <= self.time, "its delay is not over"
            assert name not in leased, "another holds it"
            for held in self.held.values():
                held.pop(name, None)
            self.held[consumer][name] = (delivery, self.time + LEASE)

    @rule(consumer=consumers)
    def ack_one(self, consumer: EmbeddedConsumer) -> None:
        held = self.held[consumer]
        if not held:
            return
        name = next(iter(held))
        delivery, until = held.pop(name)
        consumer.ack([delivery])
        consumer.take(0, 0)
        # Once its lease was over, another may have ended it although it had no room for the message.
        if until > self.time or self.stored() < len(self.due):
            del self.due[name]
            self.settled.add(name)

    @rule(consumer=consumes(consumers))
    def close(self, consumer: EmbeddedConsumer) -> None:
        consumer.close()
        del self.held[consumer]

    @rule(seconds=st.sampled_from([1.0, DELAY, LEASE + 1.0]))
    def pass_time(self, seconds: float) -> None:
        self.time += seconds

    @invariant()
    def nothing_is_lost_and_nothing_settled_stays(self) -> None:
        assert self.stored() == len(self.due)

    def stored(self) -> int:
        return sum(each.ready + (each.in_flight or 0) for each in self.broker.stats().values())

    def teardown(self) -> None:
        # Whatever happened, all that was not acked can be had.
        for consumer in list(self.held):
            consumer.close()
        self.time += LEASE + DELAY
        found: set[str] = set()
        for queue in (work_queue(ROUTE), DEAD_QUEUE):
            consumer = self.broker.consumer(queue, len(self.due) + 1)
            found |= {delivery.message.id for delivery in consumer.take(len(self.due) + 1, 0)}
        self.broker.close()
        self.folder.cleanup()
        assert found == set(self.due)


EmbeddedModel.TestCase.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
TestEmbeddedModel = EmbeddedModel.TestCase
