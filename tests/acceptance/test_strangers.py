"""What somebody else publishes to our queues, over a real RabbitMQ and with real processes."""

from __future__ import annotations

import json
import zlib
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pika
import pytest

from bellhop.broker import headers
from bellhop.broker.messages import ENOUGH_BYTES
from bellhop.broker.port import Broker, Message
from bellhop.broker.topology import DEAD, DEAD_QUEUE, UNROUTABLE_QUEUE, retry, retry_queue, work, work_queue
from bellhop.ledger.records import LetterFilter, State
from bellhop.schemas.envelope import Envelope, content_hash, encode
from bellhop.vendors.registry import connect_broker
from bellhop.vendors.settings import load
from tests.support.rabbitmq import RabbitNode
from tests.support.service import Service, wait_for
from tests.support.strange import PLAIN, STRANGE, made, put

STEP = 0.2
QUEUES = (work_queue("members"), work_queue("results"), DEAD_QUEUE, UNROUTABLE_QUEUE, retry_queue(STEP))
NOW = datetime.now(UTC)


@pytest.fixture
def amqp(tmp_path: Path, rabbitmq_node: RabbitNode) -> Iterator[tuple[Service, Broker, Any]]:
    """A service with its queues and nothing running, its broker, and a channel of a stranger's."""
    url = rabbitmq_node.vhost()
    with Service(tmp_path, [url]) as service:
        settings = load(service.settings, {})
        broker = connect_broker(settings)
        broker.declare()
        stranger = pika.BlockingConnection(pika.URLParameters(url))
        yield service, broker, stranger.channel()
        stranger.close()
        broker.close()


def neighbour(name: str) -> Message:
    data = {"member_id": 3125141}
    at = NOW + timedelta(microseconds=zlib.crc32(name.encode()))  # or all would be one fact
    hash_ = content_hash("member.updated", at, data)
    event = Envelope(name, "crm", "member.updated", "3125141", "members", "pv", at, NOW, data, hash_)
    return Message(event.message_id, encode(event), {headers.ATTEMPT: 0, headers.ROUTE: "members"})


def dead_neighbour(name: str) -> Message:
    message = neighbour(name)
    return Message(message.id, message.body, {**message.headers, headers.REASON: "rejected"})


def test_whatever_strangers_publish_becomes_a_letter_and_costs_its_neighbours_nothing(
    amqp: tuple[Service, Broker, Any],
) -> None:
    service, broker, stranger = amqp
    publisher = broker.publisher()
    worked, buried = [], []
    for place, name in enumerate(STRANGE):
        for sent, to in ((f"w{place}", work("members")), (f"r{place}", retry("members", STEP))):
            publisher.publish(neighbour(sent), to).result(10)
            worked.append(sent)
        publisher.publish(dead_neighbour(f"d{place}"), DEAD).result(10)
        buried.append(f"d{place}")
        for queue in QUEUES:
            put(stranger, queue, name)
    publisher.publish(neighbour("last"), work("members")).result(10)
    publisher.publish(dead_neighbour("dead last"), DEAD).result(10)

    service.start("sandbox")
    service.start("archive")
    service.start("work-1")
    ledger = service.ledger()
    expected = len(QUEUES) * len(STRANGE)
    wait_for(
        lambda: ledger.letters.count(LetterFilter(reason="poison")) >= expected,
        f"{expected} poison letters, {ledger.letters.count(LetterFilter(reason='poison'))} so far",
        120,
    )
    wait_for(lambda: all(state(service, name) == State.DONE for name in [*worked, "last"]), "the neighbours are done")
    wait_for(lambda: ledger.letters.count(LetterFilter(reason="rejected")) == len(buried) + 1, "they are archived")
    wait_for(lambda: all(not seen.ready for seen in broker.stats().values()), "no queue holds anything")
    assert service.alive("archive")
    assert service.alive("work-1")
    assert "crashed" not in service.logs()
    assert "broker.lost" not in service.logs()

    letters = [letter for letter in ledger.letters.find(LetterFilter(), 10_000) if letter.new.reason == "poison"]
    bodies = Counter(letter.new.body[:ENOUGH_BYTES] for letter in letters)
    assert bodies == Counter(made(name, queue)[0][:ENOUGH_BYTES] for name in STRANGE for queue in QUEUES)
    assert ledger.letters.count(LetterFilter()) == expected + len(buried) + 1
    ledger.close()


def state(service: Service, name: str) -> State | None:
    ledger = service.ledger()
    try:
        event = ledger.event("crm", name)
        return event.state if event else None
    finally:
        ledger.close()


def test_a_strangers_letter_shows_its_bytes_and_headers_cannot_be_replayed_and_can_be_discarded(
    amqp: tuple[Service, Broker, Any],
) -> None:
    service, _, stranger = amqp
    stranger.basic_publish("", work_queue("members"), *made("gzip", "here"))
    service.start("archive")
    service.start("work-1")
    ledger = service.ledger()
    wait_for(lambda: ledger.letters.count(LetterFilter(reason="poison")) == 1, "there is a letter")
    ledger.close()
    shown = json.loads(service.run("dead", "show", "1", "--reveal", "--json").stdout)
    assert shown["body"] == "gzip here"
    assert shown["evidence"]["message"] == {"headers": {"compression": "application/x-gzip"}}
    masked = json.loads(service.run("dead", "show", "1", "--json").stdout)
    assert "body" not in masked
    assert "gzip" not in json.dumps(masked["evidence"])
    replayed = service.run("dead", "replay", "1", "--why", "try", "--yes")
    assert replayed.returncode != 0
    assert "cannot be read" in replayed.stdout + replayed.stderr
    discarded = service.run("dead", "discard", "1", "--why", "a stranger's", "--yes")
    assert discarded.returncode == 0, discarded.stderr


def test_a_whole_envelope_with_strange_headers_is_worked(amqp: tuple[Service, Broker, Any]) -> None:
    service, _, stranger = amqp
    service.start("sandbox")
    names = {name: f"s{place}" for place, name in enumerate(STRANGE) if STRANGE[name][0] == PLAIN}
    for name, id_ in names.items():
        stranger.basic_publish("", work_queue("members"), neighbour(id_).body, made(name, "")[1])
    service.start("work-1")
    wait_for(lambda: all(state(service, id_) == State.DONE for id_ in names.values()), "each is done", 60)
