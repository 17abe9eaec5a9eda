from __future__ import annotations

from datetime import timedelta

import pytest

from bellhop.sandbox.app import create_sandbox
from bellhop.sandbox.simplybook.batches import signature
from tests.support.salon import DAY, GUEST, Caller, Clock, sign


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def api(clock: Clock) -> Caller:
    return Caller(create_sandbox(now=clock).test_client())


def test_the_signature_is_the_documents_formula() -> None:
    assert signature("434", "785cb8cce316e64765b94c05a635f4be", "secret") == "bf429f080b8254c26293cc67b4244e8c"


def test_an_unknown_method_is_answered_as_in_the_document(api: Caller) -> None:
    api.switch(simplybook_id_echo="document", simplybook_error_data=False)
    assert api.rpc("someNotExistingMethod") == {
        "jsonrpc": "2.0",
        "id": 1,
        "error": {"code": -32601, "message": "Method not found"},
    }


@pytest.mark.parametrize(
    ("how", "result", "error", "none"), [("text", "1", "1", ""), ("document", "1", 1, None), ("exact", 1, 1, None)]
)
def test_how_an_id_is_echoed_is_a_switch(api: Caller, how: str, result: object, error: object, none: object) -> None:
    api.switch(simplybook_id_echo=how)
    assert api.rpc("getTimeframe", id_="call-1")["id"] == "call-1"
    assert api.rpc("getTimeframe", id_=1) == {"jsonrpc": "2.0", "id": result, "result": "15"}
    assert api.rpc("someNotExistingMethod", id_=1)["id"] == error
    assert api.rpc("someNotExistingMethod", id_=None)["id"] == none


def test_the_prose_of_the_document_is_a_switch(api: Caller) -> None:
    api.switch(simplybook_null_members=True, simplybook_error_status=500)
    assert api.rpc("getTimeframe")["error"] is None
    assert api.rpc("someNotExistingMethod")["result"] is None
    assert api.client.post("/", json={"method": "book", "id": 1}).status_code == 500


def test_login_gives_a_bare_token_with_and_without_the_trailing_slash(api: Caller) -> None:
    for path in ("/login", "/login/"):
        token = api.rpc("getToken", "sandbox", "sandbox-api-key", path=path)["result"]
        assert isinstance(token, str)
        assert token


@pytest.mark.parametrize(
    ("company", "key", "code"), [("nobody", "sandbox-api-key", -33001), ("sandbox", "wrong", -33002)]
)
def test_login_with_wrong_credentials_is_refused(api: Caller, company: str, key: str, code: int) -> None:
    api.switch(simplybook_codes_replaced=False)
    assert api.rpc("getToken", company, key, path="/login")["error"]["code"] == code


def test_calls_need_the_company_and_a_token(api: Caller) -> None:
    said = {"code": -32600, "message": "Company does not exists", "data": {}}
    assert api.rpc("getTimeframe", X_Company_Login="other")["error"] == said
    for token in ("", "made-up"):
        assert api.rpc("getTimeframe", X_Token=token)["error"] == {**said, "message": "Access denied"}


def test_a_token_lives_one_hour(api: Caller, clock: Clock) -> None:
    clock.now += timedelta(minutes=59)
    assert api.result("getTimeframe") == "15"
    clock.now += timedelta(minutes=1)
    assert api.code("getTimeframe") == -32600


@pytest.mark.parametrize("ends", [False, True])
def test_whether_a_new_token_ends_earlier_ones_is_a_switch(api: Caller, ends: bool) -> None:
    api.switch(simplybook_new_token_ends_earlier=ends)
    api.rpc("getToken", "sandbox", "sandbox-api-key", path="/login")
    assert ("error" in api.rpc("getTimeframe")) is ends


def test_a_booking_is_answered_in_the_documents_shape(api: Caller) -> None:
    answer = api.book("7", "3")
    assert set(answer) == {"require_confirm", "bookings"}
    assert answer["require_confirm"] is False
    [booking] = answer["bookings"]
    assert {key: booking[key] for key in ("event_id", "unit_id", "is_confirmed")} == {
        "event_id": "7",
        "unit_id": "3",
        "is_confirmed": "1",
    }
    assert booking["start_date_time"] == "2026-03-10 13:00:00"
    assert booking["end_date_time"] == "2026-03-10 13:15:00"
    assert set(booking) == {
        *("id", "event_id", "unit_id", "client_id", "start_date_time", "end_date_time"),
        *("is_confirmed", "code", "hash"),
    }
    assert all(isinstance(value, str) for value in booking.values())
    assert len(booking["hash"]) == 32
    assert len(booking["code"]) == 8


def test_a_booking_occupies_its_slot_until_it_is_cancelled(api: Caller) -> None:
    [booking] = api.book("2", "3")["bookings"]
    for time in ("12:15:00", "13:00:00", "13:45:00"):
        assert api.refused("2", "3", time) == -32054
        assert time not in api.result("getStartTimeMatrix", DAY, DAY, "2", "3", 1)[DAY]
    assert api.result("cancelBooking", booking["id"], sign(booking)) is True
    assert "13:00:00" in api.result("getStartTimeMatrix", DAY, DAY, "2", "3", 1)[DAY]
    assert api.book("2", "3")["bookings"][0]["id"] != booking["id"]


def test_neighbouring_slots_and_other_providers_stay_free(api: Caller) -> None:
    api.book("2", "3")
    api.book("2", "3", "12:00:00")
    api.book("2", "3", "14:00:00")
    api.book("2", "4")


def test_a_signature_is_needed_and_the_booking_must_exist(api: Caller) -> None:
    [booking] = api.book()["bookings"]
    for method in ("cancelBooking", "confirmBooking", "getBookingDetails"):
        assert api.code(method, booking["id"], "0" * 32) == -32085
        assert api.code(method, "1", sign(booking)) == -32080
    assert api.result("getBookingDetails", int(booking["id"]), sign(booking))["client_email"] == GUEST["email"]


@pytest.mark.parametrize("fine", [False, True])
def test_cancelling_twice_is_a_switch_and_never_frees_anothers_slot(api: Caller, fine: bool) -> None:
    api.switch(simplybook_cancel_twice_is_true=fine)
    [booking] = api.book()["bookings"]
    assert api.result("cancelBooking", booking["id"], sign(booking)) is True
    api.book()
    again = api.rpc("cancelBooking", booking["id"], sign(booking))
    assert again.get("result") is (True if fine else None)
    assert api.refused() == -32054


def test_a_booking_that_waits_for_confirmation_occupies_its_slot(api: Caller) -> None:
    api.switch(simplybook_require_confirm=True)
    assert api.result("isPluginActivated", "approve_booking") is True
    answer = api.book()
    assert answer["require_confirm"] is True
    [booking] = answer["bookings"]
    assert booking["is_confirmed"] == "0"
    assert api.refused() == -32054
    assert api.result("confirmBooking", booking["id"], sign(booking)) is True
    assert api.result("getBookingDetails", booking["id"], sign(booking))["is_confirmed"] == "1"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({0: "99"}, -32051),
        ({1: "99"}, -32052),
        ({0: None}, -32602),
        ({2: "10/03/2026"}, -32053),
        ({2: "2026-02-30"}, -32053),
        ({2: "2029-03-10"}, -32053),
        ({2: "2026-03-08"}, -32056),
        ({3: "13:00"}, -32054),
        ({3: "13:10:00"}, -32054),
        ({3: "25:00:00"}, -32054),
        ({0: "2", 3: "23:15:00"}, -32054),
        ({4: {"email": "ann@example.com"}}, -32061),
        ({4: []}, -32061),
        ({4: {"name": "Ann"}}, -32062),
        ({4: {"name": "Ann", "email": "ann"}}, -32062),
        ({4: {"name": "Ann", "email": "ann@example.com", "phone": "none"}}, -32063),
        ({6: 0}, -32602),
        ({6: 2, 7: "1"}, -32602),
        ({7: "12"}, -32095),
        ({8: {"days": 7}}, -32015),
    ],
)
def test_a_booking_that_cannot_be_is_refused_with_the_documents_code(
    api: Caller, change: dict[int, object], code: int
) -> None:
    params: list[object] = ["1", "3", DAY, "13:00:00", GUEST, {}, None, None, None]
    for place, value in change.items():
        params[place] = value
    assert api.code("book", *params) == code
    assert api.client.get("/_sandbox/state").json["bookings"] == []


def test_several_places_make_several_bookings_in_one_batch(api: Caller) -> None:
    answer = api.book("1", "65", "13:00:00", 3)
    assert len({booking["id"] for booking in answer["bookings"]}) == 3
    assert answer["batch_id"]
    assert len(answer["batch_hash"]) == 32
    assert api.refused("1", "65", "13:00:00", 3) == -32055
    assert "13:00:00" not in api.result("getStartTimeMatrix", DAY, DAY, "1", "65", 3)[DAY]
    assert "13:00:00" in api.result("getStartTimeMatrix", DAY, DAY, "1", "65", 2)[DAY]
    assert len(api.book("1", "65", "13:00:00", 2)["bookings"]) == 2
    assert api.refused("1", "65") == -32054


def test_a_booking_joins_a_batch_that_was_made_for_it(api: Caller) -> None:
    batch = api.result("createBatch")
    first = api.book("1", "3", "13:00:00", None, batch)
    second = api.book("1", "3", "14:00:00", None, batch)
    assert first["batch_id"] == second["batch_id"] == str(batch)
    assert first["batch_hash"] == second["batch_hash"]


def test_a_recurring_service_books_every_turn_or_none(api: Caller) -> None:
    answer = api.book("9", "3")
    assert [booking["start_date_time"][:10] for booking in answer["bookings"]] == [
        "2026-03-10",
        "2026-03-17",
        "2026-03-24",
        "2026-03-31",
    ]
    assert answer["batch_type"] == "batch_recurrent_booking"
    assert answer["recurrent_batch_id"]
    api.book("1", "4", day="2026-03-17")
    assert api.refused("9", "4") == -32055
    api.book("1", "4")


def test_the_matrix_lists_the_starts_that_are_still_ahead(api: Caller) -> None:
    matrix = api.result("getStartTimeMatrix", "2026-03-08", DAY, "2", "3", 1)
    assert matrix["2026-03-08"] == []
    assert (matrix["2026-03-09"][0], matrix["2026-03-09"][-1]) == ("12:15:00", "23:00:00")
    assert matrix[DAY][:2] == ["00:00:00", "00:15:00"]
    assert len(matrix[DAY]) == 93


def test_the_matrix_of_several_providers_lists_what_any_of_them_has_free(api: Caller) -> None:
    api.book("1", "3")
    for units, free in ((["3"], False), (["3", 4], True), (None, True)):
        times = api.result("getStartTimeMatrix", DAY, DAY, 1, units, 1)[DAY]
        assert ("13:00:00" in times) is free
    assert api.code("getStartTimeMatrix", DAY, "2026-03-09", "1", "3", 1) == -32602
    assert api.code("getStartTimeMatrix", "soon", DAY, "1", "3", 1) == -32602


def test_lists_come_as_maps_by_id_or_as_arrays_with_numbers_as_text(api: Caller) -> None:
    units = api.result("getUnitList")
    assert (units["1"]["qty"], units["65"]["qty"]) == ("1", "5")
    assert len(api.result("getUnitList", True, True)) == 67
    events = api.result("getEventList")
    assert (events["2"]["duration"], events["2"]["is_recurring"], events["9"]["is_recurring"]) == ("60", "0", "1")


def test_the_company_tells_its_time_zone_and_plugins(api: Caller, clock: Clock) -> None:
    assert api.result("getCompanyInfo")["timezone"] == "Europe/London"
    assert api.result("getCompanyTimezoneOffset") == {"offset": "0", "timezone": "Europe/London"}
    assert api.result("isPluginActivated", "approve_booking") is False
    assert api.result("isPluginActivated", "group_booking") is True


def test_ids_given_after_a_reset_were_not_given_before_it(api: Caller, clock: Clock) -> None:
    before = int(api.book()["bookings"][0]["id"])
    clock.now += timedelta(seconds=1)
    api.client.post("/_sandbox/reset")
    assert int(Caller(api.client).book()["bookings"][0]["id"]) > before
