"""The end of what the broker itself buried, told to its source: no worker settles it.

What if the process dies here? The dead letter was not acked: it comes again, is in the archive already, and its result
is queued a second time, under the same id.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import Final, Protocol

from bellhop.broker.messages import work_message
from bellhop.broker.port import Publisher
from bellhop.broker.topology import work
from bellhop.ledger.records import Booking, NewLetter, describe_entries
from bellhop.schemas.envelope import Envelope, decode
from bellhop.schemas.errors import EnvelopeError
from bellhop.schemas.results import result

BURIED: Final = "Bellhop gave it up: its workers never came to an end with it"


class BuriedLedger(Protocol):
    def booking(self, source: str, reference: str) -> Booking | None: ...


class BuriedResults:
    """sources: those that want to be told."""

    def __init__(
        self, publisher: Publisher, sources: Collection[str], ledger: BuriedLedger, now: Callable[[], datetime]
    ) -> None:
        self._publisher = publisher
        self._sources = frozenset(sources)
        self._ledger = ledger
        self._now = now

    def __call__(self, letters: Sequence[NewLetter]) -> None:
        """Returns once all are confirmed. Raises BrokerError, LedgerError."""
        told = [envelope for letter in letters if (envelope := self._result(letter))]
        for confirmed in [self._publisher.publish(work_message(one, self._now()), work(one.route)) for one in told]:
            confirmed.result()

    def _result(self, letter: NewLetter) -> Envelope | None:
        if letter.source not in self._sources:
            return None
        try:
            event = decode(letter.body)
        except EnvelopeError:
            return None
        booking = self._ledger.booking(event.source, event.subject)
        told = describe_entries(booking.entries if booking else ())
        return result(event, detail=BURIED, reason=letter.reason, booking=told, now=self._now())
