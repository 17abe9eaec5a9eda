"""What a vendor says of the slots of a call in doubt, asked before a person's word on it is taken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bellhop.ledger.proofs import WordRefused
from bellhop.ledger.records import RESTORED, Doubt, Entry, Letter
from bellhop.letters.shown import Lists
from bellhop.letters.vendor_access import VendorAccess
from bellhop.schemas.envelope import decode_recordable
from bellhop.vendors.failure import VendorFailure
from bellhop.vendors.held import CallHeld
from bellhop.vendors.registry import vendor_of
from bellhop.vendors.vendor import FoundBookings

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
    def __init__(self, vendors: VendorAccess) -> None:
        self._vendors = vendors
        self._proofs = vendors.ledger.proofs
        self._lists = Lists(vendors)

    def check_absent(self, letter: Letter) -> str:
        """Whether the letter's call can have made nothing: why nobody tells, "" where the vendor says so, too. Raises
        Contradicted, Unasked, WordRefused, LedgerUnavailable."""
        doubt = self._proofs.of_letter(letter)
        account = self._vendors.account(doubt.call.account)
        if account is not None and doubt.since is not None and doubt.call.method != RESTORED:
            left = account.late_after - (self._vendors.clock.now() - doubt.since).total_seconds()
            if left > 0:
                raise Contradicted(f"its call may be carried out for {left:.0f} seconds more: {_AGAIN}")
        if shown := self._lists.show(doubt, letter).entries:
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
        account = self._vendors.account(doubt.call.account)
        if account is None:
            return _Look(None, f"not checked, as the settings have no account {doubt.call.account}")
        vendor, calls = vendor_of(account), [doubt.call]
        client = self._vendors.client(account)
        if doubt.call.method == RESTORED:
            calls = self._vendors.restored_events(account).calls(decode_recordable(letter.new.body), besides)
        try:
            found = [vendor.is_free(account, client, call) for call in calls]
        except (VendorFailure, CallHeld) as failure:
            return _Look(None, f"not checked, as {vendor.title} could not be asked ({failure})", is_away=True)
        if False in found:
            return _Look(False)
        if not found or None in found:
            return _Look(None, f"not checked, as {vendor.title} does not tell whether it is there")
        return _Look(True)
