"""Forecast: what a replay will send where, and how long a job of it takes.

The first call of each letter is named by the very handlers that the workers have. No vendor is asked: what one must be
asked before the call (its rules, the best offer) may still change or stop it.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Final
from urllib.parse import urlsplit

from bellhop.ledger.records import Booking, Letter, VendorCall, Verdict
from bellhop.ledger.store import Ledger
from bellhop.letters.bulk import GROWTH, MOST_AT_ONCE
from bellhop.letters.masking import mask_request
from bellhop.letters.preflight import preflight_rows
from bellhop.letters.serializers import JsonObject
from bellhop.letters.serializers.letters import sort_counts
from bellhop.schemas.clock import utc_now
from bellhop.schemas.envelope import Envelope, decode_recordable
from bellhop.schemas.errors import EnvelopeError
from bellhop.schemas.observe import silent
from bellhop.schemas.redact import Redactor
from bellhop.schemas.results import RESULTS_ROUTE
from bellhop.schemas.settings import Settings
from bellhop.vendors.handler import Handler, attempt_request
from bellhop.vendors.held import OpenGate
from bellhop.vendors.outcome import outcome_text

USEFUL: Final = (Verdict.WOULD_APPLY, Verdict.BREAKER_OPEN, Verdict.AT_WORK)
"""What a replay sends unless somebody says otherwise."""
MOST: Final = 1000
"""Letters that are looked at; of more, the first so many stand for all."""
EXAMPLES: Final = 3
USUAL_SECONDS: Final = 1.0
"""Of a call, where none has been made yet."""
WAVE_SECONDS: Final = 1.0
"""Between a wave's last end and the next one's first letter: the job's runner and the workers look twice a second."""


@dataclass(slots=True)
class PlannedCalls:
    """The letters whose first call goes to one method of one account. account: of route `results`, the source that is
    told. method: "" where no call will be made; then `words` say what comes of them. example: the first letter's
    arguments, masked."""

    account: str
    method: str
    words: str
    letters: list[int] = field(default_factory=list)
    example: JsonObject = field(default_factory=dict)


class Forecaster:
    def __init__(self, settings: Settings, ledger: Ledger) -> None:
        self._settings = settings
        self._ledger = ledger

    def calls(self, letters: Sequence[Letter]) -> list[PlannedCalls]:
        """What the letters will send, the most first; of the first `MOST` letters. Raises LedgerUnavailable."""
        found: dict[tuple[str, str, str], PlannedCalls] = {}
        for letter in letters[:MOST]:
            try:
                envelope = decode_recordable(letter.new.body).next_generation()
            except EnvelopeError:
                continue
            one = self._plan(envelope)
            if one is None:
                continue
            found.setdefault((one.account, one.method, one.words), one).letters.append(letter.id)
        return sorted(found.values(), key=lambda one: -len(one.letters))

    def seconds(self, planned: Sequence[PlannedCalls], total: int, rate: float | None = None) -> float:
        """How long a job of so many letters takes, about: the slowest of its accounts, by their limits and by how long
        calls have taken lately, and what the waves add. Raises LedgerUnavailable."""
        one_call = self._ledger.usual_call_seconds() or USUAL_SECONDS
        looked_at = sum(len(one.letters) for one in planned) or 1
        scale = total / looked_at
        by_account: dict[str, float] = {}
        for one in planned:
            if one.method:
                by_account[one.account] = by_account.get(one.account, 0.0) + len(one.letters) * scale
        busy = max((count / self._per_second(name, one_call) for name, count in by_account.items()), default=0.0)
        paced = total / rate if rate else 0.0
        return max(busy, paced) + _waves(total) * (WAVE_SECONDS + (one_call if by_account else 0.0))

    def _plan(self, envelope: Envelope) -> PlannedCalls | None:
        """Of one event, without its letter; None where nobody works its route here."""
        if envelope.route == RESULTS_ROUTE:
            return self._plan_result(envelope)
        handler = self._handlers.get(envelope.route)
        if handler is None:
            return None
        booking = self._ledger.booking(envelope.source, envelope.subject) if envelope.subject else None
        empty = Booking(envelope.source, envelope.subject, envelope.account)
        step = handler.translate(envelope, booking or empty)
        if not isinstance(step, VendorCall):
            return PlannedCalls(envelope.account, "", outcome_text(step))
        return PlannedCalls(step.account, step.method, "", example=mask_request(attempt_request(step, envelope)))

    def _plan_result(self, envelope: Envelope) -> PlannedCalls | None:
        source = self._settings.sources.get(envelope.source)
        if source is None or not source.result_url:
            return None
        told = {"type": envelope.data.get("type"), "host": urlsplit(source.result_url).hostname}
        return PlannedCalls(envelope.source, "POST result", "", example=told)

    @cached_property
    def _handlers(self) -> Mapping[str, Handler]:
        """The workers'; of their clients none makes a call."""
        from bellhop.vendors.handlers import handlers  # with every vendor's client: not for who asks for no forecast
        from bellhop.vendors.http import HttpClient

        gate, http = OpenGate(), HttpClient(pool_size=1, redactor=Redactor(self._settings.secrets))
        return handlers(
            self._settings, http=http, gates=lambda _route: gate, ledger=self._ledger, observe=silent, now=utc_now
        )

    def _per_second(self, name: str, one_call: float) -> float:
        """How many calls of an account are made in a second: by its limits, else by the workers' threads."""
        account = self._settings.accounts.get(name)
        at_once = self._settings.work.threads
        if account is None:
            return at_once / one_call
        at_once = min(at_once, account.limits.at_once or at_once)
        return min(at_once / one_call, account.limits.per_second or math.inf)


def _waves(total: int) -> int:
    """How many waves take so many letters: 1, 5, 25 …"""
    waves, wave = 0, 1
    while total > 0:
        total, wave, waves = total - wave, min(wave * GROWTH, MOST_AT_ONCE), waves + 1
    return waves


def preflight(letters: Sequence[Letter], ledger: Ledger, settings: Settings, now: datetime) -> JsonObject:
    """What a replay of these letters would come to, what it sends where, and how long it takes. Raises
    LedgerUnavailable."""
    rows = preflight_rows(letters, ledger, settings, now)
    useful = [letter for letter, row in zip(letters, rows, strict=True) if Verdict(row["verdict"]) in USEFUL]
    forecaster = Forecaster(settings, ledger)
    planned = forecaster.calls(useful)
    counts = sort_counts(Counter(row["verdict"] for row in rows))
    return {"rows": rows, "counts": counts, **forecast_row(planned, forecaster.seconds(planned, len(useful)))}


def forecast_row(planned: Sequence[PlannedCalls], seconds: float) -> JsonObject:
    """As the console, the API and the command line tell it."""
    return {
        "calls": [
            {
                "account": one.account,
                "method": one.method,
                "words": one.words,
                "count": len(one.letters),
                "letters": one.letters[:EXAMPLES],
                "example": one.example or None,
            }
            for one in planned
        ],
        "seconds": round(seconds, 1),
    }
