"""Works bulk acts: a canary first, then waves that grow while nothing dies again of the same cause.

What if the process dies here? The lease of the job runs out and another takes it up. An item is marked `sent` before
its letter is published; one that is marked and was not published is published then, of the same generation, and the
ledger of events knows it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Final, Protocol

from broker.port import Publisher
from ledger.causes import shape_of
from ledger.records import (
    EventView,
    ItemState,
    Job,
    JobItem,
    JobState,
    Letter,
    LetterFilter,
    LetterState,
    State,
    Verdict,
)
from ops.preflight import WORDS, Known, PreflightLedger, verdicts
from ops.replay import replay
from schemas.errors import LedgerError
from schemas.observe import Observe, silent, where

GROWTH: Final = 5
"""Waves are 1, 5, 25 …"""
MOST_AT_ONCE: Final = 625
SLICE: Final = 50
LEASE_SECONDS: Final = 60.0

_LOOK_SECONDS: Final = 0.5
_NOT_NOW: Final = (Verdict.BREAKER_OPEN,)
_NEVER: Final = (
    Verdict.CLOSED,
    Verdict.INVALID,
    Verdict.ALREADY_APPLIED,
    Verdict.SUPERSEDED,
    Verdict.SLOT_PASSED,
)
_BACK: Final = (LetterState.OPEN, LetterState.REPLAYING)


class JobLedger(PreflightLedger, Protocol):
    """What is needed of the ledger; every method may raise LedgerUnavailable."""

    @property
    def letters(self) -> Any: ...

    @property
    def jobs(self) -> Any: ...


class JobRunner:
    """One for each process that may work jobs; `by` names it."""

    def __init__(
        self,
        ledger: JobLedger,
        publisher: Publisher,
        settings: Known,
        *,
        by: str,
        observe: Observe = silent,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._ledger = ledger
        self._publisher = publisher
        self._settings = settings
        self._by = by
        self._observe = observe
        self._now = now
        self._pause = pause

    def run(self, stop: threading.Event) -> None:
        """Until `stop`. What goes wrong is told, and tried again."""
        while not stop.wait(_LOOK_SECONDS):
            try:
                self.step()
            except LedgerError as error:
                self._observe("ledger.unavailable", where="jobs", error=str(error))
            except Exception as error:  # noqa: BLE001  # a job must not end the archive it runs in
                self._observe("thread.crashed", thread="jobs", error=type(error).__name__, where=where(error))

    def step(self) -> bool:
        """Moves the oldest running job on; False where there is none."""
        job = self._ledger.jobs.lease(self._by, LEASE_SECONDS)
        if job is None:
            return False
        if job.kind == "discard":
            self._discard(job)
        else:
            self._replay(job)
        return True

    # --- discard ------------------------------------------------------------------------------------------------

    def _discard(self, job: Job) -> None:
        items = self._items(job, ItemState.WAITING, SLICE)
        if not items:
            self._end(job)
            return
        closed = self._ledger.letters.discard([item.letter for item in items], job.who, job.why)
        done = f"discarded ({closed} of these {len(items)} were open)" if closed < len(items) else "discarded"
        self._ledger.jobs.mark(job.id, [item.place for item in items], ItemState.DONE, done)

    # --- replay -------------------------------------------------------------------------------------------------

    def _replay(self, job: Job) -> None:
        out = self._items(job, ItemState.SENT, MOST_AT_ONCE)
        if out:
            self._look_after(job, out)
            return
        waiting = self._items(job, ItemState.WAITING, min(job.wave, MOST_AT_ONCE))
        if not waiting:
            self._end(job)
            return
        if self._send(job, waiting):
            self._ledger.jobs.grow(job.id, min(job.wave * GROWTH, MOST_AT_ONCE))

    def _look_after(self, job: Job, out: Sequence[JobItem]) -> None:
        """How those that were sent have ended. One that died again of the same cause stops the job."""
        letters = {letter.id: letter for letter in self._letters([item.letter for item in out])}
        unsent = [item for item in out if letters.get(item.letter) and letters[item.letter].state in _BACK]
        if unsent:  # a process died between the mark and the confirm
            self._publish(job, unsent)
            return
        for item in out:
            letter = letters.get(item.letter)
            view = None if letter is None else self._ledger.event(letter.new.source, letter.new.event_id)
            if letter is None or view is None or view.generation <= letter.new.generation or view.state.unfinished:
                continue
            if view.state is not State.DEAD:
                self._ledger.jobs.mark(job.id, [item.place], ItemState.DONE, f"{view.state.value}: {view.detail}")
                continue
            told = f"{view.reason}: {view.detail}"
            before = self._items(job, ItemState.FAILED, MOST_AT_ONCE)
            self._ledger.jobs.mark(job.id, [item.place], ItemState.FAILED, told)
            back = self._same_cause(letter, view)
            # A new cause, too, once it has come twice: the mending has broken something else.
            if back or any(shape_of(one.detail) == shape_of(told) for one in before):
                again = "again of the same cause" if back else "of what another of this job died of"
                why = f"letter {letter.id} died {again}: {view.detail}"
                self._ledger.jobs.finish(job.id, JobState.STOPPED, why)
                self._observe("job.stopped", job=job.id, letter=letter.id)
                return

    def _same_cause(self, letter: Letter, view: EventView) -> bool:
        """By its new letter where that has been archived, else by its reason."""
        which = LetterFilter(source=letter.new.source, event_id=letter.new.event_id, states=tuple(LetterState))
        again = [one for one in self._ledger.letters.find(which, 100) if one.new.generation > letter.new.generation]
        return any(one.cause == letter.cause for one in again) or (not again and view.reason == letter.new.reason)

    def _send(self, job: Job, items: Sequence[JobItem]) -> bool:
        """Sends a wave, in slices, as long as nobody pauses the job; whether all of it went. What cannot be of use any
        more is skipped; where a vendor is away it is waited for."""
        letters = {letter.id: letter for letter in self._letters([item.letter for item in items])}
        found = [letters[item.letter] for item in items if item.letter in letters]
        judged = verdicts(found, self._ledger, self._settings, self._now())
        by_letter = dict(zip((letter.id for letter in found), judged, strict=True))
        ready = []
        for item in items:
            verdict = by_letter.get(item.letter, Verdict.CLOSED)
            if verdict in _NEVER:
                self._ledger.jobs.mark(job.id, [item.place], ItemState.SKIPPED, WORDS[verdict])
            elif verdict not in _NOT_NOW:
                ready.append(item)
        for slice_ in _slices(ready):
            current = self._ledger.jobs.lease(self._by, LEASE_SECONDS)
            if current is None or current.id != job.id:
                return False
            self._ledger.jobs.mark(job.id, [item.place for item in slice_], ItemState.SENT)
            self._publish(job, slice_)
        return bool(ready)

    def _publish(self, job: Job, items: Sequence[JobItem]) -> None:
        ids = [item.letter for item in items]
        why = f"{job.why} (job {job.id})"
        done = replay(
            self._ledger.letters, self._publisher, ids, who=job.who, why=why, rate=job.rate, pause=self._pause
        )
        if done.error:
            self._observe("publish.failed", where="jobs", error=done.error)

    def _end(self, job: Job) -> None:
        counts = {state.value: count for state, count in job.counts.items() if count}
        told = ", ".join(f"{count} {name}" for name, count in sorted(counts.items()))
        self._ledger.jobs.finish(job.id, JobState.DONE, told)
        self._observe(
            "job.done", job=job.id, kind=job.kind, **{f"items_{name}": count for name, count in counts.items()}
        )

    def _items(self, job: Job, state: ItemState, limit: int) -> Sequence[JobItem]:
        rows: Sequence[JobItem] = self._ledger.jobs.items(job.id, limit, state=state).rows
        return rows

    def _letters(self, ids: Sequence[int]) -> list[Letter]:
        which = LetterFilter(ids=ids, states=tuple(LetterState))
        found: list[Letter] = self._ledger.letters.find(which, len(ids)) if ids else []
        return found


def _slices(items: Sequence[JobItem]) -> Iterator[Sequence[JobItem]]:
    for start in range(0, len(items), SLICE):
        yield items[start : start + SLICE]
