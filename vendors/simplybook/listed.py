"""What the company's own list of bookings shows of a call in doubt: the same proof as a callback's, only asked for.

Nothing but a booking that is there proves anything: that a list lacks one may be the filter's or the user's fault.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

from bellhop.ledger.records import RESTORED, Booking, Doubt, Entry, VendorCall
from bellhop.schemas.envelope import Envelope
from bellhop.vendors.failure import Kind, VendorFailure
from bellhop.vendors.held import CallHeld
from bellhop.vendors.simplybook.admin import Administration
from bellhop.vendors.simplybook.bookings import BOOK
from bellhop.vendors.simplybook.client import SimplybookClient
from bellhop.vendors.simplybook.found import differences, found_entry, is_cancelled
from bellhop.vendors.simplybook.proof import is_guest, match
from bellhop.vendors.simplybook.settings import SimplybookAccount
from bellhop.vendors.vendor import Said


class ListLedger(Protocol):
    """What is needed of the ledger. Every method may raise LedgerUnavailable."""

    @property
    def proofs(self) -> Candidates: ...

    def booking_of(self, account: str, vendor_id: str) -> Booking | None: ...


class Candidates(Protocol):
    def candidates(self, account: str) -> Sequence[Doubt]: ...

    def of_restore(self, account: str) -> Sequence[Doubt]: ...


def show_of_event(
    clients: Mapping[str, SimplybookClient],
    accounts: Mapping[str, SimplybookAccount],
    ledger: ListLedger,
    call: VendorCall,
    event: Envelope,
) -> tuple[Entry, ...]:
    """What the list shows of an event's call in doubt. Raises LedgerUnavailable."""
    account, client = accounts[call.account], clients[call.account]
    if client.admin is None or event.data.get("recurring"):
        return ()
    every = ledger.proofs.candidates(account.name)
    mine = next((one for one in every if (one.source, one.event_id) == (event.source, event.id)), None)
    return () if mine is None else show(account, client, ledger, replace(mine, call=call))


def show(account: SimplybookAccount, client: SimplybookClient, ledger: ListLedger, doubt: Doubt) -> tuple[Entry, ...]:
    """See `vendors.vendor.Show`."""
    if client.admin is None or doubt.call.method != BOOK or doubt.call.arguments.get("recurring"):
        return ()
    return CompanyList(account, client.admin, ledger).look(doubt)


class CompanyList:
    """The list of one account, beside what the ledger knows."""

    def __init__(self, account: SimplybookAccount, admin: Administration, ledger: ListLedger) -> None:
        self._account = account
        self._admin = admin
        self._ledger = ledger

    def look(self, doubt: Doubt) -> tuple[Entry, ...]:
        """What the call certainly made, each of it; none where the list cannot be had, or leaves anything open."""
        try:
            rows = self._admin.bookings(str(doubt.call.arguments["date"]), str(doubt.call.arguments["event_id"]))
            mine = self._rows_of(doubt, rows)
            told = [row | self._details(row["id"]) for row in mine]
        except (VendorFailure, CallHeld):
            return ()
        if any(is_cancelled(one) or differences(doubt.call, one) for one in told):
            return ()
        said = [(Said(one["id"], str(one.get("hash") or "")), one) for one in told]
        made = [found_entry(self._account, doubt.call, doubt.event_id, *one) for one in said]
        return tuple(replace(entry, account=self._account.name) for entry in made)

    def _rows_of(self, doubt: Doubt, rows: Sequence[dict[str, Any]]) -> Sequence[dict[str, Any]]:
        """Those that can be of this call alone, as many as it asked for; else none."""
        # After the list, and the bookings after the calls: what the list shows of a call that was under way meanwhile
        # is then known as that one's, or as its booking.
        proofs, name = self._ledger.proofs, self._account.name
        every = [*proofs.candidates(name), *proofs.of_restore(name)]
        words = next((one.words for one in every if one.event_pk == doubt.event_pk), frozenset[int]())
        doubt, others = replace(doubt, words=words, is_open=True), [one for one in every if not _is_of(one, doubt)]
        mine = [row for row in rows if match((doubt, *others), row).doubt is doubt and self._is_new(row)]
        if any(_may_be_of(other, doubt, row) for other in others for row in mine):
            return ()
        return mine if len(mine) == int(doubt.call.arguments.get("count", 1)) else ()

    def _details(self, id_: str) -> dict[str, Any]:
        """With the hash, maybe. Raises VendorFailure, Held where they may be told later."""
        try:
            return self._admin.details(id_)
        except VendorFailure as failure:
            if failure.kind is Kind.REJECTED or failure.said_no:
                return {}
            raise

    def _is_new(self, row: Mapping[str, Any]) -> bool:
        return not is_cancelled(row) and self._ledger.booking_of(self._account.name, row["id"]) is None


def _is_of(other: Doubt, doubt: Doubt) -> bool:
    """Whether it is of the same event, and the same service of it or of all."""
    same = other.event_pk == doubt.event_pk
    return same and (other.call.method == RESTORED or other.call.line == doubt.call.line)


def _may_be_of(other: Doubt, doubt: Doubt, row: Mapping[str, Any]) -> bool:
    """Whether it may be of another booking of the guest's, of which a ledger that was put back does not know what it
    asked for."""
    is_other = (other.source, other.subject) != (doubt.source, doubt.subject)
    return is_other and other.call.method == RESTORED and is_guest(other, row) is not False
