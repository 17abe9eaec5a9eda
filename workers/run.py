"""Composes the workers of one process and runs them until they are told to stop."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import wait
from dataclasses import dataclass
from typing import Final, Protocol

from bellhop.broker.port import Broker, QueueStats
from bellhop.broker.topology import work_queue
from bellhop.ledger.store import Ledger
from bellhop.schemas.clock import utc_now
from bellhop.schemas.errors import BellhopError, BrokerError
from bellhop.schemas.observe import Observe, silent, where
from bellhop.schemas.process import own_name
from bellhop.schemas.redact import Redactor
from bellhop.schemas.results import RESULTS_ROUTE
from bellhop.schemas.routes import PULLS_ROUTE
from bellhop.schemas.settings import Settings
from bellhop.schemas.trace import UNTRACED, Tracer
from bellhop.vendors.handler import AsksAhead, Handler, shares_threads
from bellhop.vendors.handlers import handlers
from bellhop.vendors.http import HttpClient
from bellhop.vendors.kept_answers import on_a_thread
from bellhop.vendors.outward import ENOUGH_BYTES, outward
from bellhop.vendors.registry import BOOKINGS_ROUTES
from bellhop.vendors.scheduler import Scheduler
from bellhop.workers.elsewhere import BookingsElsewhere
from bellhop.workers.executor import Executor
from bellhop.workers.gate import AccountGate
from bellhop.workers.held_accounts import held_accounts
from bellhop.workers.lanes import Lanes
from bellhop.workers.pauses import PausedRoutes
from bellhop.workers.pool import capacity_of, pool_size, share_of
from bellhop.workers.ports import Turns
from bellhop.workers.precedence import Precedence, Rank
from bellhop.workers.questions import harmless_questions
from bellhop.workers.receivers import Places
from bellhop.workers.result_posts import ResultPosts
from bellhop.workers.results import Results
from bellhop.workers.suspects import Room
from bellhop.workers.watchdog import Sight, Watchdog
from bellhop.workers.worker import Worker

_LOOK_SECONDS: Final = 2.0
_AHEAD_SECONDS: Final = 5.0
_FAREWELL_SECONDS: Final = 10.0
"""For what was at work when the drain time was over to be settled, and for acks."""


class HealthChecks(Protocol):
    """Where readiness is told. `problem` gives a sentence, or None while all is well."""

    def check(self, name: str, problem: Callable[[], str | None]) -> None: ...


class WorkersLate(BellhopError):
    """Raised where workers have not ended: the process must, for what they have to come again."""


@dataclass(frozen=True, slots=True)
class RouteWorker:
    """Who works a route: its handler, and the gate before its calls."""

    handler: Handler
    gate: Turns


def posts(
    settings: Settings, ledger: Ledger, observe: Observe = silent, tracer: Tracer = UNTRACED
) -> Mapping[str, RouteWorker]:
    """One for each route. Bookings may use all of an account's calls of the day; the others leave some to them."""
    http = HttpClient(pool_size=pool_size(settings.work.threads), redactor=Redactor(settings.secrets), tracer=tracer)
    questions = harmless_questions(settings, http, ledger)
    first, last = (
        AccountGate(ledger.accounts, settings.accounts, last=is_last, questions=questions, observe=observe)
        for is_last in (False, True)
    )

    def gate(route: str) -> AccountGate:
        return first if route in BOOKINGS_ROUTES else last

    made = handlers(settings, http=http, gates=gate, ledger=ledger, observe=observe, now=utc_now)
    return {
        **{route: RouteWorker(handler, gate(route)) for route, handler in made.items()},
        RESULTS_ROUTE: _result_posts(settings, observe, tracer),
    }


def _result_posts(settings: Settings, observe: Observe, tracer: Tracer) -> RouteWorker:
    threads = settings.work.threads
    http = HttpClient(
        pool_size=threads,
        redactor=Redactor(settings.secrets),
        tracer=tracer,
        connections=outward(threads),
        enough_bytes=ENOUGH_BYTES,
    )
    places = Places(threads, len(settings.told), observe)
    return RouteWorker(ResultPosts(settings.sources, http, places, utc_now), places)


def run_workers(
    settings: Settings,
    routes: Sequence[str],
    *,
    broker: Broker,
    ledger: Ledger,
    observe: Observe,
    health: HealthChecks,
    stop: threading.Event,
    tracer: Tracer = UNTRACED,
) -> None:
    """Works `routes` until `stop` is set, then drains. Raises BrokerError where the queues cannot be declared.

    A worker that dies of an error nobody foresaw stops the others too; its error is raised, for the process to end
    and be started anew: one that lives on without one of its routes would let that queue grow unseen.
    Raises WorkersLate where one has not ended by the drain time, and what it takes to settle and to say goodbye.
    """
    asked = threading.Event()
    health.check("vendors", lambda: None if asked.is_set() else "they are asked for their rules")
    ledger.floods.limits = {name: source.flood for name, source in settings.sources.items()}
    broker.declare()
    publisher = broker.publisher()
    pauses = PausedRoutes(ledger.pauses, observe)
    by_route = posts(settings, ledger, observe, tracer)
    results = Results(settings.told, ledger, utc_now)
    room = Room(settings.broker.delivery_limit)
    name = own_name()
    precedence = Precedence()
    elsewhere = BookingsElsewhere(routes, ledger.parts, pauses.routes, utc_now)
    lanes = _lanes(settings, by_route, routes, precedence)
    workers = [
        Worker(
            route,
            Executor(
                by_route[route].handler,
                ledger,
                worker=name,
                claim_seconds=settings.work.claim_seconds,
                ladder=settings.broker.ladder,
                late_after=lambda name: settings.accounts[name].late_after if name in settings.accounts else 0.0,
                turns=by_route[route].gate,
                observe=observe,
                tracer=tracer,
            ),
            broker.consumer(work_queue(route), capacity_of(settings.work.threads, lanes[route].share), lanes[route]),
            publisher,
            ledger,
            threads=settings.work.threads,
            drain_seconds=settings.work.drain_seconds,
            lanes=lanes[route],
            paused=lambda route=route: route in pauses.routes(),  # type: ignore[misc]
            results=results,
            room=room,
            tracer=tracer,
            observe=observe,
        )
        for route in routes
    ]
    _ask_ahead(by_route[route].handler for route in routes)
    asked.set()
    watch = threading.Thread(
        target=_watch,
        args=(workers, settings, broker),
        kwargs={
            "see": lambda stats: precedence.note_elsewhere(elsewhere.look(stats)),
            "observe": observe,
            "health": health,
            "stop": stop,
        },
        daemon=True,
    )
    watch.start()
    held = held_accounts(settings, ledger, broker.hasten, observe, frozenset(routes))
    threading.Thread(target=held.run, args=(stop,), name="held accounts", daemon=True).start()
    if PULLS_ROUTE in routes:
        scheduler = Scheduler(settings.accounts, publisher, observe=observe)
        threading.Thread(target=scheduler.run, args=(stop,), name="scheduler", daemon=True).start()
    died: list[Exception] = []

    def work(worker: Worker) -> None:
        try:
            worker.run(stop)
        except Exception as error:  # noqa: BLE001  # raised below, by the thread that can end the process
            observe("worker.crashed", route=worker.route, error=type(error).__name__, where=where(error))
            died.append(error)
            stop.set()

    # Daemons: one that waits for a ledger that neither answers nor hangs up must not keep the process.
    threads = [threading.Thread(target=work, args=(worker,), name=worker.route, daemon=True) for worker in workers]
    for thread in threads:
        thread.start()
    stop.wait()
    deadline = time.monotonic() + settings.work.drain_seconds + _FAREWELL_SECONDS
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    publisher.close()
    if died:
        raise died[0]
    if late := [thread.name for thread in threads if thread.is_alive()]:
        raise WorkersLate(f"{', '.join(late)}: still waiting for the ledger or the broker after the drain time")


def _lanes(
    settings: Settings, by_route: Mapping[str, RouteWorker], routes: Sequence[str], precedence: Precedence
) -> Mapping[str, Lanes]:
    ranks = {route: Rank.BOOKING if route in BOOKINGS_ROUTES else Rank.OTHER for route in routes}
    return {
        route: Lanes(
            settings.work.threads,
            by_route[route].gate,
            rank=ranks[route],
            precedence=precedence,
            share=share_of(settings.work.threads) if shares_threads(by_route[route].handler) else 1,
        )
        for route in routes
    }


def _ask_ahead(handlers: Iterable[Handler]) -> None:
    """Events are taken once their handlers have asked ahead, or after seconds: those of other accounts do not wait for
    a vendor that is slow or away."""
    deadline = time.monotonic() + _AHEAD_SECONDS
    asked = [on_a_thread(one.ask_ahead) for one in handlers if isinstance(one, AsksAhead)]
    wait(asked, max(0.0, deadline - time.monotonic()))


def _watch(
    workers: Sequence[Worker],
    settings: Settings,
    broker: Broker,
    *,
    see: Callable[[Mapping[str, QueueStats]], None],
    observe: Observe,
    health: HealthChecks,
    stop: threading.Event,
) -> None:
    """see: is shown the broker's figures, none while it is away."""
    # A job may log in, call and confirm: several calls, each within the claim's time.
    job_seconds = 3 * settings.work.claim_seconds
    dogs = {w.route: Watchdog(settings.work.stall_seconds, job_seconds, time.monotonic) for w in workers}
    for route, dog in dogs.items():
        health.check(route, lambda dog=dog: dog.problem)  # type: ignore[misc]
    while not stop.wait(_LOOK_SECONDS):
        try:
            stats = broker.stats()
        except BrokerError:
            stats = {}
        see(stats)
        for worker in workers:
            # Of a route that people hold, messages may wait as long as they like.
            known = worker.route in stats and not worker.paused()
            ready = _ready(worker, stats[worker.route]) if known else None
            _look(worker, dogs[worker.route], ready, observe)


def _ready(worker: Worker, stats: QueueStats) -> int:
    """What waits and might be taken now: an account's that is held, or has all it may have in hand, rightly waits."""
    return sum(count for lane, count in stats.lanes.items() if worker.lanes.room(lane, 0) > 0)


def _look(worker: Worker, dog: Watchdog, ready: int | None, observe: Observe) -> None:
    before = dog.problem
    sight = Sight(
        last_loop=worker.last_loop,
        connected=worker.consumer.connected,
        taken=worker.taken,
        in_flight=worker.in_flight,
        capacity=worker.capacity,
        oldest_started=worker.oldest_started,
        ready=ready,
    )
    problem = dog.look(sight)
    if problem and not before:
        observe("worker.stalled", route=worker.route, problem=problem)
    if before and not problem:
        observe("worker.recovered", route=worker.route)
    oldest = sight.oldest_started
    observe(
        "worker.measured",
        route=worker.route,
        in_flight=sight.in_flight,
        capacity=sight.capacity,
        oldest_seconds=0.0 if oldest is None else max(0.0, time.monotonic() - oldest),
        connected=int(sight.connected),
        stalled=int(problem is not None),
    )
