"""The parts' beats in the ledger."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from bellhop.ledger.records import Part
from bellhop.ledger.store import Ledger
from tests.support.ledger import NOON, Clock

WORK = Part("host:1:a", "work", "host", "0.1.0", ("members",), ("members",), NOON, NOON, NOON)


def test_a_part_is_seen_at_its_last_beat_and_since_its_first_without_a_gap(ledger: Ledger, clock: Clock) -> None:
    ledger.parts.beat(WORK)
    clock.advance(seconds=20)
    ledger.parts.beat(WORK)
    (part,) = ledger.parts.all()
    assert (part.started, part.since, part.seen) == (NOON, NOON, NOON + timedelta(seconds=20))
    assert (part.routes, part.needs) == (["members"], ["members"])
    assert ledger.parts.own == WORK.id
    clock.advance(seconds=31)
    assert not part.runs(clock())
    ledger.parts.beat(replace(WORK, routes=("members", "pulls")))
    (part,) = ledger.parts.all()
    assert (part.started, part.since, part.routes) == (NOON, clock(), ["members", "pulls"])


def test_a_part_that_was_stopped_runs_no_more_and_is_forgotten_an_hour_later(ledger: Ledger, clock: Clock) -> None:
    ledger.parts.beat(WORK)
    ledger.parts.leave(WORK.id)
    (part,) = ledger.parts.all()
    assert (part.stopped, part.runs(clock())) == (NOON, False)
    clock.advance(minutes=61)
    assert ledger.parts.all() == []
    ledger.parts.beat(replace(WORK, id="host:2:b"))
    clock.time = NOON  # as it was: the row itself is gone
    assert [one.id for one in ledger.parts.all()] == ["host:2:b"]


def test_a_part_tells_its_settings_and_hears_that_they_are_to_be_read_anew(ledger: Ledger, clock: Clock) -> None:
    ledger.parts.beat(replace(WORK, digest="d1"))
    assert ledger.parts.reload_asked() is None
    first = ledger.parts.ask_reload("ann", "a new source")
    ledger.parts.beat(replace(WORK, digest="d2", problem="venues.x is wrong"))
    (part,) = ledger.parts.all()
    assert (part.digest, part.problem) == ("d2", "venues.x is wrong")
    assert ledger.parts.reload_asked() == first
    clock.advance(hours=2)
    second = ledger.parts.ask_reload("bob", "again")
    assert second.number > first.number
    assert ledger.parts.reload_asked() == second
    assert [(act.who, act.act) for act in ledger.audit(9)] == [("bob", "ask for reload"), ("ann", "ask for reload")]
