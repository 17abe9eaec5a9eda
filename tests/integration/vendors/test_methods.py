"""Every method of both documents, and every error code, through our clients against the sandbox over HTTP.

`docs/vendors.md` names these tests, a row each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from bellhop.sandbox.server import Sandbox
from bellhop.vendors.failure import VendorFailure
from bellhop.vendors.peoplevine.client import METHODS as SPA_METHODS
from bellhop.vendors.peoplevine.client import PeoplevineClient
from bellhop.vendors.simplybook.book_answer import BookAnswer
from bellhop.vendors.simplybook.client import SimplybookClient
from bellhop.vendors.simplybook.codes import ERRORS, LOGIN_ROWS, ROWS, ErrorCode
from bellhop.vendors.simplybook.methods import LOGIN_METHODS, METHODS
from tests.integration.vendors.test_clients import DAY, GUEST, Tokens, salon, spa

NINE = f"{DAY} 09:00:00"
TEN = f"{DAY} 10:00:00"


@dataclass
class Scene:
    """A company in which provider 1 is booked at nine, and a batch of one booking is open."""

    client: SimplybookClient
    booked: BookAnswer
    batch: BookAnswer
    cart: Mapping[str, Any]

    def __call__(self, name: str, *arguments: Any) -> Any:
        return self.client.call(name, *arguments)

    @property
    def id(self) -> str:
        return self.booked.bookings[0].id

    @property
    def sign(self) -> str:
        return self.client.sign(self.id, self.booked.bookings[0].hash)

    @property
    def batch_sign(self) -> str:
        return self.client.sign(self.batch.batch_id, self.batch.batch_hash)

    @property
    def cart_sign(self) -> str:
        return self.client.sign(self.cart["cart_id"], self.cart["cart_hash"])


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


@pytest.fixture
def scene(sandbox: Sandbox) -> Scene:
    client = salon(sandbox, Tokens())
    booked = client.book(7, 1, DAY, "09:00:00", GUEST, {}, None, None, None)
    batch = client.book(7, 2, DAY, "09:00:00", GUEST, {}, None, int(client.create_batch()), None)
    cart = client.call("getBookingCart", [int(booked.bookings[0].id)])
    return Scene(client, booked, batch, cart)


def has(row: Mapping[str, Any], **expected: Any) -> bool:
    return {key: row.get(key) for key in expected} == expected


def ids(rows: list[Mapping[str, Any]]) -> list[str]:
    return [row["id"] for row in rows]


CASES: Mapping[str, Callable[[Scene], bool]] = {
    "book": lambda s: (
        s("book", 7, 3, DAY, "09:00:00", GUEST).bookings[0].start == NINE
        and len(s("book", 9, 3, DAY, "12:00:00", GUEST, {}, None, None, {}).bookings) == 4
        and len(s("book", 7, 65, DAY, "09:00:00", GUEST, {}, 3).bookings) == 3
    ),
    "calculateEndTime": lambda s: (
        s("calculateEndTime", TEN, 7, 1) == f"{DAY} 10:15:00" and s("calculateEndTime", NINE, 7, 1) is None
    ),
    "cancelBooking": lambda s: s("cancelBooking", s.id, s.sign) is True and NINE[11:] in s(
        "getStartTimeMatrix", DAY, DAY, 7, 1)[DAY],
    "confirmBooking": lambda s: s("confirmBooking", s.id, s.sign) is True,
    "confirmBookingBatch": lambda s: s("confirmBookingBatch", s.batch.batch_id, s.batch.batch_type, s.batch_sign),
    "confirmBookingBatchPayment": lambda s: s(
        "confirmBookingBatchPayment", s.batch.batch_id, s.batch.batch_type, "paypal", s.batch_sign
    ),
    "confirmBookingCart": lambda s: s("confirmBookingCart", s.cart["cart_id"], "paypal", s.cart_sign),
    "confirmBookingPayment": lambda s: s("confirmBookingPayment", s.id, "paypal", s.sign),
    "createBatch": lambda s: s("createBatch") != s("createBatch"),
    "filterAvailableUnits": lambda s: s("filterAvailableUnits", 7, NINE, [1, 3]) == ["3"],
    "getAdditionalFields": lambda s: (
        [field["type"] for field in s("getAdditionalFields", 12)]
        == ["select", "checkbox", "digits", "text", "textarea"]
        and s("getAdditionalFields", 7) == []
    ),
    "getAnyUnitData": lambda s: has(s("getAnyUnitData"), name="Any employee"),
    "getAvailableTimeIntervals": lambda s: s("getAvailableTimeIntervals", DAY, DAY, 7, [66])[DAY]["66"]
    == [["09:00:00", "13:00:00"], ["14:00:00", "19:00:00"]],
    "getAvailableUnits": lambda s: s("getAvailableUnits", 7, NINE)[:2] == ["3", "4"],
    "getBooking": lambda s: has(s("getBooking", s.id, s.sign), id=s.id, start_date_time=NINE),
    "getBookingCart": lambda s: has(s("getBookingCart", [int(s.id)])["cart"][0], id=s.id),
    "getBookingDetails": lambda s: has(
        s("getBookingDetails", s.id, s.sign), id=s.id, event_id="7", unit_id="1", start_date_time=NINE
    ),
    "getCategoriesList": lambda s: ids(s("getCategoriesList", True)) == ["1", "2"],
    "getCompanyInfo": lambda s: has(s("getCompanyInfo"), login="sandbox", timezone="Europe/London"),
    "getCompanyParam": lambda s: s("getCompanyParam", "require_fields") == "email",
    "getCompanyParams": lambda s: s("getCompanyParams", ["timeframe", "none"]) == {"timeframe": "15", "none": False},
    "getCompanyTimezoneOffset": lambda s: has(s("getCompanyTimezoneOffset"), timezone="Europe/London"),
    "getCountryPhoneCodes": lambda s: len(s("getCountryPhoneCodes")) == 3,
    "getEventList": lambda s: (
        s("getEventList") == s("getEventList", False, True)
        and has(s("getEventList")[0], id="1", duration=30, is_recurring=False, currency="GBP")
    ),
    "getFirstWorkingDay": lambda s: datetime.fromisoformat(s("getFirstWorkingDay", 66)).year >= 2026,
    "getLocationsList": lambda s: has(s("getLocationsList", True)[0], id="1", units=["1", "3", "4", "5"]),
    "getPaymentProcessorConfig": lambda s: has(s("getPaymentProcessorConfig", "paypal"), name="paypal"),
    "getPluginPromoInfoByCode": lambda s: (
        has(s("getPluginPromoInfoByCode", "yvuvugum"), discount="99.9999", service_ids=["1"])
        and s("getPluginPromoInfoByCode", "none") is None
    ),
    "getPluginStatuses": lambda s: s("getPluginStatuses", ["api", "none"]) == {"api": True, "none": False},
    "getPromocodeInfo": lambda s: has(s("getPromocodeInfo", "yvuvugum"), id="1") and not s("getPromocodeInfo", "none"),
    "getPromotionRewardInfo": lambda s: has(s("getPromotionRewardInfo", 132, 1, "any"), common_promotion_id="132"),
    "getRecurringDatetimes": lambda s: len(s("getRecurringDatetimes", 9, 1, DAY, "10:00:00", {})) == 4,
    "getReservedTime": lambda s: s("getReservedTime", DAY, DAY, 7, 1)[DAY][0]["events"]
    == [{"from": "09:00", "to": "09:15"}],
    "getReservedTimeIntervals": lambda s: s("getReservedTimeIntervals", DAY, DAY, 7, 1)[DAY][0]["reserved_time"]
    == [{"from": "09:00", "to": "09:15"}],
    "getStartTimeMatrix": lambda s: (
        "09:00:00" not in s("getStartTimeMatrix", DAY, DAY, 7, 1)[DAY]
        and "13:15:00" not in s("getStartTimeMatrix", DAY, DAY, 7, [66, 67])[DAY]
        and "09:00:00" in s("getStartTimeMatrix", DAY, DAY, 7)[DAY]
    ),
    "getTimeframe": lambda s: s("getTimeframe") == 15,
    "getTimelineType": lambda s: s("getTimelineType") == "modern_week",
    "getUnitList": lambda s: has(s("getUnitList", True, True)[64], id="65", qty=5),
    "getUserLicenseText": lambda s: "kind" in s("getUserLicenseText"),
    "getWorkCalendar": lambda s: has(s("getWorkCalendar", 2027, 3, 66)[DAY], **{"from": "09:00:00", "to": "19:00:00"}),
    "getWorkDaysInfo": lambda s: (
        s("getWorkDaysInfo", DAY, DAY, 66, 7)[DAY][1] == {"from": "14:00:00", "to": "19:00:00"}
        and s("getWorkDaysInfo", DAY, DAY, 1, 7)[DAY][0]["to"] == "24:00:00"
    ),
    "hasUpcommingPromotions": lambda s: s("hasUpcommingPromotions") is True,
    "isPaymentRequired": lambda s: s("isPaymentRequired", 7) is False,
    "isPluginActivated": lambda s: s("isPluginActivated", "api") and not s("isPluginActivated", "none"),
    "validatePayment": lambda s: (
        s("validatePayment", {"paid": True}, s.cart["cart_id"]) is True and s("validatePayment", {}, 1) is False
    ),
    "validatePromoCode": lambda s: s("validatePromoCode", "WELCOME", TEN, 7, 1, GUEST) is True,
    "getToken": lambda s: len(s.client.login()) == 64,
    "getServiceUrl": lambda s: s.client.service_url().startswith("http://127.0.0.1"),
}  # fmt: skip


def test_there_is_a_case_for_every_method_of_the_document() -> None:
    assert set(CASES) == {*METHODS, *LOGIN_METHODS}
    assert len(METHODS) == 46


@pytest.mark.parametrize("name", CASES)
def test_simplybook(name: str, scene: Scene) -> None:
    assert CASES[name](scene)


@pytest.mark.parametrize("row", [*ROWS, *LOGIN_ROWS], ids=lambda row: row.name)
def test_code(row: ErrorCode, sandbox: Sandbox) -> None:
    """Each code raises the exception of its own name, with its kind, the vendor's words and an advice."""
    client = salon(sandbox, Tokens())
    method = "getToken" if row in LOGIN_ROWS else "getTimeframe"
    sandbox.fault(method=method, kind="error", code=row.code, message=row.words, times=None)
    with pytest.raises(ERRORS[row]) as caught:
        client.call("getTimeframe")
    failure = caught.value
    assert (type(failure).__name__, failure.kind, failure.code) == (row.name, row.kind, str(row.code))
    assert row.words in str(failure)
    assert failure.answer is not None
    assert failure.answer["advice"] == row.advice


SINCE = datetime(2020, 1, 1, tzinfo=UTC)
OFFER = {
    "start": "2027-03-01T09:15:00",
    "end": "2027-03-01T10:15:00",
    "price": 100.0,
    "technician_id": "17138931",
    "service_id": "24422569",
    "facility_id": "24422054",
}


def calls(sandbox: Sandbox, method: str) -> list[dict[str, Any]]:
    return [call for call in sandbox.calls() if call["method"] == method]


def _synced(client: PeoplevineClient, sandbox: Sandbox) -> bool:
    client.sync_member("3125141")
    return calls(sandbox, "sync_member")[-1]["query"]["member_id"] == "3125141"


def _reserved(client: PeoplevineClient, sandbox: Sandbox) -> bool:
    made = client.create_service_reservation("3125141", "test reservation", [OFFER])
    return made.isdigit() and calls(sandbox, "create_service_reservation")[-1]["body"]["offers"] == [OFFER]


def _from(sandbox: Sandbox, method: str) -> bool:
    return str(calls(sandbox, method)[-1]["query"]["from"]) == "2020-01-01T00:00:00Z"


SPA_CASES: Mapping[str, Callable[[PeoplevineClient, Sandbox], bool]] = {
    "sync_member": _synced,
    "sync_profiles": lambda c, s: c.sync_profiles(SINCE) >= 0 and _from(s, "sync_profiles"),
    "sync_reservations": lambda c, s: c.sync_reservations(SINCE) >= 0 and _from(s, "sync_reservations"),
    "sync_services": lambda c, s: c.sync_services() >= 0 and len(calls(s, "sync_services")) == 1,
    "products": lambda c, s: {"72446947", "72447553"} <= set(ids(c.products())),
    "locations": lambda c, s: len(c.locations()) > 0 and calls(s, "metadata")[-1]["query"]["type"] == "location",
    "guest_types": lambda c, s: "VIP" in [t["name"] for t in c.guest_types()],
    "get_service_availability": lambda c, _: has(
        c.get_service_availability("2027-03-01", "10:00", "12:00", True, True, ["24422569"])[0],
        service_id="24422569",
        start="2027-03-01T10:00:00+00:00",
        end="2027-03-01T11:00:00+00:00",
    ),
    "create_service_reservation": _reserved,
}


def test_there_is_a_case_for_every_method_of_peoplevine() -> None:
    assert set(SPA_CASES) == set(SPA_METHODS)
    assert len(SPA_METHODS) == 9


@pytest.mark.parametrize("name", SPA_CASES)
def test_peoplevine(name: str, sandbox: Sandbox) -> None:
    assert SPA_CASES[name](spa(sandbox), sandbox)


@pytest.mark.parametrize(
    ("name", "arguments", "rule"),
    [
        ("book", (7, 1, "2027-13-01", "09:00:00", GUEST), "date must be a date such as"),
        ("book", (7, 1, DAY, "9:00", GUEST), "time must be a time such as"),
        ("book", ("seven", 1, DAY, "09:00:00", GUEST), "eventId must be a whole number"),
        ("book", (7, 1, DAY, "09:00:00", "Ada"), "clientData must be an object"),
        ("book", (7, 1, DAY), "time is missing"),
        ("cancelBooking", ("434", "not a signature"), "sign must be a signature"),
        ("getTimeframe", (1,), "takes at most 0 arguments"),
        ("getPluginStatuses", ("api",), "pluginNames must be a list"),
        ("someNotExistingMethod", (), "is not a method of the public service"),
    ],
)
def test_arguments_are_checked_before_anything_is_sent(
    name: str, arguments: tuple[Any, ...], rule: str, sandbox: Sandbox
) -> None:
    with pytest.raises(VendorFailure, match=rule) as caught:
        salon(sandbox, Tokens()).call(name, *arguments)
    assert "Ada" not in str(caught.value)
    assert sandbox.calls() == []


def test_a_count_and_a_batch_are_never_sent_together(sandbox: Sandbox) -> None:
    with pytest.raises(VendorFailure, match="exclude each other"):
        salon(sandbox, Tokens()).book(7, 1, DAY, "09:00:00", GUEST, {}, 2, 5, None)
    assert sandbox.calls() == []
