"""What a consumer asks of its leave where many accounts have something waiting: a count that no noise changes.

It is what taking an event costs beyond the broker's own work. Above its limit a worker with a thousand accounts spends
its time with asking all of them for each event that ends.
"""

from __future__ import annotations

import time

from bellhop.broker.headers import LANE
from bellhop.broker.port import Delivery, Message
from bellhop.broker.topology import Topology, work, work_queue
from bellhop.vendors.registry import ROUTES
from bellhop.workers.lanes import Lanes
from bellhop.workers.pool import capacity_of
from bellhop.workers.ports import NoTurns
from tests.support.deliveries import PATIENCE_SECONDS
from tests.support.harness import BrokerHarness

ROUTE = "members"
ACCOUNTS = [f"a{number}" for number in range(40)]
EACH = 3
THREADS = 2
QUESTIONS = 4.5
"""For each event, of which two end at a time: of the last accounts that are in hand, and of the next."""


class CountingLanes(Lanes):
    asked = 0

    def room(self, lane: str, beside: int) -> int:
        self.asked += 1
        return super().room(lane, beside)


def test_few_of_many_accounts_are_asked_for_each_event_and_all_have_their_turn(harness: BrokerHarness) -> None:
    broker = harness.open(Topology(ROUTES, ladder=(0.2,), lanes={ROUTE: ACCOUNTS}))
    broker.declare()
    publisher, lanes, places = broker.publisher(), CountingLanes(THREADS, NoTurns()), capacity_of(THREADS)
    names = [f"{account}-{number}" for account in ACCOUNTS for number in range(EACH)]
    sent = [publisher.publish(Message(one, b"{}", {LANE: one.partition("-")[0]}), work(ROUTE)) for one in names]
    for confirmed in sent:
        confirmed.result(PATIENCE_SECONDS)
    consumer = broker.consumer(work_queue(ROUTE), places, lanes)
    held: list[Delivery] = []
    done: list[str] = []
    deadline = time.monotonic() + PATIENCE_SECONDS
    while len(done) < len(names) and time.monotonic() < deadline:
        taken = consumer.take(places - len(held), 0.5)
        for one in taken:
            lanes.take_in(one, one.lane)
        held += taken
        ended, held = held[:THREADS], held[THREADS:]
        for one in ended:
            lanes.let_go(one)
        consumer.ack(ended)
        done += [one.message.id for one in ended]
    assert sorted(done) == sorted(names)
    assert lanes.asked / len(names) <= 1.1 * QUESTIONS
