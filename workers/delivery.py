"""A delivery at work, stage by stage: what is known of it after each step of the executor.

Received → claimed → ended. None of them ever changes: a step takes one and returns the next, so that whatever stops
it, what was known before stands.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from bellhop.broker import headers
from bellhop.broker.headers import trace_headers
from bellhop.broker.port import Delivery, Message
from bellhop.broker.topology import work_queue
from bellhop.ledger.records import (
    Attempt,
    Booking,
    Claim,
    ClaimBusy,
    Claimed,
    Entry,
    Held,
    Json,
    Refused,
    Settled,
    Settlement,
    State,
)
from bellhop.schemas.clock import Clock
from bellhop.schemas.envelope import Envelope
from bellhop.schemas.observe import Observe
from bellhop.schemas.trace import Received, parent_of
from bellhop.vendors.outcome import Dead, Done, InDoubt, Outcome, Recorded, Repeated, Shown, Wait, outcome_text
from bellhop.vendors.standing import name_changes, warnings_of

Began = tuple[datetime, float]
"""When a try began: UTC, and monotonic seconds."""


@dataclass(frozen=True, slots=True)
class ReceivedDelivery:
    """Its envelope could be read. started: monotonic seconds."""

    delivery: Delivery
    started: float
    envelope: Envelope

    def send_to_lane(self, why: str, after: float) -> EndedDelivery:
        """It is not begun: it goes to the end of its account's lane."""
        return EndedDelivery(self.delivery, self.started, Wait(why, after, in_lane=True), self.envelope)

    def answer(self, claim: Claim) -> ClaimedDelivery | EndedDelivery:
        """With the ledger's answer to its claim."""
        delivery, started, envelope = self.delivery, self.started, self.envelope
        match claim:
            case Claimed():
                booking = claim.booking or Booking(envelope.source, envelope.subject, envelope.account)
                return ClaimedDelivery(delivery, started, envelope, claim, booking)
            case Settled(state, detail, at):
                return EndedDelivery(delivery, started, Recorded(detail), envelope, known=state, recorded_at=at)
            case ClaimBusy(detail):
                return EndedDelivery(delivery, started, Wait(detail), envelope)
            case Held(detail, _):
                return EndedDelivery(delivery, started, Wait(detail, is_held=True), envelope)
            case Refused(reason, error, at):
                return EndedDelivery(delivery, started, Dead(reason, error), envelope, recorded_at=at)


@dataclass(frozen=True, slots=True)
class ClaimedDelivery:
    """This worker's to work.

    booking: as far as it has come; an empty one, which is never stored, where the event is about none. is_unsaved: it
    has progress that the ledger does not hold yet. code: the vendor's own, of the last call.
    """

    delivery: Delivery
    started: float
    envelope: Envelope
    claim: Claimed
    booking: Booking
    is_unsaved: bool = False
    attempts: tuple[Attempt, ...] = ()
    code: str = ""

    def age_seconds(self, clock: Clock) -> float:
        """How long ago the event came."""
        return (clock.now() - self.envelope.received).total_seconds()

    @property
    def stored_booking(self) -> Booking | None:
        """The booking for the ledger; None where the event is about none."""
        return None if self.claim.booking is None else self.booking

    def traced_message(self, now: datetime) -> Received:
        """The message at work, for its trace."""
        message, envelope = self.delivery.message, self.envelope
        return Received(
            queue=work_queue(envelope.route),
            id=message.id,
            size=len(message.body),
            latency=_lag_seconds(message, now),
            retries=self.claim.attempts,
            trace=trace_headers(message.headers) or envelope.trace,
            tags=event_tags(envelope),
            origin=envelope.trace,
        )

    def with_claim(self, claim: Claimed) -> ClaimedDelivery:
        """The ledger holds all of it under this claim."""
        return ClaimedDelivery(
            self.delivery, self.started, self.envelope, claim, self.booking, False, self.attempts, self.code
        )

    def with_booking(self, booking: Booking, attempt: Attempt, claim: Claimed) -> ClaimedDelivery:
        """A call that went well has brought it further."""
        attempts, booking = (*self.attempts, attempt), name_changes(self.booking, booking, self.envelope.id)
        return ClaimedDelivery(self.delivery, self.started, self.envelope, claim, booking, True, attempts)

    def with_shown(self, shown: Shown, attempt: Attempt) -> ClaimedDelivery:
        """The vendor has shown what a call in doubt made: it stands, and nothing is in doubt any more."""
        booking = replace(self.booking, entries=(*self.booking.entries, *shown.entries), cancelled=False)
        return self.with_booking(booking, attempt, replace(self.claim, in_doubt=None))

    def end(self, outcome: Outcome, attempt: Attempt | None = None, code: str | None = None) -> EndedDelivery:
        """attempt, code: the last call's, where it is not in the record yet. Of what waits it counts none."""
        if isinstance(outcome, Wait):
            attempt = None
        return EndedDelivery(
            self.delivery,
            self.started,
            outcome,
            self.envelope,
            self.claim,
            self.stored_booking,
            self.attempts if attempt is None else (*self.attempts, attempt),
            self.code if code is None else code,
        )


@dataclass(frozen=True, slots=True)
class EndedDelivery:
    """It has its outcome, and is to be settled.

    envelope: None where the body cannot be read. claim: None where there is none to settle. booking: to be stored.
    trace: the headers with which what follows from it goes on in its trace. known, recorded_at: its end as an earlier
    delivery recorded it, and when. retry_seconds: until it comes again, None where it does not.
    """

    delivery: Delivery
    started: float
    outcome: Outcome
    envelope: Envelope | None = None
    claim: Claimed | None = None
    booking: Booking | None = None
    attempts: tuple[Attempt, ...] = ()
    code: str = ""
    trace: Mapping[str, str] = field(default_factory=dict)
    known: State | None = None
    recorded_at: datetime | None = None
    retry_seconds: float | None = None

    @property
    def message(self) -> Message:
        return self.delivery.message

    @property
    def attempts_before(self) -> int:
        """Attempts counted by the ledger before this one; by the header where the ledger does not know the event."""
        if self.claim is not None:
            return self.claim.attempts
        count = self.message.headers.get(headers.ATTEMPT, 0)
        return 0 if isinstance(count, str) else int(count)

    @property
    def _again_seconds(self) -> float | None:
        """When it may come again, as far as is known."""
        if isinstance(self.outcome, Wait) and self.outcome.in_lane:
            return self.outcome.after
        return self.retry_seconds

    def settlement(self, clock: Clock) -> Settlement | None:
        """The end as the ledger records it; None where it has none to record."""
        claim, envelope, outcome, booking = self.claim, self.envelope, self.outcome, self.booking
        if claim is None or envelope is None:
            return None
        is_tombstone = isinstance(outcome, (Done, Dead)) and outcome.tombstone
        if isinstance(outcome, Dead | Done) and outcome.booking is not None:
            booking = outcome.booking
        if booking is not None and is_tombstone:
            booking = replace(booking, cancelled=True)
        return Settlement(
            claimed=claim,
            envelope=envelope,
            state=outcome.state,
            detail="; ".join((outcome_text(outcome), *warnings_of(envelope, booking))),
            reason=outcome.reason if isinstance(outcome, Dead) else None,
            booking=booking,
            applies=_applies(outcome) or is_tombstone,
            in_doubt=outcome.call if isinstance(outcome, InDoubt) else None,
            next_at=None if self._again_seconds is None else clock.now() + timedelta(seconds=self._again_seconds),
            attempts=self.attempts,
        )


def _applies(outcome: Outcome) -> bool:
    """Whether the event now counts in its booking's order."""
    return isinstance(outcome, (Done, Repeated)) or (isinstance(outcome, (Recorded, Dead)) and outcome.applies)


def _lag_seconds(message: Message, now: datetime) -> float | None:
    """How long ago it was put on its work queue; None where nobody knows."""
    at = message.headers.get(headers.ENQUEUED)
    return None if at is None or isinstance(at, str) else max(0.0, now.timestamp() - at)


def event_tags(envelope: Envelope) -> dict[str, str]:
    """By which errors and traces are found."""
    return {"route": envelope.route, "account": envelope.account, "source": envelope.source, "id": envelope.id}


def report_end(ended: EndedDelivery, observe: Observe, clock: Clock) -> None:
    """The one line of a delivery."""
    outcome, envelope = ended.outcome, ended.envelope
    observe(
        "event.settled",
        outcome=ended.known.value if ended.known else outcome.name,
        again=ended.recorded_at is not None,
        route=envelope.route if envelope else "",
        account=envelope.account if envelope else "",
        source=envelope.source if envelope else "",
        id=envelope.id if envelope else ended.message.id,
        generation=envelope.generation if envelope else 0,
        reason=outcome.reason.value if isinstance(outcome, Dead) else "",
        detail=outcome_text(outcome),
        method=ended.attempts[-1].method if ended.attempts else "",
        code=ended.code,
        trace=parent_of(envelope.trace) if envelope and envelope.trace else "",
        attempt=ended.attempts_before + 1,
        retry_seconds=ended.retry_seconds,
        seconds=clock.monotonic() - ended.started,
        lag_seconds=_lag_seconds(ended.message, clock.now()),
    )


# --- what an attempt says ---------------------------------------------------------------------------------------


def attempt_result(before: Booking, result: Booking | Outcome) -> Json:
    """What a call that went well came to: the vendor's bookings that are new or other than before."""
    if not isinstance(result, Booking):
        return {"detail": outcome_text(result)}
    old = set(before.entries)
    return {"bookings": [_entry_json(entry) for entry in result.entries if entry not in old]}


def _entry_json(entry: Entry) -> Json:
    """Without the hashes, which sign later calls."""
    shown = {
        "id": entry.vendor_id,
        "state": entry.state.value,
        "code": entry.code,
        "batch": entry.batch,
        "took": entry.took,
    }
    return {key: value for key, value in shown.items() if value}
