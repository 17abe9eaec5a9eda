"""The end of what the broker itself buried, told to its source: no worker settles it. A copy of what had ended by then
is told as it ended.

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
from bellhop.ledger.known import Answer
from bellhop.ledger.records import Booking, NewLetter, Settled, State, describe_entries
from bellhop.schemas.envelope import Envelope, decode
from bellhop.schemas.errors import EnvelopeError
from bellhop.schemas.results import result
from bellhop.vendors.standing import warnings_of

BURIED: Final = "Bellhop gave it up: its workers never came to an end with it"


class BuriedLedger(Protocol):
    def booking(self, source: str, reference: str) -> Booking | None: ...

    def foresee(self, envelopes: Sequence[Envelope]) -> Sequence[Answer]: ...


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
        (answer,) = self._ledger.foresee([event])
        booking = self._ledger.booking(event.source, event.subject)
        told = describe_entries(booking.entries if booking else ())
        if not isinstance(answer, Settled):
            return result(event, detail=BURIED, reason=letter.reason, booking=told, now=self._now())
        if answer.state is not State.DONE:
            return None
        # Whoever recorded it may have died before it was told, again and again.
        warnings = warnings_of(event, booking)
        return result(event, detail=answer.detail, booking=told, warnings=warnings, now=answer.at or self._now())
