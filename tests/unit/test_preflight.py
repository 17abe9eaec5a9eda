"""What a replay would come to, judged without the vendor."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from ledger.accounts import AccountView
from ledger.records import Booking, EventView, Letter, LetterState, NewLetter, State, Verdict
from ops.preflight import WORDS, verdicts
from schemas.envelope import Envelope, content_hash, encode
from schemas.reasons import Reason

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
SETTINGS = SimpleNamespace(accounts={"sb": None, "pv": None}, venues={"salon": None})


def envelope(type_: str = "booking.requested", **more: Any) -> Envelope:
    data = {"booking_id": "R-1", "venue": more.pop("venue", "salon")}
    made = Envelope(
        id="e-1", source="crm", type=type_, subject="R-1", route="bookings.simplybook", account="sb", time=NOON,
        received=NOON, data=data, content_hash=content_hash(type_, NOON, data),
    )  # fmt: skip
    return replace(made, **more)


def letter(event: Envelope | None = None, state: LetterState = LetterState.OPEN, **more: Any) -> Letter:
    body = encode(event or envelope())
    new = NewLetter("crm/e-1", body, "bookings.simplybook", "rejected", "no", {}, 1, NOON)
    return Letter(1, replace(new, **more), state, NOON)


@dataclass
class Ledger:
    view: EventView | None = None
    held: Booking | None = None
    away: bool = False
    accounts: Any = field(init=False)

    def __post_init__(self) -> None:
        state = AccountView("sb", "open" if self.away else "closed", 5, None, "", "", 0, 0, self.away)
        self.accounts = SimpleNamespace(views=lambda: [state])

    def event(self, source: str, id_: str) -> EventView | None:
        return self.view

    def booking(self, source: str, reference: str) -> Booking | None:
        return self.held


def view(state: State, generation: int) -> EventView:
    return EventView(
        "crm", "e-1", "booking.requested", "R-1", "r", "sb", state, "", "", generation, NOON, NOON, NOON, None, 1
    )


NEWER = Booking("crm", "R-1", "sb", as_of=NOON + timedelta(minutes=1))


@pytest.mark.parametrize(
    ("one", "ledger", "verdict"),
    [
        (letter(), Ledger(), Verdict.WOULD_APPLY),
        (letter(state=LetterState.REPLAYING), Ledger(), Verdict.WOULD_APPLY),
        (letter(state=LetterState.DISCARDED), Ledger(), Verdict.CLOSED),
        (letter(body=b"\xff"), Ledger(), Verdict.INVALID),
        (letter(envelope(account="gone")), Ledger(), Verdict.INVALID),
        (letter(envelope(venue="gone")), Ledger(), Verdict.INVALID),
        (letter(), Ledger(view(State.DONE, 1)), Verdict.ALREADY_APPLIED),
        (letter(), Ledger(view(State.DEAD, 0)), Verdict.WOULD_APPLY),
        (letter(reason=Reason.IN_DOUBT.value), Ledger(), Verdict.IN_DOUBT),
        (letter(), Ledger(held=NEWER), Verdict.SUPERSEDED),
        (letter(envelope(not_after=NOON)), Ledger(), Verdict.SLOT_PASSED),
        (letter(envelope(not_after=NOON + timedelta(hours=1))), Ledger(), Verdict.WOULD_APPLY),
        (letter(), Ledger(away=True), Verdict.BREAKER_OPEN),
        (letter(envelope("member.updated", account="pv")), Ledger(away=True, held=NEWER), Verdict.WOULD_APPLY),
    ],
)
def test_each_verdict_has_its_case(one: Letter, ledger: Ledger, verdict: Verdict) -> None:
    assert verdicts([one], ledger, SETTINGS, NOON) == [verdict]


def test_every_verdict_has_words_for_people() -> None:
    assert set(WORDS) == set(Verdict)
