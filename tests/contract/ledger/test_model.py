"""The model's ledger (`tests/support/model/records.py`) answers as the real one does, on ways chosen by chance."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
import sqlalchemy as sa

from bellhop.ledger.store import Ledger
from bellhop.ledger.tables import events
from bellhop.schemas.errors import ClaimLost
from tests.support.ledger import Clock
from tests.support.model.worker import LOST, SECONDS, envelope_of, moment, next_request
from tests.support.model.world import Budget, Holding, World, begin

STEPS = 60


@pytest.mark.parametrize("seed", range(4))
def test_the_models_ledger_answers_as_the_real_one(ledger: Ledger, clock: Clock, seed: int) -> None:
    chance = Random(seed)
    left = Budget(kills=2, losses=2, silences=2, refusals=1, posts=2, ticks=4)
    world = begin(left, lines=1 + seed % 2, cancel=seed % 3 > 0)
    asked = 0
    for _ in range(STEPS):
        steps = [following for name, following in world.steps() if not name.startswith("a person says")]
        if not steps:
            break
        following = chance.choice(steps)
        clock.time = moment(following.tick)
        asked += follow(ledger, world, following)
        world = following
        assert stored(ledger) == [facts(record) for record in world.ledger.records()]
        held = ledger.booking("crm", "R-1")
        assert held == (world.ledger.held.booking if world.ledger.held else None)
    assert asked > 2


def follow(ledger: Ledger, world: World, following: World) -> bool:
    """Asks the real ledger what the model's was asked in this step, if anything."""
    for before, after in zip(world.workers, following.workers, strict=True):
        if before is None and after is not None:
            (answer,) = ledger.claim([envelope_of(after.message, world.lines)], "w", SECONDS)
            if after.answers:
                assert answer == after.answers[-1][0]
            return True
        if before is not None and before.last is None and after is not None and advanced(before, after):
            return ask(ledger, before, after, world)
    return False


def advanced(before: Holding, after: Holding) -> bool:
    return after.last is not None or len(after.answers) > len(before.answers)


def ask(ledger: Ledger, before: Holding, after: Holding, world: World) -> bool:
    request = next_request(before.message, before.answers, world.lines, world.tick)
    if request.what == "mark":
        try:
            answer: object = ledger.calling(*request.of, SECONDS)
        except ClaimLost:
            answer = LOST
    elif request.what == "settle":
        answer = tuple(ledger.settle([request.of]))
    else:
        return False
    if after.answers:
        assert answer == after.answers[-1][0]
    return True


def facts(row: Any) -> tuple[object, ...]:
    """What decisions rest on."""
    call = row.calling["method"] if isinstance(row.calling, dict) else row.calling and row.calling.method
    names = ("event_id", "state", "reason", "generation", "claim_token", "calling_token", "called_at", "attempts")
    return (call, *(getattr(row, name) for name in (*names, "claim_until", "updated")))


def stored(ledger: Ledger) -> list[tuple[object, ...]]:
    with ledger._database.read() as connection:
        return [facts(row) for row in connection.execute(sa.select(events).order_by(events.c.pk))]
