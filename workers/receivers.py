"""The receivers of results: strangers' servers, of which one that is slow or away must not keep the others waiting."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from bellhop.schemas.observe import Observe, silent
from bellhop.schemas.results import ACCOUNT
from bellhop.vendors.failure import Kind, VendorFailure
from bellhop.vendors.held import CallHeld
from bellhop.workers.ports import AccountLeave, NoTurns

ILL_AFTER: Final = 5
"""So many posts in a row that found a receiver away, and it gets one at a time."""

AGAIN_SECONDS: Final = 5.0
"""So long after a post that found it away the next one of its lane begins."""

_SOON_SECONDS: Final = 1.0
_LATER_SECONDS: Final = 60.0
_AWAY: Final = (Kind.TRANSIENT, Kind.UNKNOWN)


class Places(NoTurns):
    """How many posts a source's receiver may have at once: half of the threads, where there are others to be told; one
    now and then while it is away. Its results wait in its lane meanwhile, by `leave`: these are the `Turns` of the
    route. Of this process alone. Safe from any thread."""

    def __init__(
        self, threads: int, receivers: int, observe: Observe = silent, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._most = threads if receivers < 2 else max(1, threads // 2)
        self._observe = observe
        self._monotonic = monotonic
        self._away_at: dict[str, float] = {}
        self._lock = threading.Lock()
        self._taken: Counter[str] = Counter()
        self._failed: Counter[str] = Counter()

    def leave(self, account: str) -> AccountLeave:
        """account: a source, in whose lane its results wait."""
        with self._lock:
            if self._failed[account] < ILL_AFTER:
                return AccountLeave(at_once=self._most)
            left = self._away_at[account] + AGAIN_SECONDS - self._monotonic()
            return AccountLeave(held=max(0.0, left), at_once=1, is_ill=True)

    @contextmanager
    def one(self, source: str) -> Iterator[None]:
        """Around a post. Raises Held where the receiver has all it may have: nothing is sent, no attempt counts."""
        self._enter(source)
        away = False
        try:
            yield
        except VendorFailure as failure:
            away = failure.kind in _AWAY
            raise
        finally:
            with self._lock:
                self._taken[source] -= 1
                self._failed[source] = self._failed[source] + 1 if away else 0
                if away:
                    self._away_at[source] = self._monotonic()

    def _enter(self, source: str) -> None:
        with self._lock:
            is_ill = self._failed[source] >= ILL_AFTER
            if self._taken[source] < (1 if is_ill else self._most):
                self._taken[source] += 1
                return
        why = f"the receiver of {source} {'is away' if is_ill else 'has all the posts it may have at once'}"
        after = _LATER_SECONDS if is_ill else _SOON_SECONDS
        self._observe("account.held", account=ACCOUNT, why=why, after=after)
        raise CallHeld(ACCOUNT, why, after)
