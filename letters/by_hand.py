"""What a person did by hand, told to the event's source: who discards the letter that asks for a cancel by hand says
that it is done, and who restores it that it is not (`ledger/by_hand.py`). No worker settles that.

What if the process dies here? The audit has the act: whoever runs next tells those of the last day once more, each
under the id that its number makes, by which the ledger of events knows it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator
from datetime import datetime, timedelta
from typing import Final, Protocol

from bellhop.broker.messages import work_message
from bellhop.broker.port import Publisher
from bellhop.broker.topology import work
from bellhop.ledger.records import TO_CANCEL, AuditRow, Booking, Letter, LetterState, describe_entries
from bellhop.schemas.envelope import Envelope, decode
from bellhop.schemas.errors import BrokerError, EnvelopeError, LedgerError
from bellhop.schemas.observe import Observe, silent
from bellhop.schemas.results import result

LOOK_SECONDS: Final = 2.0
_CAUGHT_UP: Final = timedelta(days=1)
_DONE: Final = "done by hand, as a person says"
_LEAVES: Final = {"discard": LetterState.DISCARDED, "restore": LetterState.OPEN}


class ActLetters(Protocol):
    def acts_by_hand(self, after: int, since: datetime) -> tuple[list[AuditRow], int]: ...

    def get(self, id_: int) -> Letter | None: ...


class ActLedger(Protocol):
    @property
    def letters(self) -> ActLetters: ...

    def booking(self, source: str, reference: str) -> Booking | None: ...


class HandResults:
    """One for each archive. Two at once only publish twice. sources: those that want to be told."""

    def __init__(
        self,
        ledger: ActLedger,
        publisher: Publisher,
        sources: Collection[str],
        now: Callable[[], datetime],
        observe: Observe = silent,
    ) -> None:
        self._ledger = ledger
        self._publisher = publisher
        self._sources = frozenset(sources)
        self._now = now
        self._since = now() - _CAUGHT_UP
        self._last = 0
        self._observe = observe

    def run(self, stop: threading.Event) -> None:
        while self._sources and not stop.wait(LOOK_SECONDS):
            try:
                self.step()
            except (LedgerError, BrokerError) as error:
                self._observe("ledger.unavailable", where="by_hand", error=str(error))

    def step(self) -> None:
        """Returns once what people did since is told. Raises LedgerError, BrokerError."""
        acts, newest = self._ledger.letters.acts_by_hand(self._last, self._since)
        told = list(self._results(acts))
        for confirmed in [self._publisher.publish(work_message(one, self._now()), work(one.route)) for one in told]:
            confirmed.result()
        self._last = newest

    def _results(self, acts: list[AuditRow]) -> Iterator[Envelope]:
        for act in acts:
            letter = self._ledger.letters.get(act.letter) if act.letter is not None else None
            if letter is None or letter.new.source not in self._sources or letter.state is not _LEAVES[act.act]:
                continue
            try:
                event = decode(letter.new.body)
            except EnvelopeError:
                continue
            booking = self._ledger.booking(event.source, event.subject)
            if booking is None or all(one.left_by != f"{TO_CANCEL}{event.id}" for one in booking.entries):
                continue
            is_done = letter.state is LetterState.DISCARDED
            told = result(
                event,
                detail=_DONE if is_done else letter.new.error,
                reason="" if is_done else letter.new.reason,
                booking=describe_entries(booking.entries),
                now=act.at,
                act=act.link.id,
            )
            if told is not None:
                yield told
