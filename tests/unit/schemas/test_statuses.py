import pytest

from bellhop.schemas.statuses import Meaning, cancels, meaning

ONE = ["a service"]
DOCUMENTED = {
    "HOLD": Meaning.RECORD,
    "NOT_RECONCILED": Meaning.RECORD,
    "BOOKED": Meaning.BOOK,
    "LEFT_MESSAGE": Meaning.BOOK,
    "NO_ANSWER": Meaning.BOOK,
    "WRONG_NUMBER": Meaning.BOOK,
    "CONFIRMED": Meaning.BOOK,
    "PRE_ARRIVED": Meaning.BOOK,
    "PREPARTIALLYARRIVED": Meaning.BOOK,
    "LATE": Meaning.BOOK,
    "CANCELED": Meaning.CANCEL,
    "NO_SHOW": Meaning.RECORD,
    "NO_ENTRY": Meaning.RECORD,
}


@pytest.mark.parametrize(("status", "meant"), DOCUMENTED.items())
def test_each_documented_status_has_its_meaning(status: str, meant: Meaning) -> None:
    assert meaning("booking.changed", status, ONE)[0] is meant


@pytest.mark.parametrize("status", ["CUSTOM_STATUS_27", "", "✨"])
def test_an_unknown_status_is_recorded_and_not_guessed(status: str) -> None:
    meant, words = meaning("booking.requested", status, ONE)
    assert meant is Meaning.RECORD
    assert "unknown" in words


def test_a_cancel_cancels_whatever_its_status_says() -> None:
    assert meaning("booking.cancelled", "BOOKED", [])[0] is Meaning.CANCEL


def test_without_a_status_a_request_books() -> None:
    assert meaning("booking.requested", None, ONE)[0] is Meaning.BOOK


def test_an_event_without_services_never_cancels_what_stands() -> None:
    assert meaning("booking.changed", "CONFIRMED", [])[0] is Meaning.RECORD


@pytest.mark.parametrize("white", ["\t", " ", "\u0085", "\u00a0", "\u1680", "\u2003", "\u2028", "\u202f", "\u3000"])
def test_white_space_of_any_kind_around_a_status_is_no_part_of_it(white: str) -> None:
    assert cancels("booking.changed", f"{white}cancelled{white}")
