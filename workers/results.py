"""The end of an event, told to its source: at one place for all routes, once the end stands in the ledger.

What if the process dies here? Between the record and the result's confirm: the delivery was not acked, so it comes
again, is known as done or dead, and the result is queued then. After the confirm: it is queued a second time, under the
same id, and the ledger knows it. The other way round, told before it is recorded, a source would be told of a booking
whose worker then died, and which ends in doubt.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import datetime
from typing import Protocol

from bellhop.ledger.records import Booking, State
from bellhop.schemas.envelope import Envelope
from bellhop.schemas.events import BOOKING_TYPES
from bellhop.schemas.results import result
from bellhop.vendors.outcome import Dead, Done, Recorded
from bellhop.workers.job import Job


class BookingLedger(Protocol):
    def booking(self, source: str, reference: str) -> Booking | None:
        """A booking as it stands, None where none is held. Raises LedgerUnavailable."""
        ...


class Results:
    """sources: those that want to be told."""

    def __init__(self, sources: Collection[str], ledger: BookingLedger, now: Callable[[], datetime]) -> None:
        self._sources = frozenset(sources)
        self._ledger = ledger
        self._now = now

    def of(self, job: Job) -> Envelope | None:
        """What tells of the job's end; None where it has not ended, or nobody is told. Raises LedgerUnavailable."""
        event = job.envelope
        if event is None or event.source not in self._sources:
            return None
        match job.outcome:
            case Done(detail):
                reason = ""
            case Recorded(detail) if job.known == State.DONE.value:
                reason = ""  # known as done: whoever recorded it may have died before it was told
            case Dead(why, detail):
                reason = why.value
            case _:
                return None
        booking = self._booking(job)
        ids = booking.vendor_ids if booking else ()
        # Told late, after a worker's death, it must not look newer than what ended meanwhile.
        told = replace(event, trace=job.trace) if job.trace else event
        return result(told, detail=detail, reason=reason, vendor_ids=ids, now=job.ended or self._now())

    def _booking(self, job: Job) -> Booking | None:
        assert job.envelope is not None  # noqa: S101
        if job.claimed is not None or job.envelope.type not in BOOKING_TYPES:
            return job.booking
        return self._ledger.booking(job.envelope.source, job.envelope.subject)
