"""A message that kills its workers becomes a letter, and none of its neighbours does."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bellhop.broker import headers
from bellhop.broker.connect import connect
from bellhop.broker.port import Broker, Delivery, Message
from bellhop.broker.topology import DEAD_QUEUE, work
from bellhop.ledger.records import State
from bellhop.ledger.store import Ledger
from bellhop.schemas.envelope import Envelope, content_hash, encode
from bellhop.schemas.reasons import Reason
from tests.support.ledger import sqlite_ledger
from tests.support.mortal_worker import ROUTES, settings, topology
from tests.support.rabbitmq import RabbitNode
from tests.support.service import wait_for

_ROOT = Path(__file__).resolve().parents[2]
NOW = datetime.now(UTC)
NEIGHBOURS = [f"n{number}" for number in range(24)]
KILLERS = ["killer-a", "killer-b", "killer-c"]


@pytest.fixture
def url(request: pytest.FixtureRequest, kind: str, tmp_path: Path) -> str:
    if kind == "embedded":
        return f"sqlite:///{tmp_path}/broker.db"
    node: RabbitNode = request.getfixturevalue("rabbitmq_node")
    return node.vhost()


@pytest.fixture
def opened() -> Iterator[ExitStack]:
    """What is closed at the end, however that comes."""
    with ExitStack() as stack:
        yield stack


def put(broker: Broker, name: str, place: int) -> None:
    route, data = ROUTES[place % len(ROUTES)], {"member_id": name}
    at = NOW + timedelta(seconds=place)
    hash_ = content_hash("member.updated", at, data)
    event = Envelope(name, "crm", "member.updated", name, route, "pv", at, NOW, data, hash_)
    broker.publisher().publish(Message(event.message_id, encode(event), {}), work(route)).result(10)


@contextmanager
def restarted(starts: Path, *words: str) -> Iterator[None]:
    """The workers, begun anew each time they have died. starts: a file that gets a line each time."""
    command = [sys.executable, "-m", "tests.support.mortal_worker", *words]
    with starts.open("wb") as out:
        process = subprocess.Popen(command, cwd=_ROOT, stdout=out, stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        yield
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("kind", "where"), [("embedded", "claim"), ("amqp", "call")])
def test_of_a_crash_loop_only_what_it_is_about_becomes_a_letter(
    url: str, where: str, tmp_path: Path, opened: ExitStack
) -> None:
    ledger_url = sqlite_ledger(tmp_path)
    opened.callback((ledger := Ledger.open(ledger_url, keep_seconds=90 * 86400)).close)
    opened.callback((broker := connect(settings(url), topology(url))).close)
    broker.declare()
    for place, name in enumerate([*NEIGHBOURS[:3], *KILLERS, *NEIGHBOURS[3:]]):
        put(broker, name, place)
    consumer = broker.consumer(DEAD_QUEUE, 100)
    dead: list[Delivery] = []

    def ended() -> bool:
        found = consumer.take(100, 0.1)
        dead.extend(found)
        consumer.ack(found)
        events = [ledger.event("crm", name) for name in NEIGHBOURS]
        return len({d.message.id for d in dead}) >= len(KILLERS) and all(
            event and event.state is State.DONE for event in events
        )

    with restarted(tmp_path / "starts", url, ledger_url, where):
        wait_for(ended, "the killers are letters and the neighbours done", 240)
    starts = len((tmp_path / "starts").read_text().splitlines())
    # A process that dies between a letter's confirm and its ack sends it twice; the archive knows it by its content.
    assert {d.message.id for d in dead} == {f"crm/{name}" for name in KILLERS}
    assert {d.message.headers[headers.REASON] for d in dead} == {Reason.DELIVERY_LIMIT}
    assert all("at last with nothing else at work" in str(d.message.headers[headers.ERROR]) for d in dead)
    # Three in company, three alone; and what one dies over between a copy's confirm and its own ack is there twice.
    assert starts <= 9 * len(KILLERS) + 1
