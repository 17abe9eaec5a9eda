"""SimplyBook.me, as a row of the registry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bellhop.vendors.simplybook.callback_body import read
from bellhop.vendors.simplybook.settings import ACCOUNT, SimplybookAccount
from bellhop.vendors.vendor import CallbackFacts, HandlerContext, Vendor

if TYPE_CHECKING:
    from bellhop.vendors.handler import Handler
    from bellhop.vendors.simplybook.client import SimplybookClient

Context = HandlerContext[SimplybookAccount]


def _bookings(context: Context) -> Handler:
    from bellhop.vendors.simplybook.bookings import SimplybookBookings

    return SimplybookBookings(_clients(context), context.accounts, context.settings.venues)


def _callbacks(context: Context) -> Handler:
    from bellhop.vendors.simplybook.callbacks import Feed, SimplybookCallbacks

    feeds = {
        source.name: Feed(source.pull_account, context.settings.venues.get(source.feed_venue), source.map.apply)
        for source in context.settings.sources.values()
        if source.account in context.accounts
    }
    return SimplybookCallbacks(_clients(context), feeds, context.ledger, context.now)


def _clients(context: Context) -> dict[str, SimplybookClient]:
    from bellhop.vendors.simplybook.client import SimplybookClient

    return {
        name: SimplybookClient(one, context.http, context.ledger, context.gate)
        for name, one in context.accounts.items()
    }


SIMPLYBOOK: Final = Vendor(
    "simplybook", "SimplyBook.me", ACCOUNT, bookings=_bookings, callbacks=CallbackFacts(read, _callbacks)
)
