"""Preflight: what a replay of a letter would come to.

Judged from the ledger and the settings alone: no vendor is asked, nothing is written. Whether the event may be worked
is asked of the very rules by which a worker would be told.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Protocol

from bellhop.ledger.known import Answer
from bellhop.ledger.records import Letter, LetterState, Refused, Settled, State, Verdict
from bellhop.ledger.records.accounts import AccountView
from bellhop.letters.edits import contract
from bellhop.letters.serializers import JsonObject
from bellhop.schemas.envelope import Envelope, decode_recordable
from bellhop.schemas.errors import EnvelopeError, EventInvalid
from bellhop.schemas.events import BOOKING_TYPES, TYPES
from bellhop.schemas.reasons import Reason
from bellhop.schemas.results import RESULT_TYPE
from bellhop.schemas.statuses import Meaning, meaning

WORDS: Final[Mapping[Verdict, str]] = {
    Verdict.WOULD_APPLY: "will be retried",
    Verdict.ALREADY_APPLIED: "already done: no call will be made",
    Verdict.SUPERSEDED: "superseded by a newer event of its booking, or a later replay: no call will be made",
    Verdict.SLOT_PASSED: "the booking's start has passed",
    Verdict.INVALID: "cannot be processed: unreadable, invalid, in conflict with other content under the same id, "
    "or its account or venue is missing from the settings or has changed",
    Verdict.BREAKER_OPEN: "the vendor is down: it will wait",
    Verdict.AT_WORK: "its event is being worked already: it will wait for its end",
    Verdict.IN_DOUBT: "in doubt: may be booked at the vendor already, check there first",
    Verdict.CLOSED: "no longer open",
}
_ENDED: Final[Mapping[State, Verdict]] = {
    State.DONE: Verdict.ALREADY_APPLIED,
    State.RECORDED: Verdict.ALREADY_APPLIED,
    State.DUPLICATE: Verdict.ALREADY_APPLIED,
    State.SUPERSEDED: Verdict.SUPERSEDED,
    State.DEAD: Verdict.SUPERSEDED,
    State.DISCARDED: Verdict.CLOSED,
}


class PreflightLedger(Protocol):
    """What is needed of the ledger; every method may raise LedgerUnavailable."""

    @property
    def accounts(self) -> Any: ...

    @property
    def letters(self) -> Any: ...

    def foresee(self, envelopes: Sequence[Envelope]) -> Sequence[Answer]: ...


class PreflightSettings(Protocol):
    """What is needed of the settings."""

    @property
    def accounts(self) -> Mapping[str, Any]: ...

    @property
    def venues(self) -> Mapping[str, Any]: ...

    @property
    def told(self) -> Collection[str]: ...


def verdicts(
    letters: Sequence[Letter], ledger: PreflightLedger, settings: PreflightSettings, now: datetime
) -> list[Verdict]:
    """One for each letter, in their order."""
    views: Sequence[AccountView] = ledger.accounts.views()
    away = frozenset(view.account for view in views if view.breaker == "open")
    found = [_readable(letter, settings) for letter in letters]
    answers = iter(ledger.foresee([one.next_generation() for one in found if isinstance(one, Envelope)]))
    unready = ledger.letters.unready([letter.id for letter in letters])
    judged = [
        one if isinstance(one, Verdict) else _judge(letter, one, next(answers), away, now)
        for letter, one in zip(letters, found, strict=True)
    ]
    return [
        Verdict.AT_WORK if letter.id in unready and verdict is Verdict.WOULD_APPLY else verdict
        for letter, verdict in zip(letters, judged, strict=True)
    ]


def preflight_rows(
    letters: Sequence[Letter], ledger: PreflightLedger, settings: PreflightSettings, now: datetime
) -> list[JsonObject]:
    """What is told of each letter, in their order."""
    judged = verdicts(letters, ledger, settings, now)
    return [
        {"letter": letter.id, "verdict": verdict.value, "words": _words(letter, verdict, settings)}
        for letter, verdict in zip(letters, judged, strict=True)
    ]


def _words(letter: Letter, verdict: Verdict, settings: PreflightSettings) -> str:
    """What is told of this letter: of one that cannot be processed, why."""
    if verdict is not Verdict.INVALID:
        return WORDS[verdict]
    try:
        envelope = decode_recordable(letter.new.body)
        parsed = contract(envelope, envelope.data, settings.venues.get) if envelope.type in TYPES else None
    except EnvelopeError as error:
        return f"cannot be read, so it cannot be replayed: {error}"
    except EventInvalid as invalid:
        return f"its content is not valid: {invalid}"
    if parsed is not None and parsed.account not in ("", envelope.account):
        return f"its venue was of account {envelope.account}, and is of {parsed.account} now"
    if envelope.type != RESULT_TYPE and envelope.account not in ("", *settings.accounts):
        return f"its account {envelope.account} is missing from the settings"
    if envelope.type == RESULT_TYPE and envelope.source not in settings.told:
        return f"source {envelope.source} has no result_url in the settings"
    return "another content stands under its id: compare both, then replay or edit it by itself"


def _readable(letter: Letter, settings: PreflightSettings) -> Envelope | Verdict:
    """Its envelope, where it is open and a worker could work it by the settings of today."""
    if letter.state not in (LetterState.OPEN, LetterState.REPLAYING):
        return Verdict.CLOSED
    try:
        envelope = decode_recordable(letter.new.body)
        if envelope.type in TYPES:
            parsed = contract(envelope, envelope.data, settings.venues.get)
            if parsed.account not in ("", envelope.account):  # its venue has moved: this would book where it was
                return Verdict.INVALID
    except (EnvelopeError, EventInvalid):
        return Verdict.INVALID
    is_result = envelope.type == RESULT_TYPE  # which is called to its source, not to an account
    # A cancel that names no venue has no account: what stands has its own.
    known = envelope.source in settings.told if is_result else envelope.account in ("", *settings.accounts)
    return envelope if known else Verdict.INVALID


def _judge(letter: Letter, envelope: Envelope, answer: Answer, away: Collection[str], now: datetime) -> Verdict:
    """answer: the ledger's, to its replay."""
    if isinstance(answer, Settled):
        return _ENDED.get(answer.state, Verdict.ALREADY_APPLIED)
    if isinstance(answer, Refused) and answer.reason is Reason.CONFLICT:
        return Verdict.INVALID
    if isinstance(answer, Refused) and answer.reason is not Reason.IN_DOUBT:
        return Verdict.SUPERSEDED  # a replay of the same generation has died, and has a letter of its own
    if isinstance(answer, Refused) or letter.new.reason == Reason.IN_DOUBT:
        return Verdict.IN_DOUBT
    if _books(envelope) and envelope.not_after is not None and envelope.not_after <= now:
        return Verdict.SLOT_PASSED
    return Verdict.BREAKER_OPEN if envelope.account in away else Verdict.WOULD_APPLY


def _books(envelope: Envelope) -> bool:
    """Whether it is to book: what cancels, or is only recorded, may be worked after its start, too."""
    if envelope.type not in BOOKING_TYPES:
        return False
    status, services = envelope.data.get("status"), envelope.data.get("services", ())
    return meaning(envelope.type, status if isinstance(status, str) else None, services)[0] is Meaning.BOOK
