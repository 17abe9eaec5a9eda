"""The embedded broker against a model of what it promises, over random histories of several consumers."""

from __future__ import annotations

import tempfile
from pathlib import Path

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from bellhop.broker.embedded.broker import EmbeddedBroker
from bellhop.broker.embedded.consumer import EmbeddedConsumer
from bellhop.broker.port import Delivery
from bellhop.broker.topology import DEAD_QUEUE, Topology, retry, work, work_queue
from tests.support.deliveries import message, put

ROUTE, DELAY, LEASE = "a", 10.0, 30.0
TOPOLOGY = Topology((ROUTE,), ladder=(DELAY,), delivery_limit=3)
CONSUMER = st.integers(0, 2)


class EmbeddedModel(RuleBasedStateMachine):
    """Two consumers of a route and one of the dead queue take, ack, close and begin anew, or do nothing for long."""

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
        self.lost: list[Delivery] = []
        """Deliveries whose lease went to another."""
        self.consumers = [self.begin(which) for which in range(3)]
        self.held: list[dict[str, tuple[Delivery, float]]] = [{}, {}, {}]
        """What each consumer took and neither acked nor gave back, with the end of its lease."""

    def begin(self, which: int) -> EmbeddedConsumer:
        return self.broker.consumer(DEAD_QUEUE if which == 2 else work_queue(ROUTE), prefetch=4)

    @rule(delayed=st.booleans(), count=st.integers(1, 4))
    def publish(self, delayed: bool, count: int) -> None:
        names = [f"m{len(self.due) + len(self.settled) + i}" for i in range(count)]
        put(self.publisher, retry(ROUTE, DELAY) if delayed else work(ROUTE), *names)
        self.due |= {name: self.time + (DELAY if delayed else 0.0) for name in names}

    @rule(which=CONSUMER, limit=st.integers(0, 4))
    def take(self, which: int, limit: int) -> None:
        leased = {name for held in self.held for name, (_, until) in held.items() if until > self.time}
        taken = self.consumers[which].take(limit, 0)
        assert len(taken) <= limit
        for delivery in taken:
            name = delivery.message.id
            assert delivery.message == message(name)
            assert name not in self.settled, "it was acked"
            assert self.due[name] <= self.time, "its delay is not over"
            assert name not in leased, "another holds it"
            for held in self.held:
                if name in held:
                    self.lost.append(held.pop(name)[0])
            self.held[which][name] = (delivery, self.time + LEASE)

    @rule(which=CONSUMER)
    def ack_one(self, which: int) -> None:
        held = self.held[which]
        if held:
            name = next(iter(held))
            delivery, _ = held.pop(name)
            self.consumers[which].ack([delivery])
            self.consumers[which].take(0, 0)
            del self.due[name]
            self.settled.add(name)

    @rule(which=CONSUMER)
    def ack_what_another_holds_by_now(self, which: int) -> None:
        self.consumers[which].ack(self.lost)
        self.consumers[which].take(0, 0)

    @rule(which=CONSUMER)
    def begin_anew(self, which: int) -> None:
        self.consumers[which].close()
        self.consumers[which] = self.begin(which)
        self.held[which] = {}

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
        for each in self.consumers:
            each.close()
        self.time += LEASE + DELAY
        found: set[str] = set()
        for queue in (work_queue(ROUTE), DEAD_QUEUE):
            consumer = self.broker.consumer(queue, len(self.due) + 1)
            found |= {delivery.message.id for delivery in consumer.take(len(self.due) + 1, 0)}
        self.broker.close()
        self.folder.cleanup()
        assert found == set(self.due)


EmbeddedModel.TestCase.settings = settings(stateful_step_count=30)
TestEmbeddedModel = EmbeddedModel.TestCase
