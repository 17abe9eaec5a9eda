"""One delivery from the queue to the vendor: receive → claim → work (translate, call) → settle.

`begin` and `finish` take many jobs, so that one commit and one round of confirms serve them all; `work` takes one,
on a thread of the pool. Nothing is acked before its end is committed in the ledger and, where it goes on (retry,
dead letter), confirmed by the broker. So a process may die at any line: the delivery comes again, and `claim`
finds in the ledger how far it came.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final, Protocol

from bellhop.broker.headers import traced
from bellhop.broker.port import Delivery
from bellhop.broker.topology import work_queue
from bellhop.ledger.records import Attempt, Booking, Busy, Call, Claimed, Json, Refused, Settled, Settlement
from bellhop.schemas.clock import utc_now
from bellhop.schemas.envelope import readable
from bellhop.schemas.errors import ClaimLost, EnvelopeError, LedgerUnavailable
from bellhop.schemas.observe import Observe, silent, where
from bellhop.schemas.reasons import Reason
from bellhop.schemas.trace import UNTRACED, Received, Tracer, parent_of
from bellhop.vendors.failure import Kind, VendorFailure
from bellhop.vendors.handler import Handler
from bellhop.vendors.held import Held
from bellhop.vendors.outcome import Dead, Done, InDoubt, Outcome, Recorded, Retry, Wait
from bellhop.workers.job import Job
from bellhop.workers.ports import WorkLedger
from bellhop.workers.retry import next_delay
from bellhop.workers.suspects import deaths_of
from bellhop.workers.told import WORDS, asked, came_of_it, recorded, tags_of, text_of

MAX_CALLS: Final = 200
"""Calls one delivery may make; book, confirm and cancel for each service stay far below. More is a circle."""


class Turns(Protocol):
    """What the executor needs of the gate; `workers.gate.AccountGate` has it."""

    def ahead(self, account: str) -> None:
        """Gets leave for this thread's next request to the account. Raises Held, LedgerUnavailable."""
        ...

    def give_back(self, account: str) -> None:
        """Returns leave that was not used. Raises nothing."""
        ...


class NoTurns:
    """Where nobody is held."""

    def ahead(self, account: str) -> None: ...

    def give_back(self, account: str) -> None: ...


class Executor:
    """The steps for one route. `worker` names this process in claims; `ladder` is the topology's, in seconds."""

    def __init__(
        self,
        handler: Handler,
        ledger: WorkLedger,
        *,
        worker: str,
        claim_seconds: float,
        ladder: Sequence[float],
        turns: Turns | None = None,
        observe: Observe = silent,
        tracer: Tracer = UNTRACED,
        now: Callable[[], datetime] = utc_now,
        monotonic: Callable[[], float] = time.monotonic,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._turns = turns or NoTurns()
        self._handler = handler
        self._ledger = ledger
        self._worker = worker
        self._claim_seconds = claim_seconds
        self._ladder = ladder
        self._observe = observe
        self._tracer = tracer
        self._now = now
        self._monotonic = monotonic
        self._chance = chance

    # --- receive, claim -----------------------------------------------------------------------------------------

    def receive(self, delivery: Delivery) -> Job:
        """Decodes. What cannot be read is dead at once: no retry would make it readable."""
        job = Job(delivery, self._monotonic(), deaths=deaths_of(delivery))
        try:
            job.envelope = readable(delivery.message.body)
        except EnvelopeError as error:
            job.outcome = Dead(Reason.POISON, f"not an envelope: {error}")
        return job

    def put_aside(self, delivery: Delivery, outcome: Outcome | None) -> Job:
        """A delivery whose body is not looked at: a worker may have died of that."""
        return Job(delivery, self._monotonic(), outcome=outcome, deaths=deaths_of(delivery))

    def claim(self, jobs: Sequence[Job]) -> None:
        """Claims what was decoded, in one commit. Raises LedgerUnavailable; then no job has changed."""
        readable = [(job, job.envelope) for job in jobs if job.envelope is not None and job.outcome is None]
        if not readable:
            return
        claims = self._ledger.claim([envelope for _, envelope in readable], self._worker, self._claim_seconds)
        for (job, _), claim in zip(readable, claims, strict=True):
            match claim:
                case Claimed():
                    job.claimed, job.booking = claim, claim.booking
                case Settled(state, detail, at):
                    job.outcome, job.known, job.ended = Recorded(detail), state.value, at
                case Busy(detail):
                    job.outcome = Wait(detail)
                case Refused(reason, error, at):
                    job.outcome, job.ended = Dead(reason, error), at

    # --- work: translate, call ----------------------------------------------------------------------------------

    def work(self, job: Job) -> None:
        """Works a claimed job to its outcome. Raises nothing: what is unexpected becomes an outcome too."""
        with self._tracer.process(self._received(job)) as span:
            self._work(job)
            job.trace = span.carried
            if job.outcome is not None:
                span.set("outcome", WORDS[type(job.outcome)])
            if isinstance(job.outcome, Dead | InDoubt | Retry):
                span.status("internal_error")

    def _received(self, job: Job) -> Received:
        """The job for its trace."""
        assert job.envelope is not None  # noqa: S101
        enqueued, envelope = job.lag_seconds_from, job.envelope
        return Received(
            queue=work_queue(envelope.route),
            id=job.message.id,
            size=len(job.message.body),
            latency=None if enqueued is None else max(0.0, self._now().timestamp() - enqueued),
            retries=job.attempts_so_far,
            trace=traced(job.message.headers) or envelope.trace,
            tags=tags_of(envelope),
        )

    def _work(self, job: Job) -> None:
        try:
            job.outcome = self._steps(job)
        except Held as held:
            job.outcome = Wait(str(held), held.after)
        except ClaimLost:
            # Settling stores what this job booked so far even so; `lost` then gives the delivery back.
            job.outcome = Retry("the claim ended and another worker took the event")
        except LedgerUnavailable:
            job.outcome = Retry("the ledger was away before the call")
        except Exception as error:  # noqa: BLE001  # a delivery must end in an outcome, or it holds its place for ever
            # Nothing was called since the last committed mark: a call's own failures are dealt with in `_call`.
            job.outcome = self._astray(job, f"unexpected {type(error).__name__} before the call")
            self._crashed(job, error)

    def _steps(self, job: Job) -> Outcome:
        assert job.envelope is not None  # noqa: S101
        assert job.claimed is not None  # noqa: S101
        doubt = job.claimed.in_doubt
        if doubt is not None and not doubt.repeatable:
            verdict = self._resolve(job, doubt)
            if verdict is not None:
                return verdict
        for _ in range(MAX_CALLS):
            step = self._handler.translate(job.envelope, job.booking)
            if not isinstance(step, Call):
                return step
            if not step.repeatable and job.envelope.not_after and self._now() >= job.envelope.not_after:
                return Dead(Reason.TOO_LATE, "the booking's start has passed")
            # What nobody knows the end of is made again as it was: prepared anew it might book another slot, and the
            # first one may still come to be.
            again = job.claimed.in_doubt
            ready = again if again is not None and _is_same(again, step) else self._prepare(job, step)
            if not isinstance(ready, Call):
                return ready
            try:
                ended = self._mark_and_call(job, ready)
            finally:
                self._turns.give_back(ready.account)
            if ended is not None:
                return ended
        return self._astray(job, f"more than {MAX_CALLS} calls for one event")

    def _astray(self, job: Job, text: str) -> Retry:
        """Another try for what nobody foresaw; counted, or it would go round for ever."""
        job.attempts.append(Attempt("", self._now(), 0.0, Kind.UNKNOWN.value, text))
        return Retry(text)

    def _prepare(self, job: Job, step: Call) -> Call | Outcome:
        """What must be known before the call. Nothing here books, so a failure leaves no doubt."""
        assert job.envelope is not None  # noqa: S101
        started, clock = self._now(), self._monotonic()
        try:
            return self._handler.prepare(step, job.envelope, job.booking)
        except VendorFailure as failure:
            self._record(job, step.account, failure.method, started, clock, failure, asked(step, job.envelope))
            return self._outcome(failure, replace(step, repeatable=True), job)

    def _mark_and_call(self, job: Job, call: Call) -> Outcome | None:
        """Makes one call, marked before: None where the booking moved on and there may be more to call."""
        assert job.claimed is not None  # noqa: S101
        # Before the mark: a worker that dies while it waits for the account's turn leaves nothing in doubt.
        self._turns.ahead(call.account)
        if not call.repeatable or job.dirty:
            # Committed before the call: whoever finds this mark after our death knows that it may have happened.
            job.claimed = self._ledger.calling(job.claimed, call, job.booking, self._claim_seconds)
            job.dirty = False
        return self._call(job, call)

    def _call(self, job: Job, call: Call) -> Outcome | None:
        assert job.envelope is not None  # noqa: S101
        started, clock = self._now(), self._monotonic()
        failure: VendorFailure | None = None
        result: Booking | Outcome | None = None
        try:
            result = self._handler.perform(call, job.envelope, job.booking)
        except VendorFailure as error:
            failure = error
        except (Held, LedgerUnavailable):  # both come before a request is sent: what comes after swallows its own
            raise
        except Exception as error:  # noqa: BLE001  # whether the vendor was reached is not known
            self._crashed(job, error)
            text = f"unexpected {type(error).__name__} in {call.method}"
            failure = VendorFailure(Kind.UNKNOWN, vendor="", method=call.method, message=text)
        if not isinstance(result, Wait):
            told = None if result is None else came_of_it(job.booking, result)
            self._record(job, call.account, call.method, started, clock, failure, asked(call, job.envelope), told)
        if failure is not None:
            return self._outcome(failure, call, job)
        if isinstance(result, Booking):
            job.booking, job.dirty = result, True
            doubt = job.claimed.in_doubt if job.claimed else None
            if job.claimed is not None and doubt is not None and _is_same(doubt, call):
                job.claimed = replace(job.claimed, in_doubt=None)
            return None
        return result

    def _record(
        self,
        job: Job,
        account: str,
        method: str,
        started: datetime,
        clock: float,
        failure: VendorFailure | None,
        request: Json | None = None,
        told: Json | None = None,
    ) -> None:
        """One try for the record. clock: monotonic seconds when it began. told: what came of it."""
        word = failure.kind.value if failure else "ok"
        seconds = self._monotonic() - clock
        self._observe("vendor.called", account=account, method=method, outcome=word, seconds=seconds)
        job.code = failure.code if failure else ""
        answer = failure.answer if failure else told
        job.attempts.append(Attempt(method, started, seconds, word, str(failure or ""), answer, request))

    def _crashed(self, job: Job, error: Exception) -> None:
        tags = tags_of(job.envelope) if job.envelope else {}
        self._observe("worker.crashed", error=type(error).__name__, where=where(error), **tags)

    def _resolve(self, job: Job, call: Call) -> Outcome | None:
        """Asks what became of a call in doubt; None where it made nothing and may be made again."""
        assert job.envelope is not None  # noqa: S101
        started, clock = self._now(), self._monotonic()
        try:
            return self._handler.resolve(call, job.envelope)
        except VendorFailure as failure:
            self._record(job, call.account, failure.method, started, clock, failure, asked(call, job.envelope))
            text = f"the vendor could not be asked: {failure}"
            if failure.kind in (Kind.REJECTED, Kind.AUTH):  # nor could it be the next time
                return Dead(Reason.IN_DOUBT, f"nobody knows whether {call.method} happened, and {text}", failure.answer)
            return InDoubt(call, text)

    def _outcome(self, failure: VendorFailure, call: Call, job: Job) -> Outcome:
        in_doubt = job.claimed.in_doubt if job.claimed else None
        match failure.kind:
            case Kind.REJECTED | Kind.AUTH if in_doubt is not None and _is_same(in_doubt, call):
                # Refused the second time, after a first time whose end nobody knows: the first may hold the slot.
                text = f"an earlier call's outcome is unknown, and now: {failure}"
                return Dead(Reason.IN_DOUBT, text, failure.answer)
            case Kind.REJECTED:
                return Dead(Reason.REJECTED, str(failure), failure.answer)
            case Kind.AUTH:
                return Dead(Reason.AUTH, str(failure), failure.answer)
            case Kind.THROTTLED:
                return Retry(str(failure), failure.retry_after)
            case Kind.TRANSIENT:
                return Retry(str(failure), failure.retry_after)
            case Kind.UNKNOWN:
                return Retry(str(failure), failure.retry_after) if call.repeatable else InDoubt(call, str(failure))

    # --- settle -------------------------------------------------------------------------------------------------

    def plan(self, job: Job) -> float | None:
        """Where the outcome is to be tried again: after how many seconds. Turns it into Dead where it cannot be."""
        if isinstance(job.outcome, Wait) and job.outcome.after is None:
            return self._ladder[0]
        if not isinstance(job.outcome, Retry | InDoubt | Wait):
            return None
        not_after = job.envelope.not_after if job.envelope else None
        at_least = (job.outcome.after or 0.0) if isinstance(job.outcome, Retry | Wait) else 0.0
        delay = next_delay(
            self._ladder,
            1 if isinstance(job.outcome, Wait) else job.attempts_so_far + 1,
            now=self._now(),
            not_after=not_after,
            chance=self._chance(),
            at_least=at_least,
        )
        if not isinstance(delay, Reason):
            return delay
        if isinstance(job.outcome, InDoubt):
            job.outcome = Dead(Reason.IN_DOUBT, f"nobody knows whether the call happened: {job.outcome.error}")
        else:
            doubt = job.claimed.in_doubt if job.claimed else None
            is_known = doubt is None or doubt.repeatable
            last = job.outcome.detail if isinstance(job.outcome, Wait) else job.outcome.error
            why = "every retry was tried" if delay is Reason.EXHAUSTED else "no retry fits in before the start"
            why = why if is_known else f"an earlier call's outcome is unknown, and {why}"
            job.outcome = Dead(delay if is_known else Reason.IN_DOUBT, f"{why}; last: {last}")
        return None

    def settlement(self, job: Job, delay: float | None) -> Settlement | None:
        """The job's end as the ledger records it; None where it has none to record."""
        claimed, envelope, outcome = job.claimed, job.envelope, job.outcome
        if claimed is None or envelope is None or outcome is None:
            return None
        state, text, reason, tombstone, in_doubt = recorded(outcome)
        text = "; ".join((text, *envelope.warnings))
        booking = job.booking
        if booking is not None and tombstone:
            booking = replace(booking, cancelled=True)
        return Settlement(
            claimed=claimed,
            envelope=envelope,
            state=state,
            detail=text,
            reason=reason,
            booking=booking,
            applies=isinstance(outcome, Done) or tombstone,
            in_doubt=in_doubt,
            next_at=None if delay is None else self._now() + timedelta(seconds=delay),
            attempts=tuple(job.attempts),
        )

    def lost(self, job: Job) -> float:
        """For a job whose claim another worker took: the delivery is given back, to see later how that one ended."""
        job.outcome, job.claimed = Wait("the claim ended and another worker took the event"), None
        return self._ladder[0]

    def tell(self, job: Job, delay: float | None) -> None:
        """The one line of this delivery."""
        outcome, envelope = job.outcome, job.envelope
        enqueued = job.lag_seconds_from
        self._observe(
            "event.settled",
            outcome=job.known or WORDS[type(outcome)],
            again=job.ended is not None,
            route=envelope.route if envelope else "",
            account=envelope.account if envelope else "",
            source=envelope.source if envelope else "",
            id=envelope.id if envelope else job.message.id,
            generation=envelope.generation if envelope else 0,
            reason=outcome.reason.value if isinstance(outcome, Dead) else "",
            detail=text_of(outcome),
            method=job.attempts[-1].method if job.attempts else "",
            code=job.code,
            trace=parent_of(envelope.trace) if envelope else "",
            attempt=job.attempts_so_far + 1,
            retry_seconds=delay,
            seconds=self._monotonic() - job.started,
            lag_seconds=None if enqueued is None else max(0.0, self._now().timestamp() - enqueued),
        )


def _is_same(doubt: Call, call: Call) -> bool:
    """Whether a call is the one in doubt, about to be made again."""
    return not call.repeatable and (doubt.method, doubt.line) == (call.method, call.line)
