"""Dead letters from the queue to the archive and back, over a real broker and a real ledger."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bellhop.broker import headers
from bellhop.broker.embedded.broker import EmbeddedBroker
from bellhop.broker.port import Delivery, Message
from bellhop.broker.topology import DEAD, Topology, work, work_queue
from bellhop.ledger.records import Claimed, LetterFilter, LetterState
from bellhop.ledger.store import Ledger
from bellhop.letters.archive import Archiver
from bellhop.letters.replay import Replayed, replay
from bellhop.schemas.envelope import Envelope, content_hash, decode, encode
from bellhop.schemas.reasons import Reason
from bellhop.vendors.registry import ROUTES
from tests.support.ledger import sqlite_ledger
from tests.support.service import wait_for

_ROOT = Path(__file__).resolve().parents[3]
_DIES = """
import os, sys
from bellhop.broker.embedded.broker import EmbeddedBroker
from bellhop.broker.topology import Topology, work_queue
from bellhop.vendors.registry import ROUTES

topology = Topology(ROUTES, (1, 2), delivery_limit=2)
broker = EmbeddedBroker(f"sqlite:///{sys.argv[1]}/broker.db", topology, lease_seconds=15, confirm_seconds=5)
broker.consumer(work_queue("members"), 1).take(1, 1)
os._exit(0)  # with the delivery in its hands
"""
NOW = datetime(2026, 11, 1, 10, tzinfo=UTC)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[EmbeddedBroker]:
    topology = Topology(ROUTES, (1, 2), delivery_limit=2)
    made = EmbeddedBroker(f"sqlite:///{tmp_path}/broker.db", topology, lease_seconds=15, confirm_seconds=5)
    made.declare()
    yield made
    made.close()


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    made = Ledger.open(sqlite_ledger(tmp_path), keep_seconds=90 * 86400)
    yield made
    made.close()


def envelope(number: int) -> Envelope:
    data = {"member_id": str(number)}
    hash_ = content_hash("member.updated", NOW, data)
    return Envelope(f"e{number}", "crm", "member.updated", str(number), "members", "pv", NOW, NOW, data, hash_)


def bury(broker: EmbeddedBroker, *messages: Message) -> None:
    publisher = broker.publisher()
    for future in [publisher.publish(message, DEAD) for message in messages]:
        future.result()


def dead(number: int) -> Message:
    told = {
        headers.REASON: "rejected",
        headers.ERROR: "Member not found",
        headers.EVIDENCE: json.dumps({"attempts": [{"method": "sync_member"}]}),
        headers.ATTEMPT: 1,
        headers.ROUTE: "members",
        headers.DIED: NOW.timestamp(),
    }
    return Message(f"crm/e{number}", encode(envelope(number)), told)


def archived(broker: EmbeddedBroker, ledger: Ledger, count: int) -> None:
    """Archives until there are `count` letters and nothing is left in the queue."""
    stop = threading.Event()
    thread = threading.Thread(target=Archiver(broker, ledger).run, args=(stop,))
    thread.start()
    try:
        wait_for(lambda: ledger.letters.count(LetterFilter()) == count, f"{count} letters are archived")
        wait_for(lambda: broker.stats()["dead"].in_flight == 0, "they are acked")
    finally:
        stop.set()
        thread.join()
    assert broker.stats()["dead"].ready == 0


def taken(broker: EmbeddedBroker, count: int) -> list[Delivery]:
    consumer = broker.consumer(work_queue("members"), 10)
    found: list[Delivery] = []

    def there() -> bool:
        found.extend(consumer.take(10, 0.2))
        return len(found) == count

    wait_for(there, f"{count} deliveries on the work queue")
    consumer.ack(found)
    consumer.close()
    return found


def test_what_dies_is_archived_and_found_with_all_that_is_known_of_it(broker: EmbeddedBroker, ledger: Ledger) -> None:
    poison = Message("stranger", b"\xff\x00\xed\xa0\x80", {headers.REASON: "poison", headers.ERROR: "a\x00b"})
    bury(broker, dead(1), poison, dead(2))
    archived(broker, ledger, 3)
    first, unread, second = ledger.letters.find(LetterFilter(), 10)
    assert [first.new.event_id, second.new.event_id] == ["e1", "e2"]
    assert first.new.evidence == {"attempts": [{"method": "sync_member"}]}
    assert (first.new.died, first.new.attempts, first.new.account) == (NOW, 1, "pv")
    assert (unread.new.reason, unread.new.body, unread.new.event_id) == ("poison", poison.body, "")
    assert ledger.letters.count(LetterFilter(reason="rejected", route="members", event_id="e2")) == 1


def test_what_kills_its_workers_is_archived_with_the_delivery_limit_as_its_reason(
    broker: EmbeddedBroker, ledger: Ledger, tmp_path: Path
) -> None:
    broker.publisher().publish(Message("crm/e1", encode(envelope(1)), {}), work("members")).result()

    def buried() -> bool:
        environment = {**os.environ, "PYTHONPATH": str(_ROOT)}
        subprocess.run([sys.executable, "-c", _DIES, str(tmp_path)], env=environment, timeout=60, check=True)
        return broker.stats()["dead"].ready == 1

    wait_for(buried, "the broker has buried it")
    archived(broker, ledger, 1)
    (letter,) = ledger.letters.find(LetterFilter(), 10)
    assert (letter.new.reason, letter.new.route) == (Reason.DELIVERY_LIMIT, "members")


def test_a_replay_is_worked_as_a_new_generation_once_although_it_was_cut_off(
    broker: EmbeddedBroker, ledger: Ledger
) -> None:
    bury(broker, dead(1), dead(2))
    archived(broker, ledger, 2)
    numbers = [letter.id for letter in ledger.letters.find(LetterFilter(), 10)]

    class Killed(BaseException):
        pass

    class DiesBeforeClosing:
        find, begin_replay = ledger.letters.find, ledger.letters.begin_replay

        def close_replayed(self, ids: object) -> None:
            raise Killed

    publisher = broker.publisher()
    with pytest.raises(Killed):
        replay(DiesBeforeClosing(), publisher, numbers, who="ada", why="mended")
    assert replay(ledger.letters, publisher, numbers, who="ada", why="again") == Replayed(replayed=2)
    assert ledger.letters.count(LetterFilter(states=(LetterState.REPLAYED,))) == 2
    assert [(row.letter, row.act, row.why) for row in ledger.audit(10)] == [
        (numbers[1], "replay", "mended"),
        (numbers[0], "replay", "mended"),
    ]
    deliveries = taken(broker, 4)  # each published twice
    envelopes = [decode(delivery.message.body) for delivery in deliveries]
    assert {one.generation for one in envelopes} == {1}
    claims = ledger.claim(envelopes, "worker", 60)
    assert sum(isinstance(claim, Claimed) for claim in claims) == 2  # and each worked once


def test_the_archiver_starts_again_where_one_was_killed(broker: EmbeddedBroker, ledger: Ledger) -> None:
    bury(broker, dead(1))
    first = broker.consumer("bellhop.dead", 10)
    held: list[Delivery] = []

    def took() -> bool:
        held.extend(first.take(1, 0.2))
        return bool(held)

    wait_for(took, "one archiver holds it")
    first.close()
    archived(broker, ledger, 1)
