"""The embedded broker's wake-ups, within a process and between processes."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from bellhop.broker.embedded import wake
from bellhop.broker.embedded.broker import EmbeddedBroker
from bellhop.broker.embedded.consumer import EmbeddedConsumer
from bellhop.broker.port import Delivery
from bellhop.broker.topology import DEAD_QUEUE, Topology, retry, work, work_queue
from bellhop.schemas.errors import BrokerUnavailable
from bellhop.vendors.registry import ROUTES
from tests.support.broker_child import Child
from tests.support.deliveries import PATIENCE_SECONDS, collect, ids, put

ROUTE = ROUTES[0]
QUEUE = work_queue(ROUTE)
TOPOLOGY = Topology(ROUTES, ladder=(0.3,), delivery_limit=2)


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """One short enough for sockets."""
    with tempfile.TemporaryDirectory(prefix="bellhop-test-") as folder:
        yield Path(folder)


def sleepy(path: Path) -> EmbeddedBroker:
    """One whose consumers look only when something wakes them."""
    return EmbeddedBroker(f"sqlite:///{path}", TOPOLOGY, lease_seconds=36000, confirm_seconds=5, poll_seconds=3600)


def take_in_thread(
    consumer: EmbeddedConsumer, monkeypatch: pytest.MonkeyPatch
) -> tuple[threading.Thread, list[Delivery]]:
    """A thread that takes for an hour, and is asleep when this returns."""
    asleep = threading.Event()
    wait = wake.Bell.wait

    def seen(bell: wake.Bell, seconds: float) -> bool:
        asleep.set()
        return wait(bell, seconds)

    monkeypatch.setattr(wake.Bell, "wait", seen)
    found: list[Delivery] = []

    thread = threading.Thread(target=lambda: found.extend(consumer.take(10, 3600.0)), daemon=True)
    thread.start()
    assert asleep.wait(PATIENCE_SECONDS)
    return thread, found


@pytest.mark.parametrize("deep", [False, True])
def test_a_publish_in_another_process_wakes_a_consumer_that_never_looks_by_itself(
    deep: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    folder = tmp_path / ("deep" * 30 if deep else "d")
    url = f"sqlite:///{folder / 'b.db'}"
    with closing(sleepy(folder / "b.db")) as broker, Child([url], TOPOLOGY, "publish_on_word", ROUTE) as child:
        thread, found = take_in_thread(broker.consumer(QUEUE, 1), monkeypatch)
        assert child.line() == "ready"
        child.say()
        thread.join(PATIENCE_SECONDS)
        assert ids(found) == ["called"]
    assert not list(tmp_path.glob("bellhop-*"))


def test_a_consumer_that_never_looks_wakes_for_what_was_given_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(sleepy(tmp_path / "b.db")) as broker:
        put(broker.publisher(), work(ROUTE), "a")
        holder = broker.consumer(QUEUE, 1)
        collect(holder, 1)
        thread, found = take_in_thread(broker.consumer(QUEUE, 1), monkeypatch)
        holder.close()
        thread.join(PATIENCE_SECONDS)
        assert ids(found) == ["a"]


def test_a_consumer_that_never_looks_wakes_when_a_delay_is_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(sleepy(tmp_path / "b.db")) as broker:
        thread, found = take_in_thread(broker.consumer(QUEUE, 1), monkeypatch)
        put(broker.publisher(), retry(ROUTE, 0.3), "later")
        thread.join(PATIENCE_SECONDS)
        assert ids(found) == ["later"]


def test_a_consumer_that_never_looks_wakes_for_an_ack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(sleepy(tmp_path / "b.db")) as broker:
        put(broker.publisher(), work(ROUTE), "a", "b")
        consumer = broker.consumer(QUEUE, 1)
        held = collect(consumer, 1)
        thread, found = take_in_thread(consumer, monkeypatch)
        consumer.ack(held)
        thread.join(PATIENCE_SECONDS)
        assert ids(found) == ["b"]


def test_a_consumer_that_never_looks_wakes_when_another_buries_a_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "b.db"
    with closing(sleepy(path)) as broker:
        put(broker.publisher(), work(ROUTE), "a")
        for _ in range(TOPOLOGY.delivery_limit):
            with Child([f"sqlite:///{path}"], TOPOLOGY, "hold", QUEUE, 1) as child:
                assert child.line() == "a"
        thread, found = take_in_thread(broker.consumer(DEAD_QUEUE, 1), monkeypatch)
        assert not broker.consumer(QUEUE, 1).take(1, 0)
        thread.join(PATIENCE_SECONDS)
        assert ids(found) == ["a"]


def test_a_publish_wakes_only_the_consumers_of_its_queue(tmp_path: Path) -> None:
    folder = wake.wake_folder(tmp_path / "b.db")
    with (
        closing(wake.Bell(folder, "one", "x")) as one,
        closing(wake.Bell(folder, "two", "y")) as two,
        closing(wake.Ringer(tmp_path / "b.db")) as ringer,
    ):
        ringer.ring(["one"])
        assert one.wait(0)
        assert not two.wait(0)
        one.clear()
        assert not one.wait(0)


def test_a_bell_rung_more_often_than_it_is_heard_does_not_block(tmp_path: Path) -> None:
    folder = wake.wake_folder(tmp_path / "b.db")
    with closing(wake.Bell(folder, "one", "x")) as bell, closing(wake.Ringer(tmp_path / "b.db")) as ringer:
        for _ in range(5000):
            ringer.ring(["one"])
            bell.nudge()
        assert bell.wait(0)
        bell.clear()
        assert not bell.wait(0)


def test_somebody_elses_folder_is_not_used_for_waking(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    database = tmp_path / ("deep" * 30) / "b.db"
    database.parent.mkdir()
    folder = wake.wake_folder(database)
    assert folder.parent == tmp_path
    folder.chmod(0o777)
    with pytest.raises(BrokerUnavailable):
        wake.wake_folder(database)
