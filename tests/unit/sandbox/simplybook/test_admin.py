"""The pretended company's list of bookings, for whoever may see it."""

from __future__ import annotations

from typing import Any

import pytest

from bellhop.sandbox.app import create_sandbox
from tests.support.salon import DAY, GUEST, Caller, Clock, sign


@pytest.fixture
def api() -> Caller:
    return Caller(create_sandbox(now=Clock()).test_client())


def ask(api: Caller, method: str, *params: object) -> Any:
    token = api.rpc("getUserToken", "sandbox", "admin", "sandbox-password", path="/login")["result"]
    return api.rpc(method, *params, path="/admin", X_User_Token=token)


def test_the_list_has_the_bookings_of_a_day_and_service_by_their_ids(api: Caller) -> None:
    [booking] = api.book("1", "3")["bookings"]
    api.book("2", "4")
    rows = ask(api, "getBookings", {"date_from": DAY, "date_to": DAY, "event_id": "1"})["result"]
    assert list(rows) == [booking["id"]]
    row = rows[booking["id"]]
    assert (row["start_date"], row["unit_id"], row["is_confirm"]) == (f"{DAY} 13:00:00", "3", "1")
    assert (row["client_email"], "hash" in row) == (GUEST["email"], False)
    assert ask(api, "getBookings", {"date_from": "2026-03-11", "date_to": "2026-03-11"})["result"] == []


def test_what_is_cancelled_is_listed_only_where_it_is_asked_for(api: Caller) -> None:
    [booking] = api.book()["bookings"]
    api.result("cancelBooking", booking["id"], sign(booking))
    assert ask(api, "getBookings", {"booking_type": "non_cancelled"})["result"] == []
    assert list(ask(api, "getBookings", {"booking_type": "cancelled"})["result"]) == [booking["id"]]


def test_details_need_no_signature_there_and_tell_the_hash_by_switch(api: Caller) -> None:
    [booking] = api.book()["bookings"]
    assert ask(api, "getBookingDetails", booking["id"])["result"]["hash"] == booking["hash"]
    api.switch(simplybook_admin_tells_hash=False)
    assert "hash" not in ask(api, "getBookingDetails", booking["id"])["result"]


def test_the_companys_own_token_opens_it_to_nobody(api: Caller) -> None:
    answer = api.rpc("getBookings", {}, path="/admin", X_User_Token=api.token)
    assert answer["error"]["message"] == "Access denied"
    assert api.code("getBookings", {}) == -32601
