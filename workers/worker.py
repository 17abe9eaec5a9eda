"""One route's consumer at work.

Three kinds of threads: the owner runs `run` (takes, claims, sends acks), the pool works one delivery each, or many
that wait for their vendor alone, and one settles what has ended, as many at once as have ended meanwhile.
"""

from __future__ import annotations

import math
import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import replace
from typing import Final, TypeVar

from bellhop.broker.headers import ROUTE, trace_headers
from bellhop.broker.port import Address, Consumer, Delivery, Message, Publisher
from bellhop.broker.topology import DELIVERY_LIMIT, WORK_EXCHANGE, work_queue
from bellhop.schemas.clock import SYSTEM_CLOCK, Clock
from bellhop.schemas.errors import BellhopError, BrokerError, LedgerUnavailable
from bellhop.schemas.observe import Observe, silent
from bellhop.schemas.trace import UNTRACED, Span, Tracer
from bellhop.workers.admission import Admission
from bellhop.workers.delivery import ClaimedDelivery, EndedDelivery, ReceivedDelivery, report_end
from bellhop.workers.executor import Executor
from bellhop.workers.lanes import Lanes
from bellhop.workers.messages import follow_up_messages, onward_message, result_messages
from bellhop.workers.pool import capacity_of
from bellhop.workers.ports import NoTurns, WorkLedger
from bellhop.workers.results import Results
from bellhop.workers.suspects import Room, Suspects
from bellhop.workers.threads import WorkThreads

SETTLE_AT_MOST: Final = 256
_TAKE_SECONDS: Final = 0.5
_PAUSE_SECONDS: Final = 0.5
_GATHER_SECONDS: Final = 0.008
"""From one commit of ends to the next: those who call vendors wait for Python's lock with each."""

Result = TypeVar("Result")


class ThreadEnded(BellhopError):
    """Raised when a thread that works or settles has died of an error nobody foresaw."""


class Worker:
    """`capacity` deliveries are held at once; lanes: what of them is whose. threads: how many one account may have at
    work, where others wait too; the pool has twice as many."""

    taken = 0

    def __init__(
        self,
        route: str,
        executor: Executor,
        consumer: Consumer,
        publisher: Publisher,
        ledger: WorkLedger,
        *,
        threads: int,
        drain_seconds: float,
        lanes: Lanes | None = None,
        paused: Callable[[], bool] = lambda: False,
        results: Results | None = None,
        room: Room | None = None,
        tracer: Tracer = UNTRACED,
        observe: Observe = silent,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self.paused = paused
        self.route = route
        self.consumer = consumer
        self.last_loop = clock.monotonic()
        self._executor = executor
        self._publisher = publisher
        self._ledger = ledger
        self._drain_seconds = drain_seconds
        self._results = results
        self._room = room or Room(DELIVERY_LIMIT)
        self._suspects = Suspects(self._room)
        self._tracer = tracer
        self._observe = observe
        self._clock = clock
        self.lanes = lanes or Lanes(threads, NoTurns(), clock)
        self.capacity = capacity_of(threads, self.lanes.share)
        self._admission = Admission(self.lanes, executor.starts_soon, clock)
        self._ended: queue.SimpleQueue[Sequence[EndedDelivery] | None] = queue.SimpleQueue()
        # When each was received, by id(delivery). Written by the owner and the settler, one step each: atomic.
        self._held: dict[int, float] = {}
        self._give_up = threading.Event()
        self._pool = WorkThreads(route, self.lanes, self._work, self._ended.put, observe)

    @property
    def in_flight(self) -> int:
        return len(self._held)

    @property
    def oldest_started(self) -> float | None:
        """Monotonic seconds at which the oldest delivery still held was received."""
        return min(list(self._held.values()), default=None)

    def run(self, stop: threading.Event) -> None:
        """Works until `stop`; then takes no more, lets running deliveries end for at most the drain time, and returns.

        Raises what nobody foresaw: the process must then end, and be started anew, for what a thread had that
        died, or was to settle, would be held for ever. All it held comes again.
        """
        settler = threading.Thread(target=self._settle_forever, name=f"{self.route}-settle", daemon=True)
        settler.start()
        self._suspects.join()
        self._observe("worker.started", route=self.route)
        waiting: list[ReceivedDelivery] = []
        while not stop.is_set():
            if self._pool.has_died or not settler.is_alive():
                raise ThreadEnded(f"a thread of {self.route} ended; its log line says why")
            is_held = self.paused()
            if is_held:
                self.consumer.rest()
            room = 0 if is_held else self.capacity - self.in_flight
            deliveries = self.consumer.take(room, self._suspects.silence(self.consumer) or _TAKE_SECONDS)
            self.taken += len(deliveries)
            self.last_loop = self._clock.monotonic()
            waiting += self._admit(self._receive(deliveries))
            if waiting:
                waiting = self._begin(waiting)
            if (suspect := self._suspects.next()) is not None:
                self._begin_suspect(suspect)
        self._drain(waiting, settler)
        self._observe("worker.stopped", route=self.route, in_flight=self.in_flight)

    # --- the owner's thread -------------------------------------------------------------------------------------

    def _receive(self, deliveries: Sequence[Delivery]) -> list[ReceivedDelivery]:
        """Those that can be read; the others have ended already, or wait for their turn to be worked alone."""
        fresh, suspects = self._suspects.split(deliveries)
        now = self._clock.monotonic()
        self._held |= {id(delivery): now for delivery in deliveries}
        for delivery, outcome in suspects:
            self._ended.put([EndedDelivery(delivery, now, outcome)])
        return self._decode(fresh)

    def _admit(self, received: Sequence[ReceivedDelivery]) -> list[ReceivedDelivery]:
        """Those that begin; the others go to their lane."""
        begun, sent = self._admission.sort(received)
        if sent:
            self._ended.put(sent)
        return begun

    def _begin_suspect(self, suspect: Delivery) -> None:
        """Only now its body is looked at: a worker may have died of that."""
        self._suspects.begin()
        received = self._decode([suspect])
        self._admission.admit(received)
        if self._begin(received):
            self._suspects.postpone()

    def _decode(self, deliveries: Sequence[Delivery]) -> list[ReceivedDelivery]:
        readable = []
        for delivery in deliveries:
            received = self._executor.receive(delivery)
            self._held[id(delivery)] = received.started
            if isinstance(received, EndedDelivery):
                self._ended.put([received])
            else:
                readable.append(received)
        return readable

    def _begin(self, received: list[ReceivedDelivery]) -> list[ReceivedDelivery]:
        """Claims them and hands them on; gives back those that must wait because the ledger is away."""
        try:
            answered = self._executor.claim(received)
        except LedgerUnavailable as error:
            self._observe("ledger.unavailable", route=self.route, where="claim", error=str(error))
            self._give_up.wait(_PAUSE_SECONDS)
            return received
        if ended := [one for one in answered if isinstance(one, EndedDelivery)]:
            self._ended.put(ended)
        self.lanes.put([one for one in answered if isinstance(one, ClaimedDelivery)])
        self._pool.grow(self.in_flight)
        return []

    def _work(self, claimed: ClaimedDelivery) -> EndedDelivery:
        with self._room.place(claimed.delivery):
            return self._executor.work(claimed)

    def _drain(self, waiting: Sequence[ReceivedDelivery], settler: threading.Thread) -> None:
        """Ends what runs; what was never claimed goes back to the queue when the consumer closes."""
        for delivery in (*(received.delivery for received in waiting), *self._suspects.unbegun):
            self._held.pop(id(delivery), None)
        deadline = self._clock.monotonic() + self._drain_seconds
        while self._held and self._clock.monotonic() < deadline:
            self.consumer.take(0, 0.1)
            self.last_loop = self._clock.monotonic()
        self._give_up.set()
        self.lanes.close()
        self._ended.put(None)
        settler.join(timeout=5)
        self.consumer.close()

    # --- the settler's thread -----------------------------------------------------------------------------------

    def _settle_forever(self) -> None:
        ending, began = False, -math.inf
        while not ending:
            batch: list[EndedDelivery] = []
            ended = self._ended.get()
            if (left := began + _GATHER_SECONDS - self._clock.monotonic()) > 0:
                self._clock.sleep(left)
            began = self._clock.monotonic()
            while True:
                if ended is None:
                    ending = True
                else:
                    batch += ended
                try:
                    if ending or len(batch) >= SETTLE_AT_MOST:
                        break
                    ended = self._ended.get_nowait()
                except queue.Empty:
                    break
            if batch:
                self._settle(batch)

    def _settle(self, batch: list[EndedDelivery]) -> None:
        """Commit, then publish with confirms, then ack. Each is tried until it holds; dying between is harmless."""
        # First what follows from them: recorded as done, and then dead, a delivery would never tell it again.
        if not self._publish([sent for ended in batch for sent in follow_up_messages(ended, self._clock.now())]):
            return
        batch = [self._executor.plan(ended) for ended in batch]
        settlements = [one for ended in batch if (one := ended.settlement(self._clock)) is not None]
        if settlements:
            lost = self._until_it_holds(lambda: self._ledger.settle(settlements), "settle")
            if lost is None:
                return
            if lost:
                batch = [self._executor.give_back(e) if e.claim and e.claim.event_pk in lost else e for e in batch]
        if not self._send_on(batch):
            return
        for ended in batch:
            report_end(ended, self._observe, self._clock)
        for ended in batch:
            self._held.pop(id(ended.delivery), None)
            self.lanes.let_go(ended.delivery)
            self._suspects.leave(ended.delivery)
        self.consumer.ack([ended.delivery for ended in batch])

    def _send_on(self, batch: Sequence[EndedDelivery]) -> bool:
        """Publishes retries, dead letters and results. False: gave up, and nothing may be acked."""
        results = self._until_it_holds(lambda: self._results_of(batch), "results")
        if results is None:
            return False
        onward = [sent for ended in batch if (sent := onward_message(ended, self.route, self._clock.now()))]
        # Results first: once its letter is out, a person may close it, and what is closed is told no more.
        return self._publish(results) and self._publish(onward)

    def _results_of(self, batch: Sequence[EndedDelivery]) -> list[tuple[Message, Address]]:
        if self._results is None:
            return []
        return result_messages(map(self._results.of, batch), self._clock.now())

    def _publish(self, open_: list[tuple[Message, Address]]) -> bool:
        """Until all are confirmed. False: gave up."""
        while open_:
            awaited = [self._hand_over(message, to) for message, to in open_]
            failed = []
            for sent, (future, span) in zip(open_, awaited, strict=True):
                try:
                    future.result()
                except BrokerError as error:
                    failed.append(sent)
                    span.status("unavailable")
                    self._observe("publish.failed", route=self.route, to=sent[1].exchange, error=str(error))
                span.end()
            open_ = failed
            if open_ and self._give_up.wait(_PAUSE_SECONDS):
                return False
        return True

    def _hand_over(self, message: Message, to: Address) -> tuple[Future[None], Span]:
        """The confirm that is awaited, and the span that lasts until then."""
        source, _, id_ = message.id.partition("/")
        tags = {"route": str(message.headers.get(ROUTE, "")), "source": source, "id": id_}
        queue_ = work_queue(to.routing_key) if to.exchange == WORK_EXCHANGE else to.exchange
        span = self._tracer.publish(queue_, message.id, tags, trace_headers(message.headers))
        span.set("messaging.message.body.size", len(message.body))
        if span.carried:
            message = replace(message, headers={**message.headers, **span.carried})
        return self._publisher.publish(message, to), span

    def _until_it_holds(self, act: Callable[[], Result], where: str) -> Result | None:
        """`act`'s result, tried until the ledger is there; None where the drain time ran out first."""
        while True:
            try:
                return act()
            except LedgerUnavailable as error:
                self._observe("ledger.unavailable", route=self.route, where=where, error=str(error))
                if self._give_up.wait(_PAUSE_SECONDS):
                    return None
