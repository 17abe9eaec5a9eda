"""Peoplevine, as a row of the registry."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from bellhop.vendors.peoplevine.catalog import CATALOG
from bellhop.vendors.peoplevine.fates import FATES
from bellhop.vendors.peoplevine.labels import label_warnings
from bellhop.vendors.peoplevine.rules import BOOKING_DEMANDS
from bellhop.vendors.peoplevine.settings import ACCOUNT, PULLS, PeoplevineAccount
from bellhop.vendors.vendor import CallMethod, DemoData, FoundBookings, HandlerContext, PullFacts, Said, Vendor

if TYPE_CHECKING:
    from bellhop.ledger.records import VendorCall
    from bellhop.ledger.store import Ledger
    from bellhop.vendors.doctor.checks import Examination, Subject
    from bellhop.vendors.handler import Handler
    from bellhop.vendors.held import Gate
    from bellhop.vendors.http import HttpClient
    from bellhop.vendors.peoplevine.client import PeoplevineClient

Context = HandlerContext[PeoplevineAccount]


def _bookings(context: Context) -> Handler:
    from bellhop.vendors.peoplevine.bookings import PeoplevineBookings

    return PeoplevineBookings(_clients(context), context.accounts, context.settings.venues)


def _members(context: Context) -> Handler:
    from bellhop.vendors.peoplevine.members import Members

    return Members(_clients(context))


def _pulls(context: Context) -> Handler:
    from bellhop.vendors.peoplevine.pulls import Pulls

    return Pulls(_clients(context), context.accounts, context.ledger.pulls, context.now)


def _clients(context: Context) -> dict[str, PeoplevineClient]:
    return {name: _client(one, context.http, context.ledger, context.gate) for name, one in context.accounts.items()}


def _client(account: PeoplevineAccount, http: HttpClient, _ledger: Ledger, gate: Gate | None) -> PeoplevineClient:
    from bellhop.vendors.peoplevine.client import PeoplevineClient

    return PeoplevineClient(account, http, gate)


def _find_said(
    account: PeoplevineAccount, client: PeoplevineClient, call: VendorCall, made_by: str, said: Sequence[Said]
) -> FoundBookings:
    from bellhop.vendors.peoplevine.found import find_said

    return find_said(account, client, call, made_by, said)


def _is_free(account: PeoplevineAccount, client: PeoplevineClient, call: VendorCall) -> bool | None:
    from bellhop.vendors.peoplevine.found import is_free

    return is_free(account, client, call)


def _methods() -> Mapping[str, CallMethod]:
    from bellhop.vendors.peoplevine.call import methods

    return methods()


def _doctor(
    account: PeoplevineAccount,
    subject: Subject,
    client_of: Callable[[PeoplevineAccount], PeoplevineClient],
    _ledger: Ledger,
) -> Examination:
    from bellhop.vendors.doctor.checks import troubles
    from bellhop.vendors.peoplevine.doctor import PeoplevineChecks, other_region

    elsewhere = client_of(replace(account, region=other_region(account)))
    return PeoplevineChecks(account, subject, troubles(client_of(account).call), troubles(elsewhere.call))


def _demo() -> DemoData:
    from bellhop.vendors.peoplevine.demo import DEMO

    return DEMO


def _document() -> Iterator[str]:
    from bellhop.vendors.peoplevine.document import lines

    return lines()


def _member_warnings(account: PeoplevineAccount, member: Mapping[str, Any]) -> tuple[str, ...]:
    return label_warnings(member.get("attributes", {}), account.attributes) if account.system == "sevenrooms" else ()


PEOPLEVINE: Final = Vendor(
    "peoplevine",
    ACCOUNT.title,
    ACCOUNT,
    bookings=_bookings,
    client=_client,
    methods=_methods,
    harmless="locations",
    catalog=CATALOG,
    doctor=_doctor,
    demo=_demo,
    document=_document,
    fates=FATES,
    booking_demands=BOOKING_DEMANDS,
    call_help="Peoplevine's arguments also as NAME=VALUE.",
    find_said=_find_said,
    is_free=_is_free,
    members=_members,
    pulls=PullFacts(PULLS, _pulls, timeless=frozenset({"services"})),
    member_warnings=_member_warnings,
)
