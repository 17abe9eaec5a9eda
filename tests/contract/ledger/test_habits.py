"""When sources were heard, by the hour."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from bellhop.ledger.records import Silence, State
from bellhop.ledger.store import Ledger
from tests.support.ledger import NOON, Clock, end, event, finish

HOUR = timedelta(hours=1)


def test_events_are_counted_once_by_source_and_hour(ledger: Ledger, clock: Clock) -> None:
    hour = int(NOON.timestamp() // 3600)
    for number, at in enumerate((NOON - HOUR, NOON, NOON + HOUR / 2)):
        finish(ledger, replace(event(f"e-{number}", subject=f"R-{number}"), received=at))
    told = replace(event("e-0/0/result", "result.due", subject="r", source="pms"), route="results")
    end(ledger, told, State.DONE)
    assert ledger.habits.take_in() == 4
    assert ledger.habits.take_in() == 0
    assert ledger.habits.hours("crm") == [hour - 1, hour]
    assert ledger.habits.last_times() == {"crm": NOON + HOUR / 2}

    clock.advance(hours=3)
    finish(ledger, replace(event("e-9", subject="R-9"), received=clock()))
    assert ledger.habits.take_in() == 1
    assert ledger.habits.hours("crm") == [hour - 1, hour, hour + 3]
    clock.advance(weeks=8)
    finish(ledger, replace(event("e-10", subject="R-10"), received=clock()))
    ledger.habits.take_in()
    assert len(ledger.habits.hours("crm")) == 1


def test_who_is_silent_is_told_until_they_are_heard(ledger: Ledger) -> None:
    crm = Silence("crm", NOON, "it was never silent so long")
    ledger.habits.note_silences([crm, Silence("pos", NOON - HOUR, "x")])
    assert [one.source for one in ledger.habits.silent()] == ["crm", "pos"]
    ledger.habits.note_silences([crm])
    assert ledger.habits.silent() == [crm]
    ledger.habits.note_silences([])
    assert ledger.habits.silent() == []
