"""Trends: the numbers behind the overview's charts.

A beat every few seconds, kept in a ring for ten minutes. It lives in this process alone and begins anew with it.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from statistics import quantiles
from typing import Any, Final

from bellhop.broker.port import QueueStats
from bellhop.console.filters import AWAY_BROKER, AWAY_LEDGER
from bellhop.ledger.records import LetterFilter, LetterState, State
from bellhop.letters.attention import check_queues
from bellhop.letters.conservation import StatsBroker
from bellhop.letters.needs import BrokerCheck
from bellhop.schemas.errors import BellhopError, LedgerError
from bellhop.schemas.observe import Observe, where
from bellhop.vendors.registry import ROUTES

BEAT_SECONDS: Final = 5.0
BEATS: Final = 120

_ENDED_WELL: Final = (State.DONE, State.RECORDED, State.SUPERSEDED, State.DUPLICATE)
_NEAR: Final = 12
"""Beats that rates are told over: a minute."""


@dataclass(frozen=True, slots=True)
class RouteBeat:
    """One route at one moment. well and dead: events that ended since the beat before, came: those that came. Rates are
    these over `seconds`. p95: of the way from webhook to end, in seconds, None where nothing ended."""

    ready: int = 0
    in_flight: int = 0
    oldest: float | None = None
    unfinished: int = 0
    came: int = 0
    well: int = 0
    dead: int = 0
    p95: float | None = None


@dataclass(frozen=True, slots=True)
class Beat:
    at: datetime
    seconds: float
    routes: Mapping[str, RouteBeat]
    retry: int = 0
    unroutable: int = 0


@dataclass(frozen=True, slots=True)
class RouteTrend:
    """A route's ring, the oldest first, and what it comes to. Rates are events a second over the last minute; success
    is a share of 1, None where nothing has ended; shares are its course over a minute, without beats before which
    nothing ended."""

    route: str
    now: RouteBeat
    depth: Sequence[float]
    oldest: Sequence[float]
    came: Sequence[float]
    ended: Sequence[float]
    shares: Sequence[float]
    latency: Sequence[float]
    in_rate: float
    out_rate: float
    success: float | None
    p95: float | None


@dataclass(slots=True)
class _Told:
    beats: deque[Beat] = field(default_factory=lambda: deque(maxlen=BEATS))
    problem: str = ""
    open_letters: int = 0
    broker: BrokerCheck = field(default_factory=BrokerCheck)


class Pulse:
    """`beat` belongs to one thread; the rest may be called from any."""

    def __init__(self, broker: StatsBroker, ledger: Any, observe: Observe, now: Callable[[], datetime]) -> None:
        self._broker = broker
        self._ledger = ledger
        self._observe = observe
        self._now = now
        self._told = _Told()
        self._lock = threading.Lock()
        self._last: tuple[datetime, Mapping[str, int]] | None = None

    def start(self, stop: threading.Event) -> None:
        threading.Thread(target=self._run, args=(stop,), name="pulse", daemon=True).start()

    def _run(self, stop: threading.Event) -> None:
        while True:
            try:
                self.beat()
            except Exception as error:  # noqa: BLE001  # the charts must not end for one odd answer
                self._observe("thread.crashed", thread="pulse", error=type(error).__name__, where=where(error))
            if stop.wait(BEAT_SECONDS):
                return

    def beat(self) -> None:
        """Measures once. What is away is told by `problem`, and leaves a gap."""
        try:
            beat, broker = self._measure()
            letters = self._ledger.letters.count(LetterFilter(states=(LetterState.OPEN,)))
        except BellhopError as error:
            is_ledger = isinstance(error, LedgerError)
            away, hint = ("ledger", AWAY_LEDGER) if is_ledger else ("broker", AWAY_BROKER)
            with self._lock:
                self._told.problem = f"The {away} cannot be reached: {error}. {hint}"
                if not is_ledger:
                    self._told.broker = BrokerCheck(problem=str(error))
            self._last = None
            return
        with self._lock:
            self._told.beats.append(beat)
            self._told.problem, self._told.open_letters, self._told.broker = "", letters, broker

    def _measure(self) -> tuple[Beat, BrokerCheck]:
        now = self._now()
        stats = self._broker.stats()
        unfinished = self._ledger.count_unfinished()
        outstanding = {
            route: _ready(stats, route) + sum(n for (name, _), n in unfinished.items() if name == route)
            for route in ROUTES
        }
        since, before = self._last or (now, outstanding)
        self._last = (now, outstanding)
        seconds = (now - since).total_seconds()
        ends = self._ledger.recent_ends(since) if seconds > 0 else {}
        took = self._ledger.recent_seconds(since) if seconds > 0 else {}
        routes = {}
        for route in ROUTES:
            well = sum(ends.get((route, state), 0) for state in _ENDED_WELL)
            dead = ends.get((route, State.DEAD), 0)
            queue = stats.get(route)
            routes[route] = RouteBeat(
                ready=_ready(stats, route),
                in_flight=(queue.in_flight or 0) if queue else 0,
                oldest=queue.oldest_seconds if queue else None,
                unfinished=sum(n for (name, _), n in unfinished.items() if name == route),
                came=max(0, outstanding[route] - before[route] + well + dead),
                well=well,
                dead=dead,
                p95=_p95(took.get(route, ())),
            )
        beat = Beat(now, seconds, routes, _ready(stats, "retry"), _ready(stats, "unroutable"))
        return beat, check_queues(stats)

    # --- reading ------------------------------------------------------------------------------------------------

    @property
    def problem(self) -> str:
        """What is away, "" where nothing is."""
        with self._lock:
            return self._told.problem

    @property
    def broker(self) -> BrokerCheck:
        """What the queues told last; nothing before the first beat."""
        with self._lock:
            return self._told.broker

    @property
    def open_letters(self) -> int:
        with self._lock:
            return self._told.open_letters

    @property
    def last(self) -> Beat | None:
        with self._lock:
            return self._told.beats[-1] if self._told.beats else None

    def trends(self) -> list[RouteTrend]:
        """Every route's; empty before the first beat."""
        with self._lock:
            beats = list(self._told.beats)
        return [_trend(route, beats) for route in ROUTES] if beats else []


def _trend(route: str, beats: Sequence[Beat]) -> RouteTrend:
    of_route = [(beat.routes[route], beat.seconds) for beat in beats]
    near = of_route[-_NEAR:]
    seconds = sum(each for _, each in near)
    slow = [beat.p95 for beat, _ in near if beat.p95 is not None]
    return RouteTrend(
        route=route,
        now=of_route[-1][0],
        depth=[beat.ready for beat, _ in of_route],
        oldest=[beat.oldest or 0.0 for beat, _ in of_route],
        came=[_rate(beat.came, each) for beat, each in of_route],
        ended=[_rate(beat.well + beat.dead, each) for beat, each in of_route],
        shares=[share for end in range(1, len(of_route) + 1) if (share := _share(of_route[:end][-_NEAR:])) is not None],
        latency=[beat.p95 or 0.0 for beat, _ in of_route],
        in_rate=_rate(sum(beat.came for beat, _ in near), seconds),
        out_rate=_rate(sum(beat.well + beat.dead for beat, _ in near), seconds),
        success=_share(of_route),
        p95=max(slow) if slow else None,
    )


def _share(beats: Sequence[tuple[RouteBeat, float]]) -> float | None:
    """Of what ended, how much ended well."""
    well, dead = sum(beat.well for beat, _ in beats), sum(beat.dead for beat, _ in beats)
    return well / (well + dead) if well + dead else None


def _rate(count: int, seconds: float) -> float:
    return count / seconds if seconds > 0 else 0.0


def _ready(stats: Mapping[str, QueueStats], name: str) -> int:
    queue = stats.get(name)
    return queue.ready if queue else 0


def _p95(values: Sequence[float]) -> float | None:
    if not values:
        return None
    return quantiles(values, n=20, method="inclusive")[-1] if len(values) > 1 else values[0]
