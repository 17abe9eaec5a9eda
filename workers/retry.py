"""When to try again: by the ladder, the attempts so far and the booking's start; and when no more."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from bellhop.ledger.records import VendorCall
from bellhop.schemas.clock import Clock
from bellhop.schemas.envelope import Envelope
from bellhop.schemas.reasons import Reason
from bellhop.vendors.outcome import Dead, InDoubt, Retry, Wait, outcome_text
from bellhop.workers.delivery import EndedDelivery

JITTER_SHARE: Final = 0.2
"""The share of retries that take the next step up, so that events that failed together do not return together."""

PERSON_SECONDS: Final = 900.0
"""How long before a booking's start a person should have it at the latest."""

HELD_SECONDS: Final = 600.0
"""So often what a person holds comes back at the most, to see whether it still is held."""

LOOK_SECONDS: Final = 600.0
"""So often what waits for an account that is held is looked at: well before a person should have what starts soon, and
before RabbitMQ takes away what a consumer has held for half an hour."""


def next_delay(
    ladder: Sequence[float],
    attempts: int,
    *,
    now: datetime,
    not_after: datetime | None,
    chance: float,
    at_least: float = 0.0,
) -> float | Reason:
    """The step of `ladder` (seconds) to wait after `attempts` failed attempts, or the reason there is none.

    chance: a random number from 0 to 1. at_least: the vendor's Retry-After in seconds; beyond the ladder's end
    its last step is taken. No retry is planned past `not_after`, the booking's start, and the last ones leave a
    person time to act: PERSON_SECONDS, or half of what is left where that is less.
    """
    if attempts > len(ladder):
        return Reason.EXHAUSTED
    index = min(max(attempts - 1, 0) + (chance < JITTER_SHARE), len(ladder) - 1)
    long_enough = next((i for i, step in enumerate(ladder) if step >= at_least), len(ladder) - 1)
    index = max(index, long_enough)
    if not_after is None:
        return ladder[index]
    left = (not_after - now).total_seconds()
    room = left - min(PERSON_SECONDS, left / 2)
    if at_least > room:
        return Reason.TOO_LATE
    while index >= long_enough and ladder[index] > room:
        index -= 1
    return ladder[index] if index >= long_enough else Reason.TOO_LATE


def plan_retry(
    ended: EndedDelivery, outcome: Retry | InDoubt | Wait, ladder: Sequence[float], clock: Clock
) -> EndedDelivery:
    """With the seconds until it comes again; a person's where no retry fits. outcome: its own. What waits in its lane
    comes again when its account is free: it has no seconds."""
    match outcome:
        case Wait(in_lane=True):
            return ended
        case Wait(is_held=True):
            return replace(
                ended, retry_seconds=max([step for step in ladder if step <= HELD_SECONDS], default=ladder[0])
            )
        case Wait(_, None):
            return replace(ended, retry_seconds=ladder[0])
        case Wait(_, after):
            attempts, at_least = 1, after or 0.0
        case Retry(_, after, _):
            attempts, at_least = ended.attempts_before + 1, after or 0.0
        case InDoubt(_, _, after):
            # With a time of its own, the vendor was asked and answered: it is waited out, and no try has failed.
            attempts, at_least = (ended.attempts_before + 1, 0.0) if after is None else (1, after)
    delay = next_delay(
        ladder,
        attempts,
        now=clock.now(),
        not_after=ended.envelope.not_after if ended.envelope else None,
        chance=clock.chance(),
        at_least=at_least,
    )
    if isinstance(delay, Reason):
        return replace(ended, outcome=_death(outcome, delay, ended.claim.in_doubt if ended.claim else None))
    return replace(ended, retry_seconds=delay)


def starts_soon(envelope: Envelope, held: float, *, ladder: Sequence[float], now: Callable[[], datetime]) -> bool:
    """Whether an event's start comes too soon for it to wait in a lane that is held for `held` seconds: there it is
    looked at only now and then. It goes through the ladder instead, and to a person in time."""
    wait = next_delay(ladder, 1, now=now(), not_after=envelope.not_after, chance=1.0, at_least=held + LOOK_SECONDS)
    return isinstance(wait, Reason)


def _death(outcome: Retry | InDoubt | Wait, reason: Reason, doubt: VendorCall | None) -> Dead:
    """The outcome of what no retry is left for. A doubt keeps its reason."""
    if isinstance(outcome, InDoubt):
        return Dead(Reason.IN_DOUBT, f"nobody knows whether the call happened: {outcome.error}")
    last = outcome_text(outcome)
    why = "every retry was tried" if reason is Reason.EXHAUSTED else "no retry fits in before the start"
    if doubt is None or doubt.repeatable:
        if isinstance(outcome, Retry) and reason is Reason.EXHAUSTED:
            reason = outcome.reason or reason
        return Dead(reason, f"{why}; last: {last}")
    return Dead(Reason.IN_DOUBT, f"an earlier call's outcome is unknown, and {why}; last: {last}")
