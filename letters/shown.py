"""What a vendor's own list shows of letters in doubt: it is taken as a callback's word is, and nobody need look.

Asked by the archive, again and again and less and less often: the list may come late, or be away. What if the process
dies here? The word is one commit of `ledger.proofs`, and the letters that go on are published by `letters.resume`.
"""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Final

from bellhop.ledger.letters import ITSELF
from bellhop.ledger.proofs import WordRefused
from bellhop.ledger.records import RESTORED, Doubt, Letter, LetterFilter, ProofResult
from bellhop.ledger.store import Ledger
from bellhop.letters.forgotten import ListLook
from bellhop.letters.vendor_access import VendorAccess
from bellhop.schemas.clock import SYSTEM_CLOCK, Clock
from bellhop.schemas.envelope import decode_recordable
from bellhop.schemas.errors import LedgerError
from bellhop.schemas.observe import Observe, silent
from bellhop.schemas.reasons import Reason
from bellhop.vendors.registry import vendor_of

LOOK_SECONDS: Final = 2.0
_FIRST_SECONDS: Final = 10.0
_LONGEST_SECONDS: Final = 6 * 3600.0
_AT_ONCE: Final = 1000


class Lists:
    def __init__(self, vendors: VendorAccess) -> None:
        self._vendors = vendors

    def show(self, doubt: Doubt, letter: Letter) -> ListLook:
        """What the letter's call made, or its event did before a restore, as far as the vendor shows it. Raises
        LedgerUnavailable."""
        account = self._vendors.account(doubt.call.account)
        if account is None or not (vendor := vendor_of(account)).has_list(account):
            return ListLook((), is_all=False)
        if doubt.call.method == RESTORED:
            return self._vendors.restored_events(account).show(decode_recordable(letter.new.body), doubt)
        found = vendor.show(account, self._vendors.client(account), self._vendors.ledger, doubt)
        return ListLook(found, is_all=bool(found))


class ListWatch:
    """One for each archive. Two at once only ask twice."""

    def __init__(self, ledger: Ledger, lists: Lists, observe: Observe = silent, clock: Clock = SYSTEM_CLOCK) -> None:
        self._ledger = ledger
        self._lists = lists
        self._observe = observe
        self._clock = clock
        self._due: dict[int, tuple[float, float]] = {}
        """Of each letter when it is asked about next, in monotonic seconds, and how long it waits after that."""

    def run(self, stop: threading.Event) -> None:
        while not stop.wait(LOOK_SECONDS):
            try:
                self.step()
            except LedgerError as error:
                self._observe("ledger.unavailable", where="lists", error=str(error))

    def step(self) -> int:
        """Of how many letters the doubt has ended. Raises LedgerError."""
        found = self._ledger.letters.find(LetterFilter(reason=Reason.IN_DOUBT.value), _AT_ONCE)
        letters = {letter.id: letter for letter in found}
        now = self._clock.monotonic()
        self._due = {number: self._due.get(number, (now, _FIRST_SECONDS)) for number in letters}
        return sum(self._look(letters[number]) for number in sorted(letters) if self._is_due(number, now))

    def _is_due(self, number: int, now: float) -> bool:
        at, after = self._due[number]
        if now >= at:
            self._due[number] = now + after, min(2 * after, _LONGEST_SECONDS)
        return now >= at

    def _look(self, letter: Letter) -> bool:
        try:
            doubt = self._ledger.proofs.of_letter(letter)
        except WordRefused:  # it waits for another of its booking, or somebody was faster
            return False
        look = self._lists.show(doubt, letter)
        if not look.entries:
            return False
        ids = ", ".join(entry.vendor_id for entry in look.entries)
        if not look.is_all and look.step is not None:  # it stands, so that nobody books it again; the rest is in doubt
            doubt = replace(doubt, call=look.step)
        proven = self._ledger.proofs.prove(
            doubt, look.entries, ITSELF, f"the vendor's list shows {ids}", len(look.entries)
        )
        return look.is_all and proven.result in (ProofResult.BOOKED, ProofResult.SURPLUS)
