"""Moves dead letters from the dead queue into the ledger's archive, where people can list, replay and discard them.

A quorum queue cannot be browsed without burning its messages' delivery limit, so nobody else reads the dead queue.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, Protocol

from bellhop.broker import headers
from bellhop.broker.headers import trace_headers
from bellhop.broker.messages import cut_body
from bellhop.broker.port import Broker, Delivery, Message, QueueStats
from bellhop.broker.topology import DEAD_QUEUE
from bellhop.ledger.records import LetterFilter, LetterState, NewLetter, Pause, State, WaitingLetters
from bellhop.ledger.strays import Stray
from bellhop.letters.conservation import ConservationWatch
from bellhop.schemas.clock import SYSTEM_CLOCK, Clock, utc_now
from bellhop.schemas.envelope import decode, decode_recordable
from bellhop.schemas.errors import BrokerError, EnvelopeError, LedgerError
from bellhop.schemas.nesting import is_nested_too_deep
from bellhop.schemas.observe import Observe, silent
from bellhop.schemas.reasons import Reason
from bellhop.schemas.trace import UNTRACED, Received, Tracer
from bellhop.vendors.registry import ROUTES

BATCH: Final = 100
WAITING: Final = (LetterState.OPEN, LetterState.REPLAYING)
_TAKE_SECONDS: Final = 0.5
_BACK_OFF_SECONDS: Final = (0.5, 1, 2, 5, 10, 30)
_MEASURE_SECONDS: Final = 10.0
_PRUNE_SECONDS: Final = 86_400.0
ROUTE_CHARACTERS: Final = 200
NOTHING: Final[Mapping[str, Any]] = {}
BURIED: Final = "delivered again and again without an end: the broker buried it"
LOST: Final = "it came back for a route that has no queue: start a worker of a version that has the route, then replay"
SUSPECT_DELIVERIES: Final = 3
"""From so many on, what this process died over may be the message itself: it is archived alone, after the others."""


class ArchiveLetters(Protocol):
    def archive(self, letters: Sequence[NewLetter]) -> int: ...

    def count(self, which: LetterFilter) -> int: ...

    def waiting(self) -> Sequence[WaitingLetters]: ...


class ArchivePauses(Protocol):
    def all(self) -> Sequence[Pause]: ...


class ArchiveLedger(Protocol):
    """What the archiver needs of the ledger; every method may raise LedgerError, and has then changed nothing."""

    @property
    def letters(self) -> ArchiveLetters: ...

    @property
    def pauses(self) -> ArchivePauses: ...

    def strays(self, before: datetime) -> Sequence[Stray]: ...

    def count_unfinished(self) -> Mapping[tuple[str, State], int]: ...

    def prune(self) -> int: ...


class Archiver:
    """`run` belongs to one thread. Several processes may archive at once: each letter is stored once.

    queue: whose messages become letters. buried: what is told of those that no worker sent there.
    tell: is given what the broker itself buried, whose end no worker could tell to its source; it may raise BrokerError
    or LedgerError, and is then called again.
    """

    def __init__(
        self,
        broker: Broker,
        ledger: ArchiveLedger,
        observe: Observe = silent,
        *,
        queue: str = DEAD_QUEUE,
        buried: str = BURIED,
        tell: Callable[[Sequence[NewLetter]], None] = lambda _letters: None,
        tracer: Tracer = UNTRACED,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._broker = broker
        self._ledger = ledger
        self._observe = observe
        self._tell = tell
        self._tracer = tracer
        self._clock = clock
        self._buried = buried
        self._consumer = broker.consumer(queue, BATCH)
        self._held: list[Delivery] = []
        self._failures = 0
        self._try_at = clock.monotonic()
        self.problem: str | None = None

    @property
    def connected(self) -> bool:
        return self._consumer.connected

    def run(self, stop: threading.Event) -> None:
        """Archives until `stop` is set. What could not be archived goes back to the queue."""
        while not stop.is_set():
            self.step()
        self._consumer.close()

    def step(self) -> None:
        """Takes what is there, archives it, and acks it then. While the ledger is away it holds what it has, unacked,
        and keeps the broker's connection alive: giving back would count towards delivery limits of the broker."""
        room = 0 if self._failures else BATCH - len(self._held)
        self._held += self._consumer.take(room, _TAKE_SECONDS)
        if self._held and self._clock.monotonic() >= self._try_at:
            self._archive()

    def _archive(self) -> None:
        batch = _beyond_suspicion(self._held)
        letters = [letter_from_message(d.message, self._clock.now(), d.strange, self._buried) for d in batch]
        try:
            new = self._ledger.letters.archive(letters)
            if buried := [letter for letter in letters if letter.reason == Reason.DELIVERY_LIMIT]:
                self._tell(buried)
        except (BrokerError, LedgerError) as error:
            delay = _BACK_OFF_SECONDS[min(self._failures, len(_BACK_OFF_SECONDS) - 1)]
            self._failures += 1
            self._try_at = self._clock.monotonic() + delay
            self.problem = f"dead letters cannot be archived: {error}"
            self._observe("ledger.unavailable", where="archive", error=str(error), held=len(self._held))
            return
        done = {id(delivery) for delivery in batch}
        self._held = [delivery for delivery in self._held if id(delivery) not in done]
        self._failures, self.problem = 0, None
        self._consumer.ack(batch)  # only now: the commit has happened
        for delivery, letter in zip(batch, letters, strict=True):
            if self._tracer is UNTRACED:
                self._tell_archived(letter)
                continue
            with self._tracer.process(_traced_letter(delivery, letter)) as span:
                span.set("reason", letter.reason)
                self._tell_archived(letter)
        if new < len(letters):
            self._observe("letters.known", count=len(letters) - new)

    def _tell_archived(self, letter: NewLetter) -> None:
        self._observe(
            "letter.archived",
            reason=letter.reason,
            route=letter.route,
            account=letter.account,
            source=letter.source,
            id=letter.event_id or letter.message_id,
            generation=letter.generation,
        )


def _traced_letter(delivery: Delivery, letter: NewLetter) -> Received:
    """The letter for its event's trace. What could not be decoded has only the trace that stood beside it."""
    try:
        origin: Mapping[str, str] = decode(letter.body).trace
    except EnvelopeError:
        origin = {}
    message = delivery.message
    tags = {"route": letter.route, "account": letter.account, "source": letter.source, "id": letter.event_id}
    trace = trace_headers(message.headers) or origin
    return Received(DEAD_QUEUE, message.id, len(message.body), None, letter.attempts, trace, tags, origin)


def _beyond_suspicion(held: Sequence[Delivery]) -> Sequence[Delivery]:
    """What is archived together; where there is nothing else, one of those that this process may have died over, the
    least delivered first."""
    return [d for d in held if d.deliveries < SUSPECT_DELIVERIES] or [min(held, key=lambda d: d.deliveries)]


def keep_house(
    broker: Broker,
    ledger: ArchiveLedger,
    observe: Observe,
    stop: threading.Event,
    more: Callable[[], None] = lambda: None,
    clock: Clock = SYSTEM_CLOCK,
) -> None:
    """Measures every few seconds, `more` too, and prunes once a day, until `stop`. In a thread of its own: either may
    take longer than the broker leaves a consumer alone."""
    prune_at = clock.monotonic()
    watch = ConservationWatch(ledger, broker, observe, clock)
    while not stop.is_set():
        measure(broker, ledger, observe, clock.now)
        watch.look()
        more()
        if clock.monotonic() >= prune_at:
            prune_at = clock.monotonic() + _PRUNE_SECONDS
            try:
                observe("ledger.pruned", rows=ledger.prune())
            except LedgerError as error:
                observe("ledger.unavailable", where="prune", error=str(error))
        stop.wait(_MEASURE_SECONDS)


def measure(broker: Broker, ledger: ArchiveLedger, observe: Observe, now: Callable[[], datetime] = utc_now) -> None:
    """Tells the queues' and the archive's sizes, and what is unfinished. From here alone: workers and the ingress are
    many processes."""
    stats: Mapping[str, QueueStats | None]
    try:
        stats = broker.stats()
    except BrokerError as error:
        observe("queues.unmeasured", error=str(error))
        stats = dict.fromkeys((*ROUTES, "dead", "unroutable", "retry"))
    for queue, seen in stats.items():
        ready, in_flight, oldest = (seen.ready, seen.in_flight, seen.oldest_seconds) if seen else (None, None, None)
        observe("queue.measured", queue=queue, ready=ready, in_flight=in_flight, oldest_seconds=oldest)
    for state in WAITING:
        try:
            count: int | None = ledger.letters.count(LetterFilter(states=(state,)))
        except LedgerError:
            count = None
        observe("letters.counted", state=state.value, count=count)
    observe("letters.waiting", groups=_waiting_groups(ledger, now()))
    observe("events.unfinished", groups=_unfinished_groups(ledger))
    observe("routes.paused", groups=_pause_groups(ledger, now()))


def _waiting_groups(ledger: ArchiveLedger, now: datetime) -> list[dict[str, object]]:
    """What waits for a person by route, account and reason; nothing where it is not known."""
    try:
        groups = ledger.letters.waiting()
    except LedgerError:
        return []
    return [
        {
            "route": group.route,
            "account": group.account,
            "reason": group.reason,
            "count": group.count,
            "oldest_seconds": max(0.0, (now - group.oldest).total_seconds()),
            "start_seconds": None if group.soonest is None else max(0.0, (group.soonest - now).total_seconds()),
        }
        for group in groups
    ]


def _pause_groups(ledger: ArchiveLedger, now: datetime) -> list[dict[str, object]]:
    """Every route, and for how long people have held it; nothing where it is not known."""
    try:
        since = {pause.route: pause.since for pause in ledger.pauses.all()}
    except LedgerError:
        return []
    return [
        {"route": route, "seconds": max(0.0, (now - since[route]).total_seconds()) if route in since else 0}
        for route in ROUTES
    ]


def _unfinished_groups(ledger: ArchiveLedger) -> list[dict[str, object]]:
    """Every route and state, also those with none; nothing where it is not known."""
    try:
        counts = ledger.count_unfinished()
    except LedgerError:
        return []
    states = [state for state in State if state.unfinished]
    return [
        {"route": route, "state": state.value, "count": counts.get((route, state), 0)}
        for route in ROUTES
        for state in states
    ]


def letter_from_message(
    message: Message, now: datetime, strange: Mapping[str, Any] = NOTHING, buried: str = BURIED
) -> NewLetter:
    """The letter that a message of the dead queue is, whatever is in it. Raises nothing. strange: see Delivery. buried:
    what is told of it where no worker says what it died of."""
    told = message.headers
    error = str(told.get(headers.ERROR, ""))
    evidence = _evidence(told) | ({"message": dict(strange)} if strange else {})
    try:
        envelope = decode_recordable(message.body)
    except EnvelopeError as problem:
        return NewLetter(
            message_id=message.id,
            body=cut_body(message.body),
            route=str(told.get(headers.ROUTE, ""))[:ROUTE_CHARACTERS],
            reason=_reason(told, Reason.POISON),
            error=error or f"not an envelope: {problem}",
            evidence=evidence,
            attempts=_attempts(told),
            died=_death_time(told, now),
        )
    return NewLetter(
        message_id=message.id,
        body=message.body,
        route=envelope.route,
        reason=_reason(told, Reason.DELIVERY_LIMIT),
        error=error or ("" if headers.REASON in told else buried),
        evidence=evidence,
        attempts=_attempts(told),
        died=_death_time(told, now),
        source=envelope.source,
        event_id=envelope.id,
        type=envelope.type,
        subject=envelope.subject,
        account=envelope.account,
        generation=envelope.generation,
        not_after=envelope.not_after,
    )


def _reason(told: Mapping[str, Any], otherwise: Reason) -> str:
    """The header's, where it is one of ours; without a header, the broker itself buried the message."""
    return str(told[headers.REASON]) if told.get(headers.REASON) in list(Reason) else otherwise.value


def _evidence(told: Mapping[str, Any]) -> dict[str, Any]:
    text = str(told.get(headers.EVIDENCE, "{}"))
    if is_nested_too_deep(text.encode()):
        return {"unreadable": True}
    try:
        evidence = json.loads(text)
    except ValueError:
        return {"unreadable": True}
    return evidence if isinstance(evidence, dict) else {"evidence": evidence}


def _attempts(told: Mapping[str, Any]) -> int:
    count = told.get(headers.ATTEMPT, 0)
    # The archive's column holds 31 bits: a number beyond would keep the whole batch from being stored, for ever.
    return min(max(count, 0), 2**31 - 1) if isinstance(count, int) else 0


def _death_time(told: Mapping[str, Any], now: datetime) -> datetime:
    at = told.get(headers.DIED)
    try:
        return datetime.fromtimestamp(float(at), UTC) if isinstance(at, int | float) else now
    except (ValueError, OverflowError, OSError):
        return now
