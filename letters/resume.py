"""Publishes what was marked as being replayed and was not published: its process died in between, or the ledger itself
marked it, when the doubt ended that it waited for."""

from __future__ import annotations

import threading
from typing import Final, Protocol

from bellhop.broker.port import Publisher
from bellhop.ledger.letters import ITSELF
from bellhop.ledger.records import LetterFilter, LetterState
from bellhop.letters.replay import ReplayLetters, replay
from bellhop.schemas.clock import SYSTEM_CLOCK, Clock
from bellhop.schemas.errors import BrokerError, LedgerError
from bellhop.schemas.observe import Observe, silent

LOOK_SECONDS: Final = 2.0
PATIENCE_SECONDS: Final = 6.0
"""So long whoever marked a letter has to publish it. Published twice, it is known by its generation."""
_AT_ONCE: Final = 100


class ResumeLedger(Protocol):
    @property
    def letters(self) -> ReplayLetters: ...


class Resumer:
    """One for each archive. Two at once only publish twice."""

    def __init__(
        self, ledger: ResumeLedger, publisher: Publisher, observe: Observe = silent, clock: Clock = SYSTEM_CLOCK
    ) -> None:
        self._ledger = ledger
        self._publisher = publisher
        self._observe = observe
        self._clock = clock
        self._seen: dict[int, float] = {}

    def run(self, stop: threading.Event) -> None:
        while not stop.wait(LOOK_SECONDS):
            try:
                self.step()
            except (LedgerError, BrokerError) as error:
                self._observe("ledger.unavailable", where="resume", error=str(error))

    def step(self) -> int:
        """How many were published. Raises LedgerError, BrokerError."""
        which = LetterFilter(states=(LetterState.REPLAYING,))
        now = self._clock.monotonic()
        found = [letter.id for letter in self._ledger.letters.find(which, _AT_ONCE)]
        self._seen = {number: self._seen.get(number, now) for number in found}
        due = [number for number, since in self._seen.items() if now - since >= PATIENCE_SECONDS]
        if not due:
            return 0
        done = replay(self._ledger.letters, self._publisher, due, who=ITSELF, why="", clock=self._clock)
        if done.error:
            self._observe("publish.failed", where="resume", error=done.error)
        return done.replayed
