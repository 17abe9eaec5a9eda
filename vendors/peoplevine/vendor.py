"""Peoplevine, as a row of the registry."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from bellhop.vendors.peoplevine.labels import label_warnings
from bellhop.vendors.peoplevine.settings import ACCOUNT, PULLS, PeoplevineAccount
from bellhop.vendors.vendor import HandlerContext, PullFacts, Vendor

if TYPE_CHECKING:
    from bellhop.vendors.handler import Handler
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
    from bellhop.vendors.peoplevine.client import PeoplevineClient

    return {name: PeoplevineClient(one, context.http, context.gate) for name, one in context.accounts.items()}


def _member_warnings(account: PeoplevineAccount, member: Mapping[str, Any]) -> tuple[str, ...]:
    return label_warnings(member.get("attributes", {}), account.attributes) if account.system == "sevenrooms" else ()


PEOPLEVINE: Final = Vendor(
    "peoplevine",
    "Peoplevine",
    ACCOUNT,
    bookings=_bookings,
    members=_members,
    pulls=PullFacts(PULLS, _pulls, timeless=frozenset({"services"})),
    member_warnings=_member_warnings,
)
