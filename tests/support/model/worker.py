"""A worker as a value: the message it holds and what it was answered so far. What it asks next is found by running the
real executor over these answers again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Final, NoReturn

from bellhop.broker.messages import work_message
from bellhop.broker.port import Delivery
from bellhop.broker.topology import DEAD_EXCHANGE
from bellhop.ledger.records import Booking, Claim, Claimed, Entry, EntryState, Settlement, VendorCall
from bellhop.ledger.records.accounts import LeaveAsked
from bellhop.schemas.clock import Clock
from bellhop.schemas.envelope import Envelope
from bellhop.schemas.errors import ClaimLost
from bellhop.schemas.reasons import Reason
from bellhop.vendors.failure import Kind, VendorFailure
from bellhop.vendors.outcome import Dead, Done, Outcome
from bellhop.workers.delivery import ClaimedDelivery, EndedDelivery, ReceivedDelivery
from bellhop.workers.executor import Executor
from bellhop.workers.messages import onward_message
from tests.support.ledger import NOON, event

SECONDS: Final = 60
"""Of one tick of the model's clock: so long a claim holds."""
LATE_TICKS: Final = 2
"""From when on the accounts' `late_after` lets a free slot count."""
LATE_AFTER: float = LATE_TICKS * SECONDS
LADDER: Final = (1.0, 2.0)
LOST: Final = "claim lost"


def moment(tick: int) -> datetime:
    return NOON + timedelta(seconds=SECONDS * tick)


class Arguments(dict[str, Any]):
    """A call's, which a state can be told by."""

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(tuple(sorted(self.items())))


@dataclass(frozen=True, order=True)
class Copy:
    """A message: which event, of which generation."""

    event: str
    generation: int


@dataclass(frozen=True)
class Request:
    """What a worker asks for. what: claim, mark, ask, call, settle, publish or ack; of: the rest of it."""

    what: str
    of: Any = None


class _Pause(BaseException):
    def __init__(self, request: Request) -> None:
        self.request = request


class _Script:
    """Gives the answers in their order; then stops whoever asks for more. Whatever is done between two answers is done
    at the last moment, when the second is given: a process may stand still at any line."""

    def __init__(self, answers: Sequence[tuple[Any, int]], tick: int) -> None:
        self._left = list(answers)
        self._tick = tick

    def ask(self, what: str, of: Any = None) -> Any:
        if not self._left:
            raise _Pause(Request(what, of))
        return self._left.pop(0)[0]

    def now(self) -> datetime:
        return moment(self._left[0][1] if self._left else self._tick)


class _Ledger:
    def __init__(self, script: _Script) -> None:
        self._script = script

    def claim(self, envelopes: Sequence[Envelope], worker: str, lease_seconds: float) -> list[Claim]:
        return [self._script.ask("claim", envelopes[0])]

    def calling(
        self,
        claimed: Claimed,
        call: VendorCall,
        booking: Booking | None,
        lease_seconds: float,
        leave: LeaveAsked | None = None,
    ) -> Claimed:
        answer = self._script.ask("mark", (claimed, call, booking))
        if answer == LOST:
            raise ClaimLost("another worker took it")
        found: Claimed = answer
        return found

    def settle(self, settlements: Sequence[Settlement]) -> list[int]:
        lost: list[int] = self._script.ask("settle", settlements[0])
        return lost


class _Handler:
    """Of a vendor whose slots have room for more than one, which says truly what stands."""

    def __init__(self, script: _Script, lines: int) -> None:
        self._script = script
        self._lines = lines

    def translate(self, event: Envelope, booking: Booking) -> VendorCall | Outcome:
        standing = [entry for entry in booking.entries if entry.stands]
        if event.type == "booking.cancelled":
            if standing:
                arguments = Arguments(id=standing[0].vendor_id)
                return VendorCall("sb", "cancel", arguments, repeatable=True, line=standing[0].line)
            return Done("cancelled", tombstone=True)
        missing = [line for line in range(self._lines) if line not in {entry.line for entry in standing}]
        if missing:
            return VendorCall("sb", "book", Arguments(slot=missing[0]), repeatable=False, line=missing[0])
        return Done("booked")

    def prepare(self, call: VendorCall, event: Envelope, booking: Booking) -> VendorCall | Outcome:
        return call

    def perform(self, call: VendorCall, event: Envelope, booking: Booking) -> Booking:
        answer = self._script.ask("call", call)
        if answer in (Kind.UNKNOWN, Kind.TRANSIENT):
            raise VendorFailure(answer, vendor="SimplyBook.me", method=call.method, message="no answer")
        if call.method == "cancel":
            gone = [
                replace(one, state=EntryState.CANCELLED, cancelled_by=event.id)
                if one.vendor_id == call.arguments["id"]
                else one
                for one in booking.entries
            ]
            return replace(booking, entries=tuple(gone))
        return replace(booking, entries=(*booking.entries, entry_of(answer, call.line, event.id)), cancelled=False)

    def resolve(self, call: VendorCall, event: Envelope) -> Dead | None:
        if self._script.ask("ask", call):
            return None
        return Dead(Reason.IN_DOUBT, "the slot is taken, perhaps by this very booking")


def entry_of(id_: str, line: int, made_by: str) -> Entry:
    return Entry(id_, line, made_by, EntryState.CONFIRMED, slot=str(line), account="sb")


@cache
def envelope_of(copy: Copy, lines: int) -> Envelope:
    kind, at = ("booking.requested", 0.0) if copy.event == "request" else ("booking.cancelled", 1.0)
    data = {"services": [{"service_id": str(line)} for line in range(lines)]} if copy.event == "request" else {}
    return event(copy.event, kind, at=at, generation=copy.generation, data=data)


@cache
def next_request(copy: Copy, answers: tuple[tuple[Any, int], ...], lines: int, tick: int) -> Request:
    """What a worker that took this message, and was answered so, asks next. answers: each with its time."""
    script = _Script(answers, tick)
    clock = Clock(now=script.now, monotonic=lambda: 0.0, sleep=_never, chance=lambda: 0.5)
    ledger = _Ledger(script)
    executor = Executor(
        _Handler(script, lines),
        ledger,
        worker="w",
        claim_seconds=SECONDS,
        ladder=LADDER,
        late_after=lambda _account: LATE_AFTER,
        clock=clock,
    )
    try:
        _deliver(executor, ledger, script, envelope_of(copy, lines), clock)
    except _Pause as pause:
        return pause.request
    return Request("ack")


def _deliver(executor: Executor, ledger: _Ledger, script: _Script, envelope: Envelope, clock: Clock) -> None:
    """As `workers.worker` does it: claim, work, plan, settle, publish."""
    received = executor.receive(Delivery(work_message(envelope, NOON), tag=1))
    assert isinstance(received, ReceivedDelivery)
    (claimed,) = executor.claim([received])
    ended = executor.plan(executor.work(claimed) if isinstance(claimed, ClaimedDelivery) else claimed)
    settlement = ended.settlement(clock)
    if settlement is not None and ledger.settle([settlement]):
        ended = executor.give_back(ended)
    if (sent := _sent(ended, envelope, clock)) is not None:
        script.ask("publish", sent)


def _sent(ended: EndedDelivery, envelope: Envelope, clock: Clock) -> str | None:
    onward = onward_message(ended, envelope.route, clock.now())
    if onward is None:
        return None
    return "letter" if onward[1].exchange == DEAD_EXCHANGE else "retry"


def _never(_seconds: float) -> NoReturn:
    raise AssertionError("nothing sleeps here")
