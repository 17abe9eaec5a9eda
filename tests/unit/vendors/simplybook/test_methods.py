"""What SimplyBook.me's methods take: null where the vendor's own examples send it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from bellhop.vendors.simplybook.call import arguments, methods
from bellhop.vendors.simplybook.methods import METHODS

NINE = "2027-05-10 09:00:00"


@pytest.mark.parametrize(
    ("name", "given", "sent"),
    [
        ("getFirstWorkingDay", [None], [None]),
        ("getFirstWorkingDay", [3], [3]),
        ("calculateEndTime", [NINE, 1, None], [NINE, 1, None]),
        ("getStartTimeMatrix", ["2027-05-10", "2027-05-10", 1, None, None], ["2027-05-10", "2027-05-10", 1]),
        ("book", [1, 3, "2027-05-10", "09:00:00", {}, None, None, None, None], [1, 3, "2027-05-10", "09:00:00", {}]),
    ],
)
def test_null_is_sent_where_it_means_something_and_left_out_at_the_end(
    name: str, given: list[Any], sent: list[Any]
) -> None:
    assert METHODS[name].arguments(given) == sent


@pytest.mark.parametrize(
    ("name", "given"),
    [("getFirstWorkingDay", []), ("calculateEndTime", [NINE, None, None]), ("getBooking", [None, None])],
)
def test_null_where_nothing_says_that_it_may_be_is_missing(name: str, given: list[Any]) -> None:
    with pytest.raises(ValueError, match="is missing"):
        METHODS[name].arguments(given)


def test_null_can_be_said_on_the_command_line() -> None:
    assert arguments(METHODS["getFirstWorkingDay"], ["null"], SimpleNamespace()) == [None]  # type: ignore[arg-type]
    assert METHODS["getFirstWorkingDay"].signature == "getFirstWorkingDay(unitId|null)"


def test_what_the_document_calls_deprecated_is_called_so() -> None:
    assert [name for name, method in methods().items() if method.deprecated] == ["confirmBookingPayment"]
