"""What is the embedded broker's alone: its file, its leases, its wake-ups, and what kills it."""

from __future__ import annotations

import stat
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from bellhop.broker.embedded import broker as broker_module
from bellhop.broker.embedded import file, wake
from bellhop.broker.embedded.broker import EmbeddedBroker
from bellhop.broker.embedded.consumer import EmbeddedConsumer
from bellhop.broker.embedded.store import Store
from bellhop.broker.port import Message
from bellhop.broker.topology import DEAD_QUEUE, Topology, retry, work, work_queue
from bellhop.schemas.errors import BrokerError, BrokerUnavailable, PublishUnconfirmed
from bellhop.schemas.sqlite_library import sqlite
from bellhop.vendors.registry import ROUTES
from tests.support.broker_child import Child
from tests.support.deliveries import PATIENCE_SECONDS, collect, ids, message, put, settle

ROUTE = ROUTES[0]
QUEUE = work_queue(ROUTE)
TOPOLOGY = Topology(ROUTES, ladder=(60.0,), delivery_limit=2)
LEASE = 30.0


class Clock:
    def __init__(self) -> None:
        self.time = 1_800_000_000.0

    def __call__(self) -> float:
        return self.time


class Told:
    def __init__(self) -> None:
        self.events: list[tuple[str, dict[str, object]]] = []

    def __call__(self, event: str, /, **fields: object) -> None:
        self.events.append((event, fields))


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """One short enough for sockets."""
    with tempfile.TemporaryDirectory(prefix="bellhop-test-") as folder:
        yield Path(folder)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "var" / "broker.db"


@pytest.fixture
def clock() -> Clock:
    return Clock()


Make = Callable[..., EmbeddedBroker]


@pytest.fixture
def make(path: Path, clock: Clock) -> Iterator[Make]:
    """Makes brokers over the one file, with the one clock."""
    made: list[EmbeddedBroker] = []

    def make(**options: Any) -> EmbeddedBroker:
        options = {"confirm_seconds": 5.0, **options}
        broker = EmbeddedBroker(f"sqlite:///{path}", TOPOLOGY, lease_seconds=LEASE, now=clock, **options)
        made.append(broker)
        return broker

    yield make
    for broker in made:
        broker.close()


@pytest.fixture
def broker(make: Make) -> EmbeddedBroker:
    broker = make()
    broker.declare()
    return broker


# The file


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///", "sqlite:///:memory:", "sqlite:///a.db?x=1", "amqp://host"])
def test_a_url_that_names_no_file_is_refused(url: str) -> None:
    with pytest.raises(BrokerError):
        EmbeddedBroker(url, TOPOLOGY, lease_seconds=1, confirm_seconds=1)


def test_a_relative_path_starts_at_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with closing(EmbeddedBroker("sqlite:///var/b.db", TOPOLOGY, lease_seconds=1, confirm_seconds=1)) as broker:
        broker.declare()
    assert (tmp_path / "var" / "b.db").is_file()


def test_the_file_and_all_beside_it_are_for_this_user_only(broker: EmbeddedBroker, path: Path) -> None:
    put(broker.publisher(), work(ROUTE), "a")
    collect(broker.consumer(QUEUE, 1), 1)
    found = {entry.name: stat.S_IMODE(entry.stat().st_mode) for entry in path.parent.iterdir()}
    assert found.pop("broker.db-run") == 0o700
    assert "broker.db" in found
    assert set(found.values()) == {0o600}
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_file_of_a_newer_version_is_refused(broker: EmbeddedBroker, path: Path) -> None:
    with closing(sqlite.connect(path)) as db:
        db.execute("PRAGMA user_version = 99")
    with pytest.raises(BrokerError, match="newer Bellhop"):
        broker.declare()


def test_another_programs_database_is_refused(broker: EmbeddedBroker, make: Make, path: Path) -> None:
    path.unlink()
    with closing(sqlite.connect(path)) as db:
        db.execute("CREATE TABLE theirs (x)")
    with pytest.raises(BrokerError, match="another program's"):
        make().declare()


def test_a_file_that_is_no_database_is_an_error_of_the_port(broker: EmbeddedBroker, path: Path) -> None:
    path.write_bytes(b"no database at all, but long enough to be read as one" * 100)
    with pytest.raises(BrokerError):
        broker.declare()
    assert isinstance(broker.publisher().publish(message("a"), work(ROUTE)).exception(PATIENCE_SECONDS), BrokerError)
    consumer = broker.consumer(QUEUE, 1)
    assert not consumer.take(1, 0)
    assert not consumer.connected


def test_nothing_is_confirmed_into_a_file_that_was_deleted(broker: EmbeddedBroker, path: Path) -> None:
    publisher = broker.publisher()
    put(publisher, work(ROUTE), "before")
    for part in path.parent.glob("broker.db*"):
        if part.is_file():
            part.unlink()
    assert isinstance(
        publisher.publish(message("into the void"), work(ROUTE)).exception(PATIENCE_SECONDS), BrokerUnavailable
    )
    put(publisher, work(ROUTE), "into the new file")
    assert ids(collect(broker.consumer(QUEUE, 10), 1)) == ["into the new file"]


def test_a_consumer_whose_file_was_deleted_goes_on_with_the_new_one(broker: EmbeddedBroker, path: Path) -> None:
    consumer = broker.consumer(QUEUE, 2)
    put(broker.publisher(), work(ROUTE), "settled", "held")
    settle(consumer, collect(consumer, 2)[:1])
    for part in path.parent.glob("broker.db*"):
        if part.is_file():
            part.unlink()
    put(broker.publisher(), work(ROUTE), "a", "b")
    assert ids(collect(consumer, 2)) == ["a", "b"]


def test_an_old_sqlite_keeps_a_rollback_journal_and_says_so(
    make: Make, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make().declare()  # as a WAL, which has to be given up
    for module in (broker_module, file):
        monkeypatch.setattr(module, "VERSION", (3, 40, 1))
    told = Told()
    broker = make(observe=told)
    broker.declare()
    assert told.events == [("broker.degraded", {"sqlite": sqlite.sqlite_version, "journal": "truncate"})]
    put(broker.publisher(), work(ROUTE), "a", "b")
    assert ids(collect(broker.consumer(QUEUE, 10), 2)) == ["a", "b"]
    assert not path.with_name("broker.db-wal").exists()


# Publishing


def test_what_a_killed_publisher_was_confirmed_is_there_exactly_once(broker: EmbeddedBroker, path: Path) -> None:
    with Child([f"sqlite:///{path}"], TOPOLOGY, "publish", ROUTE, 20_000) as child:
        confirmed = [child.line() for _ in range(200)]
        child.kill()
        confirmed += [line for line in child.lines() if line.startswith("m")]
    with closing(sqlite.connect(path)) as db:
        stored = [row[0] for row in db.execute("SELECT id FROM messages")]
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert len(stored) == len(set(stored))
    # The last line may have been cut by the kill.
    assert set(confirmed[:-1]) <= set(stored)


def test_a_publish_that_the_disk_holds_up_fails_when_its_time_is_over(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = threading.Event()
    monkeypatch.setattr(Store, "put", lambda *_: free.wait(PATIENCE_SECONDS))
    publisher = make(confirm_seconds=0.2).publisher()
    try:
        writing, waiting = (publisher.publish(message(name), work(ROUTE)) for name in ("a", "b"))
        assert isinstance(writing.exception(PATIENCE_SECONDS / 2), PublishUnconfirmed)
        assert isinstance(waiting.exception(PATIENCE_SECONDS / 2), PublishUnconfirmed)
        later = publisher.publish(message("c"), work(ROUTE))
        assert isinstance(later.exception(PATIENCE_SECONDS / 2), PublishUnconfirmed)
    finally:
        free.set()


def test_an_unexpected_error_fails_its_publishes_and_the_next_ones_work(
    broker: EmbeddedBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    publisher = broker.publisher()
    with monkeypatch.context() as patch:
        patch.setattr(Store, "put", lambda *_: 1 / 0)
        failed = publisher.publish(message("a"), work(ROUTE)).exception(PATIENCE_SECONDS)
    assert isinstance(failed, PublishUnconfirmed)
    put(publisher, work(ROUTE), "b")
    assert ids(collect(broker.consumer(QUEUE, 10), 1)) == ["b"]


def test_an_id_longer_than_the_port_allows_is_refused_alone(broker: EmbeddedBroker) -> None:
    publisher = broker.publisher()
    assert isinstance(publisher.publish(message("ü" * 128), work(ROUTE)).exception(0), BrokerError)
    put(publisher, work(ROUTE), "ü" * 127)


def test_a_publisher_used_before_a_fork_refuses_in_the_child_and_goes_on_in_the_parent(
    broker: EmbeddedBroker, path: Path
) -> None:
    # SQLite would lose the messages of one of them, confirmed as they were.
    with Child([f"sqlite:///{path}"], TOPOLOGY, "fork", ROUTE, "before") as child:
        assert child.lines() == ["BrokerError"]
    assert ids(collect(broker.consumer(QUEUE, 10), 2)) == ["before", "parent"]


# Leases


def test_an_ack_after_the_lease_was_lost_to_another_does_nothing(broker: EmbeddedBroker, clock: Clock) -> None:
    slow, quick = broker.consumer(QUEUE, 1), broker.consumer(QUEUE, 1)
    put(broker.publisher(), work(ROUTE), "a")
    late = collect(slow, 1)
    clock.time += LEASE + 1
    (again,) = collect(quick, 1)
    assert (again.message.id, again.deliveries) == ("a", 1)
    settle(slow, late)
    assert broker.stats()[ROUTE].in_flight == 1
    settle(quick, [again])
    assert broker.stats()[ROUTE].in_flight == 0


def test_a_lease_that_is_over_but_not_taken_may_still_be_acked(broker: EmbeddedBroker, clock: Clock) -> None:
    consumer = broker.consumer(QUEUE, 1)
    put(broker.publisher(), work(ROUTE), "a")
    held = collect(consumer, 1)
    clock.time += LEASE + 1
    settle(consumer, held)
    figures = broker.stats()[ROUTE]
    assert (figures.ready, figures.in_flight) == (0, 0)


def consumer_with(path: Path, clock: Clock, monotonic: Clock) -> EmbeddedConsumer:
    return EmbeddedConsumer(
        path, QUEUE, 5, delivery_limit=2, lease_seconds=LEASE, poll_seconds=1.0, now=clock, monotonic=monotonic
    )


def test_a_consumer_that_calls_take_keeps_its_leases(broker: EmbeddedBroker, clock: Clock, path: Path) -> None:
    monotonic = Clock()
    other = broker.consumer(QUEUE, 5)
    with closing(consumer_with(path, clock, monotonic)) as consumer:
        put(broker.publisher(), work(ROUTE), "a")
        assert ids(consumer.take(1, 0)) == ["a"]
        for _ in range(10):
            clock.time += LEASE / 2
            monotonic.time += LEASE / 2
            assert not consumer.take(0, 0)
            assert not other.take(1, 0)


def test_a_consumer_that_lost_its_leases_makes_room_for_new_ones(
    broker: EmbeddedBroker, clock: Clock, path: Path
) -> None:
    monotonic = Clock()
    with closing(consumer_with(path, clock, monotonic)) as sleeper:
        put(broker.publisher(), work(ROUTE), *"abcde")
        assert ids(sleeper.take(5, 0)) == [*"abcde"]
        clock.time += LEASE + 1
        monotonic.time += LEASE + 1
        assert ids(collect(broker.consumer(QUEUE, 5), 5)) == [*"abcde"]
        put(broker.publisher(), work(ROUTE), "f")
        assert not sleeper.take(0, 0)  # renews, and learns of it
        assert ids(sleeper.take(5, 0)) == ["f"]


def test_giving_back_does_not_count_towards_the_delivery_limit(broker: EmbeddedBroker) -> None:
    put(broker.publisher(), work(ROUTE), "a")
    for _ in range(TOPOLOGY.delivery_limit + 2):
        consumer = broker.consumer(QUEUE, 1)
        (delivery,) = collect(consumer, 1)
        assert delivery.deliveries == 0
        consumer.close()


def test_a_lost_lease_counts_towards_the_delivery_limit_but_never_in_the_dead_queue(
    broker: EmbeddedBroker, clock: Clock
) -> None:
    put(broker.publisher(), work(ROUTE), "a")
    for _ in range(TOPOLOGY.delivery_limit):
        assert ids(collect(broker.consumer(QUEUE, 1), 1)) == ["a"]
        clock.time += LEASE + 1
    assert not broker.consumer(QUEUE, 1).take(1, 0)
    for earlier in range(TOPOLOGY.delivery_limit + 2):
        (delivery,) = collect(broker.consumer(DEAD_QUEUE, 1), 1)
        assert (delivery.message, delivery.deliveries) == (message("a"), earlier)
        clock.time += LEASE + 1


def test_a_message_whose_delay_is_over_comes_before_those_published_after_it(
    broker: EmbeddedBroker, clock: Clock
) -> None:
    put(broker.publisher(), work(ROUTE), "a")
    put(broker.publisher(), retry(ROUTE, 60.0), "b")
    put(broker.publisher(), work(ROUTE), "c")
    clock.time += 60.0
    consumer = broker.consumer(QUEUE, 10)
    assert [ids(collect(consumer, 1, limit=1)) for _ in "abc"] == [["a"], ["b"], ["c"]]


def test_a_delay_is_over_when_the_wall_clock_says_so_even_after_a_restart(make: Make, clock: Clock) -> None:
    first = make()
    put(first.publisher(), retry(ROUTE, 60.0), "later")
    first.close()
    consumer = make().consumer(QUEUE, 1)
    clock.time += 59.0
    assert not consumer.take(1, 0)
    clock.time += 1.0
    assert ids(consumer.take(1, 0)) == ["later"]


def test_what_is_held_is_told_until_its_lease_is_over(broker: EmbeddedBroker, clock: Clock) -> None:
    put(broker.publisher(), work(ROUTE), "a", "b", "c")
    collect(broker.consumer(QUEUE, 2), 2)
    figures = broker.stats()[ROUTE]
    assert (figures.ready, figures.in_flight) == (1, 2)
    clock.time += LEASE + 1
    figures = broker.stats()[ROUTE]
    assert (figures.ready, figures.in_flight) == (3, 0)


def test_the_age_of_the_first_waiting_message_is_told(broker: EmbeddedBroker, clock: Clock) -> None:
    put(broker.publisher(), work(ROUTE), "a")
    clock.time += 5.0
    put(broker.publisher(), work(ROUTE), "b")
    put(broker.publisher(), retry(ROUTE, 60.0), "c")
    assert broker.stats()[ROUTE].oldest_seconds == 5.0
    settle(consumer := broker.consumer(QUEUE, 10), collect(consumer, 2))
    assert broker.stats()[ROUTE].oldest_seconds is None
    clock.time += 70.0
    assert broker.stats()[ROUTE].oldest_seconds == 10.0  # since it was due


def test_of_a_message_that_was_acked_nothing_is_left_in_the_file(broker: EmbeddedBroker, path: Path) -> None:
    """Neither of one that lies in a page beside others, nor of one that fills several."""
    guests = [Message(f"m-{number}", b"Zoe Quill " * length, {}) for number, length in enumerate((9, 9, 900, 9))]
    publisher, consumer = broker.publisher(), broker.consumer(QUEUE, 10)
    for future in [publisher.publish(one, work(ROUTE)) for one in guests]:
        future.result(PATIENCE_SECONDS)
    settle(consumer, collect(consumer, len(guests)))
    broker.close()  # which empties the log
    assert b"Quill" not in b"".join(one.read_bytes() for one in path.parent.glob("broker.db*") if one.is_file())


def test_what_a_killed_consumer_left_is_cleared_away(broker: EmbeddedBroker, path: Path) -> None:
    put(broker.publisher(), work(ROUTE), "a")
    with Child([f"sqlite:///{path}"], TOPOLOGY, "hold", QUEUE, 1) as child:
        assert child.line() == "a"
        child.kill()
    run = wake.run_folder(path)
    assert len(list(run.iterdir())) == 2
    consumer = broker.consumer(QUEUE, 1)
    assert ids(collect(consumer, 1)) == ["a"]
    put(broker.publisher(), work(ROUTE), "b")
    consumer.close()
    assert not list(run.iterdir())


def test_what_consumers_left_that_were_killed_with_nothing_in_hand_is_cleared_away(
    broker: EmbeddedBroker, path: Path
) -> None:
    living = broker.consumer(QUEUE, 1)
    assert not living.take(1, 0)
    (mine,) = wake.run_folder(path).glob("*.lock")
    (wake.run_folder(path) / "0123456789abcdef.lock").touch()
    assert not broker.consumer(DEAD_QUEUE, 1).take(1, 0)
    left = set(wake.run_folder(path).glob("*.lock"))
    assert mine in left
    assert len(left) == 2


def test_what_waited_in_a_file_from_before_there_were_lanes_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "broker.db"
    with closing(sqlite.connect(path, isolation_level=None)) as db:
        for statement in file._SCHEMA:
            db.execute(statement)
        db.execute("PRAGMA user_version = 1")
        for name, due in (("waits", None), ("is delayed", 1.0)):
            db.execute(
                "INSERT INTO messages (queue, id, headers, enqueued, due, body) VALUES (?, ?, '{}', 0, ?, '')",
                (work_queue("members"), name, due),
            )
    broker = EmbeddedBroker(f"sqlite:///{path}", Topology(("members",), (1.0,)), lease_seconds=5, confirm_seconds=5)
    broker.declare()
    assert broker.stats()["members"].ready == 2
    found = collect(broker.consumer(work_queue("members"), 10), 2)
    assert {(delivery.message.id, delivery.lane) for delivery in found} == {("waits", ""), ("is delayed", "")}
    broker.close()
