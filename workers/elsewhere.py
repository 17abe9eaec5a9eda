"""Bookings that wait with the workers of other processes, and go before what this one has of their accounts."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from bellhop.broker.port import QueueStats
from bellhop.ledger.records.parts import Part
from bellhop.schemas.errors import LedgerError
from bellhop.vendors.registry import BOOKINGS_ROUTES


class PartsLedger(Protocol):
    def all(self) -> Sequence[Part]:
        """Raises LedgerUnavailable."""
        ...


class BookingsElsewhere:
    """Of one process. routes: its own, of which `Precedence` knows each event. paused: the routes that people hold."""

    def __init__(
        self,
        routes: Collection[str],
        parts: PartsLedger,
        paused: Callable[[], Collection[str]],
        now: Callable[[], datetime],
    ) -> None:
        self._routes = sorted(BOOKINGS_ROUTES.difference(routes))
        self._parts = parts
        self._paused = paused
        self._now = now

    def look(self, stats: Mapping[str, QueueStats]) -> frozenset[str]:
        """The accounts whose bookings wait, by the broker's figures. Those of a route that nobody works, or that is
        paused, keep nobody waiting."""
        waiting = {route: stats[route].lanes for route in self._routes if route in stats and any(stats[route].lanes)}
        for route in self._paused() if waiting else ():
            waiting.pop(route, None)
        worked = self._worked_routes() if waiting else frozenset()
        lanes = [lane for route, found in waiting.items() if route in worked for lane in found]
        return frozenset(name for lane in lanes for name in lane.split(", ") if name)

    def _worked_routes(self) -> frozenset[str]:
        try:
            parts = self._parts.all()
        except LedgerError:
            return frozenset()
        now = self._now()
        return frozenset(route for part in parts if part.runs(now) for route in part.routes)
