"""What was accepted is watched until the ledger has it; it is missing only where no queue can hold it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import pytest

from bellhop.broker.port import Message, QueueStats
from bellhop.ingest.unseen import FIRST_SECONDS, MISSING_SECONDS, MOST, Unseen
from bellhop.schemas.clock import Clock
from bellhop.schemas.errors import BrokerUnavailable, LedgerUnavailable

EMPTY = QueueStats(0, None, None)
QUIET: Mapping[str, QueueStats] = dict.fromkeys(("members", "pulls", "retry", "dead", "unroutable"), EMPTY)


class Bench:
    def __init__(self) -> None:
        self.time = 0.0
        self.known: set[str] = set()
        self.queues: Mapping[str, QueueStats] | None = QUIET
        self.is_ledger_away = False
        self.asked: list[int] = []
        self.told: list[tuple[str, str, str]] = []
        self.unseen = Unseen(self._unknown, self, self._observe, Clock(monotonic=lambda: self.time))

    def _unknown(self, source: str, ids: Sequence[str], /) -> Collection[str]:
        if self.is_ledger_away:
            raise LedgerUnavailable("away")
        assert source == "crm"
        self.asked.append(len(ids))
        return {*ids} - self.known

    def stats(self) -> Mapping[str, QueueStats]:
        if self.queues is None:
            raise BrokerUnavailable("away")
        return self.queues

    def _observe(self, event: str, /, **fields: object) -> None:
        assert (event, fields["source"]) == ("event.missing", "crm")
        self.told.append((event, str(fields["id"]), str(fields["route"])))

    def accept(self, *ids: str) -> None:
        for id_ in ids:
            self.unseen.note(Message(f"crm/{id_}", b"", {}), "members")

    def look(self, times: int = 1, seconds: float = 30.0) -> list[str]:
        for _ in range(times):
            self.time += seconds
            self.unseen.look()
        return [id_ for _, id_, _ in self.told]


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_what_the_ledger_has_a_minute_later_is_watched_no_more(bench: Bench) -> None:
    bench.known = {"a", "b/c"}
    bench.accept("a", "b/c")
    bench.look(seconds=FIRST_SECONDS - 1)
    assert bench.asked == []
    assert bench.look(times=60) == []
    assert bench.asked == [2]


def test_what_no_queue_and_no_ledger_has_is_told_once_by_its_name(bench: Bench) -> None:
    bench.known = {"a"}
    bench.accept("a", "lost")
    bench.look(seconds=MISSING_SECONDS - 1)
    assert bench.told == []
    assert bench.look() == []  # it may have been between two queues
    assert bench.look() == ["lost"]
    assert bench.look(times=9) == ["lost"]
    assert bench.told == [("event.missing", "lost", "members")]


@pytest.mark.parametrize("queue", ["members", "retry", "dead", "unroutable"])
@pytest.mark.parametrize("stats", [QueueStats(1, None, 2.0), QueueStats(0, 1, None)], ids=["waits", "is held"])
def test_what_a_queue_may_hold_is_not_missing(bench: Bench, queue: str, stats: QueueStats) -> None:
    bench.queues = {**QUIET, queue: stats}
    bench.accept("waiting")
    assert bench.look(times=99) == []
    bench.queues = QUIET
    assert bench.look() == []
    assert bench.look() == ["waiting"]


def test_another_routes_queue_holds_nothing_of_it(bench: Bench) -> None:
    bench.queues = {**QUIET, "pulls": QueueStats(9, 9, 9.0)}
    bench.accept("lost")
    assert bench.look(times=40) == ["lost"]


def test_while_broker_or_ledger_is_away_nothing_is_told(bench: Bench) -> None:
    bench.accept("a")
    bench.queues = None
    assert bench.look(times=40) == []
    bench.queues, bench.is_ledger_away = QUIET, True
    assert bench.look(times=40) == []
    bench.is_ledger_away, bench.known = False, {"a"}
    assert bench.look(times=40) == []


def test_a_queue_of_which_nothing_is_known_may_hold_it(bench: Bench) -> None:
    bench.queues = {}
    bench.accept("a")
    assert bench.look(times=40) == []


def test_it_remembers_no_more_than_it_has_room_for_and_asks_of_few_at_once(bench: Bench) -> None:
    bench.accept(*(str(number) for number in range(MOST + 10)))
    bench.look(seconds=FIRST_SECONDS)
    assert sum(bench.asked) == MOST
    assert max(bench.asked) == 500
