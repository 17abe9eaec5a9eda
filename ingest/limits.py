"""How many events a source may post: one that posts without end must not fill the queues that all share.

By GCRA (the leaky bucket as a meter), which needs one number for each source: the time at which all that it has posted
would have been due at its rate. The numbers lie in memory that the ingress' processes share, as an upstream's
connection stays with one of them. Two that write at the same moment may let one event more pass, and nothing else.
"""

from __future__ import annotations

import mmap
import time
from collections.abc import Callable, Mapping
from typing import Final

from bellhop.schemas.settings import SourceSettings

_BURST_SECONDS: Final = 10.0
_BYTES: Final = 8
_SPARE: Final = 64
"""Places for sources that are added while it runs."""


class SourceLimits:
    """Make one before the server forks, so that its processes count together."""

    def __init__(self, sources: Mapping[str, SourceSettings], monotonic: Callable[[], float] = time.monotonic) -> None:
        """monotonic: one clock for all processes of the machine, as Linux' is."""
        self._rates: Mapping[str, float] = {}
        self._places: Mapping[str, int] = {}
        self._due_times = memoryview(mmap.mmap(-1, _BYTES * (len(sources) + _SPARE))).cast("d")
        self._monotonic = monotonic
        self.change(sources)

    def change(self, sources: Mapping[str, SourceSettings]) -> None:
        """Other rates from now on. A source that is new gets the next place; beyond those that are spare, sources share
        places, and so a rate, until the next start."""
        places = dict(self._places)
        for name in sorted(sources):
            places.setdefault(name, len(places) % len(self._due_times))
        self._places = places
        self._rates = {name: source.per_second for name, source in sources.items() if source.per_second}

    def wait_seconds(self, source: str, events: int) -> float:
        """0 where the source may post so many events now, which then count; else how long it is to wait. After ten
        seconds of silence it may post ten seconds' worth at once, and a list of any length."""
        rate = self._rates.get(source)
        if rate is None:
            return 0.0
        place, now = self._places[source], self._monotonic()
        due = max(self._due_times[place], now)
        after = due + events / rate
        if due > now and (ahead := after - now - _BURST_SECONDS) > 0:
            return ahead
        self._due_times[place] = after
        return 0.0
