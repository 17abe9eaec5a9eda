"""Which routes are paused: read from the ledger once a second, however many ask."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from bellhop.ledger.records import Pause
from bellhop.schemas.errors import LedgerError
from bellhop.schemas.observe import Observe, silent

_FRESH_SECONDS: Final = 1.0


class PauseLedger(Protocol):
    def all(self) -> Sequence[Pause]:
        """Those that hold now. Raises LedgerUnavailable."""
        ...


class PausedRoutes:
    """Safe from any thread. While the ledger is away what it said last holds: a worker cannot claim then anyway."""

    def __init__(
        self, ledger: PauseLedger, observe: Observe = silent, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._ledger = ledger
        self._observe = observe
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._routes: frozenset[str] = frozenset()
        self._looked: float | None = None

    def routes(self) -> frozenset[str]:
        """Those that are held. Tells `route.paused` and `route.resumed` when that changes."""
        now = self._monotonic()
        with self._lock:
            if self._looked is not None and now - self._looked < _FRESH_SECONDS:
                return self._routes
            self._looked = now
        try:
            routes = frozenset(pause.route for pause in self._ledger.all())
        except LedgerError:
            return self._routes
        with self._lock:
            before, self._routes = self._routes, routes
        for route in sorted(routes - before):
            self._observe("route.paused", route=route)
        for route in sorted(before - routes):
            self._observe("route.resumed", route=route)
        return routes
