"""What a vendor's failure makes of a delivery: the one place that says so.

What a call in doubt heard (a refusal in words of no table, ids of bookings) goes with it to its next try, and to the
person whose it may become.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from bellhop.broker.messages import waits_for
from bellhop.ledger.breaker import FAILURES
from bellhop.ledger.records import RESTORED, Json, VendorCall
from bellhop.schemas.envelope import Envelope
from bellhop.schemas.reasons import Reason
from bellhop.vendors.failure import Kind, VendorFailure
from bellhop.vendors.held import CallHeld
from bellhop.vendors.outcome import Dead, Done, InDoubt, Outcome, Retry, Wait
from bellhop.workers.ports import Turns

AUTH_TRIES: Final = FAILURES
"""Refused credentials hold the account, whose events then wait without a try. An event that is refused so often while
it is not held is refused alone, and that is a person's."""
TOO_EARLY: Final = "its slot is free, which proves nothing while the vendor may still carry the call out"


def failure_outcome(
    failure: VendorFailure, call: VendorCall, doubt: VendorCall | None, *, asking: bool = False, tried: int = 0
) -> Outcome:
    """What a vendor's failure makes of a delivery.

    call: that failed. doubt: the call of which nobody knew whether it happened. asking: it was only asked about. tried:
    the event's attempts before this one.
    """
    match failure.kind:
        case Kind.REJECTED | Kind.AUTH if asking:  # nor could it be asked the next time
            text = f"nobody knows whether {call.method} happened, and the vendor could not be asked: {failure}"
            return with_heard(Dead(Reason.IN_DOUBT, text, failure.answer), call)
        case _ if asking:
            return InDoubt(call, f"the vendor could not be asked: {failure}")
        case Kind.AUTH if tried < AUTH_TRIES:
            return Retry(str(failure), failure.retry_after, reason=Reason.AUTH)
        case Kind.REJECTED | Kind.AUTH if doubt and is_same_call(doubt, call) and not said_no_before(doubt, call):
            # Refused the second time, after a first time whose end nobody knows: the first may hold the slot.
            text = f"an earlier call's outcome is unknown, and now: {failure}"
            return with_heard(Dead(Reason.IN_DOUBT, text, failure.answer), doubt)
        case Kind.REJECTED:
            return Dead(Reason.REJECTED, str(failure), failure.answer)
        case Kind.AUTH:
            return Dead(Reason.AUTH, str(failure), failure.answer)
        case Kind.UNKNOWN if not call.repeatable:
            heard = _doubt_notes(failure, doubt if doubt is not None and is_same_call(doubt, call) else None)
            return InDoubt(replace(call, heard=heard), f"{failure}{_look_words(heard)}")
        case Kind.UNKNOWN if failure.said_no and tried:
            return Dead(Reason.REJECTED, f"{failure}; it was tried before", failure.answer)
        case Kind.TRANSIENT | Kind.THROTTLED | Kind.UNKNOWN:
            return Retry(str(failure), failure.retry_after)


def held_outcome(held: CallHeld, event: Envelope, turns: Turns, starts_soon: Callable[[Envelope, float], bool]) -> Wait:
    """What an account that is held makes of an event of it: it waits in its lane, unless it starts too soon for that.
    From another account's lane, or one that knows nothing of it, it would come again at once."""
    is_known = held.account == event.account and turns.leave(waits_for(event)).held > 0
    return Wait(str(held), held.after, is_known and not starts_soon(event, held.after))


def away_outcome(
    failure: VendorFailure,
    call: VendorCall,
    event: Envelope,
    turns: Turns,
    starts_soon: Callable[[Envelope, float], bool],
) -> Wait | None:
    """What a call that did nothing makes of an event whose account is held now, as its vendor is away: it waits in its
    lane like all others, and no attempt counts. Or the tries would put one event after another on the ladder's long
    steps, and none were left to find out that the vendor is back. None where it is not so. Not for an event older than
    the ladder is long: where it is the event that the vendor fails at, it must come to its end."""
    held = turns.leave(call.account).held if failure.is_away and call.account == event.account else 0.0
    if held <= 0:
        return None
    return held_outcome(CallHeld(call.account, f"its vendor is away; last: {failure}", held), event, turns, starts_soon)


def _doubt_notes(failure: VendorFailure, before: VendorCall | None) -> Json | None:
    """What a call in doubt keeps of its answers."""
    ids = [*_look_for(before.heard if before else None), *_look_for(failure.answer)]
    heard = {"look_for": list(dict.fromkeys(ids))} if ids else {}
    return heard | ({"said_no": True} if failure.said_no else {}) or None


def _look_for(answer: Json | None) -> Sequence[str]:
    found: Sequence[str] = (answer or {}).get("look_for", ())
    return found


def _look_words(heard: Json | None) -> str:
    return f"; what answered names {', '.join(ids)}: look for that first" if (ids := _look_for(heard)) else ""


def with_heard(verdict: Dead | InDoubt, doubt: VendorCall) -> Dead | InDoubt:
    """The verdict with the ids that a person looks for."""
    if not isinstance(verdict, Dead) or not _look_for(doubt.heard):
        return verdict
    answer = {**(verdict.answer or {}), "look_for": list(_look_for(doubt.heard))}
    return replace(verdict, error=f"{verdict.error}{_look_words(doubt.heard)}", answer=answer)


def said_no_before(doubt: VendorCall, call: VendorCall) -> bool:
    return is_same_call(doubt, call) and bool((doubt.heard or {}).get("said_no"))


def is_known_by_now(doubt: VendorCall, step: VendorCall | Outcome, type_: str) -> bool:
    """Whether the ledger knows what a call in doubt made. step: what its event would do next with that."""
    if doubt.method == RESTORED:  # what is called next may have been called, and what is cancelled be not all
        return isinstance(step, Done) and type_ == "booking.requested"
    return isinstance(step, Done) or (isinstance(step, VendorCall) and not is_same_call(doubt, step))


def is_same_call(doubt: VendorCall, call: VendorCall) -> bool:
    """Whether a call is the one in doubt, about to be made again."""
    return not call.repeatable and (doubt.method, doubt.line) == (call.method, call.line)
