"""What Peoplevine's refusals mean, by reason and message together."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bellhop.schemas.redact import Redactor
from bellhop.vendors.failure import Kind, VendorFailure
from bellhop.vendors.http import HttpAnswer
from bellhop.vendors.peoplevine.client import PeoplevineClient
from bellhop.vendors.peoplevine.settings import PeoplevineAccount


def client(status: int = 200, **body: Any) -> PeoplevineClient:
    """Of a vendor that answers so."""

    class Http:
        def request(self, *_: object, **__: object) -> HttpAnswer:
            return HttpAnswer(status, body, json.dumps(body).encode(), None, Redactor([]))

    account = PeoplevineAccount("pv", "http://x", "a", "c", "u", "p", "", True, 1.0, 1.0)
    return PeoplevineClient(account, Http())  # type: ignore[arg-type]


def failing(status: int = 200, **body: Any) -> VendorFailure:
    with pytest.raises(VendorFailure) as caught:
        client(status, **body).create_service_reservation("1000", "", [])
    return caught.value


@pytest.mark.parametrize(
    ("reason", "message", "kind"),
    [
        ("Member not found", None, Kind.REJECTED),
        (None, "Invalid member ID", Kind.REJECTED),
        ("Technician is not available", None, Kind.REJECTED),
        ("Error", "Object reference not set to an instance of an object.", Kind.UNKNOWN),
        ("The operation has timed out", "", Kind.UNKNOWN),
        ("Member not found", "System.NullReferenceException", Kind.UNKNOWN),
        ("Error", "Invalid username or password", Kind.AUTH),
        ("Invalid company", None, Kind.AUTH),
        ("User is disabled", None, Kind.AUTH),
        ("Company 4711 not found", None, Kind.AUTH),
        ("The member's account is suspended", None, Kind.REJECTED),
        ("Failed", "Please try again later", Kind.TRANSIENT),
        ("Rate limit exceeded", None, Kind.THROTTLED),
        ("Service is not available", None, Kind.REJECTED),
    ],
)
def test_reason_and_message_are_read_together(reason: str | None, message: str | None, kind: Kind) -> None:
    failure = failing(success=False, reason=reason, message=message)
    assert failure.kind is kind
    assert not failure.said_no
    assert all(words in failure.message for words in (reason, message) if words)


@pytest.mark.parametrize("words", [None, "", "Error", "failed.", "An error", "null"])
def test_a_no_without_any_words_proves_nothing(words: str | None) -> None:
    failure = failing(success=False, reason=words, message=None)
    assert (failure.kind, failure.said_no) == (Kind.UNKNOWN, True)


@pytest.mark.parametrize(
    "words",
    [
        "Could not complete the reservation",
        "Row handler gave no row",
        "Booking.Api.Store.Put",
        "Failed to confirm the treatment",
        "no handle for the stream",
    ],
)
def test_a_no_in_words_of_programmers_proves_nothing(words: str) -> None:
    failure = failing(success=False, reason=words, message=None)
    assert failure.kind is Kind.UNKNOWN


@pytest.mark.parametrize(
    "words",
    [
        *("closed", "closed that day", "no such member", "something new", "Gents only", "No tables left"),
        *("Failed: technician is booked", "Error: your request was declined", "This guest cannot be booked"),
    ],
)
def test_a_no_in_other_words_is_one(words: str) -> None:
    assert failing(success=False, reason=words, message=None).kind is Kind.REJECTED


def test_a_refusal_that_names_an_id_says_both_and_is_looked_for() -> None:
    failure = failing(success=False, reason="Not created", message="30396436")
    assert failure.kind is Kind.UNKNOWN
    assert failure.answer is not None
    assert failure.answer["look_for"] == ["30396436"]


@pytest.mark.parametrize("message", ["0", "", "-5", "Reservation was created", None, True, 0, {}, []])
def test_a_success_without_an_id_is_in_doubt_with_what_was_answered(message: object) -> None:
    failure = failing(success=True, message=message)
    assert failure.kind is Kind.UNKNOWN
    assert failure.answer is not None
    assert failure.answer["body"]["message"] == message


def test_the_id_in_a_sentence_is_looked_for() -> None:
    failure = failing(success=True, message="Reservation created: 30396436")
    assert failure.answer is not None
    assert failure.answer["look_for"] == ["30396436"]


@pytest.mark.parametrize("body", [{"Success": True, "Message": "77"}, {"SUCCESS": "true", "message": 77.0}])
def test_members_are_read_in_other_capitals(body: dict[str, Any]) -> None:
    assert client(**body).create_service_reservation("1000", "", []) == "77"


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, Kind.TRANSIENT), (401, Kind.AUTH), (403, Kind.TRANSIENT), (303, Kind.UNKNOWN), (500, Kind.UNKNOWN)],
)
def test_json_of_a_gateway_is_not_the_vendors_word(status: int, kind: Kind) -> None:
    failure = failing(status, message="Forbidden", requestId="77")
    assert failure.kind is kind
    assert failure.from_page is (kind is not Kind.AUTH)


@pytest.mark.parametrize("status", [303, 404, 502])
def test_a_success_with_another_status_is_in_doubt(status: int) -> None:
    failure = failing(status, success=True, message="77")
    assert failure.kind is Kind.UNKNOWN
    assert failure.answer is not None
    assert failure.answer["look_for"] == ["77"]
