"""A booking that is to be paid: told as unpaid with its time, never as if it stood; paid and asked again, it does."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from bellhop.ledger.records import EntryState, VendorCall, describe_entries
from bellhop.schemas.reasons import Reason
from bellhop.schemas.results import result
from bellhop.vendors.failure import Kind, VendorFailure
from bellhop.vendors.outcome import Dead, Done
from bellhop.vendors.simplybook.book_answer import BookAnswer
from bellhop.vendors.simplybook.payment import is_paid, payment_deadline, timeout_seconds
from tests.support.salon import Clock, sign
from tests.support.sandboxed import NOW, House, Worked, salon_data

BOOK = VendorCall("salon", "book", {}, repeatable=False)
DUE = VendorCall("salon", "book", {"payment": {"timeout": "5 minutes", "may_be_delayed": False}}, repeatable=False)


class Rules:
    """A company that tells its terms, or cannot be asked."""

    def __init__(self, terms: dict[str, Any] | None) -> None:
        self._terms = terms

    def payment_terms(self) -> dict[str, Any]:
        if self._terms is None:
            raise VendorFailure(Kind.TRANSIENT, vendor="simplybook", method="getCompanyParam", message="away")
        return self._terms


@pytest.mark.parametrize(
    ("said", "call", "terms", "until"),
    [
        (True, DUE, {}, "2026-03-09T12:05:00+00:00"),
        (None, DUE, {}, "2026-03-09T12:05:00+00:00"),
        (False, DUE, {}, None),
        (None, BOOK, {}, None),
        (True, BOOK, {"timeout": "1 hour"}, "2026-03-09T13:00:00+00:00"),
        (True, BOOK, {"timeout": ""}, ""),
        (True, BOOK, None, ""),
    ],
)
def test_the_answer_counts_and_where_it_is_silent_what_was_said_of_the_service(
    said: bool | None, call: VendorCall, terms: dict[str, Any] | None, until: str | None
) -> None:
    answer = BookAnswer(False, (), "", "", "", said)
    assert payment_deadline(answer, call, Rules(terms), NOW) == until  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("5 minutes", 300), ("1 hour", 3600), (" 2 Days ", 172_800), ("1 week", 604_800), ("soon", 0), ("", 0), ("0", 0)],
)
def test_the_vendors_words_for_a_time_are_read(text: str, seconds: int) -> None:
    assert timeout_seconds(text) == seconds


@pytest.mark.parametrize(
    ("details", "paid"),
    [
        ({"payment_status": "paid"}, True),
        ({"payment_status": "not_paid", "is_confirmed": "1"}, False),
        ({"is_paid": "1"}, True),
        ({"is_paid": 0, "require_payment": False}, False),
        ({"require_payment": False}, True),
        ({"require_payment": "1"}, False),
        ({"is_confirmed": "1"}, False),
        ({}, False),
    ],
)
def test_a_booking_is_paid_only_where_its_details_say_so(details: Mapping[str, Any], paid: bool) -> None:
    assert is_paid(details) is paid


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def house(clock: Clock) -> House:
    made = House(now=clock)
    made.http.plugins(paid_events=True)
    made.http.switch(simplybook_payment_timeout="30 minutes")
    return made


def told(worked: Worked) -> Any:
    """The result that the source is posted."""
    reason = worked.outcome.reason.value if isinstance(worked.outcome, Dead) else ""
    made = result(worked.event, detail="", reason=reason, booking=describe_entries(worked.booking.entries), now=NOW)
    assert made is not None
    return made.data["type"], made.data["data"].get("unpaid_until")


def pay(house: House, row: Mapping[str, Any]) -> None:
    (made,) = [answer for answer in house.http.state()["bookings"] if answer["id"] == row["id"]]
    assert not made["paid"]
    signed = [made["id"], "paypal", sign({"id": made["id"], "hash": row["hash"]})]
    token = house.http.client.post(
        "/login", json={"method": "getToken", "params": ["sandbox", "sandbox-api-key"], "id": 1}
    ).json["result"]
    paid = house.http.client.post(
        "/",
        json={"method": "confirmBookingPayment", "params": signed, "id": 2},
        headers={"X-Company-Login": "sandbox", "X-Token": token},
    )
    assert paid.json["result"] is True


@pytest.mark.parametrize("answer_says", [True, False])
def test_a_booking_to_be_paid_is_unpaid_until_the_vendor_cancels_it(house: House, answer_says: bool) -> None:
    house.http.switch(simplybook_says_require_payment=answer_says)
    worked = house.post("booking.requested", salon_data())
    assert isinstance(worked.outcome, Dead)
    assert (worked.outcome.reason, worked.outcome.applies) == (Reason.UNPAID, True)
    assert [entry.state for entry in worked.booking.entries] == [EntryState.UNPAID]
    assert "2026-03-09T12:30:00+00:00" in worked.outcome.error
    assert worked.outcome.answer == {
        "unpaid": worked.booking.entries[0].vendor_id,
        "unpaid_until": "2026-03-09T12:30:00+00:00",
    }
    assert told(worked) == ("booking.unpaid", "2026-03-09T12:30:00+00:00")
    assert len(house.http.of("book")) == 1


def test_replayed_once_it_is_paid_it_stands_and_nothing_is_booked_again(house: House) -> None:
    first = house.post("booking.requested", salon_data())
    entry = first.booking.entries[0]
    pay(house, {"id": entry.vendor_id, "hash": entry.secret_hash})
    again = house.work(first.event, first.booking)
    assert isinstance(again.outcome, Done)
    assert [(one.state, one.unpaid_until) for one in again.booking.entries] == [(EntryState.CONFIRMED, "")]
    assert told(again) == ("booking.confirmed", None)
    assert len(house.http.of("book")) == 1


def test_replayed_unpaid_it_is_a_persons_again(house: House) -> None:
    first = house.post("booking.requested", salon_data())
    again = house.work(first.event, first.booking)
    assert isinstance(again.outcome, Dead)
    assert again.outcome.reason is Reason.UNPAID
    assert len(house.http.of("book")) == 1


def test_what_the_vendor_has_cancelled_is_told_and_booked_anew_only_by_another_replay(
    house: House, clock: Clock
) -> None:
    first = house.post("booking.requested", salon_data())
    clock.now += timedelta(minutes=31)
    again = house.work(first.event, first.booking)
    assert isinstance(again.outcome, Dead)
    assert again.outcome.reason is Reason.REJECTED
    assert "not paid in time" in again.outcome.error
    assert len(house.http.of("book")) == 1
    assert again.outcome.booking is not None
    anew = house.work(first.event, again.outcome.booking)
    assert isinstance(anew.outcome, Dead)
    assert anew.outcome.reason is Reason.UNPAID
    assert len(house.http.of("book")) == 2


def test_a_vendor_that_cannot_be_asked_holds_up_no_word_of_the_payment(house: House) -> None:
    first = house.take("booking.requested", salon_data())
    fault = {"method": "getBookingDetails", "kind": "error", "code": -32603, "message": "Internal error", "times": 1}
    assert house.http.client.post("/_sandbox/faults", json=fault).status_code in (200, 201)
    worked = house.work(first)
    assert isinstance(worked.outcome, Dead)
    assert worked.outcome.reason is Reason.UNPAID
    assert "could not be asked" in worked.outcome.error


def test_what_an_unpaid_booking_replaces_stands_until_it_is_paid(house: House) -> None:
    house.http.plugins(paid_events=False)
    first = house.post("booking.requested", salon_data())
    assert isinstance(first.outcome, Done)
    house.http.plugins(paid_events=True)
    house = House(house.http, now=lambda: NOW)
    moved = salon_data(service={"start": "2026-03-10T11:00:00"})
    second = house.post("booking.changed", moved, first.booking, "e-2")
    assert isinstance(second.outcome, Dead)
    assert second.outcome.reason is Reason.UNPAID
    assert [entry.stands for entry in second.booking.entries] == [True, True]
    new = second.booking.entries[1]
    pay(house, {"id": new.vendor_id, "hash": new.secret_hash})
    third = house.work(second.event, second.booking)
    assert isinstance(third.outcome, Done)
    assert [entry.stands for entry in third.booking.entries] == [False, True]


def test_an_unpaid_booking_can_be_cancelled(house: House) -> None:
    first = house.post("booking.requested", salon_data())
    gone = house.post("booking.cancelled", {"booking_id": "R-1", "venue": "salon"}, first.booking, "e-2")
    assert isinstance(gone.outcome, Done)
    assert not any(entry.stands for entry in gone.booking.entries)
