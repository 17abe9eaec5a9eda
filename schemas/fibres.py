"""Many calls on one thread: it goes on with whichever is answered.

A thread for each of them waits for Python's lock more than for its vendor (docs/decisions/0040). A fibre is a greenlet
that its thread starts with `Fibres.start`, and that gives it back where it calls `wait_until`, `wait_for` or `pause`;
in a thread without fibres these simply wait. Nothing else may keep a fibre waiting for long, and none may hold a lock
meanwhile: the thread would stand still with all its others. So only the events of handlers that say so share a thread
(`handler.SharesThreads`).
"""

from __future__ import annotations

import math
import select
import socket
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import Any, Final, Self, TypeVar

from greenlet import getcurrent, greenlet

READABLE: Final = select.POLLIN
WRITABLE: Final = select.POLLOUT

Value = TypeVar("Value")

AWAY_SECONDS: Final = 0.5
"""A thread that is kept elsewhere for so long, as by a ledger that is frozen, hears nobody meanwhile."""
MOST_AWAY_SECONDS: Final = 30.0
"""So much of it at a time is no silence. After that it is over for whoever waits: the claims of events run out, too."""


class _Fibre(greenlet):
    """Waits for its socket, for a future, or for a time alone."""

    fibres: Fibres


class Fibres:
    """Those of one thread, which alone may use it; `ring` is for the others."""

    def __init__(self) -> None:
        self.count = 0
        self.is_waiting = False
        """Whether all of them wait: from when its thread says so until `turn` has something."""
        self._thread = getcurrent()
        self._poll = select.poll()
        self._by_file: dict[int, _Fibre] = {}
        self._until: dict[_Fibre, float] = {}
        self._soonest = math.inf
        """Monotonic seconds, not after the first that waits no longer."""
        self._futures: dict[_Fibre, Future[Any]] = {}
        self._ended: deque[tuple[_Fibre, Future[Any]]] = deque()
        self._bell, self._ringer = socket.socketpair()
        self.is_rung = False
        self._heard = time.monotonic()
        self._away = 0.0
        for end in (self._bell, self._ringer):
            end.setblocking(False)
        self._poll.register(self._bell, READABLE)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._bell.close()
        self._ringer.close()

    def ring(self) -> None:
        """Ends `turn`, or the next one. From any thread."""
        if not self.is_rung:
            self.is_rung = True
            with suppress(OSError):  # full or closed: it is awake, or is no more
                self._ringer.send(b"!")

    def start(self, *works: Callable[[], None]) -> None:
        """Each until it waits for the first time. Raises what one of them does, here or in a later `turn`."""
        self.count += len(works)
        for work in works:
            made = _Fibre(self._run)
            made.fibres = self
            made.switch(work)

    def turn(self, until: float) -> None:
        """Waits until one of them can go on, or `ring`, or monotonic `until`; has all go on that can."""
        # What has come is seen before whose time is over: a thread that was kept elsewhere would take it for silence.
        self._away += self._away_now()
        came = self._poll.poll(_milliseconds(min(until, self._soonest)))
        self._heard = time.monotonic()
        self.is_waiting = False
        for file, _ in came:
            if file in self._by_file:
                self._go_on(self._by_file[file], is_in_time=True)
            else:
                self._answer_bell()
        if time.monotonic() >= self._soonest:
            self._end_waits()

    def listening_seconds(self) -> float:
        """See `listening_seconds`."""
        return time.monotonic() - self._away - self._away_now()

    def _away_now(self) -> float:
        seconds = time.monotonic() - self._heard
        return min(seconds, MOST_AWAY_SECONDS) if seconds >= AWAY_SECONDS else 0.0

    def _run(self, work: Callable[[], None]) -> None:
        try:
            work()
        finally:
            self.count -= 1

    def _wait(self, fibre: _Fibre, until: float) -> bool:
        """Whether it may go on before `until`."""
        self._until[fibre] = until
        self._soonest = min(self._soonest, until)
        return bool(self._thread.switch())

    def _go_on(self, fibre: _Fibre, *, is_in_time: bool) -> None:
        if self._until.pop(fibre, None) is not None:
            fibre.switch(is_in_time)

    def _end_waits(self) -> None:
        now = time.monotonic()
        for fibre in [fibre for fibre, until in self._until.items() if until <= now]:
            self._go_on(fibre, is_in_time=False)
        self._soonest = min(self._until.values(), default=math.inf)

    def _answer_bell(self) -> None:
        with suppress(BlockingIOError):
            self._bell.recv(4096)
        self.is_rung = False  # only now: who rang in between would be heard no more, nor anybody after
        while self._ended:
            fibre, future = self._ended.popleft()
            if self._futures.get(fibre) is future:  # it may have waited in vain, and for something else by now
                self._go_on(fibre, is_in_time=True)

    def _wait_for_file(self, fibre: _Fibre, file: int, event: int, until: float) -> bool:
        self._poll.register(file, event)
        self._by_file[file] = fibre
        try:
            return self._wait(fibre, until)
        finally:
            del self._by_file[file]
            self._poll.unregister(file)

    def _wait_for_future(self, fibre: _Fibre, future: Future[Any], until: float) -> None:
        def tell(ended: Future[Any]) -> None:
            self._ended.append((fibre, ended))
            self.ring()

        self._futures[fibre] = future
        future.add_done_callback(tell)
        try:
            self._wait(fibre, until)
        finally:
            del self._futures[fibre]


def wait_until(event: int, sock: socket.socket, deadline: float) -> None:
    """event: READABLE or WRITABLE. deadline: monotonic. Raises TimeoutError."""
    fibre = getcurrent()
    if isinstance(fibre, _Fibre):
        is_in_time = fibre.fibres._wait_for_file(fibre, sock.fileno(), event, deadline)
    else:
        poll = select.poll()
        poll.register(sock, event)
        is_in_time = bool(poll.poll(_milliseconds(deadline)))
    if not is_in_time:
        raise TimeoutError


def listening_seconds() -> float:
    """Monotonic seconds that stand still while the fibre's thread is kept elsewhere: what cannot be heard then is no
    silence."""
    fibre = getcurrent()
    return fibre.fibres.listening_seconds() if isinstance(fibre, _Fibre) else time.monotonic()


def wait_for(future: Future[Value], seconds: float) -> Value:
    """Its result. Raises TimeoutError, and what the future does."""
    fibre = getcurrent()
    if isinstance(fibre, _Fibre) and not future.done():
        fibre.fibres._wait_for_future(fibre, future, time.monotonic() + seconds)
        seconds = 0.0
    return future.result(None if seconds == math.inf else seconds)


def pause(seconds: float) -> None:
    """As `time.sleep`."""
    fibre = getcurrent()
    if isinstance(fibre, _Fibre):
        fibre.fibres._wait(fibre, time.monotonic() + seconds)
    else:
        time.sleep(seconds)


def give_way(seconds: float) -> None:
    """Lets the others of its thread go on for so long. Returns at once where there are none."""
    fibre = getcurrent()
    if isinstance(fibre, _Fibre) and fibre.fibres.count > 1:
        pause(seconds)


def current() -> object:
    """What tells the fibre, or the thread, from all others that live."""
    return getcurrent()


def _milliseconds(until: float) -> int | None:
    """As `poll` has them, which waits without an end for None."""
    return None if until == math.inf else max(0, math.ceil(1000 * (until - time.monotonic())))
