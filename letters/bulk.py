"""Runs bulk jobs: a canary first, then waves that grow while nothing dies again of the same cause.

What if the process dies here? The lease of the job runs out and another takes it up. An item is marked `sent` before
its letter is touched. Where the letter is still open then, nothing was published and the item waits again; where it is
being replayed, it is published once more, of the same generation, and the ledger of events knows it.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from bellhop.broker.port import Publisher
from bellhop.ledger.records import BulkJob, ItemState, JobItem, JobState, Letter, LetterFilter, LetterState, Verdict
from bellhop.letters.bulk_ends import Ends, EndsLedger, discard_end
from bellhop.letters.preflight import WORDS, PreflightLedger, PreflightSettings, verdicts
from bellhop.letters.replay import replay
from bellhop.schemas.clock import SYSTEM_CLOCK, Clock
from bellhop.schemas.errors import LedgerError, LedgerUnavailable
from bellhop.schemas.observe import Observe, silent, where

GROWTH: Final = 5
"""Waves are 1, 5, 25 …"""
MOST_AT_ONCE: Final = 625
SLICE: Final = 50
"""Letters sent before it is looked whether somebody has paused the job."""
LEASE_SECONDS: Final = 60.0
TURN_SECONDS: Final = 5.0
"""How long one job is worked before the next has its turn."""

_LOOK_SECONDS: Final = 0.5
_JUDGED_AT_ONCE: Final = 200
_NOT_NOW: Final = (Verdict.BREAKER_OPEN, Verdict.AT_WORK)
_NEVER: Final = (
    Verdict.CLOSED,
    Verdict.INVALID,
    Verdict.ALREADY_APPLIED,
    Verdict.SUPERSEDED,
    Verdict.SLOT_PASSED,
)


class JobLedger(PreflightLedger, EndsLedger, Protocol):
    """What is needed of the ledger; every method may raise LedgerUnavailable."""


@dataclass(slots=True)
class _Pace:
    """How a job goes in this process. wave: whose size it is of, as the ledger has it. left: how many of it are still
    to be sent. next_at: monotonic seconds, before which the rate lets nothing go."""

    wave: int
    left: int
    next_at: float
    sent: bool = False


class JobRunner:
    """One for each process that may work jobs; `by` names it, and must be no other's. only: works no other job."""

    def __init__(
        self,
        ledger: JobLedger,
        publisher: Publisher,
        settings: PreflightSettings,
        *,
        by: str,
        only: int | None = None,
        observe: Observe = silent,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._only = only
        self._ledger = ledger
        self._publisher = publisher
        self._settings = settings
        self._by = by
        self._observe = observe
        self._clock = clock
        self._ends = Ends(ledger)
        self._paces: dict[int, _Pace] = {}

    def run(self, stop: threading.Event) -> None:
        """Until `stop`. What goes wrong is told, and tried again."""
        while not stop.wait(self._rest()):
            try:
                self.step()
            except LedgerError as error:
                self._observe("ledger.unavailable", where="jobs", error=str(error))

    def _rest(self) -> float:
        """Seconds until the next look: sooner where a rate asks for it."""
        now = self._clock.monotonic()
        waits = [pace.next_at - now for pace in self._paces.values() if pace.left and pace.next_at > now]
        return min([_LOOK_SECONDS, *waits])

    def step(self) -> bool:
        """Moves every job on that is not another's; False where there is none. Raises LedgerUnavailable."""
        job = self._ledger.jobs.lease(self._by, LEASE_SECONDS, only=self._only)
        found = job is not None
        while job is not None:
            try:
                self._move(job)
            except LedgerUnavailable:
                raise
            except Exception as error:  # noqa: BLE001  # must end neither the archive it runs in nor the other jobs
                self._observe("thread.crashed", thread="jobs", error=type(error).__name__, where=where(error))
            job = self._ledger.jobs.lease(self._by, LEASE_SECONDS, after=job.id) if self._only is None else None
        return found

    def _move(self, job: BulkJob) -> None:
        out = self._items(job, ItemState.SENT, MOST_AT_ONCE)
        if job.kind == "discard":
            self._discard(job, out)
        elif out and not self._look_after(job, out):
            return
        elif job.state is JobState.RUNNING:
            self._go_on(job, len(out))

    # --- discard ------------------------------------------------------------------------------------------------

    def _discard(self, job: BulkJob, out: Sequence[JobItem]) -> None:
        until = self._clock.monotonic() + TURN_SECONDS
        self._note_ends(job, out)
        while job.state is JobState.RUNNING and self._clock.monotonic() < until:
            waiting = self._items(job, ItemState.WAITING, SLICE)
            if not waiting:
                self._end(job)
                return
            letters = self._letters(waiting)
            is_open = {id_ for id_, letter in letters.items() if letter.state is LetterState.OPEN}
            words = WORDS[Verdict.CLOSED]
            shut = [(item.place, ItemState.SKIPPED, words) for item in waiting if item.letter not in is_open]
            self._ledger.jobs.mark(job.id, shut)
            wanted = [item for item in waiting if item.letter in is_open]
            taken = self._take(job, wanted)
            self._ledger.letters.discard([item.letter for item in taken], job.who, _why(job))
            self._note_ends(job, taken)
            if len(taken) < len(wanted):
                return

    def _note_ends(self, job: BulkJob, out: Sequence[JobItem]) -> None:
        letters = self._letters(out)
        self._ledger.jobs.mark(job.id, [(item.place, *discard_end(letters.get(item.letter))) for item in out])

    # --- replay: what was sent ----------------------------------------------------------------------------------

    def _look_after(self, job: BulkJob, out: Sequence[JobItem]) -> bool:
        """Notes how those that were sent have ended; whether more may be sent. One that died again of the same cause
        stops the job."""
        letters = self._letters(out)
        replaying = {number for number, letter in letters.items() if letter.state is LetterState.REPLAYING}
        unsure = [item for item in out if item.letter in replaying]
        if unsure:  # a process died between the mark and the confirm, or the broker did not confirm
            self._publish(job, unsure)
            return False
        told, died = self._ends.of(out, letters)
        # Stopped before it is noted: the other way round, dying in between would let it go on.
        why = self._ends.stops(job, died) if died and job.state is JobState.RUNNING else ""
        if why:
            self._paces.pop(job.id, None)
            self._ledger.jobs.finish(job.id, JobState.STOPPED, why)
            self._observe("job.stopped", job=job.id)
        self._ledger.jobs.mark(job.id, told)
        return not why and job.state is JobState.RUNNING

    # --- replay: what is to be sent -----------------------------------------------------------------------------

    def _go_on(self, job: BulkJob, out: int) -> None:
        """Sends what the wave has room for, and begins the next wave where nothing is out any more."""
        pace = self._paces.get(job.id)
        if pace is None or pace.wave != job.wave:
            # Another process had it, or a person has resumed it: what is out counts as its wave. When the last letter
            # was sent is not known here, so the rate is kept from now on.
            began = job.counts.get(ItemState.WAITING, 0) < job.total
            wait = _slice(job.rate) / job.rate if job.rate and began else 0.0
            pace = self._paces[job.id] = _Pace(job.wave, 0, self._clock.monotonic() + wait)
        if not pace.left:
            if out:
                return
            pace.left, pace.sent = min(job.wave, MOST_AT_ONCE), False
        self._send(job, pace)
        if not pace.left and pace.sent:
            pace.wave = min(job.wave * GROWTH, MOST_AT_ONCE)
            self._ledger.jobs.grow(job.id, pace.wave)
        elif not pace.left and not out:
            self._end(job)

    def _send(self, job: BulkJob, pace: _Pace) -> None:
        """As many of the wave as the rate and this job's turn allow. What cannot be of use any more is skipped; where
        a vendor is away it is waited for."""
        until = self._clock.monotonic() + TURN_SECONDS
        while pace.left and pace.next_at <= self._clock.monotonic() < until:
            waiting = self._items(job, ItemState.WAITING, _JUDGED_AT_ONCE)
            if not waiting:
                pace.left = 0
                return
            ready, is_held = self._judge(job, waiting)
            taken = self._take(job, ready[: min(pace.left, _slice(job.rate))])
            if not taken and (ready or is_held):
                return  # paused, cancelled, another's; or every vendor of these is away
            if taken:
                pace.left, pace.sent = pace.left - len(taken), True
                pace.next_at = self._clock.monotonic() + (len(taken) / job.rate if job.rate else 0.0)
                if not self._publish(job, taken):
                    return

    def _judge(self, job: BulkJob, items: Sequence[JobItem]) -> tuple[list[JobItem], bool]:
        """Those that may go, and whether others wait for a vendor. Those that are of no use are skipped."""
        letters = self._letters(items)
        judged = verdicts(list(letters.values()), self._ledger, self._settings, self._clock.now())
        of_letter = dict(zip(letters, judged, strict=True))
        useless: list[tuple[int, ItemState, str]] = []
        ready, is_held = [], False
        for item in items:
            verdict = of_letter.get(item.letter, Verdict.CLOSED)
            # Nobody has approved a doubt that came up since.
            if verdict in _NEVER or (verdict is Verdict.IN_DOUBT and item.verdict is not verdict):
                useless.append((item.place, ItemState.SKIPPED, WORDS[verdict]))
            elif verdict in _NOT_NOW:
                is_held = True
            else:
                ready.append(item)
        self._ledger.jobs.mark(job.id, useless)
        return ready, is_held

    def _take(self, job: BulkJob, items: Sequence[JobItem]) -> list[JobItem]:
        """Those that are this process' to act on now."""
        if not items:
            return []
        places = set(self._ledger.jobs.take(job.id, self._by, [item.place for item in items], LEASE_SECONDS))
        return [item for item in items if item.place in places]

    def _publish(self, job: BulkJob, items: Sequence[JobItem]) -> bool:
        """Whether the broker confirmed all."""
        ids = [item.letter for item in items]
        done = replay(self._ledger.letters, self._publisher, ids, who=job.who, why=_why(job), clock=self._clock)
        if done.error:
            self._observe("publish.failed", where="jobs", error=done.error)
        return not done.error

    def _end(self, job: BulkJob) -> None:
        job = self._ledger.jobs.get(job.id) or job
        counts = {state.value: count for state, count in job.counts.items() if count}
        told = ", ".join(f"{count} {name}" for name, count in sorted(counts.items()))
        self._paces.pop(job.id, None)
        self._ledger.jobs.finish(job.id, JobState.DONE, told)
        self._observe(
            "job.done", job=job.id, kind=job.kind, **{f"items_{name}": count for name, count in counts.items()}
        )

    def _items(self, job: BulkJob, state: ItemState, limit: int) -> Sequence[JobItem]:
        rows: Sequence[JobItem] = self._ledger.jobs.items(job.id, limit, state=state).rows
        return rows

    def _letters(self, items: Sequence[JobItem]) -> dict[int, Letter]:
        """By number, whatever their state."""
        if not items:
            return {}
        which = LetterFilter(ids=[item.letter for item in items], states=tuple(LetterState))
        return {letter.id: letter for letter in self._ledger.letters.find(which, len(items))}


def _why(job: BulkJob) -> str:
    return f"{job.why} (job {job.id})"


def _slice(rate: float | None) -> int:
    """Letters sent at once: at most half a second's worth, so that the rate is kept evenly."""
    return SLICE if rate is None else max(1, min(SLICE, int(rate * _LOOK_SECONDS)))
