"""No field of an event is silent: the contract and the vendors' tables, walked together."""

from __future__ import annotations

from typing import Any

import pytest

from bellhop.schemas.events import BOOKING_FIELDS, BOOKING_TYPES, DATA_FIELDS, MEMBER_FIELDS, MEMBER_TYPES, TYPES
from bellhop.vendors.fates import CallFates, Fate, field_warnings, sent_fields
from bellhop.vendors.registry import VENDORS
from bellhop.vendors.vendor import Vendor

NESTED = [name for name in DATA_FIELDS if name]
OF_BOOKINGS = (BOOKING_FIELDS - set(NESTED)) | {f"{outer}.{one}" for outer in NESTED for one in DATA_FIELDS[outer]}
FIELDS = {**dict.fromkeys(MEMBER_TYPES, MEMBER_FIELDS), **dict.fromkeys(BOOKING_TYPES, OF_BOOKINGS)}
ROWS = [(vendor, row) for vendor in VENDORS for row in vendor.fates]


@pytest.mark.parametrize(("vendor", "row"), ROWS, ids=lambda value: getattr(value, "kind", getattr(value, "call", "")))
def test_every_field_of_the_contract_has_a_fate_at_every_call(vendor: Vendor[Any], row: CallFates) -> None:
    for type_ in row.types:
        assert set(row.fields) == FIELDS[type_], f"vendors/{vendor.kind}/fates.py: say what becomes of it"


@pytest.mark.parametrize("vendor", VENDORS, ids=lambda vendor: vendor.kind)
def test_every_event_that_a_vendor_works_stands_in_its_table_once(vendor: Vendor[Any]) -> None:
    types = [type_ for row in vendor.fates for type_ in row.types]
    assert sorted(types) == sorted(TYPES if vendor.members else BOOKING_TYPES)


@pytest.mark.parametrize(("vendor", "row"), ROWS, ids=lambda value: getattr(value, "kind", getattr(value, "call", "")))
def test_every_fate_says_more_than_its_name(vendor: Vendor[Any], row: CallFates) -> None:
    for name, fate in row.fields.items():
        assert fate.words, name
        assert bool(fate.needs) == bool(fate.otherwise), name
        assert not fate.needs or hasattr(vendor.account.section, fate.needs), name
        assert row.call or fate.fate is not Fate.CARRIED, "what has no call carries nothing"


def test_what_says_nothing_is_no_field_that_was_sent() -> None:
    data = {"notes": "", "client": {"name": "Ada", "phone": None}, "services": [{"end": "x"}, {"end": "y", "price": 0}]}
    assert sent_fields(data) == ["client.name", "services.end", "services.price"]


def test_what_is_warned_of_is_told_by_its_reason_without_a_value() -> None:
    (vendor,) = (one for one in VENDORS if one.kind == "simplybook")
    account = type("Account", (), {"notes_field": ""})()
    data = {"member_id": "77", "notes": "no nuts", "services": [{"price": 9.5, "facility_id": "4"}]}
    told = field_warnings(vendor.title, vendor.fates, account, "booking.requested", data)
    assert told == (
        "data.member_id, data.services.facility_id: not sent to SimplyBook.me: book has no argument for it",
        "data.notes: not sent to SimplyBook.me: name the intake field that takes them by notes_field in the account's "
        "settings",
        "data.services.price: not sent to SimplyBook.me: the service's own price counts",
    )
    account.notes_field = "Notes"
    assert not [
        line
        for line in field_warnings(vendor.title, vendor.fates, account, "booking.changed", data)
        if "data.notes" in line
    ]
    assert field_warnings(vendor.title, vendor.fates, account, "booking.requested", {**data, "status": "HOLD"}) == ()
