"""What a replay of a letter would come to, judged from the ledger and the settings alone: no vendor is asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Protocol

from ledger.accounts import AccountView
from ledger.records import Booking, EventView, Letter, LetterState, State, Verdict
from schemas.envelope import Envelope, decode
from schemas.errors import EnvelopeError
from schemas.events import BOOKING_TYPES
from schemas.reasons import Reason

WORDS: Final[Mapping[Verdict, str]] = {
    Verdict.WOULD_APPLY: "would be tried again",
    Verdict.ALREADY_APPLIED: "is done already: nothing would be called",
    Verdict.SUPERSEDED: "a newer event of its booking was worked: nothing would be called",
    Verdict.SLOT_PASSED: "its start has passed",
    Verdict.INVALID: "cannot be worked: unreadable, or the settings lack its account or venue",
    Verdict.BREAKER_OPEN: "its vendor is away: it would wait",
    Verdict.IN_DOUBT: "may be at the vendor already: look there first",
    Verdict.CLOSED: "is not open any more",
}
_ENDED_WELL: Final = (State.DONE, State.RECORDED, State.DUPLICATE)


class PreflightLedger(Protocol):
    """What is needed of the ledger; every method may raise LedgerUnavailable."""

    @property
    def accounts(self) -> Any: ...

    def event(self, source: str, id_: str) -> EventView | None: ...

    def booking(self, source: str, reference: str) -> Booking | None: ...


class Known(Protocol):
    """What is needed of the settings."""

    @property
    def accounts(self) -> Mapping[str, Any]: ...

    @property
    def venues(self) -> Mapping[str, Any]: ...


def verdicts(letters: Sequence[Letter], ledger: PreflightLedger, settings: Known, now: datetime) -> list[Verdict]:
    """One for each letter, in their order."""
    views: Sequence[AccountView] = ledger.accounts.views()
    away = frozenset(view.account for view in views if view.breaker == "open")
    return [_verdict(letter, ledger, settings, away, now) for letter in letters]


def _verdict(letter: Letter, ledger: PreflightLedger, settings: Known, away: frozenset[str], now: datetime) -> Verdict:
    if letter.state not in (LetterState.OPEN, LetterState.REPLAYING):
        return Verdict.CLOSED
    try:
        envelope = decode(letter.new.body)
    except EnvelopeError:
        return Verdict.INVALID
    if envelope.account not in settings.accounts or not _knows_venue(envelope, settings):
        return Verdict.INVALID
    view = ledger.event(envelope.source, envelope.id)
    if view is not None and view.generation > envelope.generation and view.state in _ENDED_WELL:
        return Verdict.ALREADY_APPLIED
    if letter.new.reason == Reason.IN_DOUBT:
        return Verdict.IN_DOUBT
    if envelope.type in BOOKING_TYPES:
        booking = ledger.booking(envelope.source, envelope.subject)
        if booking is not None and booking.as_of is not None and booking.as_of > envelope.time:
            return Verdict.SUPERSEDED
        if envelope.not_after is not None and envelope.not_after <= now:
            return Verdict.SLOT_PASSED
    return Verdict.BREAKER_OPEN if envelope.account in away else Verdict.WOULD_APPLY


def _knows_venue(envelope: Envelope, settings: Known) -> bool:
    return envelope.type not in BOOKING_TYPES or envelope.data.get("venue") in settings.venues
