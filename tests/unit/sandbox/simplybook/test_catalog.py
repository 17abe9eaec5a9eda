from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bellhop.sandbox.app import create_sandbox
from bellhop.sandbox.seed import Seed
from bellhop.sandbox.simplybook.seed import SimplybookSeed
from bellhop.sandbox.simplybook.switches import PLUGINS
from tests.support.salon import DAY, Caller, Clock

EVENT_ROW = {
    *("id", "name", "duration", "hide_duration", "description", "picture", "is_public", "is_active", "position"),
    *("is_recurring", "picture_path", "price", "currency", "categories"),
}
LOCATION_ROW = {
    *("id", "title", "description", "picture", "address1", "address2", "city", "zip", "country_id", "lat", "lng"),
    *("phone", "position", "is_default", "file_id", "picture_sub_path", "picture_path", "units"),
}
DOCUMENTS_PROMOTION = {
    "id": "1",
    "code": "yvuvugum",
    "discount": "99.9999",
    "start_date": "2015-12-23",
    "expired_date": "2016-01-23",
    "sheduler_start_date": "2015-12-23",
    "sheduler_end_date": "2015-12-31",
    "sheduler_start_time": "09:00:00",
    "sheduler_end_time": "22:30:00",
    "allow_usage_count": "20",
    "allow_customer_count": "1",
    "common_promotion_id": "132",
    "service_ids": ["1"],
}


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def api(clock: Clock) -> Caller:
    return Caller(create_sandbox(now=clock).test_client())


def off(api: Caller, name: str) -> None:
    assert api.client.put("/_sandbox/plugins", json={name: False}).status_code == 200


def test_a_service_is_written_as_in_the_documents_example(api: Caller) -> None:
    row = api.result("getEventList")["1"]
    assert set(row) == EVENT_ROW
    assert (row["duration"], row["price"], row["is_recurring"], row["categories"]) == ("30", "50.0000", "0", ["1"])
    assert row["picture_path"].endswith(row["picture"])


def test_a_list_leaves_out_what_is_hidden_when_it_is_asked_to_and_is_in_order(api: Caller) -> None:
    assert "13" in api.result("getEventList", False, False)
    shown = api.result("getEventList", True, True)
    assert "13" not in [row["id"] for row in shown]
    assert [row["position"] for row in shown] == sorted((row["position"] for row in shown), key=int)
    assert [row["id"] for row in api.result("getCategoriesList", True)] == ["1", "2"]
    assert [row["id"] for row in api.result("getCategoriesList", False)] == ["1", "2", "3"]
    assert set(api.result("getLocationsList", True)) == {"1", "2"}
    assert [row["id"] for row in api.result("getLocationsList", False, True)] == ["1", "2", "3"]


def test_a_location_is_written_as_in_the_documents_example(api: Caller) -> None:
    row = api.result("getLocationsList")["1"]
    assert set(row) == LOCATION_ROW
    assert row["units"] == ["1", "3", "4", "5"]


def test_an_empty_map_is_an_empty_array_unless_the_switch_says_otherwise(clock: Clock) -> None:
    bare = replace(SimplybookSeed(), services=(), locations=())
    api = Caller(create_sandbox(Seed(simplybook=bare), clock).test_client())
    assert (api.result("getEventList"), api.result("getLocationsList")) == ([], [])
    api.switch(simplybook_empty_map_as_list=False)
    assert (api.result("getEventList"), api.result("getLocationsList")) == ({}, {})
    assert api.result("getEventList", False, True) == []


def test_numbers_are_texts_unless_the_switch_says_otherwise(api: Caller) -> None:
    api.switch(simplybook_numbers_as_text=False)
    row = api.result("getEventList")["2"]
    assert (row["id"], row["duration"], row["price"], row["categories"]) == (2, 60, 90.0, [1])
    assert api.result("getTimeframe") == 15
    booking = api.book()["bookings"][0]
    assert isinstance(booking["id"], int)
    assert (booking["unit_id"], booking["is_confirmed"]) == (3, 1)
    assert isinstance(booking["hash"], str)
    assert booking["start_date_time"] == f"{DAY} 13:00:00"
    assert isinstance(api.result("getCompanyInfo")["phone"], str)


@pytest.mark.parametrize(
    ("plugin", "method", "params"),
    [
        ("event_category", "getCategoriesList", [False]),
        ("location", "getLocationsList", []),
        ("promo", "getPluginPromoInfoByCode", ["WELCOME"]),
        ("promo", "validatePromoCode", ["WELCOME", f"{DAY} 13:00:00", "1"]),
        ("user_license", "getUserLicenseText", []),
        ("multiple_booking", "createBatch", []),
    ],
)
def test_a_method_of_a_custom_feature_that_is_off_is_refused(
    api: Caller, plugin: str, method: str, params: list[object]
) -> None:
    assert api.result("isPluginActivated", plugin) is True
    assert api.result(method, *params)
    off(api, plugin)
    assert api.result("isPluginActivated", plugin) is False
    assert api.code(method, *params) == -32001


def test_methods_that_have_an_answer_for_a_custom_feature_that_is_off_give_it(api: Caller) -> None:
    assert api.result("getAnyUnitData") == {
        "description": "Select this option, if you want to find an available time with any of the employees",
        "hide_other_units": 1,
        "image": None,
        "name": "Any employee",
        "picture_path": None,
        "random_selection": 0,
    }
    assert api.result("hasUpcommingPromotions") is True
    assert api.client.post("/_sandbox/plugins", json={"paid_events": True}).status_code == 200
    assert api.result("isPaymentRequired", "1") is True
    for plugin in ("any_unit", "event_field", "promo", "paid_events"):
        off(api, plugin)
    assert api.result("getAnyUnitData") is None
    assert api.result("getAdditionalFields", "12") == []
    assert api.result("hasUpcommingPromotions") is False
    assert api.result("getPromocodeInfo", "WELCOME") is None
    assert api.result("isPaymentRequired", "1") is False


def test_custom_features_are_told_by_name_and_by_several_names(api: Caller) -> None:
    statuses = api.result("getPluginStatuses", ["promo", "hipaa", "approve_booking"])
    assert statuses == {"promo": True, "hipaa": False, "approve_booking": False}
    assert set(api.client.get("/_sandbox/plugins").json) == set(PLUGINS)
    assert api.client.post("/_sandbox/plugins", json={"wings": True}).status_code == 400
    assert api.code("getPluginStatuses", [1]) == -32602


def test_an_intake_form_is_written_as_the_vendor_writes_it(api: Caller) -> None:
    select, checkbox, digits, text, textarea = api.result("getAdditionalFields", "12")
    assert select == {
        "default": None,
        "id": 9,
        "is_null": None,
        "length": None,
        "name": "81853bf002e30056f6189432c77d98a5",
        "on_main_page": None,
        "plugin_event_field_value_id": None,
        "pos": 0,
        "title": "select",
        "type": "select",
        "value": None,
        "values": "one, two, three, four, five",
    }
    assert [row["type"] for row in (checkbox, digits, text, textarea)] == ["checkbox", "digits", "text", "textarea"]
    assert [row["is_null"] for row in (checkbox, digits, text, textarea)] == ["1", None, "1", "1"]
    assert api.result("getAdditionalFields", 1) == []
    assert api.code("getAdditionalFields", 99) == -32051


def test_a_promotion_is_written_as_in_the_documents_example(api: Caller) -> None:
    found = api.result("getPluginPromoInfoByCode", "yvuvugum")
    assert {key: found[key] for key in DOCUMENTS_PROMOTION} == DOCUMENTS_PROMOTION
    assert found["status"] == "active"
    assert api.result("getPluginPromoInfoByCode", "nothing") == []
    assert api.result("getPromocodeInfo", "yvuvugum")["discount"] == "99.9999"
    assert api.result("getPromocodeInfo", "nothing") is None


def test_company_parameters_are_told_and_those_there_are_not_are_false_or_refused(api: Caller) -> None:
    assert api.result("getCompanyParam", "timeframe") == "15"
    assert api.result("getCompanyParam", "require_fields") == "email"
    assert api.result("getCompanyParam", "max_group_bookings") == "5"
    assert api.code("getCompanyParam", "secret_key") == -32602
    assert api.result("getCompanyParams", ["timeframe", "secret_key"]) == {"timeframe": "15", "secret_key": False}
    off(api, "cancelation_policy")
    assert api.code("getCompanyParam", "cancelation_policy_text") == -32602
    assert api.code("getCompanyParams", [1]) == -32602


def test_the_rest_of_the_company_is_told(api: Caller) -> None:
    info = api.result("getCompanyInfo")
    assert (info["timeline_type"], info["web"], info["show_in_client_timezone"]) == ("modern_week", None, False)
    assert api.result("getTimelineType") == "modern_week"
    assert {"country_id": "GB", "country_name": "United Kingdom", "phone_code": "44"} in api.result(
        "getCountryPhoneCodes"
    )
    assert api.result("getUserLicenseText")


def test_the_offset_follows_the_companys_time_zone(api: Caller, clock: Clock) -> None:
    clock.now += timedelta(days=60)
    api.token = api.rpc("getToken", "sandbox", "sandbox-api-key", path="/login")["result"]
    assert api.result("getCompanyTimezoneOffset") == {"offset": "60", "timezone": "Europe/London"}


def test_the_service_url_is_where_the_sandbox_is_unless_the_switch_names_another(api: Caller) -> None:
    api.switch(simplybook_codes_replaced=False)
    assert api.rpc("getServiceUrl", "sandbox", path="/login")["result"] == "http://localhost/"
    api.switch(simplybook_service_url="https://user-api.simplybook.it")
    assert api.rpc("getServiceUrl", "sandbox", path="/login")["result"] == "https://user-api.simplybook.it"
    assert api.rpc("getServiceUrl", "nobody", path="/login")["error"]["code"] == -33001
    assert api.code("getServiceUrl", "sandbox") == -32601


@pytest.mark.parametrize(("what", "token"), [("empty", ""), ("null", None)])
def test_a_login_may_answer_a_token_that_is_none(api: Caller, what: str, token: str | None) -> None:
    api.switch(simplybook_token=what)
    assert api.rpc("getToken", "sandbox", "sandbox-api-key", path="/login")["result"] == token


@pytest.mark.parametrize("code", [-33001, -33002, -33003, -33004, -33005])
def test_a_login_may_fail_in_every_way_that_is_known(api: Caller, code: int) -> None:
    api.switch(simplybook_codes_replaced=False)
    api.switch(simplybook_login_error=code)
    error = api.rpc("getToken", "sandbox", "sandbox-api-key", path="/login")["error"]
    assert error["code"] == code
    assert error["message"]
