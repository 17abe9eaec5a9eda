"""What SimplyBook.me's vendor offers its newer clients, and who may book at all."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bellhop.sandbox.app import create_sandbox
from tests.support.salon import DAY, GUEST, Caller, Clock, sign


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def api(clock: Clock) -> Caller:
    return Caller(create_sandbox(now=clock).test_client())


def methods(api: Caller) -> set[str]:
    return set(api.client.get("/").json["methods"])


def test_the_starts_of_each_provider_are_told_apart(api: Caller) -> None:
    api.book("1", "3")
    for dates in ((DAY, DAY), (f"{DAY} 00:00:00", f"{DAY} 23:59:59")):
        rows = {row["provider_id"]: row["timeslots"] for row in api.result("getCartesianStartTimeMatrix", *dates, "1")}
        assert "13:00:00" not in rows["3"][DAY]
        assert "13:00:00" in rows["4"][DAY]
    for unit in (None, 0, []):
        assert len(api.result("getCartesianStartTimeMatrix", DAY, DAY, "1", unit, 1, None, [])) == 67
    assert [row["provider_id"] for row in api.result("getCartesianStartTimeMatrix", DAY, DAY, "1", "66", 1)] == ["66"]
    assert api.result("getCartesianStartTimeMatrix", "2026-03-08", "2026-03-08", "1") == []


def test_null_names_any_provider_where_the_vendors_clients_send_it(api: Caller) -> None:
    assert api.result("getFirstWorkingDay", None) == api.result("getFirstWorkingDay") == "2026-03-09"
    assert api.result("calculateEndTime", f"{DAY} 13:00:00", "2", None) == f"{DAY} 14:00:00"
    assert api.result("calculateEndTime", f"{DAY} 13:10:00", "2") is False


def test_the_details_of_a_booking_have_its_code(api: Caller) -> None:
    [booking] = api.book()["bookings"]
    assert api.result("getBookingDetails", booking["id"], sign(booking))["booking_code"] == booking["code"]


def test_newer_methods_are_offered_by_switch(api: Caller) -> None:
    assert {"getCartesianStartTimeMatrix", "getCaptchaChallenge"} < methods(api)
    assert "rescheduleBook" not in methods(api)
    assert api.code("rescheduleBook", "1", "x") == -32601
    api.switch(simplybook_newer_methods=False, simplybook_reschedule=True)
    assert "rescheduleBook" in methods(api)
    assert api.code("getCaptchaChallenge") == -32601


def test_a_booking_is_rescheduled_under_its_own_id(api: Caller) -> None:
    api.switch(simplybook_reschedule=True)
    [booking] = api.book("2", "3")["bookings"]
    moved = ("14:00:00", DAY, "15:30:00", {}, 60, "Europe/Berlin")
    [row] = api.result("rescheduleBook", booking["id"], sign(booking), DAY, *moved)["bookings"]
    assert (row["id"], row["hash"]) == (booking["id"], booking["hash"])
    assert (row["start_date_time"], row["end_date_time"]) == (f"{DAY} 14:00:00", f"{DAY} 15:30:00")
    [held] = api.client.get("/_sandbox/state").json["bookings"]
    assert held["client_time_offset"] == 60
    api.book("2", "3")  # where it was is free again
    assert api.refused("1", "3", "15:00:00") == -32054
    assert api.client.get("/_sandbox/calls").json["calls"][2]["effect"] == "changed"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({1: "0" * 32}, -32085),
        ({0: "1"}, -32080),
        ({3: "13:00:00"}, -32054),
        ({3: "14:10:00"}, -32054),
        ({4: DAY, 5: "13:00:00"}, -32602),
        ({4: DAY, 5: "soon"}, -32602),
    ],
)
def test_a_booking_that_cannot_be_rescheduled_stays(api: Caller, change: dict[int, object], code: int) -> None:
    api.switch(simplybook_reschedule=True)
    [booking] = api.book("2", "3", "11:00:00")["bookings"]
    api.book("2", "3", "13:00:00")
    params: list[object] = [booking["id"], sign(booking), DAY, "14:00:00", None, None]
    for place, value in change.items():
        params[place] = value
    assert api.code("rescheduleBook", *params) == code
    assert api.refused("2", "3", "11:00:00") == -32054


def test_a_captcha_is_wanted_by_switch(api: Caller) -> None:
    api.switch(simplybook_codes_replaced=False)
    assert api.result("getCaptchaChallenge") == {"provider": None}
    api.switch(simplybook_captcha=True)
    params = ["1", "3", DAY, "13:00:00", GUEST]
    for additional in ({}, [], {"captcha_token": "made-up"}):
        error = api.rpc("book", *params, additional)["error"]
        assert (error["code"], error["message"]) == (0, "Captcha validation failed")
    challenge = api.result("getCaptchaChallenge")
    assert challenge["provider"]
    assert api.result("book", *params, {"captcha_token": challenge["token"]})["bookings"]


def test_bookings_from_one_address_are_limited_by_switch(api: Caller, clock: Clock) -> None:
    api.switch(simplybook_codes_replaced=False)
    api.switch(simplybook_bookings_per_ip=2)
    api.book("1", "3")
    assert api.refused("1", "3") == -32054  # made none, and counts for none
    api.book("1", "4")
    error = api.rpc("book", "1", "5", DAY, "13:00:00", GUEST)["error"]
    assert (error["code"], "exceeded" in error["message"]) == (0, True)
    clock.now += timedelta(minutes=60)
    api.token = api.rpc("getToken", "sandbox", "sandbox-api-key", path="/login")["result"]
    api.book("1", "5")


def test_an_external_validator_refuses_in_its_own_words(api: Caller) -> None:
    api.switch(simplybook_validator_words="Check number is wrong")
    error = api.rpc("book", "1", "5", DAY, "13:00:00", GUEST)["error"]
    assert error == {"code": -32000, "message": "Check number is wrong", "data": {}}


def test_a_token_is_refused_in_the_words_of_a_switch(api: Caller) -> None:
    api.switch(simplybook_codes_replaced=False)
    words = {"simplybook_token_words": "Session has expired", "simplybook_token_code": 401}
    api.switch(**words, simplybook_token_status=401)
    answer = api.client.post("/", json={"method": "getTimeframe", "id": 1}, headers={"X-Company-Login": "sandbox"})
    assert answer.status_code == 401
    assert answer.json["error"] == {"code": 401, "message": "Session has expired", "data": {}}


@pytest.mark.parametrize("how", ["429", "403", "rpc"])
def test_throttling_has_the_words_of_a_switch(api: Caller, how: str) -> None:
    words = "Requests limit is reached"
    api.switch(simplybook_per_second=1, simplybook_throttle_answer=how, simplybook_throttle_words=words)
    assert words in api.client.post("/", json={"method": "getTimeframe", "id": 1}).text
