"""The callbacks that the pretended SimplyBook.me posts by itself, over real sockets."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import urllib3

from bellhop.sandbox.server import Sandbox
from tests.support.sink import Sink, serving

DAY = datetime.now(UTC).date() + timedelta(days=30)
GUEST = {"name": "Ann Example", "email": "ann@example.com", "phone": "+38099999999"}


class Company:
    """Calls a sandbox as SimplyBook.me's clients do, and its control."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._http = urllib3.PoolManager(retries=False, timeout=10)
        self._token = ""
        self._token = self.rpc("getToken", "sandbox", "sandbox-api-key", path="/login")

    def rpc(self, method: str, *params: object, path: str = "/") -> Any:
        [answer] = self.batch([{"jsonrpc": "2.0", "method": method, "params": params, "id": "1"}], path, alone=True)
        return answer["result"]

    def batch(self, calls: list[dict[str, Any]], path: str = "/", *, alone: bool = False) -> Any:
        headers = {"X-Company-Login": "sandbox", "X-Token": self._token}
        answer = self._http.request("POST", self.url + path, json=calls[0] if alone else calls, headers=headers).json()
        return [answer] if alone else answer

    def book(self, time: str = "13:00:00", unit: str = "3") -> dict[str, Any]:
        booked: dict[str, Any] = self.rpc("book", "1", unit, _weekday(), time, GUEST, {})
        return booked

    def sign(self, booking: dict[str, str]) -> str:
        return hashlib.md5(f"{booking['id']}{booking['hash']}sandbox-secret-key".encode()).hexdigest()

    def control(self, method: str, path: str, **body: object) -> Any:
        return self._http.request(method, f"{self.url}/_sandbox/{path}", json=body if method == "POST" else None).json()


def _weekday() -> str:
    return (DAY + timedelta(days=(7 - DAY.weekday()) % 7)).isoformat()


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


@pytest.fixture
def company(sandbox: Sandbox) -> Company:
    return Company(sandbox.url)


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def told(sink: Sink) -> list[tuple[str, str]]:
    return sorted((post.json["booking_id"], post.json["notification_type"]) for post in sink.posts)


def test_what_happens_to_a_booking_is_posted_in_the_vendors_form(sandbox: Sandbox, company: Company) -> None:
    with serving(Sink()) as sink:
        sandbox.switch(simplybook_callback_url=sink.url, simplybook_require_confirm=True, simplybook_reschedule=True)
        [booking] = company.book()["bookings"]
        sign = company.sign(booking)
        company.rpc("confirmBooking", booking["id"], sign)
        company.rpc("rescheduleBook", booking["id"], sign, _weekday(), "15:00:00", None, None, {}, None, None)
        company.rpc("cancelBooking", booking["id"], sign)
        until(lambda: len(sink.posts) == 4)
    id_ = booking["id"]
    assert told(sink) == [(id_, "cancel"), (id_, "change"), (id_, "change"), (id_, "create")]
    for post in sink.posts:
        assert post.headers["content-type"] == "application/json"
        assert post.json.keys() == {"booking_id", "booking_hash", "company", "notification_type"}
        assert (post.json["booking_hash"], post.json["company"]) == (booking["hash"], "sandbox")


def test_newer_fields_come_by_switch_with_what_a_booking_was_before(sandbox: Sandbox, company: Company) -> None:
    with serving(Sink()) as sink:
        sandbox.switch(
            simplybook_callback_url=sink.url,
            simplybook_callback_newer_fields=True,
            simplybook_newer_fields=True,
            simplybook_reschedule=True,
        )
        booked = company.book()
        [booking] = booked["bookings"]
        sign = company.sign(booking)
        company.rpc("rescheduleBook", booking["id"], sign, _weekday(), "15:00:00", None, None, {}, None, None)
        until(lambda: len(sink.posts) == 2)
    assert (booked["invoice"], booked["time_offset"]) == (None, 0)
    assert booked["client_hash"]
    by_kind = {post.json["notification_type"]: post.json for post in sink.posts}
    assert by_kind["change"]["old_data"]["start_date_time"] == f"{_weekday()} 13:00:00"
    assert "old_data" not in by_kind["create"]
    assert all(body["webhook_timestamp"] and body["signature_algo"] for body in by_kind.values())


def test_one_that_is_not_taken_is_posted_again_and_copies_come_though_it_is(sandbox: Sandbox, company: Company) -> None:
    with serving(Sink(0, 503, 500, 200)) as sink:
        sandbox.switch(simplybook_callback_url=sink.url, simplybook_callback_delays="0,0,3600")
        [booking] = company.book()["bookings"]
        until(lambda: [one["status"] for one in company.control("GET", "callbacks")["callbacks"]] == [200])
        assert [one["tries"] for one in company.control("GET", "callbacks")["callbacks"]] == [3]
        assert told(sink) == [(booking["id"], "create")] * 3
        sandbox.switch(simplybook_callback_copies=2)
        [other] = company.book("14:00:00")["bookings"]
        until(lambda: told(sink).count((other["id"], "create")) == 3)


def test_they_are_posted_again_on_order(sandbox: Sandbox, company: Company) -> None:
    with serving(Sink()) as sink:
        sandbox.switch(simplybook_callback_url=sink.url)
        [one], [other] = company.book()["bookings"], company.book("14:00:00")["bookings"]
        until(lambda: len(sink.posts) == 2)
        assert company.control("POST", "callbacks", booking_id=one["id"]) == {"posted": 1}
        until(lambda: len(sink.posts) == 3)
        assert company.control("POST", "callbacks", notification_type="cancel") == {"posted": 0}
        assert company.control("POST", "callbacks") == {"posted": 2}
        until(lambda: len(sink.posts) == 5)
        assert "error" in company.control("POST", "callbacks", id="1")
    assert told(sink).count((one["id"], "create")) == 3
    assert told(sink).count((other["id"], "create")) == 2


def test_a_list_of_requests_is_refused_as_zends_server_does_or_answered_by_switch(
    sandbox: Sandbox, company: Company
) -> None:
    calls = [{"jsonrpc": "2.0", "method": "getTimeframe", "params": [], "id": str(number)} for number in range(3)]
    assert company.batch(calls)["error"]["code"] == -32600
    sandbox.switch(simplybook_batch_requests="answered")
    assert [answer["id"] for answer in company.batch(calls)] == ["0", "1", "2"]
    assert len({answer["result"] for answer in company.batch(calls)}) == 1
