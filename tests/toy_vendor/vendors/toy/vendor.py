"""The toy vendor, as a row of the registry."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from bellhop.vendors.toy.settings import ACCOUNT, ToyAccount

from bellhop.vendors.catalog import CatalogKind, MethodCall, Rows
from bellhop.vendors.vendor import CallMethod, DemoData, HandlerContext, Vendor

if TYPE_CHECKING:
    from bellhop.vendors.toy.client import ToyClient

    from bellhop.ledger.store import Ledger
    from bellhop.vendors.doctor.checks import Examination, Subject
    from bellhop.vendors.handler import Handler
    from bellhop.vendors.held import Gate
    from bellhop.vendors.http import HttpClient

_SETTINGS: Final = """\
[accounts.nursery]
kind = "toy"
base_url = "{sandbox}"
key = "sandbox-toy-key"
connect_timeout = "2s"
read_timeout = "10s"

[venues.nursery]
account = "nursery"
timezone = "Europe/London"
"""


def _bookings(context: HandlerContext[ToyAccount]) -> Handler:
    from bellhop.vendors.toy.bookings import ToyBookings

    accounts = context.accounts.items()
    return ToyBookings({name: _client(one, context.http, context.ledger, context.gate) for name, one in accounts})


def _client(account: ToyAccount, http: HttpClient, _ledger: Ledger, gate: Gate | None) -> ToyClient:
    from bellhop.vendors.toy.client import ToyClient

    return ToyClient(account, http, gate)


def _methods() -> Mapping[str, CallMethod]:
    from bellhop.vendors.toy.client import methods

    return methods()


def _doctor(
    account: ToyAccount, _subject: Subject, client_of: Callable[[ToyAccount], ToyClient], _ledger: Ledger
) -> Examination:
    from bellhop.vendors.toy.doctor import ToyChecks

    return ToyChecks(client_of(account))


def _toys(call: MethodCall, _service: str) -> Rows:
    return [{"id": row["id"], "name": row["name"]} for row in call("toys")]


def _sample(start: datetime, number: int) -> dict[str, Any]:
    return {"services": [{"service_id": "bear", "facility_id": str(number), "start": start.isoformat()}]}


def _document() -> Iterator[str]:
    yield "## Toys"


TOY: Final = Vendor(
    "toy",
    ACCOUNT.title,
    ACCOUNT,
    bookings=_bookings,
    client=_client,
    methods=_methods,
    catalog={"toys": CatalogKind(("id", "name"), _toys)},
    doctor=_doctor,
    demo=lambda: DemoData(_SETTINGS, "teddy bear", _sample),
    document=_document,
)
