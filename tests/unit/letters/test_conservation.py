"""An event is forgotten when it is long due and no queue can hold it; never while one may."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import pytest

from bellhop.broker.port import QueueStats
from bellhop.ledger.records import State
from bellhop.ledger.strays import Stray
from bellhop.letters.conservation import DUE_FOR, ConservationWatch, find_forgotten, idle_queues, names_of
from bellhop.schemas.clock import Clock
from bellhop.schemas.errors import BrokerUnavailable, LedgerUnavailable
from bellhop.vendors.registry import ROUTES
from tests.support.ledger import NOON

EMPTY, FULL = QueueStats(0, None, None), QueueStats(1, None, 3.0)
QUIET: Mapping[str, QueueStats] = dict.fromkeys((*ROUTES, "dead", "retry", "unroutable"), EMPTY)


class Ledger:
    """Answers with what is older than it is asked for."""

    def __init__(self, *strays: Stray, away: bool = False) -> None:
        self.found, self.away, self.asked = strays, away, 0

    def strays(self, before: datetime) -> Sequence[Stray]:
        self.asked += 1
        if self.away:
            raise LedgerUnavailable("away")
        return [one for one in self.found if one.since < before]


class Broker:
    def __init__(self, stats: Mapping[str, QueueStats] | None) -> None:
        self.told = stats

    def stats(self) -> Mapping[str, QueueStats]:
        if self.told is None:
            raise BrokerUnavailable("away")
        return self.told


def stray(id_: str = "e-1", state: State = State.RETRYING, minutes: float = 16) -> Stray:
    return Stray("crm", id_, "members", state, NOON - timedelta(minutes=minutes))


def found(stats: Mapping[str, QueueStats], *strays: Stray) -> list[str]:
    return [one.id for one in find_forgotten(Ledger(*strays), idle_queues(stats), NOON)]


@pytest.mark.parametrize("state", [State.WORKING, State.RETRYING, State.IN_DOUBT, State.DEAD])
def test_what_is_long_due_with_every_queue_empty_is_forgotten(state: State) -> None:
    assert found(QUIET, stray(state=state)) == ["e-1"]
    assert found(QUIET, stray(state=state, minutes=DUE_FOR.total_seconds() / 60 - 1)) == []


@pytest.mark.parametrize(
    "stats",
    [
        {**QUIET, "members": FULL},
        {**QUIET, "members": QueueStats(0, 1, None)},
        {name: queue for name, queue in QUIET.items() if name != "members"},
        {},
    ],
    ids=["it waits", "it is held", "the queue is unknown", "the broker is away"],
)
def test_what_a_queue_may_hold_is_not_forgotten(stats: Mapping[str, QueueStats]) -> None:
    assert found(stats, stray()) == []


def test_a_death_on_its_way_to_the_archive_is_not_forgotten() -> None:
    assert found({**QUIET, "dead": FULL}, stray(state=State.DEAD), stray("e-2")) == ["e-2"]


def test_the_oldest_comes_first_and_ten_are_named() -> None:
    many = [stray(f"e-{number}", minutes=60 - number) for number in range(12)]
    lost = find_forgotten(Ledger(*reversed(many)), idle_queues(QUIET), NOON)
    assert [one.id for one in lost] == [f"e-{number}" for number in range(12)]
    assert names_of(lost).startswith("crm/e-0 (retrying), crm/e-1 (retrying), ")
    assert names_of(lost).endswith("crm/e-9 (retrying), …")


def watched(
    ledger: Ledger, broker: Broker, looks: int = 1, seconds: float = 10.0
) -> list[tuple[str, dict[str, object]]]:
    told: list[tuple[str, dict[str, object]]] = []
    passed = [0.0]
    clock = Clock(now=lambda: NOON, monotonic=lambda: passed[0])
    watch = ConservationWatch(ledger, broker, lambda event, **fields: told.append((event, fields)), clock)
    for _ in range(looks):
        watch.look()
        passed[0] += seconds
    return told


def test_each_route_is_counted_and_each_lost_one_named() -> None:
    counted, named = watched(Ledger(stray()), Broker(QUIET))
    groups = counted[1]["groups"]
    assert isinstance(groups, list)
    assert {one["route"]: one["count"] for one in groups} == {route: int(route == "members") for route in ROUTES}
    assert named == ("event.forgotten", {"source": "crm", "id": "e-1", "route": "members", "state": "retrying"})


def test_it_looks_once_a_minute() -> None:
    ledger = Ledger()
    watched(ledger, Broker(QUIET), looks=13)
    assert ledger.asked == 3


@pytest.mark.parametrize(("ledger", "broker"), [(Ledger(away=True), Broker(QUIET)), (Ledger(stray()), Broker(None))])
def test_what_is_not_known_is_told_as_no_number(ledger: Ledger, broker: Broker) -> None:
    assert watched(ledger, broker) == [("events.forgotten", {"groups": []})]
