"""The life of a cause, over every database."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bellhop.ledger.cause_lives import BAR, BARS, CauseRefused
from bellhop.ledger.records import CauseRow, CauseSaid, CauseState, LetterFilter
from bellhop.ledger.store import Ledger
from bellhop.schemas.reasons import Reason
from tests.support.ledger import NOON, Clock, event, letter

ERROR = "no such provider"


def die_of_it(ledger: Ledger, clock: Clock, *ids: str) -> None:
    made = [replace(letter(event(id_, subject=id_), Reason.REJECTED), error=ERROR, died=clock()) for id_ in ids]
    ledger.letters.archive(made)


def the_cause(ledger: Ledger) -> CauseRow:
    (found,) = ledger.causes.find(LetterFilter())
    return found


def test_a_cause_is_new_until_somebody_has_it_in_hand(ledger: Ledger, clock: Clock) -> None:
    die_of_it(ledger, clock, "e-1", "e-2")
    cause = the_cause(ledger)
    assert (cause.count, cause.life.state, cause.life.who) == (2, CauseState.NEW, "")
    said = ledger.causes.say(cause.cause, CauseSaid.ACKNOWLEDGED, "ann", "asked the salon")
    assert the_cause(ledger).life == said
    assert (said.state, said.who, said.why, said.at, said.since) == (
        CauseState.ACKNOWLEDGED, "ann", "asked the salon", NOON, 0
    )  # fmt: skip
    clock.advance(minutes=5)
    die_of_it(ledger, clock, "e-3")
    assert (the_cause(ledger).life.state, the_cause(ledger).life.since) == (CauseState.ACKNOWLEDGED, 1)
    (row,) = ledger.letters.audit_page(1, act="acknowledge cause").rows
    assert (row.who, row.why) == ("ann", "asked the salon")


def test_what_was_resolved_is_reopened_by_what_comes_since_with_its_count(ledger: Ledger, clock: Clock) -> None:
    die_of_it(ledger, clock, "e-1")
    cause = the_cause(ledger).cause
    assert ledger.causes.say(cause, CauseSaid.RESOLVED, "ann").state is CauseState.RESOLVED
    ledger.letters.discard([1], "ann", "done")
    clock.advance(hours=1)
    die_of_it(ledger, clock, "e-2", "e-3")
    life = the_cause(ledger).life
    assert (life.state, life.since, life.at) == (CauseState.REOPENED, 2, NOON)
    ledger.causes.say(cause, None, "ben")
    assert the_cause(ledger).life.state is CauseState.NEW


def test_a_snooze_ends_at_its_time_and_is_of_a_time_to_come_alone(ledger: Ledger, clock: Clock) -> None:
    die_of_it(ledger, clock, "e-1")
    cause = the_cause(ledger).cause
    until = NOON + timedelta(hours=4)
    for said, wrong in ((CauseSaid.SNOOZED, None), (CauseSaid.SNOOZED, NOON), (CauseSaid.RESOLVED, until)):
        with pytest.raises(CauseRefused):
            ledger.causes.say(cause, said, "ann", until=wrong)
    assert ledger.causes.say(cause, CauseSaid.SNOOZED, "ann", until=until).state is CauseState.SNOOZED
    clock.advance(hours=4)
    assert the_cause(ledger).life.state is CauseState.REOPENED


def test_a_cause_of_no_letter_is_refused(ledger: Ledger) -> None:
    with pytest.raises(CauseRefused, match="no dead letter"):
        ledger.causes.say("rejected/sb/-/never", CauseSaid.RESOLVED, "ann")


def test_a_causes_trend_counts_each_death_in_its_two_hours(ledger: Ledger, clock: Clock) -> None:
    for hours, id_ in ((30, "old"), (23, "e-1"), (3, "e-2"), (1, "e-3"), (0, "e-4")):
        gone = replace(letter(event(id_, subject=id_)), error=ERROR, died=NOON - timedelta(hours=hours))
        ledger.letters.archive([gone])
    trend = the_cause(ledger).trend
    assert (len(trend), BAR * BARS) == (BARS, timedelta(days=1))
    assert (trend[0], trend[-2], trend[-1], sum(trend)) == (1, 1, 2, 4)


def test_what_was_said_of_a_cause_is_pruned_with_its_last_letter(ledger: Ledger, clock: Clock) -> None:
    die_of_it(ledger, clock, "e-1")
    cause = the_cause(ledger).cause
    ledger.causes.say(cause, CauseSaid.RESOLVED, "ann")
    ledger.letters.discard([1], "ann", "done")
    clock.advance(days=200)
    ledger.prune()
    die_of_it(ledger, clock, "e-2")
    assert the_cause(ledger).life.state is CauseState.NEW
