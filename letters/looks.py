"""What a vendor says of the slots of a call in doubt, asked before a person's word on it is taken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bellhop.ledger.proofs import WordRefused
from bellhop.ledger.records import RESTORED, Doubt, Entry, Letter
from bellhop.ledger.store import Ledger
from bellhop.letters.forgotten import Forgotten
from bellhop.letters.shown import Lists
from bellhop.schemas.clock import SYSTEM_CLOCK, Clock
from bellhop.schemas.envelope import decode_recordable
from bellhop.schemas.redact import Redactor
from bellhop.schemas.settings import Settings
from bellhop.vendors.failure import VendorFailure
from bellhop.vendors.held import CallHeld
from bellhop.vendors.http import HttpClient
from bellhop.vendors.registry import vendor_of
from bellhop.vendors.vendor import FoundBookings

if TYPE_CHECKING:
    from bellhop.vendors.held import Gate

_AGAIN: Final = "look there once more, and say it with force (--force) if it is so all the same"


class Contradicted(WordRefused):
    """Raised where the vendor says otherwise, or may carry the call out yet."""


class Unasked(WordRefused):
    """Raised where the vendor cannot be asked now."""


@dataclass(frozen=True, slots=True)
class _Look:
    """is_free: whether all of it is still offered and can be booked but once, so that none of it stands; False where
    some of it is not; None where nobody tells, and `note` says why. is_away: it may be told later."""

    is_free: bool | None
    note: str = ""
    is_away: bool = False


class Looks:
    """gate: before the vendors' calls; None for one that holds nobody."""

    def __init__(
        self, ledger: Ledger, settings: Settings, gate: Gate | None = None, clock: Clock = SYSTEM_CLOCK
    ) -> None:
        self._ledger = ledger
        self._settings = settings
        self._gate = gate
        self._clock = clock
        self._http = HttpClient(pool_size=1, redactor=Redactor(settings.secrets))

    def check_absent(self, letter: Letter) -> str:
        """Whether the letter's call can have made nothing: why nobody tells, "" where the vendor says so, too. Raises
        Contradicted, Unasked, WordRefused, LedgerUnavailable."""
        doubt = self._ledger.proofs.of_letter(letter)
        account = self._settings.accounts.get(doubt.call.account)
        if account is not None and doubt.since is not None and doubt.call.method != RESTORED:
            left = account.late_after - (self._clock.now() - doubt.since).total_seconds()
            if left > 0:
                raise Contradicted(f"its call may be carried out for {left:.0f} seconds more: {_AGAIN}")
        if shown := Lists(self._ledger, self._settings, self._gate, self._clock).show(doubt, letter).entries:
            ids = ", ".join(entry.vendor_id for entry in shown)
            raise Contradicted(f"the vendor's own list has it, as {ids}: say that it is there; or, {_AGAIN}")
        said = self._look(doubt, letter)
        if said.is_free is False:
            raise Contradicted(f"its slot is not offered any more, perhaps as this very booking has it: {_AGAIN}")
        if said.is_away:
            raise Unasked(said.note)
        return said.note

    def check_there(self, doubt: Doubt, letter: Letter, found: FoundBookings, *, rest_absent: bool) -> None:
        """Whether what could not be checked by its id can stand. rest_absent: and nothing else of the event. Raises
        Contradicted, LedgerUnavailable."""
        if found.note and self._look(doubt, letter).is_free:
            raise Contradicted(f"its slot is still offered, so that no booking of it stands: {_AGAIN}")
        if rest_absent and self._look(doubt, letter, found.entries).is_free is False:
            raise Contradicted(f"the slot of what else it wants is not offered any more: {_AGAIN}")

    def _look(self, doubt: Doubt, letter: Letter, besides: Sequence[Entry] = ()) -> _Look:
        """besides: what of the event is known to stand."""
        account = self._settings.accounts.get(doubt.call.account)
        if account is None:
            return _Look(None, f"not checked, as the settings have no account {doubt.call.account}")
        vendor, calls = vendor_of(account), [doubt.call]
        client = vendor.client(account, self._http, self._ledger, self._gate)
        if doubt.call.method == RESTORED:
            forgotten = Forgotten(self._ledger, self._settings, account, self._http, self._gate, self._clock)
            calls = forgotten.calls(decode_recordable(letter.new.body), besides)
        try:
            found = [vendor.is_free(account, client, call) for call in calls]
        except (VendorFailure, CallHeld) as failure:
            return _Look(None, f"not checked, as {vendor.title} could not be asked ({failure})", is_away=True)
        if False in found:
            return _Look(False)
        if not found or None in found:
            return _Look(None, f"not checked, as {vendor.title} does not tell whether it is there")
        return _Look(True)
