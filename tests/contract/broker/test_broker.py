"""What every broker must do: the rules of `broker.port`, one sentence each."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace

import pytest

from bellhop.broker.headers import DEATHS, LANE
from bellhop.broker.port import Address, Broker, Consumer, Message, NoLimits, Publisher, gather
from bellhop.broker.topology import DEAD, DEAD_QUEUE, NOWHERE, PULSE, Topology, retry, work, work_queue
from bellhop.schemas.errors import BrokerError, Unroutable
from bellhop.vendors.registry import ROUTES
from tests.support.broker_child import Child
from tests.support.deliveries import PATIENCE_SECONDS, collect, ids, message, put, settle
from tests.support.harness import BrokerHarness

SHORT, LONG = 0.4, 3600.0
ROUTE, OTHER = ROUTES[0], ROUTES[1]
TOPOLOGY = Topology(ROUTES, ladder=(SHORT, LONG), delivery_limit=2, lanes={ROUTE: ("salon", "spa")}, soon=(ROUTE,))
QUEUE = work_queue(ROUTE)


@pytest.fixture
def broker(harness: BrokerHarness) -> Broker:
    broker = harness.open(TOPOLOGY)
    broker.declare()
    return broker


@pytest.fixture
def publisher(broker: Broker) -> Publisher:
    return broker.publisher()


@pytest.fixture
def consumer(broker: Broker) -> Consumer:
    return broker.consumer(QUEUE, prefetch=100)


def eventually(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it never came to be"
        time.sleep(0.05)


@contextmanager
def away(harness: BrokerHarness) -> Iterator[None]:
    """The broker is gone meanwhile, and back for the next test whatever happens."""
    harness.stop()
    try:
        yield
    finally:
        harness.start()


def put_at_last(publisher: Publisher, name: str) -> None:
    """Publishes as ingest does after a broker's return: again until it is confirmed."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while publisher.publish(message(name), work(ROUTE)).exception(PATIENCE_SECONDS) is not None:
        assert time.monotonic() < deadline, f"{name} was never confirmed"
        time.sleep(0.1)


def test_declaring_twice_changes_nothing(broker: Broker, publisher: Publisher, consumer: Consumer) -> None:
    put(publisher, work(ROUTE), "kept")
    broker.declare()
    assert ids(collect(consumer, 1)) == ["kept"]


def test_messages_of_a_queue_come_in_the_order_they_were_published(publisher: Publisher, consumer: Consumer) -> None:
    names = [f"m{i}" for i in range(50)]
    put(publisher, work(ROUTE), *names)
    assert ids(collect(consumer, 50, limit=7)) == names


def test_a_message_comes_with_its_id_body_and_headers_and_no_others(publisher: Publisher, consumer: Consumer) -> None:
    sent = Message(
        "évt_1/ü", bytes(range(256)), {"bellhop-attempt": 3, "bellhop-enqueued": 1.5, "bellhop-error": "é\n"}
    )
    publisher.publish(sent, work(ROUTE)).result(PATIENCE_SECONDS)
    (delivery,) = collect(consumer, 1)
    assert delivery.message == sent
    assert delivery.deliveries == 0


def test_what_is_published_while_others_gather_is_confirmed_once_they_have(
    publisher: Publisher, consumer: Consumer
) -> None:
    put(publisher, work(ROUTE), "before")
    with gather(publisher):
        confirms = [publisher.publish(message(name), work(ROUTE)) for name in ("one", "two")]
        other = threading.Thread(target=lambda: confirms.append(publisher.publish(message("three"), work(ROUTE))))
        other.start()
        other.join()
    for confirm in confirms:
        confirm.result(PATIENCE_SECONDS)
    with suppress(ZeroDivisionError), gather(publisher):
        confirms.append(publisher.publish(message("four"), work(ROUTE)))
        raise ZeroDivisionError
    confirms[-1].result(PATIENCE_SECONDS)
    assert ids(collect(consumer, 5)) == ["before", "one", "two", "three", "four"]


def test_a_message_goes_to_no_route_but_its_own(broker: Broker, publisher: Publisher, consumer: Consumer) -> None:
    other = broker.consumer(work_queue(OTHER), prefetch=10)
    put(publisher, work(OTHER), "for the other")
    put(publisher, work(ROUTE), "for this")
    assert ids(collect(consumer, 1)) == ["for this"]
    assert ids(collect(other, 1)) == ["for the other"]


def test_an_acked_message_never_comes_again(broker: Broker, publisher: Publisher, consumer: Consumer) -> None:
    put(publisher, work(ROUTE), "settled")
    settle(consumer, collect(consumer, 1))
    consumer.close()
    put(publisher, work(ROUTE), "next")
    assert ids(collect(broker.consumer(QUEUE, prefetch=10), 1)) == ["next"]


def test_closing_sends_the_acks_that_are_queued(broker: Broker, publisher: Publisher, consumer: Consumer) -> None:
    put(publisher, work(ROUTE), "settled")
    consumer.ack(collect(consumer, 1))
    consumer.close()
    put(publisher, work(ROUTE), "next")
    assert ids(collect(broker.consumer(QUEUE, prefetch=10), 1)) == ["next"]


def test_closing_gives_back_what_was_not_acked(broker: Broker, publisher: Publisher, consumer: Consumer) -> None:
    put(publisher, work(ROUTE), "a", "b")
    assert len(collect(consumer, 2)) == 2
    consumer.close()
    assert ids(collect(broker.consumer(QUEUE, prefetch=10), 2)) == ["a", "b"]


def test_what_a_killed_process_held_is_delivered_again(
    harness: BrokerHarness, publisher: Publisher, consumer: Consumer
) -> None:
    put(publisher, work(ROUTE), "a", "b")
    with Child(harness.urls, TOPOLOGY, "hold", QUEUE, 2) as child:
        assert [child.line(), child.line()] == ["a", "b"]
        child.kill()
    again = collect(consumer, 2)
    assert ids(again) == ["a", "b"]
    assert [delivery.deliveries for delivery in again] == [1, 1]


def test_a_message_that_kills_its_consumers_goes_to_the_dead_queue(
    harness: BrokerHarness, broker: Broker, publisher: Publisher
) -> None:
    dead = broker.consumer(DEAD_QUEUE, prefetch=10)
    poison = Message("poison", b"{}", {"bellhop-route": ROUTE, "bellhop-attempt": 1})
    publisher.publish(poison, work(ROUTE)).result(PATIENCE_SECONDS)
    for _ in range(TOPOLOGY.delivery_limit):
        with Child(harness.urls, TOPOLOGY, "hold", QUEUE, 1) as child:
            assert child.line() == "poison"
            assert not dead.take(1, 0)
    # A broker may deliver once more than the limit before it gives up, and looks only when somebody takes.
    put(publisher, work(ROUTE), "after it")
    with Child(harness.urls, TOPOLOGY, "hold", QUEUE, 1) as child:
        assert child.line() in ("poison", "after it")
    (delivery,) = collect(dead, 1)
    assert delivery.message == poison


def test_a_delayed_message_returns_to_its_own_route_when_its_time_is_over_and_not_before(
    publisher: Publisher, consumer: Consumer
) -> None:
    published = time.monotonic()
    put(publisher, retry(ROUTE, SHORT), "later")
    put(publisher, retry(OTHER, SHORT), "later, elsewhere")
    put(publisher, work(ROUTE), "now")
    assert ids(collect(consumer, 1, limit=1)) == ["now"]
    (delivery,) = collect(consumer, 1)
    assert time.monotonic() - published >= SHORT - 0.01
    assert delivery.message == message("later")


def test_a_long_delay_does_not_hold_up_a_short_one(publisher: Publisher, consumer: Consumer) -> None:
    put(publisher, retry(ROUTE, LONG), "much later")
    put(publisher, retry(ROUTE, SHORT), "later")
    assert ids(collect(consumer, 1)) == ["later"]


def test_a_dead_letter_waits_in_the_dead_queue_with_its_headers(broker: Broker, publisher: Publisher) -> None:
    letter = Message("dead", b"{}", {"bellhop-reason": "rejected", "bellhop-died": 12.5})
    publisher.publish(letter, DEAD).result(PATIENCE_SECONDS)
    (delivery,) = collect(broker.consumer(DEAD_QUEUE, prefetch=1), 1)
    assert delivery.message == letter


def test_a_message_for_an_unknown_route_is_refused_as_unroutable(publisher: Publisher) -> None:
    future = publisher.publish(message("lost?"), work("nowhere"))
    with pytest.raises(Unroutable):
        future.result(PATIENCE_SECONDS)


def test_a_question_is_answered_and_no_queue_keeps_it(broker: Broker, publisher: Publisher) -> None:
    error = publisher.publish(message("question"), NOWHERE).exception(PATIENCE_SECONDS)
    assert isinstance(error, Unroutable)
    error = publisher.publish(message("question"), PULSE).exception(PATIENCE_SECONDS)
    assert error is None or isinstance(error, Unroutable)
    assert {name for name, stats in broker.stats().items() if stats.ready} == set()


def test_one_refused_message_does_not_harm_those_beside_it(publisher: Publisher, consumer: Consumer) -> None:
    futures = [
        publisher.publish(message(name), work(ROUTE if name != "bad" else "nowhere")) for name in ("a", "bad", "b")
    ]
    errors = [type(future.exception(PATIENCE_SECONDS)) for future in futures]
    assert errors == [type(None), Unroutable, type(None)]
    assert ids(collect(consumer, 2)) == ["a", "b"]


def test_a_consumer_holds_no_more_than_its_prefetch(broker: Broker, publisher: Publisher) -> None:
    consumer = broker.consumer(QUEUE, prefetch=2)
    put(publisher, work(ROUTE), "a", "b", "c", "d")
    held = collect(consumer, 2)
    assert ids(held) == ["a", "b"]
    assert not consumer.take(10, 0.5)
    consumer.ack(held[:1])
    assert ids(collect(consumer, 1)) == ["c"]


def test_take_gives_no_more_than_asked_for(publisher: Publisher, consumer: Consumer) -> None:
    put(publisher, work(ROUTE), "a", "b", "c")
    assert ids(collect(consumer, 1, limit=1)) == ["a"]
    assert not consumer.take(0, 0)
    assert ids(collect(consumer, 2, limit=5)) == ["b", "c"]


def test_an_ack_from_another_thread_wakes_take(broker: Broker, publisher: Publisher) -> None:
    consumer = broker.consumer(QUEUE, prefetch=1)
    put(publisher, work(ROUTE), "held")
    held = collect(consumer, 1)
    threading.Timer(0.3, consumer.ack, [held]).start()
    began = time.monotonic()
    consumer.take(1, 4 * PATIENCE_SECONDS)
    assert time.monotonic() - began < PATIENCE_SECONDS
    consumer.close()
    put(publisher, work(ROUTE), "next")
    assert ids(collect(broker.consumer(QUEUE, prefetch=10), 1)) == ["next"]


def test_two_consumers_of_a_queue_never_hold_the_same_message(broker: Broker, publisher: Publisher) -> None:
    put(publisher, work(ROUTE), *(f"m{i}" for i in range(40)))
    one, two = broker.consumer(QUEUE, prefetch=10), broker.consumer(QUEUE, prefetch=10)
    held = [*collect(one, 10), *collect(two, 10)]
    assert len(set(ids(held))) == 20


def test_what_was_confirmed_is_there_for_another_broker_object(harness: BrokerHarness, broker: Broker) -> None:
    publisher = broker.publisher()
    put(publisher, work(ROUTE), "kept")
    publisher.close()
    broker.close()
    second = harness.open(TOPOLOGY)
    second.declare()
    assert ids(collect(second.consumer(QUEUE, prefetch=10), 1)) == ["kept"]


def test_many_threads_may_publish_at_once_and_all_is_confirmed(publisher: Publisher, consumer: Consumer) -> None:
    names = [f"m{i}" for i in range(400)]
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda name: publisher.publish(message(name), work(ROUTE)).result(PATIENCE_SECONDS), names))
    found: set[str] = set()
    while len(found) < len(names):
        batch = collect(consumer, 1)
        found.update(ids(batch))
        consumer.ack(batch)
    assert found == set(names)


def test_closing_the_publisher_waits_for_what_is_on_its_way(publisher: Publisher) -> None:
    futures = [publisher.publish(message(f"m{i}"), work(ROUTE)) for i in range(200)]
    publisher.close(PATIENCE_SECONDS)
    assert [future.exception(0) for future in futures] == [None] * 200


def test_a_closed_publisher_refuses(publisher: Publisher) -> None:
    put(publisher, work(ROUTE), "before")
    publisher.close()
    with pytest.raises(BrokerError):
        publisher.publish(message("after"), work(ROUTE)).result(PATIENCE_SECONDS)


def test_a_publisher_made_before_a_fork_works_on_both_sides_of_it(harness: BrokerHarness, consumer: Consumer) -> None:
    with Child(harness.urls, TOPOLOGY, "fork", ROUTE) as child:
        assert child.lines() == [""]
    assert sorted(ids(collect(consumer, 2))) == ["child", "parent"]


def test_the_figures_tell_what_waits_and_what_is_delayed(broker: Broker, publisher: Publisher) -> None:
    consumer = broker.consumer(QUEUE, prefetch=1)
    put(publisher, work(ROUTE), "a", "b", "c")
    put(publisher, retry(ROUTE, LONG), "d")
    put(publisher, retry(OTHER, LONG), "e")
    put(publisher, DEAD, "f")
    collect(consumer, 1)

    expected = {route: 0 for route in ROUTES} | {ROUTE: 2, "unroutable": 0, "retry": 2, "dead": 1}
    eventually(lambda: {name: figures.ready for name, figures in broker.stats().items()} == expected)


def test_a_publish_fails_while_the_broker_is_away_and_the_message_it_was_to_replace_stays(
    harness: BrokerHarness, publisher: Publisher, consumer: Consumer
) -> None:
    put(publisher, work(ROUTE), "original")
    held = collect(consumer, 1)
    with away(harness):
        # As a worker retries: confirm first, then ack.
        replaced: Future[None] = publisher.publish(message("original"), retry(ROUTE, LONG))
        error = replaced.exception(PATIENCE_SECONDS)
        if error is None:
            consumer.ack(held)
        assert isinstance(error, BrokerError)
        assert not consumer.take(1, 0.1)
    consumer.close()
    assert ids(collect(harness.open(TOPOLOGY).consumer(QUEUE, prefetch=10), 1)) == ["original"]


def test_publisher_and_consumer_go_on_after_the_broker_returns_and_nothing_confirmed_is_lost(
    harness: BrokerHarness, publisher: Publisher, consumer: Consumer
) -> None:
    put(publisher, work(ROUTE), "before")
    with away(harness):
        lost = publisher.publish(message("during"), work(ROUTE))
        assert isinstance(lost.exception(PATIENCE_SECONDS), BrokerError)
        consumer.take(0, 0.1)
    put_at_last(publisher, "after")

    found: set[str] = set()
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not found >= {"before", "after"}:
        assert time.monotonic() < deadline, f"only {found} came"
        batch = consumer.take(10, 0.5)
        consumer.ack(batch)
        found.update(ids(batch))
    assert consumer.connected


# --- hastening --------------------------------------------------------------------------------------------------


def test_what_waits_for_a_route_can_be_hastened_and_the_others_wait_on(
    broker: Broker, publisher: Publisher, consumer: Consumer
) -> None:
    put(publisher, retry(ROUTE, LONG), "a", "b")
    put(publisher, retry(OTHER, LONG), "other")
    assert broker.hasten(ROUTE) == 2
    assert sorted(ids(collect(consumer, 2))) == ["a", "b"]
    eventually(lambda: broker.stats()["retry"].ready == 1)
    assert broker.hasten(ROUTE) == 0
    assert broker.hasten(OTHER) == 1
    eventually(lambda: broker.stats()[OTHER].ready == 1)


def test_what_was_hastened_keeps_its_body_and_headers(broker: Broker, publisher: Publisher, consumer: Consumer) -> None:
    sent = Message("kept", b"\x00body", {"text": "Zo\u00eb", "number": 1.5})
    publisher.publish(sent, retry(ROUTE, LONG)).result(PATIENCE_SECONDS)
    broker.hasten(ROUTE)
    (delivery,) = collect(consumer, 1)
    assert delivery.message == sent


def test_thousands_are_hastened_and_each_comes_once(broker: Broker, publisher: Publisher, consumer: Consumer) -> None:
    names = [f"m-{number}" for number in range(2500)]
    put(publisher, retry(ROUTE, LONG), *names[:2000])
    put(publisher, retry(OTHER, LONG), "other")
    put(publisher, retry(ROUTE, LONG), *names[2000:])
    assert broker.hasten(ROUTE) == 2500
    found: list[str] = []
    while len(found) < 2500:
        some = collect(consumer, 1)
        found += ids(some)
        settle(consumer, some)
    assert sorted(found) == sorted(names)
    assert list(consumer.take(10, 0.2)) == []
    eventually(lambda: broker.stats()["retry"].ready == 1)


def test_a_route_that_is_unknown_is_not_hastened(broker: Broker) -> None:
    with pytest.raises(BrokerError, match="no route"):
        broker.hasten("nowhere")


def test_what_was_hastened_counts_its_deliveries_anew(broker: Broker, publisher: Publisher, consumer: Consumer) -> None:
    put(publisher, retry(OTHER, LONG), "other")
    broker.hasten(ROUTE)
    broker.hasten(ROUTE)
    assert broker.hasten(OTHER) == 1
    (delivery,) = collect(broker.consumer(work_queue(OTHER), 10), 1)
    assert delivery.deliveries == 0
    assert set(delivery.message.headers) == set()


# --- resting ----------------------------------------------------------------------------------------------------


def test_a_consumer_at_rest_holds_nothing_that_it_has_not_taken(
    broker: Broker, publisher: Publisher, consumer: Consumer
) -> None:
    put(publisher, work(ROUTE), "a", "b", "c")
    (taken,) = collect(consumer, 1, limit=1)
    consumer.rest()
    consumer.take(0, 0.1)
    others = broker.consumer(QUEUE, 10)
    found = collect(others, 2)
    assert sorted([*ids([taken]), *ids(found)]) == ["a", "b", "c"]
    settle(others, found)
    settle(consumer, [taken])
    assert consumer.connected
    others.close()
    consumer.rest()
    put(publisher, work(ROUTE), "d")
    assert list(consumer.take(0, 0.3)) == []
    eventually(lambda: broker.stats()[ROUTE].ready == 1)
    assert ids(collect(consumer, 1)) == ["d"]


def test_a_consumer_may_rest_before_it_has_ever_taken(broker: Broker, publisher: Publisher, consumer: Consumer) -> None:
    consumer.rest()
    consumer.take(0, 0.1)
    put(publisher, work(ROUTE), "a")
    assert broker.stats()[ROUTE].ready == 1
    assert ids(collect(consumer, 1)) == ["a"]


# --- fetching nothing ------------------------------------------------------------------------------------------


def test_a_consumer_that_stops_fetching_leaves_all_that_comes_to_others_and_acks_what_it_has(
    broker: Broker, publisher: Publisher, consumer: Consumer
) -> None:
    put(publisher, work(ROUTE), "a")
    (taken,) = collect(consumer, 1)
    assert consumer.stop_fetching()
    put(publisher, work(ROUTE), "b")
    assert list(consumer.take(10, 0.3)) == []
    eventually(lambda: broker.stats()[ROUTE].ready == 1)
    consumer.ack([taken])
    assert not consumer.stop_fetching(), "the ack is not sent"
    consumer.take(10, 0.1)
    assert consumer.stop_fetching()
    others = broker.consumer(QUEUE, 10)
    found = collect(others, 1)
    assert ids(found) == ["b"]
    settle(others, found)
    others.close()
    consumer.start_fetching()
    put(publisher, work(ROUTE), "c")
    assert ids(collect(consumer, 1)) == ["c"]


def test_what_bears_a_count_of_deaths_is_taken_to_the_last_whatever_leave_its_account_has(
    broker: Broker, publisher: Publisher
) -> None:
    names = ["a", "b", "c"]
    for name in names:
        publisher.publish(replace(message(name), headers={DEATHS: 5}), work(ROUTE)).result(5)
    consumer = broker.consumer(QUEUE, 10, Rooms({"": 1}))
    found = collect(consumer, 1)

    def is_silent() -> bool:
        found.extend(consumer.take(10, 0.1))
        return consumer.stop_fetching()

    eventually(is_silent)
    consumer.close()
    others = broker.consumer(QUEUE, 10)
    again = {one.message.id: one.deliveries for one in collect(others, 3)}
    assert not any(again[name] for name in names if name not in ids(found)), "what was not taken was not held"


# --- lanes ------------------------------------------------------------------------------------------------------


class Rooms(NoLimits):
    """Leave for so many of each lane; without end for those that are not named."""

    def __init__(self, rooms: dict[str, int] | None = None, **more: int) -> None:
        self.rooms = (rooms or {}) | more

    def most(self, lane: str) -> int:
        return 10

    def room(self, lane: str, beside: int) -> int:
        return self.rooms.get(lane, 10)


def put_in_lanes(publisher: Publisher, to: Address, *names: str) -> None:
    """A message for each name, which is its account's and a number."""
    for future in [publisher.publish(Message(name, b"{}", {LANE: name.partition("-")[0]}), to) for name in names]:
        future.result(PATIENCE_SECONDS)


def test_an_account_without_room_keeps_no_other_waiting_and_its_own_stay_in_order(
    broker: Broker, publisher: Publisher
) -> None:
    rooms = Rooms(salon=0)
    consumer = broker.consumer(QUEUE, 100, rooms)
    put_in_lanes(publisher, work(ROUTE), *(f"salon-{n}" for n in range(10)), "spa-0", "spa-1")
    (*found,) = collect(consumer, 2)
    assert [(one.message.id, one.lane) for one in found] == [("spa-0", "spa"), ("spa-1", "spa")]
    assert not consumer.take(10, 0.3)
    rooms.rooms["salon"] = 10
    held = collect(consumer, 10, limit=3)
    assert ids(held) == [f"salon-{n}" for n in range(10)]
    assert {one.deliveries for one in held} == {0}


def test_no_more_is_taken_of_a_lane_than_it_has_room_for(broker: Broker, publisher: Publisher) -> None:
    consumer = broker.consumer(QUEUE, 100, Rooms(salon=2))
    put_in_lanes(publisher, work(ROUTE), *(f"salon-{n}" for n in range(5)))
    eventually(lambda: broker.stats()[ROUTE].ready <= 5)
    time.sleep(0.2)  # for RabbitMQ to have sent all it sends
    assert len(consumer.take(10, 0.5)) == 2


def test_what_starts_soon_waits_in_a_lane_of_its_own_beside_its_accounts(broker: Broker, publisher: Publisher) -> None:
    rooms = Rooms({"salon": 0, "spa:soon": 0})
    consumer = broker.consumer(QUEUE, 100, rooms)
    put_in_lanes(publisher, work(ROUTE), *(f"salon-{n}" for n in range(10)), "spa-0")
    put_in_lanes(publisher, work(ROUTE), "salon:soon-0", "salon:soon-1", "spa:soon-0")
    found = collect(consumer, 3)
    assert sorted((one.message.id, one.lane) for one in found) == [
        ("salon:soon-0", "salon:soon"),
        ("salon:soon-1", "salon:soon"),
        ("spa-0", "spa"),
    ]
    assert not consumer.take(10, 0.3)
    rooms.rooms |= {"salon": 10, "spa:soon": 10}
    assert sorted(ids(collect(consumer, 11))) == [*(f"salon-{n}" for n in range(10)), "spa:soon-0"]


def test_what_comes_back_from_the_ladder_comes_back_to_its_lane(broker: Broker, publisher: Publisher) -> None:
    consumer = broker.consumer(QUEUE, 100, Rooms(salon=0))
    put_in_lanes(publisher, retry(ROUTE, SHORT), "salon-0", "spa-0")
    put_in_lanes(publisher, retry(ROUTE, LONG), "salon-1", "spa-1")
    assert ids(collect(consumer, 1)) == ["spa-0"]
    assert broker.hasten(ROUTE) == 2
    assert ids(collect(consumer, 1)) == ["spa-1"]
    assert not consumer.take(10, 0.5)


def test_the_delays_of_one_account_can_be_ended_and_those_of_others_go_on(broker: Broker, publisher: Publisher) -> None:
    consumer = broker.consumer(QUEUE, 100)
    put_in_lanes(publisher, retry(ROUTE, LONG), "salon-0", "spa-0", "spa:soon-0", "-common")
    assert broker.hasten(ROUTE, ["spa"]) == 3
    assert sorted(ids(collect(consumer, 3))) == ["-common", "spa-0", "spa:soon-0"]
    assert broker.hasten(ROUTE, []) == 0
    assert broker.hasten(ROUTE) == 1
    assert ids(collect(consumer, 1)) == ["salon-0"]


def test_the_figures_tell_whose_it_is_that_waits(broker: Broker, publisher: Publisher) -> None:
    put_in_lanes(publisher, work(ROUTE), "salon-0", "salon:soon-1", "spa-0")
    put(publisher, work(ROUTE), "nobody's")
    eventually(lambda: broker.stats()[ROUTE].lanes == {"salon": 2, "spa": 1, "": 1})
    assert broker.stats()[ROUTE].ready == 4


def test_a_lane_is_taken_from_after_its_account_has_left_the_settings(
    harness: BrokerHarness, broker: Broker, publisher: Publisher
) -> None:
    put_in_lanes(publisher, work(ROUTE), "salon-0", "spa-0", "salon-1", "spa:soon-0", "salon:soon-0")
    later = harness.open(replace(TOPOLOGY, lanes={ROUTE: ("spa",)}))
    later.declare()
    found = collect(later.consumer(QUEUE, 100), 5)
    assert sorted(ids(found)) == ["salon-0", "salon-1", "salon:soon-0", "spa-0", "spa:soon-0"]
    assert later.stats()[ROUTE].ready == 0


def test_what_waits_in_the_lanes_of_a_version_that_had_none_for_what_starts_soon_is_taken(
    harness: BrokerHarness,
) -> None:
    before = harness.open(replace(TOPOLOGY, soon=()))
    before.declare()
    put_in_lanes(before.publisher(), work(ROUTE), "salon-0", "spa-0")
    later = harness.open(replace(TOPOLOGY, lanes={ROUTE: ("spa",)}))
    later.declare()
    put_in_lanes(later.publisher(), work(ROUTE), "spa:soon-0", "salon:soon-0")
    found = collect(later.consumer(QUEUE, 100), 4)
    assert sorted(ids(found)) == ["salon-0", "salon:soon-0", "spa-0", "spa:soon-0"]
