from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future

import pytest

from bellhop.broker.port import Address, Consumer, Message, Publisher, QueueStats
from bellhop.broker.topology import DEAD, NOWHERE, PULSE, retry, work
from bellhop.schemas.errors import BrokerUnavailable, PublishRefused, PublishUnconfirmed, Unroutable
from bellhop.telemetry.measured_broker import MeasuredBroker


class Pending:
    """A broker and its publisher; tests settle what was published."""

    def __init__(self) -> None:
        self.published: list[Future[None]] = []
        self.closed = 0.0

    def declare(self) -> None: ...

    def publisher(self) -> Publisher:
        return self

    def consumer(self, queue: str, prefetch: int) -> Consumer:
        raise NotImplementedError

    def stats(self) -> Mapping[str, QueueStats]:
        return {"dead": QueueStats(1, None, None)}

    def publish(self, message: Message, to: Address) -> Future[None]:
        self.published.append(Future())
        return self.published[-1]

    def close(self, timeout: float = 5.0) -> None:
        self.closed = timeout


class Bench:
    def __init__(self) -> None:
        self.told: list[dict[str, object]] = []
        self.clock = 100.0
        self.broker = Pending()
        self.measured = MeasuredBroker(self.broker, self.observe, lambda: self.clock)

    def observe(self, event: str, /, **fields: object) -> None:
        assert event == "publish.settled"
        self.told.append(fields)

    def publish(self, to: Address) -> Future[None]:
        self.measured.publisher().publish(Message("m-1", b"{}", {}), to)
        return self.broker.published[-1]


def test_a_confirm_is_told_with_the_time_it_took_and_only_when_it_has_come() -> None:
    bench = Bench()
    future = bench.publish(work("members"))
    assert bench.told == []
    bench.clock += 0.25
    future.set_result(None)
    assert bench.told == [{"to": "work", "outcome": "confirmed", "seconds": 0.25}]


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (Unroutable("x"), "unroutable"),
        (PublishRefused("x"), "refused"),
        (PublishUnconfirmed("x"), "unconfirmed"),
        (BrokerUnavailable("x"), "unavailable"),
        (RuntimeError("x"), "unconfirmed"),
    ],
)
def test_each_way_of_failing_has_its_word(error: Exception, outcome: str) -> None:
    bench = Bench()
    bench.publish(work("members")).set_exception(error)
    assert [told["outcome"] for told in bench.told] == [outcome]


def test_a_publish_that_was_given_up_counts_as_unconfirmed() -> None:
    bench = Bench()
    assert bench.publish(work("members")).cancel()
    assert [told["outcome"] for told in bench.told] == ["unconfirmed"]


def test_where_it_went_is_told_without_the_step_or_the_route() -> None:
    bench = Bench()
    for to in (work("bookings.peoplevine"), retry("members", 0.2), DEAD):
        bench.publish(to).set_result(None)
    assert [told["to"] for told in bench.told] == ["work", "retry", "dead"]


def test_a_question_that_no_queue_keeps_is_no_traffic() -> None:
    bench = Bench()
    bench.publish(NOWHERE).set_exception(Unroutable("x"))
    bench.publish(PULSE).set_result(None)
    assert bench.told == []


def test_all_else_is_the_brokers_own() -> None:
    bench = Bench()
    assert bench.measured.stats() == bench.broker.stats()
    bench.measured.publisher().close(0.5)
    assert bench.broker.closed == 0.5
