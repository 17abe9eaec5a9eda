"""SimplyBook.me, as a row of the registry."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Final

from bellhop.vendors.simplybook.callback_body import read_notice
from bellhop.vendors.simplybook.catalog import CATALOG
from bellhop.vendors.simplybook.fates import FATES
from bellhop.vendors.simplybook.rules import BOOKING_DEMANDS
from bellhop.vendors.simplybook.settings import ACCOUNT, SimplybookAccount
from bellhop.vendors.vendor import CallbackFacts, CallMethod, DemoData, FoundBookings, HandlerContext, Said, Vendor

if TYPE_CHECKING:
    from bellhop.ledger.records import Doubt, Entry, VendorCall
    from bellhop.ledger.store import Ledger
    from bellhop.vendors.doctor.checks import Examination, Subject
    from bellhop.vendors.handler import Handler
    from bellhop.vendors.held import Gate
    from bellhop.vendors.http import HttpClient
    from bellhop.vendors.kept_answers import Share
    from bellhop.vendors.simplybook.client import SimplybookClient

Context = HandlerContext[SimplybookAccount]


def _bookings(context: Context) -> Handler:
    from bellhop.vendors.simplybook.bookings import SimplybookBookings
    from bellhop.vendors.simplybook.listed import show_of_event

    clients = _clients(context)
    return SimplybookBookings(
        clients,
        context.accounts,
        context.settings.venues,
        context.now,
        lambda event: context.ledger.bookings_of_guest(event.source, event.data, but=event.subject),
        partial(_share, context.ledger),
        partial(show_of_event, clients, context.accounts, context.ledger),
    )


def _share(ledger: Ledger, account: SimplybookAccount) -> Share:
    """What the company says, with all processes: by the company, so that other settings ask anew."""
    from bellhop.vendors.kept_answers import FRESH_SECONDS

    company = f"{account.base_url} {account.company}"
    return lambda question, ask: ledger.vendor_answers.get(company, json.dumps(question), FRESH_SECONDS, ask)


def _callbacks(context: Context) -> Handler:
    from bellhop.vendors.simplybook.callbacks import Feed, SimplybookCallbacks

    feeds = {
        source.name: Feed(source.pull_account, context.settings.venues.get(source.feed_venue), source.map.apply)
        for source in context.settings.sources.values()
        if source.account in context.accounts
    }
    return SimplybookCallbacks(
        _clients(context), feeds, context.ledger, context.now, lambda: context.ledger.proofs, context.accounts
    )


def _clients(context: Context) -> dict[str, SimplybookClient]:
    return {name: _client(one, context.http, context.ledger, context.gate) for name, one in context.accounts.items()}


def _client(account: SimplybookAccount, http: HttpClient, ledger: Ledger, gate: Gate | None) -> SimplybookClient:
    """With the token that all share."""
    from bellhop.vendors.simplybook.client import SimplybookClient

    return SimplybookClient(account, http, ledger, gate)


def _find_said(
    account: SimplybookAccount, client: SimplybookClient, call: VendorCall, made_by: str, said: Sequence[Said]
) -> FoundBookings:
    from bellhop.vendors.simplybook.found import find_said

    return find_said(account, client, call, made_by, said)


def _show(account: SimplybookAccount, client: SimplybookClient, ledger: Ledger, doubt: Doubt) -> Sequence[Entry]:
    from bellhop.vendors.simplybook.listed import show

    return show(account, client, ledger, doubt)


def _is_free(_account: SimplybookAccount, client: SimplybookClient, call: VendorCall) -> bool | None:
    from bellhop.vendors.simplybook.found import is_free

    return is_free(client, call)


def _login(account: SimplybookAccount, http: HttpClient, ledger: Ledger) -> None:
    """Through no gate: an account that is held for its credentials is what one logs in for."""
    _client(account, http, ledger, None).renew_token()


def _methods() -> Mapping[str, CallMethod]:
    from bellhop.vendors.simplybook.call import methods

    return methods()


def _doctor(
    account: SimplybookAccount,
    subject: Subject,
    client_of: Callable[[SimplybookAccount], SimplybookClient],
    _ledger: Ledger,
) -> Examination:
    from bellhop.vendors.doctor.checks import troubles
    from bellhop.vendors.simplybook.doctor import SimplybookChecks

    client = client_of(account)
    return SimplybookChecks(
        account,
        subject,
        troubles(client.call),
        troubles(client.renew_token),
        troubles(client.service_url),
        troubles(client.admin.bookings_after_login) if client.admin else None,
    )


def _demo() -> DemoData:
    from bellhop.vendors.simplybook.demo import DEMO

    return DEMO


def _document() -> Iterator[str]:
    from bellhop.vendors.simplybook.document import lines

    return lines()


SIMPLYBOOK: Final = Vendor(
    "simplybook",
    ACCOUNT.title,
    ACCOUNT,
    bookings=_bookings,
    client=_client,
    login=_login,
    methods=_methods,
    harmless="getTimeframe",
    catalog=CATALOG,
    doctor=_doctor,
    demo=_demo,
    document=_document,
    fates=FATES,
    booking_demands=BOOKING_DEMANDS,
    callbacks=CallbackFacts(read_notice, _callbacks),
    find_said=_find_said,
    is_free=_is_free,
    show=_show,
    has_list=lambda account: account.has_list,
    call_help=(
        "A SimplyBook.me signature may be written hash:HASH, with the hash of the booking or batch whose id is the "
        "first argument: it is made with the account's secret key."
    ),
)
