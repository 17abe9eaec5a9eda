"""The threads of a route's worker, started as they are needed: one that has little to do needs few."""

from __future__ import annotations

import threading
from collections.abc import Callable

from bellhop.schemas.observe import Observe


class WorkThreads:
    """Each does `work`, until that returns. Belongs to the worker's owner."""

    def __init__(self, route: str, work: Callable[[], None], observe: Observe) -> None:
        self._route = route
        self._work = work
        self._observe = observe
        self.count = 0

    def grow(self, wanted: int, most: int) -> int:
        """Starts what is missing. How many there may ever be: `most`, or fewer where the process may have no more,
        which is told. Raises RuntimeError where it may have none."""
        while self.count < wanted:
            # Daemons: a call that outlives the drain time must not keep the process. It is in the ledger as `calling`.
            thread = threading.Thread(target=self._work, name=f"{self._route}-work", daemon=True)
            try:
                thread.start()
            except RuntimeError:
                if not self.count:
                    raise
                self._observe("worker.short_of_threads", route=self._route, threads=self.count, wanted=most)
                return self.count
            self.count += 1
        return most
