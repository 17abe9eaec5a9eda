"""What goes with a booking: intake forms, promotions, batches, payments."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from bellhop.sandbox.app import create_sandbox
from bellhop.sandbox.simplybook.batches import signature
from tests.support.salon import DAY, GUEST, Caller, Clock, sign

SELECT, CHECKBOX, DIGITS, TEXT, TEXTAREA = (
    "81853bf002e30056f6189432c77d98a5",
    "3b0f6dd3e9b1c2a4d5e6f70819a2b3c4",
    "5d41402abc4b2a76b9719d911017c592",
    "7d793037a0760186574b0282f2f435e7",
    "9e107d9d372bb6826bd81d3542a419d6",
)
FORM = {SELECT: "three", DIGITS: "42"}
SECRET = "sandbox-secret-key"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def api(clock: Clock) -> Caller:
    return Caller(create_sandbox(now=clock).test_client())


def params(service: str, additional: object, time: str = "13:00:00", **client: object) -> list[object]:
    return [service, "3", DAY, time, GUEST | client, additional]


def promo(code: str) -> dict[str, Any]:
    return {"promocode": {"name": "promocode", "value": code, "type": "text"}}


def booked(api: Caller) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = api.client.get("/_sandbox/state").json["bookings"]
    return found


# --- intake forms -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "form",
    [
        FORM,
        FORM | {CHECKBOX: "1", TEXT: "no nuts", TEXTAREA: "two\nlines"},
        FORM | {DIGITS: 42, CHECKBOX: False, TEXT: "", "something else": {"a": []}},
        [{"name": SELECT, "value": "one", "type": "select"}, {"name": DIGITS, "value": "7", "type": "digits"}],
        {name: {"name": name, "value": value, "type": "text"} for name, value in FORM.items()},
    ],
)
def test_a_form_that_is_filled_in_is_taken_by_name_or_as_a_list(api: Caller, form: object) -> None:
    assert api.result("book", *params("12", form))["bookings"]
    assert {SELECT, DIGITS} <= booked(api)[0]["fields"].keys()


@pytest.mark.parametrize(
    "form",
    [
        {},
        [],
        {SELECT: "three"},
        FORM | {DIGITS: ""},
        FORM | {DIGITS: "4.2"},
        FORM | {DIGITS: True},
        FORM | {SELECT: "six"},
        FORM | {SELECT: ["one"]},
        FORM | {CHECKBOX: "maybe"},
        FORM | {TEXT: 5},
        FORM | {TEXTAREA: ["a"]},
    ],
)
def test_a_form_that_is_not_filled_in_rightly_is_refused_and_nothing_is_booked(api: Caller, form: object) -> None:
    assert api.code("book", *params("12", form)) == -32070
    assert booked(api) == []


def test_without_the_custom_feature_no_form_is_asked_for(api: Caller) -> None:
    api.client.put("/_sandbox/plugins", json={"event_field": False})
    assert api.result("book", *params("12", {}))["bookings"]


@pytest.mark.parametrize("additional", ["text", 5, [5], [{"value": "x"}], [{"name": "x"}]])
def test_additional_that_is_of_neither_form_is_invalid(api: Caller, additional: object) -> None:
    assert api.code("book", *params("1", additional)) == -32602


# --- promotions ---------------------------------------------------------------------------------------------------

_WRONG_CODES = [
    ("nothing", "1", "13:00:00", -32030),
    ("yvuvugum", "1", "13:00:00", -32031),
    ("TOOSOON", "1", "13:00:00", -32032),
    ("ONLYMASSAGE", "1", "13:00:00", -32033),
    ("USEDUP", "1", "13:00:00", -32034),
    ("MORNINGS", "1", "13:00:00", -32036),
]


@pytest.mark.parametrize(("code", "service", "time", "error"), _WRONG_CODES)
def test_a_code_that_is_not_valid_is_refused_and_nothing_is_booked(
    api: Caller, code: str, service: str, time: str, error: int
) -> None:
    assert api.code("book", *params(service, promo(code), time)) == error
    assert api.code("validatePromoCode", code, f"{DAY} {time}", service, 1, GUEST) == error
    assert booked(api) == []


@pytest.mark.parametrize(
    "additional",
    [promo("WELCOME"), [{"name": "promocode", "value": "WELCOME", "type": "text"}], {"promocode": "WELCOME"}],
)
def test_a_valid_code_makes_the_booking_cheaper(api: Caller, additional: object) -> None:
    assert api.result("validatePromoCode", "WELCOME", f"{DAY} 13:00:00", "1", 1, GUEST) is True
    [booking] = api.result("book", *params("1", additional))["bookings"]
    assert booked(api)[0]["promocode"] == "WELCOME"
    assert api.result("getBookingDetails", booking["id"], sign(booking))["price"] == "45.0000"


def test_a_code_for_mornings_is_valid_in_the_morning(api: Caller) -> None:
    assert api.result("book", *params("1", promo("MORNINGS"), "10:00:00"))["bookings"]


def test_a_code_for_one_use_each_is_used_up_by_who_used_it(api: Caller) -> None:
    assert api.result("book", *params("1", promo("ONCEEACH")))["bookings"]
    assert api.code("book", *params("1", promo("ONCEEACH"), "14:00:00")) == -32035
    other = {"email": "bob@example.com"}
    assert api.result("book", *params("1", promo("ONCEEACH"), "14:00:00", **other))["bookings"]
    assert api.code("validatePromoCode", "ONCEEACH", f"{DAY} 15:00:00", "1", 1, GUEST) == -32035


def test_a_booking_that_fails_uses_up_no_code(api: Caller) -> None:
    api.book("1", "3")
    assert api.code("book", *params("1", promo("ONCEEACH"))) == -32054
    assert api.result("book", *params("1", promo("ONCEEACH"), "14:00:00"))["bookings"]


def test_a_reward_needs_a_client_that_there_is(api: Caller) -> None:
    api.switch(simplybook_codes_replaced=False)
    assert api.code("getPromotionRewardInfo", 132, 1, "hash") == -3264
    [booking] = api.book()["bookings"]
    assert api.result("getPromotionRewardInfo", 132, booking["client_id"], "hash")["reward"] == "99.9999"
    assert api.result("getPromotionRewardInfo", 1, booking["client_id"], "hash") is None


# --- the client ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("offset", "kept"), [(60, 60), ("-90", -90), ("0", 0), (None, None)])
def test_the_clients_time_offset_is_taken(api: Caller, offset: object, kept: int | None) -> None:
    [booking] = api.result("book", *params("1", {}, client_time_offset=offset))["bookings"]
    assert booking["start_date_time"] == f"{DAY} 13:00:00"
    assert booked(api)[0]["client_time_offset"] == kept


@pytest.mark.parametrize("offset", ["+1 h", 1.5, True, [], "99999"])
def test_a_time_offset_that_is_no_whole_number_is_invalid(api: Caller, offset: object) -> None:
    assert api.code("book", *params("1", {}, client_time_offset=offset)) == -32602


# --- batches ------------------------------------------------------------------------------------------------------


def test_a_batch_is_confirmed_with_one_signature(api: Caller) -> None:
    api.switch(simplybook_require_confirm=True)
    made = api.result("createBatch")
    assert isinstance(made, int)
    first = api.book("1", "3", "13:00:00", None, made)
    second = api.book("1", "4", "13:00:00", None, str(made))
    assert (second["batch_id"], second["batch_type"]) == (str(made), "batch_booking")
    good = signature(first["batch_id"], first["batch_hash"], SECRET)
    assert [row["confirmed"] for row in booked(api)] == [False, False]
    assert api.code("confirmBookingBatch", made, "batch_booking", "0" * 32) == -32085
    assert api.code("confirmBookingBatch", 1, "batch_booking", good) == -32095
    assert api.code("confirmBookingBatch", made, "batch_recurrent_booking", good) == -32095
    assert api.code("confirmBookingBatch", made, None, good) == -32095
    assert api.result("confirmBookingBatch", made, "batch_booking", good) is True
    assert [row["confirmed"] for row in booked(api)] == [True, True]
    assert api.result("confirmBookingBatch", made, "batch_booking", good) is True


def test_the_batches_of_a_group_and_of_a_recurring_service_are_confirmed_too(api: Caller) -> None:
    api.switch(simplybook_require_confirm=True)
    group, recurrent = api.book("1", "65", "13:00:00", 3), api.book("9", "3")
    for answer, id_ in ((group, group["batch_id"]), (recurrent, recurrent["recurrent_batch_id"])):
        good = signature(id_, answer["batch_hash"], SECRET)
        assert api.result("confirmBookingBatch", id_, answer["batch_type"], good) is True
    assert all(row["confirmed"] for row in booked(api))


def test_a_booking_of_a_batch_that_was_cancelled_is_not_confirmed_with_it(api: Caller) -> None:
    api.switch(simplybook_require_confirm=True)
    answer = api.book("1", "65", "13:00:00", 2)
    kept, gone = answer["bookings"]
    api.result("cancelBooking", gone["id"], sign(gone))
    good = signature(answer["batch_id"], answer["batch_hash"], SECRET)
    api.result("confirmBookingBatch", answer["batch_id"], "batch_booking", good)
    assert {row["id"]: row["confirmed"] for row in booked(api)} == {kept["id"]: True, gone["id"]: False}


def test_no_booking_joins_the_batch_of_a_recurring_service(api: Caller) -> None:
    recurrent = api.book("9", "3")["recurrent_batch_id"]
    assert api.refused("1", "4", "13:00:00", None, recurrent) == -32095


def test_a_group_needs_its_custom_feature(api: Caller) -> None:
    api.client.put("/_sandbox/plugins", json={"group_booking": False})
    assert api.refused("1", "65", "13:00:00", 2) == -32001
    assert api.book("1", "65", "13:00:00", 1)


# --- payments -----------------------------------------------------------------------------------------------------


def test_a_booking_is_paid_by_a_known_processor_only(api: Caller) -> None:
    api.switch(simplybook_require_confirm=True)
    [booking] = api.book()["bookings"]
    assert api.code("confirmBookingPayment", booking["id"], "barter", sign(booking)) == -32097
    assert api.code("confirmBookingPayment", booking["id"], "paypal", "0" * 32) == -32085
    assert api.code("confirmBookingPayment", "1", "paypal", sign(booking)) == -32080
    api.switch(simplybook_payment_fails=True)
    assert api.code("confirmBookingPayment", booking["id"], "paypal", sign(booking)) == -32099
    assert (booked(api)[0]["paid"], booked(api)[0]["confirmed"]) == (False, False)
    api.switch(simplybook_payment_fails=False)
    assert api.result("confirmBookingPayment", booking["id"], "paypal", sign(booking)) is True
    assert (booked(api)[0]["paid"], booked(api)[0]["confirmed"]) == (True, True)


def test_a_batch_is_paid_with_its_own_signature(api: Caller) -> None:
    answer = api.book("1", "65", "13:00:00", 2)
    good = signature(answer["batch_id"], answer["batch_hash"], SECRET)
    pay = ("confirmBookingBatchPayment", answer["batch_id"], "batch_booking")
    assert api.code(*pay, "barter", good) == -32097
    assert api.code(*pay, "stripe", "0" * 32) == -32085
    assert api.result(*pay, "stripe", good) is True
    assert [row["paid"] for row in booked(api)] == [True, True]


def test_a_cart_adds_up_its_bookings_and_is_paid_at_once(api: Caller) -> None:
    rows = [*api.book("1", "3")["bookings"], *api.book("2", "4")["bookings"]]
    cart = api.result("getBookingCart", [row["id"] for row in rows])
    assert (cart["amount"], cart["currency"]) == ("140.0000", "GBP")
    assert [item["id"] for item in cart["cart"]] == [row["id"] for row in rows]
    assert cart["cart"][0] == {
        "id": rows[0]["id"],
        "event_id": "1",
        "name": f"Consultation {DAY} 13:00:00",
        "price": "50.0000",
        "qty": "1",
    }
    assert api.result("validatePayment", {"transaction": "1"}, cart["cart_id"]) is True
    assert api.result("validatePayment", {"transaction": "1"}, 1) is False
    good = signature(cart["cart_id"], cart["cart_hash"], SECRET)
    assert api.code("confirmBookingCart", cart["cart_id"], "paypal", "0" * 32) == -32085
    assert api.code("confirmBookingCart", 1, "paypal", good) == -32080
    assert api.result("confirmBookingCart", cart["cart_id"], "paypal", good) is True
    assert all(row["paid"] for row in booked(api))
    assert api.code("getBookingCart", ["1"]) == -32080
    assert api.code("getBookingCart", []) == -32602


def test_payment_is_required_for_what_has_a_price(api: Caller) -> None:
    assert api.result("isPaymentRequired", "1") is False
    assert api.client.post("/_sandbox/plugins", json={"paid_events": True}).status_code == 200
    assert api.result("isPaymentRequired", "1") is True
    assert api.result("isPaymentRequired", "13") is False
    assert api.result("isPaymentRequired") is True
    assert api.result("getPaymentProcessorConfig", "paypal")["name"] == "paypal"
    assert api.code("getPaymentProcessorConfig", "barter") == -32097


# --- details ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["getBooking", "getBookingDetails"])
def test_details_need_the_signature_and_a_cancelled_bookings_are_a_switch(api: Caller, method: str) -> None:
    [booking] = api.book()["bookings"]
    assert api.result(method, booking["id"], sign(booking))["client_name"] == GUEST["name"]
    assert api.code(method, booking["id"], "0" * 32) == -32085
    api.result("cancelBooking", booking["id"], sign(booking))
    assert api.code(method, booking["id"], sign(booking)) == -32080
    api.switch(simplybook_tells_cancelled=True)
    assert api.result(method, booking["id"], sign(booking))["is_cancelled"] == "1"


# --- what is to be paid -------------------------------------------------------------------------------------------


def test_what_is_not_paid_in_time_is_cancelled_and_its_slot_is_free_again(api: Caller, clock: Clock) -> None:
    assert "require_payment" not in api.book()
    api.client.post("/_sandbox/plugins", json={"paid_events": True})
    api.switch(simplybook_payment_timeout="5 minutes")
    made = api.book(time="14:00:00")
    assert made["require_payment"] is True
    (row,) = made["bookings"]
    assert api.result("getBookingDetails", row["id"], sign(row))["payment_status"] == "not_paid"
    clock.now += timedelta(minutes=4)
    assert api.refused(time="14:00:00") == -32054
    clock.now += timedelta(minutes=1)
    assert api.code("getBookingDetails", row["id"], sign(row)) == -32080
    assert [one["cancelled"] for one in booked(api)] == [False, True]


def test_what_is_paid_stays(api: Caller, clock: Clock) -> None:
    api.client.post("/_sandbox/plugins", json={"paid_events": True})
    api.switch(simplybook_payment_timeout="5 minutes")
    (row,) = api.book()["bookings"]
    assert api.result("confirmBookingPayment", row["id"], "paypal", sign(row)) is True
    clock.now += timedelta(minutes=10)
    assert api.result("getBookingDetails", row["id"], sign(row))["payment_status"] == "paid"


def test_a_switch_has_the_vendor_answer_another_start_or_an_unconfirmed_booking(api: Caller) -> None:
    api.switch(simplybook_books_minutes_later=60, simplybook_unconfirmed=True)
    made = api.book()
    (row,) = made["bookings"]
    assert (made["require_confirm"], row["is_confirmed"]) == (False, "0")
    assert row["start_date_time"] == f"{DAY} 14:00:00"
