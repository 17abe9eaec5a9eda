"""One route's consumer at work.

Three kinds of threads: the owner runs `run` (takes, claims, sends acks), the pool works one job each, and one
settles what has ended, as many at once as have ended meanwhile.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import replace
from datetime import datetime
from typing import Final, TypeVar

from bellhop.broker.headers import ROUTE, traced
from bellhop.broker.port import Address, Consumer, Delivery, Message, Publisher
from bellhop.broker.topology import DELIVERY_LIMIT, WORK_EXCHANGE, work_queue
from bellhop.schemas.clock import utc_now
from bellhop.schemas.errors import BellhopError, BrokerError, LedgerUnavailable
from bellhop.schemas.observe import Observe, silent
from bellhop.schemas.reasons import Reason
from bellhop.schemas.trace import UNTRACED, Span, Tracer
from bellhop.vendors.outcome import Dead, Outcome, Wait
from bellhop.workers.executor import Executor
from bellhop.workers.job import Job
from bellhop.workers.onward import following, onward, telling
from bellhop.workers.ports import WorkLedger
from bellhop.workers.results import Results
from bellhop.workers.suspects import Suspects, deaths_of

SETTLE_AT_MOST: Final = 256
_TAKE_SECONDS: Final = 0.5
_PAUSE_SECONDS: Final = 0.5

Result = TypeVar("Result")


class SettlerEnded(BellhopError):
    """Raised when the thread that settles has died of an error nobody foresaw."""


class Worker:
    """`capacity` deliveries are held at once, twice the threads: one half works while the other settles."""

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
        paused: Callable[[], bool] = lambda: False,
        results: Results | None = None,
        suspects: Suspects | None = None,
        tracer: Tracer = UNTRACED,
        observe: Observe = silent,
        now: Callable[[], datetime] = utc_now,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.paused = paused
        self.route = route
        self.consumer = consumer
        self.capacity = capacity_of(threads)
        self.taken = 0
        self.last_loop = monotonic()
        self._executor = executor
        self._publisher = publisher
        self._ledger = ledger
        self._drain_seconds = drain_seconds
        self._results = results
        self._suspects = suspects or Suspects(DELIVERY_LIMIT)
        self._suspect: Job | None = None  # the one this worker has, from its receipt to its ack
        self._begun = False
        self._tracer = tracer
        self._observe = observe
        self._now = now
        self._monotonic = monotonic
        self._threads = threads
        self._claimed: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._finished: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._held: dict[int, Job] = {}  # by id(job); written by the owner and the settler, one step each: atomic
        self._give_up = threading.Event()

    @property
    def in_flight(self) -> int:
        return len(self._held)

    @property
    def oldest_started(self) -> float | None:
        """Monotonic seconds at which the oldest job still held was received."""
        return min((job.started for job in list(self._held.values())), default=None)

    def run(self, stop: threading.Event) -> None:
        """Works until `stop`; then takes no more, lets running jobs end for at most the drain time, and returns.

        Raises what nobody foresaw: the process must then end, and be started anew, for a worker without its settler
        would hold deliveries for ever. All it held comes again.
        """
        pool = [threading.Thread(target=self._work_forever, name=f"{self.route}-work") for _ in range(self._threads)]
        for thread in pool:
            # Daemons: a call that outlives the drain time must not keep the process. It is in the ledger as `calling`.
            thread.daemon = True
            thread.start()
        settler = threading.Thread(target=self._settle_forever, name=f"{self.route}-settle", daemon=True)
        settler.start()
        self._observe("worker.started", route=self.route)
        waiting: list[Job] = []
        while not stop.is_set():
            if not settler.is_alive():
                raise SettlerEnded(f"the settling thread of {self.route} ended; its log line says why")
            is_held = self.paused()
            if is_held:
                self.consumer.rest()
            room = 0 if is_held else self.capacity - self.in_flight
            deliveries = self.consumer.take(room, _TAKE_SECONDS)
            self.taken += len(deliveries)
            self.last_loop = self._monotonic()
            waiting += self._receive(deliveries)
            if waiting:
                waiting = self._begin(waiting)
            self._begin_suspect()
        self._drain(waiting, settler)
        self._observe("worker.stopped", route=self.route, in_flight=self.in_flight)

    # --- the owner's thread -------------------------------------------------------------------------------------

    def _receive(self, deliveries: Sequence[Delivery]) -> list[Job]:
        """Those to be claimed; suspects are put aside, and all but one sent on."""
        fresh = [delivery for delivery in deliveries if deaths_of(delivery) < self._suspects.deaths]
        suspects = [delivery for delivery in deliveries if deaths_of(delivery) >= self._suspects.deaths]
        jobs = [self._executor.receive(delivery) for delivery in fresh]
        for job in jobs:
            self._held[id(job)] = job
        for delivery in sorted(suspects, key=deaths_of):  # the one least often died over goes first
            self._put_aside(delivery)
        return jobs

    def _put_aside(self, delivery: Delivery) -> None:
        """A suspect: this worker's own until it is its turn, or to be sent on."""
        self._suspects.received(delivery)
        deaths = deaths_of(delivery)
        outcome: Outcome | None = Wait("workers died with it: it is worked alone, later")
        if deaths >= self._suspects.limit:
            text = f"the workers that had it died {deaths} times, at last with nothing else at work"
            outcome = Dead(Reason.DELIVERY_LIMIT, text)
        elif self._suspect is None and self._suspects.enter():
            outcome = None
        job = self._executor.put_aside(delivery, outcome)
        self._held[id(job)] = job
        if outcome is None:
            self._suspect = job
        else:
            self._finished.put(job)

    def _begin_suspect(self) -> None:
        """Begins the suspect once every other is sent on: a death over this one must not count for them."""
        suspect = self._suspect
        if suspect is None or self._begun or not self._suspects.may_begin():
            return
        if suspect.envelope is None and suspect.outcome is None:
            put_aside, suspect = suspect, self._executor.receive(suspect.delivery)
            self._suspect = self._held[id(suspect)] = suspect
            del self._held[id(put_aside)]
        self._begun = True
        self._begun = not self._begin([suspect])

    def _begin(self, jobs: list[Job]) -> list[Job]:
        """Claims `jobs` and hands them on; gives back those that must wait because the ledger is away."""
        try:
            self._executor.claim(jobs)
        except LedgerUnavailable as error:
            self._observe("ledger.unavailable", route=self.route, where="claim", error=str(error))
            self._give_up.wait(_PAUSE_SECONDS)
            return jobs
        for job in jobs:
            (self._claimed if job.outcome is None else self._finished).put(job)
        return []

    def _work_forever(self) -> None:
        """A thread of the pool. A queue and not an executor: nobody waits for the futures it would make."""
        while (job := self._claimed.get()) is not None:
            with self._suspects.place(job.deaths):
                self._executor.work(job)
            self._finished.put(job)

    def _drain(self, waiting: Sequence[Job], settler: threading.Thread) -> None:
        """Ends what runs; what was never claimed goes back to the queue when the consumer closes."""
        for job in waiting:
            self._held.pop(id(job), None)
        if self._suspect is not None and not self._begun:
            self._held.pop(id(self._suspect), None)
        deadline = self._monotonic() + self._drain_seconds
        while self._held and self._monotonic() < deadline:
            self.consumer.take(0, 0.1)
            self.last_loop = self._monotonic()
        self._give_up.set()
        for _ in range(self._threads):
            self._claimed.put(None)
        self._finished.put(None)
        settler.join(timeout=5)
        self.consumer.close()

    # --- the settler's thread -----------------------------------------------------------------------------------

    def _settle_forever(self) -> None:
        ending = False
        while not ending:
            batch: list[Job] = []
            job = self._finished.get()
            while True:
                if job is None:
                    ending = True
                else:
                    batch.append(job)
                try:
                    if ending or len(batch) >= SETTLE_AT_MOST:
                        break
                    job = self._finished.get_nowait()
                except queue.Empty:
                    break
            if batch:
                self._settle(batch)

    def _settle(self, jobs: list[Job]) -> None:
        """Commit, then publish with confirms, then ack. Each is tried until it holds; dying between is harmless."""
        # First what follows from them: recorded as done, and then dead, a job would never tell it again.
        if not self._publish([sent for job in jobs for sent in following(job, self._now())]):
            return
        delays = {id(job): self._executor.plan(job) for job in jobs}
        settlements = {id(job): self._executor.settlement(job, delays[id(job)]) for job in jobs}
        to_record = [s for s in settlements.values() if s is not None]
        lost: list[int] | None = []
        if to_record:
            lost = self._until_it_holds(lambda: self._ledger.settle(to_record), "settle")
            if lost is None:
                return
        for job in jobs:
            if lost and job.claimed is not None and job.claimed.event_pk in lost:
                delays[id(job)] = self._executor.lost(job)
        if not self._send_on(jobs, delays):
            return
        for job in jobs:
            self._executor.tell(job, delays[id(job)])
        for job in jobs:
            self._held.pop(id(job), None)
            if job.deaths >= self._suspects.deaths:
                self._suspects.settled()
            if job is self._suspect:
                self._suspect, self._begun = None, False
                self._suspects.leave()
        self.consumer.ack([job.delivery for job in jobs])

    def _send_on(self, jobs: Sequence[Job], delays: dict[int, float | None]) -> bool:
        """Publishes retries, dead letters and results. False: gave up, and nothing may be acked."""
        told = self._until_it_holds(lambda: self._told(jobs), "results")
        if told is None:
            return False
        sent = [s for job in jobs if (s := onward(job, self.route, delays[id(job)], self._now()))]
        # Results first: once its letter is out, a person may close it, and what is closed is told no more.
        return self._publish(told) and self._publish(sent)

    def _told(self, jobs: Sequence[Job]) -> list[tuple[Message, Address]]:
        if self._results is None:
            return []
        return telling(map(self._results.of, jobs), self._now())

    def _publish(self, open_: list[tuple[Message, Address]]) -> bool:
        """Until all are confirmed. False: gave up."""
        while open_:
            handed = [self._hand_over(message, to) for message, to in open_]
            failed = []
            for sent, (future, span) in zip(open_, handed, strict=True):
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
        span = self._tracer.publish(queue_, message.id, tags, traced(message.headers))
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


def capacity_of(threads: int) -> int:
    """How many deliveries a worker of so many threads holds; also the consumer's prefetch."""
    return 2 * threads
