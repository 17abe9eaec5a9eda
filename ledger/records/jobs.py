"""Bulk jobs: frozen sets of letters, each with its verdict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Verdict(StrEnum):
    """What a replay of a letter would come to, judged without the vendor."""

    WOULD_APPLY = "would_apply"
    ALREADY_APPLIED = "already_applied"
    SUPERSEDED = "superseded"
    SLOT_PASSED = "slot_passed"
    INVALID = "invalid"
    """It cannot be read, its contract is broken, or the settings no longer know its account or venue."""
    BREAKER_OPEN = "breaker_open"
    AT_WORK = "at_work"
    """Its event is being worked already: it waits for its end."""
    IN_DOUBT = "in_doubt"
    """It may be at the vendor: look there first."""
    CLOSED = "closed"
    """It is not open any more."""


class JobState(StrEnum):
    RUNNING = "running"
    PAUSED = "paused"
    STOPPED = "stopped"
    """By itself: the same cause came back."""
    CANCELLED = "cancelled"
    DONE = "done"

    @property
    def ended(self) -> bool:
        return self in (JobState.DONE, JobState.CANCELLED)


class ItemState(StrEnum):
    WAITING = "waiting"
    SENT = "sent"
    """Replayed; how it ends is not known yet."""
    DONE = "done"
    FAILED = "failed"
    """It died again."""
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class BulkJob:
    """A bulk act on a set of letters frozen when it was approved. kind: "replay" or "discard". rate: letters a second,
    None for as fast as waves allow. wave: how many are sent before their ends are looked at: 1, 5, 25 … counts: items
    by state. detail: how it ended, or why it stopped. run_until: so long a process has it, None where none does."""

    id: int
    kind: str
    state: JobState
    who: str
    why: str
    created: datetime
    updated: datetime
    rate: float | None
    wave: int
    counts: Mapping[ItemState, int]
    detail: str
    run_until: datetime | None = None

    @property
    def total(self) -> int:
        return sum(self.counts.values())


@dataclass(frozen=True, slots=True)
class JobItem:
    """A letter of a job. verdict: at the time of approval. detail: how it ended."""

    letter: int
    place: int
    verdict: Verdict
    state: ItemState
    detail: str
