"""What a replay would come to, judged without the vendor, over every database."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bellhop.ledger.breaker import FAILURES
from bellhop.ledger.records import (
    ClaimBusy,
    Claimed,
    Letter,
    LetterFilter,
    LetterState,
    Refused,
    Settled,
    State,
    Verdict,
)
from bellhop.ledger.records.accounts import Ended, Permit
from bellhop.ledger.store import Ledger
from bellhop.letters.preflight import WORDS, verdicts
from bellhop.schemas.envelope import Envelope
from bellhop.schemas.reasons import Reason
from bellhop.schemas.results import RESULT_TYPE
from bellhop.schemas.settings import Limits
from tests.support.facts import venue_facts
from tests.support.ledger import NOON, booking, claim, die, die_in_doubt, end, entry, event, finish, letter, take
from tests.support.statements import statements

SALON = venue_facts("salon", "sb", "simplybook", ZoneInfo("Europe/London"))
SETTINGS = SimpleNamespace(accounts={"sb": None}, venues={"salon": SALON}, told=frozenset({"crm"}))
SLOT = {"service_id": "1", "provider_id": "2", "start": "2026-11-21T18:00:00+00:00", "count": 1}
DATA: dict[str, Any] = {"venue": "salon", "client": {"name": "Ada"}, "services": [SLOT]}
SOON = NOON + timedelta(hours=6)


def asked(id_: str = "e-1", kind: str = "booking.requested", *, data: dict[str, Any] | None = None, **more: Any) -> Any:
    return event(id_, kind, data=DATA if data is None else data, not_after=more.pop("not_after", SOON), **more)


def of(gone: Envelope, reason: Reason = Reason.REJECTED, state: LetterState = LetterState.OPEN) -> Letter:
    return Letter(1, letter(gone, reason), state, NOON)


def verdict(ledger: Ledger, one: Letter, settings: Any = SETTINGS, after: timedelta = timedelta(0)) -> Verdict:
    return verdicts([one], ledger, settings, NOON + after)[0]


def test_what_died_would_be_tried_again(ledger: Ledger) -> None:
    die(ledger, asked())
    assert verdict(ledger, of(asked())) is Verdict.WOULD_APPLY
    assert verdict(ledger, of(asked(), state=LetterState.REPLAYING)) is Verdict.WOULD_APPLY
    assert verdict(ledger, of(event("m", "member.updated", subject="7"))) is Verdict.WOULD_APPLY


def test_what_was_closed_is_closed(ledger: Ledger) -> None:
    die(ledger, asked())
    assert verdict(ledger, of(asked(), state=LetterState.DISCARDED)) is Verdict.CLOSED
    ledger.letters.archive([letter(asked())])
    ledger.letters.discard([1], "ann", "its event is settled by hand")
    assert verdict(ledger, of(asked(), Reason.DELIVERY_LIMIT)) is Verdict.CLOSED


def other(**changed: Any) -> Any:
    return SimpleNamespace(**{**vars(SETTINGS), **changed})


@pytest.mark.parametrize(
    ("gone", "settings"),
    [
        (asked(), other(accounts={})),
        (asked(), other(venues={})),
        (asked(), other(venues={"salon": replace(SALON, account="sb-2")}, accounts={"sb": None, "sb-2": None})),
        (asked(data={**DATA, "client": None}), SETTINGS),
        (asked(data={**DATA, "services": []}), SETTINGS),
        (asked(data={**DATA, "services": [{**SLOT, "provider_id": "Ben"}]}), SETTINGS),
        (asked(), other(venues={"salon": venue_facts("salon", "sb", "peoplevine", SALON.zone)})),
        (event("m", "member.updated", subject="7", data={"more": 1}), SETTINGS),
    ],
)  # fmt: skip
def test_what_the_settings_or_the_contract_of_today_refuse_is_invalid(
    ledger: Ledger, gone: Envelope, settings: Any
) -> None:
    die(ledger, gone)
    assert verdict(ledger, of(gone), settings) is Verdict.INVALID


def test_what_cannot_be_read_is_invalid(ledger: Ledger) -> None:
    one = of(asked())
    assert verdict(ledger, replace(one, new=replace(one.new, body=b"\xff"))) is Verdict.INVALID


def test_a_result_is_judged_by_its_source_and_not_by_an_account(ledger: Ledger) -> None:
    told = replace(event("e/0/result", RESULT_TYPE, subject="e/0/result"), account="results", route="results")
    die(ledger, told)
    assert verdict(ledger, of(told)) is Verdict.WOULD_APPLY
    assert verdict(ledger, of(told), other(told=frozenset())) is Verdict.INVALID


def test_what_was_done_since_is_applied_already(ledger: Ledger) -> None:
    die(ledger, asked())
    finish(ledger, asked(generation=1))
    assert verdict(ledger, of(asked())) is Verdict.ALREADY_APPLIED


def test_what_was_done_before_the_broker_buried_a_copy_of_it_is_applied_already(ledger: Ledger) -> None:
    finish(ledger, asked())
    assert verdict(ledger, of(asked(), Reason.DELIVERY_LIMIT)) is Verdict.ALREADY_APPLIED


def test_the_same_fact_done_under_another_id_is_applied_already(ledger: Ledger) -> None:
    die(ledger, asked())
    finish(ledger, asked("e-2"))
    assert verdict(ledger, of(asked())) is Verdict.ALREADY_APPLIED


def test_a_content_in_conflict_with_one_that_stands_would_apply_as_a_person_ends_the_conflict(ledger: Ledger) -> None:
    die(ledger, asked())
    finish(ledger, asked(generation=1))
    changed = asked(data={**DATA, "notes": "by the window"})
    assert claim(ledger, changed) == Refused(
        Reason.CONFLICT, "the id e-1 came before with another content, which stands"
    )
    assert verdict(ledger, of(changed, Reason.CONFLICT)) is Verdict.WOULD_APPLY


def test_a_newer_event_of_its_booking_supersedes_it_also_one_of_the_same_second(ledger: Ledger) -> None:
    die(ledger, asked())
    finish(ledger, asked("e-2", "booking.cancelled"))
    assert verdict(ledger, of(asked())) is Verdict.SUPERSEDED


def test_a_newer_event_at_work_supersedes_it(ledger: Ledger) -> None:
    die(ledger, asked())
    take(ledger, asked("e-2", "booking.changed", at=1))
    assert verdict(ledger, of(asked())) is Verdict.SUPERSEDED


def test_a_later_replay_that_died_supersedes_the_letter(ledger: Ledger) -> None:
    die(ledger, asked())
    die(ledger, asked(generation=1))
    assert verdict(ledger, of(asked())) is Verdict.SUPERSEDED
    die(ledger, asked(generation=2))
    assert verdict(ledger, of(asked())) is Verdict.SUPERSEDED
    assert verdict(ledger, of(asked(generation=2))) is Verdict.WOULD_APPLY


def test_what_waits_for_an_older_event_would_be_tried(ledger: Ledger) -> None:
    gone = asked("e-2", "booking.changed", at=1)
    die(ledger, gone)
    take(ledger, asked())
    assert verdict(ledger, of(gone)) is Verdict.WOULD_APPLY


def test_what_is_in_doubt_says_so_and_so_does_what_hangs_on_it(ledger: Ledger) -> None:
    die_in_doubt(ledger, asked())
    assert verdict(ledger, of(asked(), Reason.IN_DOUBT)) is Verdict.IN_DOUBT
    later = asked("e-2", "booking.changed", at=1)
    assert isinstance(claim(ledger, later), Refused)
    assert verdict(ledger, of(later)) is Verdict.IN_DOUBT


def test_a_booking_whose_start_has_passed_says_so_in_whatever_zone_it_was_told(ledger: Ledger) -> None:
    tokyo = {**DATA, "services": [{**SLOT, "start": "2026-11-22T03:00:00+09:00"}]}
    die(ledger, asked(data=tokyo))
    for hours, expected in ((5.9, Verdict.WOULD_APPLY), (6, Verdict.SLOT_PASSED)):
        assert verdict(ledger, of(asked(data=tokyo)), after=timedelta(hours=hours)) is expected


@pytest.mark.parametrize(("kind", "status"), [("booking.cancelled", None), ("booking.changed", "CANCELED")])
def test_what_cancels_may_be_tried_after_the_start(ledger: Ledger, kind: str, status: str | None) -> None:
    gone = asked(kind=kind, data=DATA if status is None else {**DATA, "status": status})
    die(ledger, gone)
    assert verdict(ledger, of(gone), after=timedelta(hours=9)) is Verdict.WOULD_APPLY


def test_a_vendor_that_is_away_is_told(ledger: Ledger) -> None:
    die(ledger, asked())
    for _ in range(FAILURES):
        permit = ledger.accounts.acquire("sb", Limits(), last=False, lease_seconds=9, patience_seconds=1)
        assert isinstance(permit, Permit)
        ledger.accounts.release(permit, Ended.AWAY, error="away")
    assert verdict(ledger, of(asked())) is Verdict.BREAKER_OPEN


BOOKED = booking(entry("9"))
HISTORIES: dict[str, Callable[[Ledger], object]] = {
    "nothing": lambda ledger: None,
    "dead": lambda ledger: die(ledger, asked()),
    "done": lambda ledger: finish(ledger, asked()),
    "dead twice": lambda ledger: (die(ledger, asked()), die(ledger, asked(generation=1))),
    "in doubt": lambda ledger: die_in_doubt(ledger, asked()),
    "cancelled": lambda ledger: (die(ledger, asked()), finish(ledger, asked("e-2", "booking.cancelled", at=5))),
    "older at work": lambda ledger: (die(ledger, asked()), take(ledger, asked("e-0", at=-5))),
    "booked": lambda ledger: (die(ledger, asked()), end(ledger, asked("e-0", at=-5), State.DONE, booking=BOOKED)),
}
FORETOLD: dict[Verdict, Callable[[object], bool]] = {
    Verdict.WOULD_APPLY: lambda answer: isinstance(answer, Claimed | ClaimBusy),
    Verdict.ALREADY_APPLIED: lambda answer: isinstance(answer, Settled) and answer.state is not State.SUPERSEDED,
    Verdict.SUPERSEDED: lambda answer: isinstance(answer, Settled | Refused),
    Verdict.IN_DOUBT: lambda answer: isinstance(answer, Refused) and answer.reason is Reason.IN_DOUBT,
}


@pytest.mark.parametrize("history", HISTORIES)
def test_a_worker_is_then_told_what_was_foretold(ledger: Ledger, history: str) -> None:
    HISTORIES[history](ledger)
    foretold = verdict(ledger, of(asked()))
    assert FORETOLD[foretold](claim(ledger, asked(generation=1)))


def test_judging_writes_nothing(ledger: Ledger) -> None:
    die(ledger, asked())
    ledger.letters.archive([letter(asked())])
    with statements() as run:
        verdicts(ledger.letters.find(LetterFilter(), 9), ledger, SETTINGS, NOON)
    reads = ("SELECT", "BEGIN", "COMMIT", "PRAGMA", "SHOW", "ROLLBACK")
    assert [one for one in run if not one.lstrip().upper().startswith(reads)] == []
    assert any("FROM events" in one for one in run)


def test_thousands_are_judged_by_few_questions(ledger: Ledger) -> None:
    gone = [asked(f"e-{n}", subject=f"R-{n}") for n in range(1500)]
    with statements() as run:
        found = verdicts([of(one) for one in gone], ledger, SETTINGS, NOON)
    assert set(found) == {Verdict.WOULD_APPLY}
    assert 0 < len(run) < 60


def test_every_verdict_has_words_for_people() -> None:
    assert set(WORDS) == set(Verdict)
