"""Bookings that wait with other processes' workers: whose they are, and when they keep nobody waiting."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from bellhop.broker.port import QueueStats
from bellhop.ledger.records.parts import Part
from bellhop.schemas.errors import LedgerUnavailable
from bellhop.workers.elsewhere import BookingsElsewhere

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
STATS = {
    "members": QueueStats(9, None, None, {"club": 9}),
    "bookings.peoplevine": QueueStats(3, None, None, {"club, house": 2, "": 1}),
    "bookings.simplybook": QueueStats(0, None, None),
}


def part(*routes: str, seen: datetime = NOW, stopped: datetime | None = None) -> Part:
    return Part("p-1", "work", "host", "0.1", routes, (), NOW, NOW, seen, stopped)


@dataclass
class Parts:
    beating: list[Part] = field(default_factory=lambda: [part("bookings.peoplevine")])
    is_away: bool = False

    def all(self) -> list[Part]:
        if self.is_away:
            raise LedgerUnavailable("away")
        return self.beating


def elsewhere(parts: Parts, *own: str, paused: frozenset[str] = frozenset()) -> BookingsElsewhere:
    return BookingsElsewhere(own or ("members",), parts, lambda: paused, lambda: NOW)


def test_the_accounts_of_a_lane_that_waits_are_told_those_that_share_it_each() -> None:
    assert elsewhere(Parts()).look(STATS) == {"club", "house"}
    assert elsewhere(Parts()).look({}) == frozenset()


def test_what_this_process_works_itself_is_not_elsewhere() -> None:
    assert elsewhere(Parts(), "members", "bookings.peoplevine").look(STATS) == frozenset()


@pytest.mark.parametrize(
    "parts",
    [
        Parts([]),
        Parts([part("members")]),
        Parts([part("bookings.peoplevine", seen=NOW - timedelta(minutes=1))]),
        Parts([part("bookings.peoplevine", stopped=NOW)]),
        Parts(is_away=True),
    ],
)
def test_bookings_that_nobody_works_keep_nobody_waiting(parts: Parts) -> None:
    assert elsewhere(parts).look(STATS) == frozenset()


def test_bookings_of_a_paused_route_keep_nobody_waiting() -> None:
    assert elsewhere(Parts(), paused=frozenset(["bookings.peoplevine"])).look(STATS) == frozenset()
