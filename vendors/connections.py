"""Connections kept to vendors, so that not every call has to open one."""

from __future__ import annotations

import time
import weakref
from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress

from bellhop.vendors.exchange import USABLE_SECONDS, HttpConnection, RawAnswer, Request, Unanswered
from bellhop.vendors.sockets import CheckPeer, Host


class Connections:
    """Safe from any thread. keep: so many to each host, while they are usable; more are opened when needed, and closed
    after use.

    Neither retries what may have been carried out nor follows redirects: both would send a booking again without the
    ledger knowing.
    """

    def __init__(self, keep: int, check_peer: CheckPeer | None = None) -> None:
        self._keep = keep
        self._check_peer = check_peer
        self._kept: defaultdict[Host, list[HttpConnection]] = defaultdict(list)
        self._next_sweep = 0.0
        weakref.finalize(self, _end_all, self._kept)

    def exchange(
        self, host: Host, request: Request, *, connect_seconds: float, read_seconds: float, is_read: bool
    ) -> RawAnswer:
        """The answer, after both times at most. is_read: nothing changes by it, so that where a kept connection turns
        out to be closed, the same is asked over a fresh one. Raises what `HttpConnection.exchange` does."""
        kept, deadline = self._take(host), time.monotonic() + read_seconds
        if kept is not None:
            try:
                return self._exchange(kept, request, deadline)
            except Unanswered as failure:
                if not is_read or isinstance(failure.__cause__, TimeoutError):
                    raise
        fresh = HttpConnection(host, connect_seconds, self._check_peer)
        return self._exchange(fresh, request, time.monotonic() + read_seconds if kept is None else deadline)

    def _take(self, host: Host) -> HttpConnection | None:
        """The one that was used last. Those under it have answered longer ago still."""
        kept = self._kept[host]
        while kept:
            try:
                found = kept.pop()
            except IndexError:  # another thread took the last
                return None
            if found.is_usable():
                return found
            found.end()
        return None

    def _exchange(self, connection: HttpConnection, request: Request, deadline: float) -> RawAnswer:
        answer = connection.exchange(request, deadline)
        if time.monotonic() >= self._next_sweep:
            self._sweep()
        kept = self._kept[connection.to]
        if not connection.is_open or len(kept) >= self._keep:
            connection.end()
        else:
            kept.append(connection)
        return answer

    def _sweep(self) -> None:
        """Ends what has become too old in the meantime, of all hosts: one that is not called again would keep as many
        as it ever had at once."""
        self._next_sweep = time.monotonic() + USABLE_SECONDS
        for kept in list(self._kept.values()):
            with suppress(IndexError):  # none is left, or another thread took the last
                while not kept[0].is_fresh():  # in the order in which they answered
                    kept.pop(0).end()


def _end_all(kept: Mapping[Host, list[HttpConnection]]) -> None:
    for connections in kept.values():
        while connections:
            connections.pop().end()
