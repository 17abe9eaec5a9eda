"""All workers of a process, told to stop."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any, cast

import pytest

from bellhop.broker.messages import work_message
from bellhop.broker.topology import work
from bellhop.ledger.store import Ledger
from bellhop.schemas.clock import utc_now
from bellhop.schemas.errors import LedgerUnavailable
from bellhop.schemas.observe import silent
from bellhop.schemas.routes import MEMBERS_ROUTE
from bellhop.telemetry.health import Health
from bellhop.vendors.http import HttpClient
from bellhop.vendors.registry import connect_broker
from bellhop.vendors.settings import build
from bellhop.workers import run
from bellhop.workers.lanes import Lanes
from bellhop.workers.ports import NoTurns
from tests.support.ledger import event, sqlite_ledger
from tests.support.service import wait_for


class Frozen:
    """A ledger that neither answers a claim nor hangs up, until it is thawed."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self.asked, self.thawed = threading.Event(), threading.Event()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ledger, name)

    def claim(self, *given: Any) -> Any:
        self.asked.set()
        self.thawed.wait()
        raise LedgerUnavailable("the server closed the connection")


def test_workers_that_wait_for_a_ledger_that_is_frozen_end_with_the_drain_time_and_what_they_had_comes_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "_FAREWELL_SECONDS", 0.2)
    document = {
        "broker": {"url": [f"sqlite:///{tmp_path}/broker.db"]},
        "ledger": {"url": sqlite_ledger(tmp_path)},
        "work": {"drain": "200ms"},
    }
    settings = build(document)
    broker = connect_broker(settings)
    ledger = Ledger.open(settings.ledger.url, keep_seconds=86400)
    frozen, stop = Frozen(ledger), threading.Event()
    broker.declare()
    publisher = broker.publisher()
    publisher.publish(work_message(event("e-1", "member.updated"), utc_now()), work(MEMBERS_ROUTE)).result(5)
    publisher.close()

    def stop_once_asked() -> None:
        frozen.asked.wait()
        stop.set()

    threading.Thread(target=stop_once_asked, daemon=True).start()
    with pytest.raises(run.WorkersLate, match=MEMBERS_ROUTE):
        run.run_workers(
            settings,
            [MEMBERS_ROUTE],
            broker=broker,
            ledger=cast(Ledger, frozen),
            observe=silent,
            health=Health(lambda: b""),
            stop=stop,
        )
    frozen.thawed.set()
    wait_for(lambda: broker.stats()[MEMBERS_ROUTE].ready == 1, "it is given back")
    ledger.close()


def test_as_many_connections_to_a_host_are_kept_as_events_of_several_accounts_are_at_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[int] = []

    def client(**given: Any) -> HttpClient:
        kept.append(given["pool_size"])
        return HttpClient(**given)

    monkeypatch.setattr(run, "HttpClient", client)
    settings = build({"ledger": {"url": sqlite_ledger(tmp_path)}, "work": {"threads": 3}})
    ledger = Ledger.open(settings.ledger.url, keep_seconds=86400)
    run.posts(settings, ledger)
    assert max(kept) == Lanes(3, NoTurns()).pool
    ledger.close()
