"""Dead member events in an archive, a job runner, and a worker that ends what was replayed as a test says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bellhop.broker.embedded.broker import EmbeddedBroker
from bellhop.broker.topology import Topology, work_queue
from bellhop.ledger.records import BulkJob, ItemState, JobState, Letter, Settlement, State, Verdict
from bellhop.ledger.store import Ledger
from bellhop.letters.bulk import JobRunner
from bellhop.schemas.clock import Clock as ClockBundle
from bellhop.schemas.envelope import Envelope, decode
from bellhop.schemas.reasons import Reason
from tests.support.ledger import Clock, die, event, letter, take

ROUTE = "members"
SETTINGS = SimpleNamespace(accounts={"sb": None}, venues={}, told=frozenset())


class Bench:
    """Dead member events in the archive, a runner, and a worker that ends what was replayed as a test says."""

    def __init__(self, folder: Path, url: str) -> None:
        self.clock = Clock()
        self.broker = EmbeddedBroker(
            f"sqlite:///{folder}/broker.db", Topology((ROUTE,), (1.0,)), lease_seconds=5, confirm_seconds=5
        )
        self.broker.declare()
        self.ledger = Ledger.open(url, keep_seconds=90 * 86400, second_approver=False, now=self.clock)
        self.publisher = self.broker.publisher()
        self.consumer = self.broker.consumer(work_queue(ROUTE), 1000)
        self.runner = self.make_runner("w-1")

    def make_runner(self, by: str, publisher: Any = None, ledger: Any = None, observe: Any = None) -> JobRunner:
        return JobRunner(
            ledger or self.ledger,
            publisher or self.publisher,
            SETTINGS,
            by=by,
            observe=observe or _no_crash,
            clock=ClockBundle(now=self.clock, monotonic=lambda: self.clock().timestamp()),
        )

    def close(self) -> None:
        self.consumer.close()
        self.publisher.close()
        self.broker.close()
        self.ledger.close()

    def dead(self, count: int) -> None:
        for number in range(1, count + 1):
            gone = event(f"e-{number}", "member.updated", subject=f"M-{number}")
            die(self.ledger, gone)
            self.ledger.letters.archive([letter(gone)])

    def job(self, kind: str, *letters: int, rate: float | None = None) -> int:
        return self.ledger.jobs.create(kind, [(n, Verdict.WOULD_APPLY) for n in letters], "ann", "mended", rate).id

    def arrived(self) -> list[Envelope]:
        """What was put on the work queue since the last look."""
        found = self.consumer.take(1000, 0.2)
        self.consumer.ack(found)
        self.consumer.take(0, 0)
        return [decode(delivery.message.body) for delivery in found]

    def end(self, envelopes: list[Envelope], state: State = State.DONE) -> None:
        for envelope in envelopes:
            claimed = take(self.ledger, envelope)
            reason = Reason.REJECTED if state is State.DEAD else None
            self.ledger.settle([Settlement(claimed, envelope, state, detail="the vendor said no", reason=reason)])
            if state is State.DEAD:
                self.ledger.letters.archive([letter(envelope)])

    def wave(self, state: State = State.DONE) -> int:
        """One wave from its sending to its ends: how many it was."""
        self.runner.step()
        sent = self.arrived()
        self.end(sent, state)
        self.runner.step()
        return len(sent)

    def counts(self, job: int) -> dict[ItemState, int]:
        return dict(self.found(job).counts)

    def state(self, job: int) -> JobState:
        return self.found(job).state

    def found(self, job: int) -> BulkJob:
        found = self.ledger.jobs.get(job)
        assert found is not None
        return found

    def items(self, job: int) -> list[tuple[ItemState, str]]:
        return [(item.state, item.detail) for item in self.ledger.jobs.items(job, 1000).rows]

    def letter(self, number: int) -> Letter:
        found = self.ledger.letters.get(number)
        assert found is not None
        return found


def _no_crash(event: str, **fields: Any) -> None:
    assert event != "thread.crashed", fields


@pytest.fixture
def bench(tmp_path: Path, ledger_url: str) -> Iterator[Bench]:
    made = Bench(tmp_path, ledger_url)
    yield made
    made.close()
