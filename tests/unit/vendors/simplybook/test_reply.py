"""What SimplyBook.me's server answered: results, refusals in its words, and what is not its answer at all."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bellhop.schemas.redact import Redactor
from bellhop.vendors.failure import Kind, VendorFailure
from bellhop.vendors.http import HttpAnswer, Where
from bellhop.vendors.simplybook.methods import METHODS
from bellhop.vendors.simplybook.reply import RpcResult, read_reply

ID = "123456789012345"
BOOKED = {"id": "434", "hash": "h", "start_date_time": "2027-05-10 09:00:00"}


def reply(body: Any, status: int = 200, raw: bytes | None = None) -> RpcResult:
    sent = json.dumps(body).encode() if raw is None else raw
    return read_reply(Where("simplybook", "book"), HttpAnswer(status, body, sent, None, Redactor([])), ID)


def failing(body: Any, status: int = 200, raw: bytes | None = None) -> VendorFailure:
    with pytest.raises(VendorFailure) as caught:
        reply(body, status, raw)
    return caught.value


def error(code: object, message: str, id_: object = ID, **more: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": id_, "error": {"code": code, "message": message, **more}}


@pytest.mark.parametrize("echoed", [ID, int(ID), float(ID)])
@pytest.mark.parametrize("names", [("result", "id"), ("Result", "Id"), ("RESULT", "ID")])
def test_a_result_with_our_id_is_ours(echoed: object, names: tuple[str, str]) -> None:
    assert reply({names[0]: 7, names[1]: echoed}).result == 7


@pytest.mark.parametrize("echoed", ["", None, "1", 1, True, [ID]])
def test_a_result_with_another_id_is_no_answer_to_this_call(echoed: object) -> None:
    failure = failing({"result": {"bookings": [BOOKED]}, "id": echoed})
    assert failure.kind is Kind.UNKNOWN
    assert "look_for" not in (failure.answer or {})


def test_an_error_that_names_another_call_refuses_nothing_and_one_without_an_id_is_ours() -> None:
    assert failing(error(-32054, "Selected time start is not available", "other")).kind is Kind.UNKNOWN
    for id_ in ("", None):
        assert failing(error(-32054, "Selected time start is not available", id_)).kind is Kind.REJECTED


@pytest.mark.parametrize(
    ("code", "words", "kind", "shown"),
    [
        (-32000, "Selected time start is not available", Kind.REJECTED, "-32054"),
        (-32000, "Client with given id not found", Kind.REJECTED, "-3264"),
        (-32064, "whatever", Kind.REJECTED, "-3264"),
        (-32000, "Wrong API key", Kind.AUTH, "-33002"),
        (0, "Company does not exist", Kind.AUTH, "-33001"),
        (500, "Appointment couldn\u2019t be found", Kind.REJECTED, "-32080"),
        (-32600, "Access denied", Kind.AUTH, "-32600"),
        (-32000, "Access denied", Kind.AUTH, "-32600"),
        (-32000, "Your session token has expired", Kind.AUTH, "-32000"),
        (-32000, "Captcha is not valid", Kind.REJECTED, "-32000"),
        (-32000, "Booking limit for this day is reached", Kind.REJECTED, "-32000"),
        (-32000, "Phone is not valid for this country", Kind.REJECTED, "-32000"),
        (-32000, "Too many requests", Kind.THROTTLED, "-32000"),
        (-32000, "Please try again later", Kind.TRANSIENT, "-32000"),
        (-32000, "SQLSTATE[HY000]: General error", Kind.UNKNOWN, "-32000"),
        (-32603, "Internal error", Kind.UNKNOWN, "-32603"),
        (-32054, "Choisissez une autre heure", Kind.REJECTED, "-32054"),
        (None, "", Kind.UNKNOWN, ""),
    ],
)
def test_words_count_before_codes(code: object, words: str, kind: Kind, shown: str) -> None:
    failure = failing(error(code, words, data={}))
    assert (failure.kind, failure.code, failure.said_no) == (kind, shown, False)
    assert failure.answer is not None
    assert failure.answer["advice"]


@pytest.mark.parametrize("code", [-32000, -32603, 0, 17])
def test_a_no_in_words_that_nobody_knows_is_known_as_one(code: int) -> None:
    failure = failing(error(code, "Sorry, members only"))
    assert (failure.kind, failure.said_no, failure.message) == (Kind.UNKNOWN, True, "Sorry, members only")


@pytest.mark.parametrize(
    ("body", "status", "kind"),
    [
        ({"error": "Forbidden", "requestId": "1"}, 403, Kind.TRANSIENT),
        ({"message": "Not Found"}, 404, Kind.TRANSIENT),
        ({"error": {"reason": "waf"}}, 400, Kind.TRANSIENT),
        ({"error": "Bad Gateway"}, 502, Kind.UNKNOWN),
        ({"message": "Unauthorized"}, 401, Kind.AUTH),
        (None, 303, Kind.UNKNOWN),
        (None, 404, Kind.TRANSIENT),
        (None, 200, Kind.UNKNOWN),
        (None, 521, Kind.TRANSIENT),
    ],
)
def test_what_a_gateway_says_is_not_the_vendors_word(body: Any, status: int, kind: Kind) -> None:
    failure = failing(body, status, b"<html>" if body is None else None)
    assert failure.kind is kind
    assert failure.is_away is (kind is not Kind.AUTH)


def test_an_empty_answer_is_the_vendors_own_and_leaves_a_doubt() -> None:
    failure = failing(None, 200, b"")
    assert (failure.kind, failure.is_away) == (Kind.UNKNOWN, False)


@pytest.mark.parametrize("status", [200, 400, 401, 500])
def test_the_vendors_error_counts_whatever_the_status(status: int) -> None:
    assert failing(error(-32054, "Selected time start is not available"), status).kind is Kind.REJECTED


def test_yes_and_no_at_once_is_a_doubt_with_what_to_look_for() -> None:
    failure = failing({**error(-32000, "no"), "result": {"bookings": [BOOKED]}})
    assert failure.kind is Kind.UNKNOWN
    assert failure.answer is not None
    assert failure.answer["look_for"] == ["434"]


@pytest.mark.parametrize(
    "bookings",
    [
        [BOOKED],
        {"1": BOOKED},
        {"a": {**BOOKED, "id": 434.0}},
        BOOKED,
        [{key.upper(): value for key, value in BOOKED.items()}],
    ],
)
@pytest.mark.parametrize("name", ["bookings", "Bookings"])
def test_bookings_are_read_in_each_form_that_is_safe(bookings: Any, name: str) -> None:
    (row,) = METHODS["book"].parse_result({name: bookings}).bookings
    assert (row.id, row.hash, row.start) == ("434", "h", "2027-05-10 09:00:00")


@pytest.mark.parametrize("id_", ["0", 0, "", -5, "-5", "Booked, thank you", None, False, "h8vc14ca", 1.5])
def test_a_booking_whose_id_is_none_is_in_doubt(id_: object) -> None:
    with pytest.raises(ValueError, match="unknown form"):
        METHODS["book"].parse_result({"bookings": [{**BOOKED, "id": id_}]})


def test_an_unreadable_result_keeps_what_was_answered_and_names_its_ids() -> None:
    failure = reply({"result": {"made": [{"booking_id": 434}]}, "id": ID}).unreadable("an answer of an unknown form")
    assert failure.kind is Kind.UNKNOWN
    assert failure.answer is not None
    assert failure.answer["look_for"] == ["434"]
    assert failure.answer["body"]["result"] == {"made": [{"booking_id": 434}]}


@pytest.mark.parametrize("result", [{"bookings": []}, {"bookings": {}}, {"bookings": None}, [], {}])
def test_an_answer_without_any_booking_booked_nobody_knows_what(result: object) -> None:
    with pytest.raises(ValueError, match="unknown form"):
        METHODS["book"].parse_result(result)


def test_the_id_of_our_own_request_is_none_to_look_for() -> None:
    body = {"id": ID, "made": {"booking_id": "434"}}
    answer = HttpAnswer(200, body, b"", None, Redactor([]), own_id=ID)
    assert answer.evidence(body)["look_for"] == ["434"]


@pytest.mark.parametrize("result", [434, 434.0, "434", " 434 "])
def test_a_bare_number_for_a_result_is_looked_for(result: object) -> None:
    failure = reply({"result": result, "id": ID}).unreadable("of another form")
    assert failure.answer is not None
    assert failure.answer["look_for"] == ["434"]
