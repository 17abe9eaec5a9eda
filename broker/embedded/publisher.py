"""Publishing to the embedded broker: one thread a process, one synced commit for all that waits."""

from __future__ import annotations

import functools
import json
import os
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from bellhop.broker.embedded.file import FileBusy
from bellhop.broker.embedded.store import NewMessage, Store
from bellhop.broker.embedded.wake import Ringer
from bellhop.broker.port import LONGEST_ID, Address, Message
from bellhop.broker.reach import Reach
from bellhop.broker.topology import DEAD, lane_of
from bellhop.schemas.clock import steady_time
from bellhop.schemas.errors import BrokerError, BrokerUnavailable, PublishRefused, PublishUnconfirmed, Unroutable
from bellhop.schemas.observe import Observe, silent


class EmbeddedPublisher:
    """`places` gives the queue and the delay in seconds of each address. It may be used on both sides of a fork."""

    def __init__(
        self,
        path: Path,
        places: Mapping[Address, tuple[str, float]],
        *,
        confirm_seconds: float,
        observe: Observe = silent,
        now: Callable[[], float] = steady_time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._places = places
        self._now = now
        self._new_writer = functools.partial(_Writer, path, confirm_seconds, observe, monotonic)
        # By process id, for a fork copies neither the writer's threads nor a lock in a known state.
        self._writers: dict[int, _Writer] = {}

    def publish(self, message: Message, to: Address) -> Future[None]:
        place = self._places.get(to)
        if place is None:
            return _failed_future(Unroutable(f"no queue is bound to {to.exchange!r} with the key {to.routing_key!r}"))
        if len(message.id.encode()) > LONGEST_ID:
            return _failed_future(PublishRefused(f"the message's id is longer than {LONGEST_ID} bytes"))
        queue, delay = place
        due = self._now() + delay
        row = NewMessage(
            queue,
            message.id,
            json.dumps(dict(message.headers)),
            message.body,
            enqueued=due,
            due=due if delay else None,
            lane="" if to == DEAD else lane_of(message),
        )
        return self._writer().submit(row)

    def close(self, timeout: float = 5.0) -> None:
        self._writer().close(timeout)

    def _writer(self) -> _Writer:
        pid = os.getpid()
        return self._writers.get(pid) or self._writers.setdefault(pid, self._new_writer())


@dataclass(frozen=True, slots=True)
class _Pending:
    row: NewMessage
    deadline: float
    """Monotonic seconds."""
    future: Future[None]


class _Writer:
    """Two daemon threads, started by the first publish: one writes, one fails what was not confirmed in time, for
    the first may be held up by the disk for as long as the disk likes."""

    def __init__(self, path: Path, confirm_seconds: float, observe: Observe, monotonic: Callable[[], float]) -> None:
        self._path = path
        self._confirm_seconds = confirm_seconds
        self._observe = observe
        self._monotonic = monotonic
        self._changed = threading.Condition()
        self._queue: list[_Pending] = []
        self._writing: list[_Pending] = []
        self._reach = Reach()
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    def submit(self, row: NewMessage) -> Future[None]:
        pending = _Pending(row, self._monotonic() + self._confirm_seconds, Future())
        with self._changed:
            if self._reach.is_lost:
                is_probed = any(not p.future.done() for p in (*self._writing, *self._queue))
                if refused := self._reach.refusal(is_probed=is_probed):
                    return refused
            if self._closing.is_set():
                return _failed_future(BrokerUnavailable("the publisher is closed"))
            if self._thread is None:
                self._thread = threading.Thread(target=self._write_all, name="broker-publisher", daemon=True)
                self._thread.start()
                threading.Thread(target=self._expire_all, name="broker-publisher-watch", daemon=True).start()
            self._queue.append(pending)
            self._changed.notify()
        return pending.future

    def close(self, timeout: float) -> None:
        with self._changed:
            self._closing.set()
            self._changed.notify()
        if self._thread is not None:
            self._thread.join(timeout)
        self._expire(float("inf"), "the publisher was closed before the broker confirmed")

    # The writing thread

    def _write_all(self) -> None:
        link = _Link(self._path)
        while (batch := self._next()) is not None:
            try:
                link.put([pending.row for pending in batch])
            except FileBusy:
                with self._changed:  # until its deadline
                    self._queue[:0] = batch
                continue
            except BrokerError as error:
                self._fail(batch, error)
                link.close()
                continue
            except Exception as error:  # noqa: BLE001 - or the thread ends, and every later publish with it
                self._fail(batch, PublishUnconfirmed(f"the broker's writer failed: {type(error).__name__}"))
                link.close()
                continue
            self._reach.regain()
            # Rung first: a process that ends when it has its confirms would take this thread with it.
            link.ring({pending.row.queue for pending in batch})
            for pending in batch:
                _settle(pending.future)
        link.close()

    def _next(self) -> list[_Pending] | None:
        """All that waits now; waits for it. None when closing and nothing is left."""
        with self._changed:
            self._writing = []
            while not self._queue:
                if self._closing.is_set():
                    return None
                self._changed.wait()
            self._writing, self._queue = [p for p in self._queue if not p.future.done()], []
            return self._writing

    def _fail(self, batch: list[_Pending], error: BrokerError) -> None:
        self._reach.lose("its file cannot be written")
        self._observe("publish.failed", count=len(batch), error=str(error))
        for pending in batch:
            _settle(pending.future, error)

    # The watching thread

    def _expire_all(self) -> None:
        delay = self._confirm_seconds
        while not self._closing.wait(delay):
            self._expire(self._monotonic(), f"not confirmed within {self._confirm_seconds:g} s")
            with self._changed:
                first = next(iter(self._writing or self._queue), None)
            # What is published while this sleeps has a later deadline than the first.
            delay = self._confirm_seconds if first is None else max(0.01, first.deadline - self._monotonic())

    def _expire(self, until: float, why: str) -> None:
        with self._changed:
            overdue = [p for p in (*self._writing, *self._queue) if p.deadline <= until and not p.future.done()]
        if overdue:
            self._fail(overdue, PublishUnconfirmed(f"broker file {self._path}: {why}"))


class _Link:
    """The connection and the ringer of the writing thread, made when needed and again after an error."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._store: Store | None = None
        self._ringer: Ringer | None = None

    def put(self, rows: list[NewMessage]) -> None:
        if self._store is None:
            self._store = Store(self._path, synced=True)
        with self._store.writing():
            self._store.put(rows)

    def ring(self, queues: set[str]) -> None:
        # Nothing is lost without it: consumers look by themselves too, only later.
        with suppress(OSError, BrokerError):
            if self._ringer is None:
                self._ringer = Ringer(self._path)
            self._ringer.ring(queues)

    def close(self) -> None:
        if self._store is not None:
            self._store.close()
        if self._ringer is not None:
            self._ringer.close()
        self._store = self._ringer = None


def _settle(future: Future[None], error: BrokerError | None = None) -> None:
    with suppress(InvalidStateError):  # its time was over, or its caller has cancelled it
        if error is None:
            future.set_result(None)
        else:
            future.set_exception(error)


def _failed_future(error: BrokerError) -> Future[None]:
    future: Future[None] = Future()
    future.set_exception(error)
    return future
