"""What a vendor is asked to see whether it is well, and what the end of a call says of that."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Final

from bellhop.ledger.records.accounts import Ended
from bellhop.ledger.store import Ledger
from bellhop.schemas.settings import Settings
from bellhop.vendors.failure import Kind, VendorFailure
from bellhop.vendors.held import Gate
from bellhop.vendors.http import HttpClient
from bellhop.vendors.registry import vendor_of

Questions = Mapping[str, Callable[[], object]]
"""By account, a question that changes nothing and that every login may ask; raises what a client's call raises."""

NO_QUESTIONS: Final[Questions] = MappingProxyType({})


def harmless_questions(settings: Settings, http: HttpClient, ledger: Ledger, gate: Gate | None = None) -> Questions:
    """Without the accounts whose vendor knows none. gate: None for before no gate."""
    found = {}
    for name, account in settings.accounts.items():
        vendor = vendor_of(account)
        if vendor.harmless:
            found[name] = partial(vendor.client(account, http, ledger, gate).call, vendor.harmless)
    return found


def call_end(failure: VendorFailure, *, is_marked: bool) -> Ended:
    """is_marked: of a call that may leave something in doubt. No other makes the next try wait longer and longer."""
    if failure.kind is Kind.THROTTLED:
        return Ended.THROTTLED
    if failure.tells_nothing:
        return Ended.LOGGED_IN
    if failure.kind is Kind.AUTH:
        return Ended.REFUSED
    if not failure.is_away:
        return Ended.ANSWERED
    return Ended.ILL if is_marked and failure.kind is Kind.UNKNOWN else Ended.AWAY
