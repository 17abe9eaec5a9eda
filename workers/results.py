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

from bellhop.ledger.records import Booking, State, describe_entries
from bellhop.schemas.envelope import Envelope
from bellhop.schemas.events import BOOKING_TYPES
from bellhop.schemas.results import result
from bellhop.vendors.outcome import Dead, Done, Recorded
from bellhop.vendors.standing import warnings_of
from bellhop.workers.delivery import EndedDelivery


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

    def of(self, ended: EndedDelivery) -> Envelope | None:
        """What tells of its end; None where it goes on, or nobody is told. Raises LedgerUnavailable."""
        event = ended.envelope
        if event is None or event.source not in self._sources:
            return None
        match ended.outcome:
            case Done(detail):
                reason = ""
            case Recorded(detail) if ended.known is State.DONE:
                reason = ""  # known as done: whoever recorded it may have died before it was told
            case Dead(why, detail):
                reason = why.value
            case _:
                return None
        booking = ended.booking
        if ended.claim is None and event.type in BOOKING_TYPES:
            booking = self._ledger.booking(event.source, event.subject)
        told = describe_entries(booking.entries if booking else ())
        # Told late, after a worker's death, it must not look newer than what ended meanwhile.
        at = ended.recorded_at or self._now()
        source = replace(event, trace=ended.trace) if ended.trace else event
        warnings = warnings_of(event, booking)
        return result(source, detail=detail, reason=reason, booking=told, warnings=warnings, now=at)
