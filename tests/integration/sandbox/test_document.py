"""SimplyBook.me's sandbox against its document, over HTTP, with requests as the document writes them.

Nothing of our own client is used: what both got wrong in the same way would not be seen.
"""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
import urllib3

from bellhop.sandbox.seed import Seed
from bellhop.sandbox.server import Sandbox
from bellhop.sandbox.simplybook.seed import Service, SimplybookSeed

CLIENT = {"name": "Name", "email": "test@gmail.com", "phone": "+38099999999"}
NOW = datetime(2015, 12, 24, 12, 0, tzinfo=UTC)
MOMENT = "2015-12-30 13:00:00"
SPAN = ["2015-12-30", "2015-12-31", 1, 3, 1]
SIGN = "0" * 32
DEADLINE = 20.0

METHODS: dict[str, list[Any]] = {
    "book": [7, 3, "2015-12-30", "13:00:00", CLIENT, [], 1, None, None],
    "calculateEndTime": [MOMENT, 1, 3],
    "cancelBooking": [434, SIGN],
    "confirmBooking": [434, SIGN],
    "confirmBookingBatch": [1, "batch_booking", SIGN],
    "confirmBookingBatchPayment": [1, "batch_booking", "paypal", SIGN],
    "confirmBookingCart": [1, "paypal", SIGN],
    "confirmBookingPayment": [434, "paypal", SIGN],
    "createBatch": [],
    "filterAvailableUnits": [1, MOMENT, [1, 2, 3], 1],
    "getAdditionalFields": [12],
    "getAnyUnitData": [],
    "getAvailableTimeIntervals": SPAN,
    "getAvailableUnits": [1, MOMENT, 1],
    "getBooking": [434, SIGN],
    "getBookingCart": [[434]],
    "getBookingDetails": [434, SIGN],
    "getCategoriesList": [True],
    "getCompanyInfo": [],
    "getCompanyParam": ["timeframe"],
    "getCompanyParams": [["timeframe", "require_fields"]],
    "getCompanyTimezoneOffset": [],
    "getCountryPhoneCodes": [],
    "getEventList": [],
    "getFirstWorkingDay": [3],
    "getLocationsList": [],
    "getPaymentProcessorConfig": ["paypal"],
    "getPluginPromoInfoByCode": ["yvuvugum"],
    "getPluginStatuses": [["promo"]],
    "getPromocodeInfo": ["yvuvugum"],
    "getPromotionRewardInfo": [132, 34, SIGN],
    "getRecurringDatetimes": [9, 3, "2015-12-30", "13:00:00", []],
    "getReservedTime": SPAN,
    "getReservedTimeIntervals": SPAN,
    "getStartTimeMatrix": SPAN,
    "getTimeframe": [],
    "getTimelineType": [],
    "getUnitList": [],
    "getUserLicenseText": [],
    "getWorkCalendar": [2015, 12, 3],
    "getWorkDaysInfo": ["2015-12-30", "2015-12-31", 3],
    "hasUpcommingPromotions": [],
    "isPaymentRequired": [],
    "isPluginActivated": ["promo"],
    "validatePayment": [{}, 1],
    "validatePromoCode": ["WELCOME", MOMENT, 1, 1, CLIENT],
}
"""Every method of the document, with parameters of the types it names."""
REFUSED = {  # there is no booking 434, batch 1, cart 1 or client 34 yet
    **dict.fromkeys(("cancelBooking", "confirmBooking", "confirmBookingPayment", "confirmBookingCart"), -32080),
    **dict.fromkeys(("getBooking", "getBookingCart", "getBookingDetails"), -32080),
    **dict.fromkeys(("confirmBookingBatch", "confirmBookingBatchPayment"), -32095),
    "getPromotionRewardInfo": -3264,
}


class Wire:
    """JSON-RPC as the document has it, and nothing more."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._http = urllib3.PoolManager(maxsize=32, retries=False, timeout=DEADLINE)
        self.token = self.ask(
            {"jsonrpc": "2.0", "method": "getToken", "params": ["sandbox", "sandbox-api-key"], "id": 1}, "/login"
        )["result"]

    def send(self, body: object, path: str = "/") -> urllib3.BaseHTTPResponse:
        headers = {"Content-Type": "application/json", "X-Company-Login": "sandbox"}
        headers["X-Token"] = getattr(self, "token", "")
        return self._http.request("POST", f"{self._url}{path}", body=json.dumps(body).encode(), headers=headers)

    def ask(self, body: object, path: str = "/") -> Any:
        answer = self.send(body, path)
        assert answer.status == 200
        assert answer.headers["Content-Type"] == "application/json"
        return answer.json()

    def call(self, method: str, *params: object) -> Any:
        return self.ask({"jsonrpc": "2.0", "method": method, "params": params, "id": 1})

    def refusal(self, method: str, *params: object) -> tuple[int, str]:
        error = self.call(method, *params)["error"]
        return error["code"], error["message"]


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(now=lambda: NOW) as running:
        yield running


@pytest.fixture
def wire(sandbox: Sandbox) -> Wire:
    return Wire(sandbox.url)


def md5(*parts: str) -> str:
    return hashlib.md5("".join(parts).encode(), usedforsecurity=False).hexdigest()


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < deadline, "the condition never came true"
        time.sleep(0.01)


def test_the_documents_example_of_a_request_and_its_response(wire: Wire) -> None:
    answer = wire.ask({"jsonrpc": "2.0", "method": "getEventList", "params": [], "id": 1})
    assert set(answer) == {"result", "id", "jsonrpc"}
    assert (answer["id"], answer["jsonrpc"]) == ("1", "2.0")
    row = answer["result"]["1"]
    assert (row["id"], row["duration"], row["price"], row["categories"]) == ("1", "30", "50.0000", ["1"])
    assert set(row) == {
        *("id", "name", "duration", "hide_duration", "description", "picture", "is_public", "is_active", "position"),
        *("is_recurring", "picture_path", "price", "currency", "categories"),
    }


def test_the_documents_example_of_a_request_with_error_response(wire: Wire, sandbox: Sandbox) -> None:
    sandbox.switch(simplybook_id_echo="document", simplybook_error_data=False)
    assert wire.ask({"jsonrpc": "2.0", "method": "someNotExistingMethod", "params": [], "id": 1}) == {
        "jsonrpc": "2.0",
        "id": 1,
        "error": {"code": -32601, "message": "Method not found"},
    }


def test_a_call_without_the_two_headers_is_refused(sandbox: Sandbox) -> None:
    http = urllib3.PoolManager(retries=False, timeout=DEADLINE)
    body = json.dumps({"jsonrpc": "2.0", "method": "getEventList", "params": [], "id": 1})
    assert http.request("POST", f"{sandbox.url}/", body=body).json()["error"]["code"] == -32600


def test_the_document_has_46_methods(sandbox: Sandbox) -> None:
    assert len(METHODS) == 46
    sandbox.switch(simplybook_newer_methods=False)
    assert set(json.loads(sandbox.state.vendors["simplybook"].service_map("public", "/"))["methods"]) == set(METHODS)


@pytest.mark.parametrize("method", METHODS)
def test_every_method_of_the_document_answers(wire: Wire, sandbox: Sandbox, method: str) -> None:
    sandbox.switch(simplybook_codes_replaced=False)
    answer = wire.call(method, *METHODS[method])
    if method in REFUSED:
        assert answer["error"]["code"] == REFUSED[method]
    else:
        assert "error" not in answer
        assert "result" in answer


def test_a_second_book_of_a_slot_is_answered_32054(wire: Wire, sandbox: Sandbox) -> None:
    request = ("book", 7, 3, "2015-12-30", "13:00:00", CLIENT, {}, 1, None, None)
    [booking] = wire.call(*request)["result"]["bookings"]
    assert booking["start_date_time"] == "2015-12-30 13:00:00"
    assert wire.refusal(*request) == (-32054, "Selected time start is not available")
    assert len(sandbox.state.snapshot()["bookings"]) == 1


def test_the_documents_response_to_book_of_a_recurring_service() -> None:
    """Four bookings of half an hour: the document's members, all of them texts."""
    daily = Service("7", "Half an hour", 30, repeats=4, every_days=1)
    seed = Seed(simplybook=replace(SimplybookSeed(), services=(daily,)))
    with Sandbox(seed, now=lambda: NOW) as sandbox:
        answer = Wire(sandbox.url).call("book", 7, 3, "2015-12-30", "13:00:00", CLIENT, [])["result"]
    assert set(answer) == {"require_confirm", "bookings", "batch_type", "recurrent_batch_id", "batch_hash"}
    assert (answer["require_confirm"], answer["batch_type"]) == (False, "batch_recurrent_booking")
    assert [(row["start_date_time"], row["end_date_time"]) for row in answer["bookings"]] == [
        ("2015-12-30 13:00:00", "2015-12-30 13:30:00"),
        ("2015-12-31 13:00:00", "2015-12-31 13:30:00"),
        ("2016-01-01 13:00:00", "2016-01-01 13:30:00"),
        ("2016-01-02 13:00:00", "2016-01-02 13:30:00"),
    ]
    for row in answer["bookings"]:
        assert set(row) == {
            *("id", "event_id", "unit_id", "client_id", "start_date_time", "end_date_time", "is_confirmed"),
            *("code", "hash"),
        }
        assert all(isinstance(value, str) for value in row.values())
        assert len(row["hash"]) == 32


def test_signatures_are_made_by_the_documents_formula(wire: Wire, sandbox: Sandbox) -> None:
    assert md5("434", "785cb8cce316e64765b94c05a635f4be", "secret") == "bf429f080b8254c26293cc67b4244e8c"
    assert md5("1", "357178bce290381bb7235080941ec143", "secret") == "edb5dd01fd5681d24167924a3df38dc4"
    sandbox.switch(simplybook_require_confirm=True)
    [booking] = wire.call("book", 7, 3, "2015-12-30", "13:00:00", CLIENT, {})["result"]["bookings"]
    good = md5(booking["id"], booking["hash"], "sandbox-secret-key")
    assert wire.refusal("confirmBooking", booking["id"], SIGN) == (-32085, "Signature error")
    assert wire.call("confirmBooking", booking["id"], good)["result"] is True
    assert wire.call("getBooking", booking["id"], good)["result"]["is_confirmed"] == "1"
    assert wire.call("cancelBooking", booking["id"], good)["result"] is True
    assert wire.call("cancelBooking", booking["id"], good)["error"]["code"] == -32080


def test_a_batch_is_made_filled_and_confirmed_as_in_the_document(wire: Wire, sandbox: Sandbox) -> None:
    sandbox.switch(simplybook_require_confirm=True)
    batch = wire.call("createBatch")["result"]
    assert isinstance(batch, int)
    assert wire.call("book", 7, 3, "2015-12-30", "13:00:00", CLIENT, {}, 2, batch)["error"]["code"] == -32602
    for unit in (3, 4):
        answer = wire.call("book", 7, unit, "2015-12-30", "13:00:00", CLIENT, {}, None, batch)["result"]
        assert answer["require_confirm"] is True
        assert (answer["batch_type"], answer["batch_id"]) == ("batch_booking", str(batch))
    good = md5(str(batch), answer["batch_hash"], "sandbox-secret-key")
    assert wire.call("confirmBookingBatch", batch, "batch_booking", SIGN)["error"]["code"] == -32085
    assert wire.call("confirmBookingBatch", batch + 1, "batch_booking", good)["error"]["code"] == -32095
    assert wire.call("confirmBookingBatch", batch, "batch_booking", good)["result"] is True
    assert [row["confirmed"] for row in sandbox.state.snapshot()["bookings"]] == [True, True]


def test_a_promotion_code_is_passed_as_in_the_document(wire: Wire, sandbox: Sandbox) -> None:
    item = {"name": "promocode", "value": "some code", "type": "text"}
    assert wire.call("book", 7, 3, "2015-12-30", "13:00:00", CLIENT, [item])["error"]["code"] == -32030
    item["value"] = "WELCOME"
    assert wire.call("book", 7, 3, "2015-12-30", "13:00:00", CLIENT, [item])["result"]["bookings"]
    assert sandbox.state.snapshot()["bookings"][0]["promocode"] == "WELCOME"


def test_working_hours_with_a_break_are_told_as_in_the_document(wire: Wire) -> None:
    assert wire.call("getWorkDaysInfo", "2015-12-30", "2015-12-30", 66)["result"] == {
        "2015-12-30": [{"from": "09:00:00", "to": "13:00:00"}, {"from": "14:00:00", "to": "19:00:00"}]
    }
    assert wire.call("getWorkDaysInfo", "2015-12-30", "2015-12-30", 3)["result"] == {
        "2015-12-30": [{"from": "00:00:00", "to": "24:00:00"}]
    }


# --- limits -------------------------------------------------------------------------------------------------------


def test_of_twenty_callers_in_one_second_five_are_answered_and_the_others_told_to_wait(
    wire: Wire, sandbox: Sandbox
) -> None:
    sandbox.reset()  # the login counted
    sandbox.switch(simplybook_per_second=5)
    together = threading.Barrier(20)

    def caller(_: int) -> int:
        together.wait(DEADLINE)
        return wire.send({"jsonrpc": "2.0", "method": "getTimeframe", "params": [], "id": 1}).status

    with ThreadPoolExecutor(20) as pool:
        statuses = list(pool.map(caller, range(20)))
    assert (statuses.count(200), statuses.count(429)) == (5, 15)


def test_a_held_call_counts_among_those_at_once_until_it_is_let_go(wire: Wire, sandbox: Sandbox) -> None:
    sandbox.switch(simplybook_at_once=2)
    sandbox.fault(method="getTimeframe", kind="slow", seconds=3600, times=2)
    request = {"jsonrpc": "2.0", "method": "getTimeframe", "params": [], "id": 1}
    released = sandbox.state.released
    with ThreadPoolExecutor(2) as pool:
        held = [pool.submit(wire.send, request) for _ in range(2)]
        until(lambda: sandbox.state.vendors["simplybook"].limits.counts()["now"] == 2)
        refused = wire.send({"jsonrpc": "2.0", "method": "book", "params": METHODS["book"], "id": 1})
        assert (refused.status, refused.headers["Retry-After"]) == (429, "1")
        released.set()
        assert [future.result(DEADLINE).status for future in held] == [200, 200]
    assert sandbox.state.snapshot()["bookings"] == []
    assert wire.send(request).status == 200


def test_of_a_days_calls_none_too_many_is_answered(wire: Wire, sandbox: Sandbox) -> None:
    sandbox.switch(simplybook_per_day=3, simplybook_throttle_answer="rpc")
    answers = [wire.call("getTimeframe") for _ in range(4)]
    assert ["result" in answer for answer in answers] == [True, True, False, False]  # the login was the first
    assert answers[-1]["error"]["message"] == "Too many requests"
