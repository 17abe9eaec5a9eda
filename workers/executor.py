"""One delivery's life, top to bottom: receive → claim → work → plan → settle. What if the process dies at each?

receive    the envelope is decoded             the delivery comes again
claim      the ledger: may this be worked?     the claim runs out, and the next delivery takes it
translate  the handler names the next call     as above: nothing was asked of anyone
prepare    the vendor is asked what must be    as above: nothing here books
           known before
gate       leave to call the account, with     as above; the leave's lease runs out
           the mark where it is free now
mark       `calling` is committed              the next delivery finds the mark: the event is in doubt, and the vendor
                                               is asked what became of the call before anything else (`_resolve`)
call       the vendor                          the same; what it booked is committed with the next mark or the end
           … translate again, until nothing is left to call
plan       retry, or a person                  as after the call: nothing of it was said yet
settle     the end is committed, what goes on  not committed: as after the call. Committed and not acked: the delivery
           is published and confirmed, the     comes again, `claim` knows its end, and only what may not have been
           delivery is acked (`worker.py`)     published is published again

`receive`, `claim` and settling take many, `work` takes one; each takes a record of `workers.delivery`, returns one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Final

from bellhop.broker.port import Delivery
from bellhop.ledger.records import RESTORED, Attempt, Booking, Json, VendorCall
from bellhop.schemas.clock import SYSTEM_CLOCK, Clock
from bellhop.schemas.envelope import decode_recordable
from bellhop.schemas.errors import ClaimLost, EnvelopeError, LedgerUnavailable
from bellhop.schemas.events import UNKNOWN_TYPE
from bellhop.schemas.observe import Observe, silent, where
from bellhop.schemas.reasons import Reason
from bellhop.schemas.trace import UNTRACED, Tracer
from bellhop.vendors.failure import Kind, VendorFailure
from bellhop.vendors.handler import Handler, attempt_request
from bellhop.vendors.held import CallHeld
from bellhop.vendors.outcome import Dead, InDoubt, Outcome, Performed, Recorded, Refusal, Retry, Shown, Wait
from bellhop.vendors.standing import say_what_gave_way, say_what_stands
from bellhop.workers import failures
from bellhop.workers.delivery import (
    Began,
    ClaimedDelivery,
    EndedDelivery,
    ReceivedDelivery,
    attempt_result,
    event_tags,
)
from bellhop.workers.failures import TOO_EARLY, failure_outcome, held_outcome, is_same_call, said_no_before, with_heard
from bellhop.workers.marker import Marker
from bellhop.workers.ports import NoTurns, Turns, WorkLedger
from bellhop.workers.retry import plan_retry, starts_soon

MAX_CALLS: Final = 200
"""Calls one delivery may make; book, confirm and cancel for each service stay far below. More is a circle."""


class Executor:
    """The steps for one route. `worker` names this process in claims; `ladder` is the topology's, in seconds.
    late_after: of an account, for how many seconds a call of it without an answer may still be carried out."""

    def __init__(
        self,
        handler: Handler,
        ledger: WorkLedger,
        *,
        worker: str,
        claim_seconds: float,
        ladder: Sequence[float],
        late_after: Callable[[str], float] = lambda _account: 0.0,
        turns: Turns | None = None,
        observe: Observe = silent,
        tracer: Tracer = UNTRACED,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._turns = turns or NoTurns()
        self._marker = Marker(ledger, self._turns, claim_seconds, clock)
        self._handler = handler
        self._ledger = ledger
        self._worker = worker
        self._claim_seconds = claim_seconds
        self._ladder = ladder
        self._late_after = late_after
        self._observe = observe
        self._tracer = tracer
        self._clock = clock
        self.starts_soon = partial(starts_soon, ladder=ladder, now=clock.now)

    def receive(self, delivery: Delivery) -> ReceivedDelivery | EndedDelivery:
        """Decodes. What cannot be read is dead at once: no retry would make it readable."""
        started = self._clock.monotonic()
        try:
            return ReceivedDelivery(delivery, started, decode_recordable(delivery.message.body))
        except EnvelopeError as error:
            return EndedDelivery(delivery, started, Dead(Reason.POISON, f"not an envelope: {error}"))

    def claim(self, received: Sequence[ReceivedDelivery]) -> list[ClaimedDelivery | EndedDelivery]:
        """One for each, in their order, in one commit. Raises LedgerUnavailable; then nothing has changed."""
        if not received:
            return []
        claims = self._ledger.claim([one.envelope for one in received], self._worker, self._claim_seconds)
        return [one.answer(claim) for one, claim in zip(received, claims, strict=True)]

    def work(self, claimed: ClaimedDelivery) -> EndedDelivery:
        """Works it to its outcome. Raises nothing: what is unexpected becomes an outcome too."""
        if self._tracer is UNTRACED:
            return self._work(claimed)
        with self._tracer.process(claimed.traced_message(self._clock.now())) as span:
            ended = self._work(claimed)
            span.set("outcome", ended.outcome.name)
            if isinstance(ended.outcome, (Dead, InDoubt, Retry)):
                span.status("internal_error")
        return replace(ended, trace=span.carried) if span.carried else ended

    def _work(self, claimed: ClaimedDelivery) -> EndedDelivery:
        """The way of `claimed` through the steps; wherever one of them stops, the last record it came to is ended."""
        try:
            doubt = claimed.claim.in_doubt
            if doubt is not None and not doubt.repeatable:
                resolved = self._resolve(claimed, doubt)
                if isinstance(resolved, EndedDelivery):
                    return resolved
                claimed = resolved
            for _ in range(MAX_CALLS):
                step = self._translate(claimed)
                if not isinstance(step, VendorCall):
                    return claimed.end(step)
                ready = self._prepare(claimed, step)
                if not isinstance(ready, VendorCall):
                    return ready
                try:
                    claimed = self._marker.mark(claimed, ready)
                    called = self._call(claimed, ready)
                finally:
                    self._turns.give_back(ready.account)
                if isinstance(called, EndedDelivery):
                    return called
                claimed = called
            return self._end_unforeseen(claimed, f"more than {MAX_CALLS} calls for one event")
        except CallHeld as held:
            return claimed.end(held_outcome(held, claimed.envelope, self._turns, self.starts_soon))
        except ClaimLost:
            # Settling stores what was booked so far even so; where it is lost, `give_back` gives the delivery back.
            return claimed.end(Retry("the claim ended and another worker took the event"))
        except LedgerUnavailable:
            return claimed.end(Retry("the ledger was away before the call"))
        except Exception as error:  # noqa: BLE001  # it must end, or it holds its place for ever; `_call` has its own
            self._report_crash(claimed, error)
            return self._end_unforeseen(claimed, f"unexpected {type(error).__name__} before the call")

    def _resolve(self, claimed: ClaimedDelivery, doubt: VendorCall) -> EndedDelivery | ClaimedDelivery:
        """Asks what became of a call in doubt. It goes on where that made nothing, or the ledger knows by now what it
        made, or the vendor has shown it."""
        if any(entry.line == doubt.line for entry in claimed.booking.entries):
            step = self._handler.translate(claimed.envelope, claimed.booking)
            if failures.is_known_by_now(doubt, step, claimed.envelope.type):
                return claimed
        if doubt.method == RESTORED:
            return claimed.end(Dead(Reason.IN_DOUBT, "what it made before the ledger was put back is still not known"))
        began = self._clock.now(), self._clock.monotonic()
        try:
            verdict = self._handler.resolve(doubt, claimed.envelope)
        except VendorFailure as failure:
            attempt = self._attempt(claimed, doubt, failure.method, began, failure)
            return claimed.end(failure_outcome(failure, doubt, doubt, asking=True), attempt, failure.code)
        if isinstance(verdict, Shown):
            told = {"shown": [one.vendor_id for one in verdict.entries]}
            return claimed.with_shown(verdict, self._attempt(claimed, doubt, "look", began, told))
        called_at = claimed.claim.called_at
        if verdict is None and called_at is not None:
            # From when it was asked, not from when it answered: meanwhile the call may have been carried out.
            left = self._late_after(doubt.account) - (began[0] - called_at).total_seconds()
            verdict = InDoubt(doubt, TOO_EARLY, left) if left > 0 else None
        return claimed if verdict is None else claimed.end(with_heard(verdict, doubt))

    def _translate(self, claimed: ClaimedDelivery) -> VendorCall | Outcome:
        """What the event wants, compared with what the ledger holds: the next call, or the outcome."""
        if claimed.envelope.type == UNKNOWN_TYPE:
            return Recorded("its type is unknown here: recorded, nothing is guessed")
        step, not_after = self._handler.translate(claimed.envelope, claimed.booking), claimed.envelope.not_after
        if isinstance(step, VendorCall) and not step.repeatable and not_after and self._clock.now() >= not_after:
            return Dead(Reason.TOO_LATE, "the booking's start has passed")
        return step

    def _prepare(self, claimed: ClaimedDelivery, step: VendorCall) -> VendorCall | EndedDelivery:
        """What must be known before the call. Nothing here books, so a failure leaves no doubt."""
        doubt = claimed.claim.in_doubt
        if doubt is not None and is_same_call(doubt, step):
            # What nobody knows the end of is made again as it was: prepared anew it might book another slot, and the
            # first one may still come to be.
            return doubt
        began = self._clock.now(), self._clock.monotonic()
        try:
            ready = self._handler.prepare(step, claimed.envelope, claimed.booking)
        except VendorFailure as failure:
            attempt = self._attempt(claimed, step, failure.method, began, failure)
            outcome = failure_outcome(failure, replace(step, repeatable=True), None, tried=claimed.claim.attempts)
            return claimed.end(outcome, attempt, failure.code)
        return ready if isinstance(ready, VendorCall) else claimed.end(ready)

    def _call(self, claimed: ClaimedDelivery, call: VendorCall) -> ClaimedDelivery | EndedDelivery:
        """Makes one call: the booking moved on and there may be more to call, or the end."""
        began = self._clock.now(), self._clock.monotonic()
        try:
            result = self._perform(claimed, call)
            if isinstance(result, Refusal):
                if claimed.claim.in_doubt is None or not is_same_call(claimed.claim.in_doubt, call):
                    attempt = self._attempt(claimed, call, call.method, began, result.failure)
                    return claimed.with_booking(result.booking, attempt, claimed.claim)
                raise result.failure
        except VendorFailure as failure:
            attempt = self._attempt(claimed, call, call.method, began, failure)
            return claimed.end(self._outcome(claimed, call, failure), attempt, failure.code)
        if isinstance(result, Wait):
            return claimed.end(result)
        attempt = self._attempt(claimed, call, call.method, began, attempt_result(claimed.booking, result))
        if not isinstance(result, Booking):
            return claimed.end(result, attempt, "")
        doubt = claimed.claim.in_doubt
        is_over = doubt is not None and is_same_call(doubt, call)
        return claimed.with_booking(
            result, attempt, replace(claimed.claim, in_doubt=None) if is_over else claimed.claim
        )

    def _outcome(self, claimed: ClaimedDelivery, call: VendorCall, failure: VendorFailure) -> Outcome:
        """What a failed call comes to. Refused a second time in words that nobody knows, while nothing of it stands, it
        is refused: more tries would hear the same."""
        doubt = claimed.claim.in_doubt
        outcome = failure_outcome(failure, call, doubt, tried=claimed.claim.attempts)
        if isinstance(outcome, Retry) and claimed.age_seconds(self._clock) <= sum(self._ladder):
            return failures.away_outcome(failure, call, claimed.envelope, self._turns, self.starts_soon) or outcome
        if not (isinstance(outcome, InDoubt) and failure.said_no and doubt and said_no_before(doubt, call)):
            return outcome
        try:
            verdict = self._handler.resolve(call, claimed.envelope)
        except (VendorFailure, CallHeld, LedgerUnavailable):
            return outcome
        if isinstance(verdict, Shown):  # looked for once more, it is found
            return outcome
        if verdict is None:
            return Dead(Reason.REJECTED, f"{failure}; it said so twice, and the slot is still free", failure.answer)
        return with_heard(verdict, outcome.call)

    def _perform(self, claimed: ClaimedDelivery, call: VendorCall) -> Performed:
        """Raises VendorFailure; and, before a request is sent, Held and LedgerUnavailable."""
        try:
            return self._handler.perform(call, claimed.envelope, claimed.booking)
        except (VendorFailure, CallHeld, LedgerUnavailable):
            raise
        except Exception as error:  # noqa: BLE001  # whether the vendor was reached is not known
            self._report_crash(claimed, error)
            text = f"unexpected {type(error).__name__} in {call.method}"
            raise VendorFailure(Kind.UNKNOWN, vendor="", method=call.method, message=text) from None

    def _attempt(
        self, claimed: ClaimedDelivery, call: VendorCall, method: str, began: Began, result: VendorFailure | Json
    ) -> Attempt:
        """One try for the record. result: how it failed, or what came of it."""
        started, seconds = began[0], self._clock.monotonic() - began[1]
        request = attempt_request(call, claimed.envelope)
        if isinstance(result, VendorFailure):
            attempt = Attempt(method, started, seconds, result.kind.value, str(result), result.answer, request)
        else:
            attempt = Attempt(method, started, seconds, "ok", "", result, request)
        self._observe("vendor.called", account=call.account, method=method, outcome=attempt.outcome, seconds=seconds)
        return attempt

    def _end_unforeseen(self, claimed: ClaimedDelivery, text: str) -> EndedDelivery:
        """Another try for what nobody foresaw; counted, or it would go round for ever."""
        return claimed.end(Retry(text), Attempt("", self._clock.now(), 0.0, Kind.UNKNOWN.value, text))

    def _report_crash(self, claimed: ClaimedDelivery, error: Exception) -> None:
        tags = event_tags(claimed.envelope)
        self._observe("worker.crashed", error=type(error).__name__, where=where(error), **tags)

    def plan(self, ended: EndedDelivery) -> EndedDelivery:
        """When it is to be tried again; a person's where no retry fits."""
        if isinstance(ended.outcome, (Retry, InDoubt, Wait)):
            ended = plan_retry(ended, ended.outcome, self._ladder, self._clock)
        if isinstance(ended.outcome, Dead) and ended.outcome.booking is None and ended.envelope is not None:
            told = say_what_gave_way(ended.envelope, ended.booking)
            told += say_what_stands(ended.envelope, ended.booking, ended.outcome.reason)
            return replace(ended, outcome=replace(ended.outcome, error=ended.outcome.error + told)) if told else ended
        return ended

    def give_back(self, ended: EndedDelivery) -> EndedDelivery:
        """Where another worker took the claim: the delivery is given back, to see later how that one ended."""
        lost = Wait("the claim ended and another worker took the event")
        return replace(ended, outcome=lost, claim=None, retry_seconds=self._ladder[0])
