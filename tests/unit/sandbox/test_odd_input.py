"""A caller's mistake must come back as a vendor's refusal: a crash here would look like a vendor's outage there."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from hypothesis import given, settings
from hypothesis import strategies as st

from bellhop.sandbox.app import create_sandbox
from tests.support.examples import EXAMPLES

NOW: Final = datetime(2026, 3, 9, 12, 0, tzinfo=UTC)
ACCOUNT: Final = {"auth_id": "sandbox", "company": "4711", "user": "bellhop", "pass": "sandbox-password"}
SPAN: Final = ["2026-03-10", "2026-03-11", "1", ["3"], 1]
MOMENT: Final = "2026-03-10 13:00:00"
PARAMS: Final[dict[str, list[Any]]] = {
    "book": ["12", "3", "2026-03-10", "13:00:00", {"name": "A", "email": "a@b.co"}, {}, 1, "", None],
    "calculateEndTime": [MOMENT, "1", "3"],
    "confirmBooking": ["1", "x"],
    "cancelBooking": ["1", "x"],
    "confirmBookingBatch": ["1", "batch_booking", "x"],
    "confirmBookingBatchPayment": ["1", "batch_booking", "paypal", "x"],
    "confirmBookingCart": ["1", "paypal", "x"],
    "confirmBookingPayment": ["1", "paypal", "x"],
    "filterAvailableUnits": ["1", MOMENT, [1, 2], 1],
    "getAdditionalFields": ["12"],
    "getAvailableTimeIntervals": SPAN,
    "getAvailableUnits": ["1", MOMENT, 1],
    "getBooking": ["1", "x"],
    "getBookingCart": [["1"]],
    "getBookingDetails": ["1", "x"],
    "getCategoriesList": [True],
    "getCompanyParam": ["timeframe"],
    "getCompanyParams": [["timeframe"]],
    "getEventList": [True, True],
    "getFirstWorkingDay": ["66"],
    "getLocationsList": [True, True],
    "getPaymentProcessorConfig": ["paypal"],
    "getPluginPromoInfoByCode": ["WELCOME"],
    "getPluginStatuses": [["promo"]],
    "getPromocodeInfo": ["WELCOME"],
    "getPromotionRewardInfo": ["132", "1", "x"],
    "getRecurringDatetimes": ["9", "3", "2026-03-10", "13:00:00", []],
    "getReservedTime": SPAN,
    "getReservedTimeIntervals": SPAN,
    "getStartTimeMatrix": SPAN,
    "getUnitList": [True, True],
    "getWorkCalendar": [2026, 3, "66"],
    "getWorkDaysInfo": ["2026-03-10", "2026-03-11", "66", "1", 1],
    "isPaymentRequired": ["1"],
    "isPluginActivated": ["api"],
    "validatePayment": [{}, "1"],
    "validatePromoCode": ["WELCOME", MOMENT, "1", 1, {"email": "a@b.co"}],
}
OFFER: Final = {
    "start": "2026-03-10T09:15:00",
    "end": "2026-03-10T10:15:00",
    "price": 100.0,
    "technician_id": "100",
    "service_id": "24422569",
    "facility_id": "24422054",
}
WINDOW: Final = {"date": "2026-03-10", "startTime": "09:15", "endTime": "10:15", "services": ["24422569"]}
odd = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=12),
    st.sampled_from(["", "9999-12-31", "9999-12-31T23:59:59", "0001-01-01", "24:00:00", "10:00+01:00", "²", "9" * 30]),
    st.sampled_from(["9999-12-31 23:45:00", "2026-03-10 ", " ", "12", 2**70, -1, "TOOSOON"]),
    st.lists(st.one_of(st.integers(), st.none(), st.text(max_size=3)), max_size=2),
    st.dictionaries(
        st.sampled_from(["name", "email", "phone", "client_time_offset", "promocode"]),
        st.one_of(st.none(), st.integers(), st.text()),
    ),
)
app = create_sandbox(now=lambda: NOW)
app.testing = True  # a crash is raised here instead of answered 500


@settings(max_examples=2 * EXAMPLES)
@given(method=st.sampled_from(sorted(PARAMS)), data=st.data())
def test_odd_parameters_are_refused_by_simplybook_not_crashed_on(method: str, data: st.DataObject) -> None:
    params = list(PARAMS[method])
    for place in data.draw(st.sets(st.sampled_from(range(len(params))), min_size=1, max_size=2)):
        params[place] = data.draw(odd)
    client = app.test_client()
    login = {"method": "getToken", "params": ["sandbox", "sandbox-api-key"], "id": data.draw(odd)}
    headers = {"X-Company-Login": "sandbox", "X-Token": client.post("/login", json=login).json["result"]}
    answer = client.post("/", json={"method": method, "params": params, "id": data.draw(odd)}, headers=headers)
    if answer.status_code == 500:  # a type error, as PHP has it
        assert answer.data == b""
    else:
        assert ("result" in answer.json) != ("error" in answer.json)


@settings(max_examples=2 * EXAMPLES)
@given(data=st.data())
def test_odd_bodies_are_refused_by_peoplevine_not_crashed_on(data: st.DataObject) -> None:
    client = app.test_client()
    offer = {**OFFER, data.draw(st.sampled_from(sorted(OFFER))): data.draw(odd)}
    request = {
        "member_id": 1000,
        "offers": [offer],
        data.draw(st.sampled_from(["member_id", "offers"])): data.draw(odd),
    }
    window = {**WINDOW, data.draw(st.sampled_from(sorted(WINDOW))): data.draw(odd), "nextAvailableDate": data.draw(odd)}
    for method, bodies in (
        ("create_service_reservation", (request, {"member_id": 1000, "offers": [offer]}, data.draw(odd))),
        ("get_service_availability", (window, data.draw(odd))),
    ):
        for body in bodies:
            answer = client.post(f"/res/{method}", query_string=ACCOUNT, json=body)
            assert isinstance(answer.json["success"], bool)
