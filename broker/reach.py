"""Whether the broker confirms, as far as a publisher knows: while it does not, one publish at a time finds out when it
does again, and all others are refused at once. Waiting, each would hold a thread for the whole confirm time."""

from __future__ import annotations

from concurrent.futures import Future

from bellhop.schemas.errors import BrokerUnavailable


class Reach:
    """Safe from any thread; two that look at the same moment may both be let through."""

    def __init__(self) -> None:
        self._why = ""

    @property
    def is_lost(self) -> bool:
        return bool(self._why)

    def lose(self, why: str) -> None:
        self._why = why

    def regain(self) -> None:
        """Something was confirmed, or refused: it answers."""
        self._why = ""

    def refusal(self, *, is_probed: bool) -> Future[None] | None:
        """What a publish is answered, None where it may go. is_probed: another one is finding out."""
        why = self._why
        if not why or not is_probed:
            return None
        refused: Future[None] = Future()
        refused.set_exception(BrokerUnavailable(f"the broker confirms no publish at present: {why}"))
        return refused
