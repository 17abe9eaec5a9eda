"""The classification tables, against the documents' own lists."""

from __future__ import annotations

import pytest

from bellhop.vendors.failure import Kind
from bellhop.vendors.simplybook.codes import LOGIN_ROWS, ROWS, classify

DOCUMENTED = """
-32001 Custom Feature is not activated
-32010 Some required params are missed
-32011 Params is not array
-32012 Sheduler id not found
-32015 Passed event id is not reccuren
-32020 Sorry, you have no permissions to perform this action
-32030 Invalid promotion code
-32031 Promotion has expired
-32032 Promotion is not active yet
-32033 This promocode is not valid for selected service
-32034 Exceed max usage limit
-32035 Exceed max usage per customer limit
-32036 This promocode is not available for datetime range
-32051 Selected event id is not available
-32052 Selected unit id is not available
-32053 Selected date start is not available
-32054 Selected time start is not available
-32055 One or more appointments couldn't be reserved
-32056 Booking is not allowed at this time
-32061 Client name value is wrong
-32062 Client email value is wrong
-32063 Client phone value is wrong
-32070 Intake forms values are wrong
-32080 Appointemnt couldn't be found
-32085 Signature error
-32090 Confirmation with this key type is not available
-32095 Batch not found
-32097 Unsupported payment system
-32099 Payment failed
-32600 Access denied
-32600 Company does not exists
-32601 Method not found
-32602 Invalid params
-32603 Internal error
-3264 Client with given id not found
"""
CODES = [(int(line.split(" ", 1)[0]), line.split(" ", 1)[1]) for line in DOCUMENTED.strip().splitlines()]


def test_every_documented_code_has_exactly_one_row_with_the_documents_words() -> None:
    assert sorted((row.code, row.words) for row in ROWS) == sorted(CODES)
    assert len({row.code for row in ROWS}) == 34


def test_every_login_code_is_a_matter_of_credentials() -> None:
    assert [row.code for row in LOGIN_ROWS] == [-33001, -33002, -33003, -33004, -33005]
    assert {row.kind for row in LOGIN_ROWS} == {Kind.AUTH}


@pytest.mark.parametrize(("code", "words"), CODES)
def test_each_code_is_found_by_its_own_message(code: int, words: str) -> None:
    assert classify(code, words).words == words


@pytest.mark.parametrize("row", ROWS, ids=lambda row: str(row.code))
def test_each_row_tells_a_person_what_to_do(row: object) -> None:
    assert getattr(row, "advice", "")


def test_the_kinds_of_the_codes_that_matter_most() -> None:
    assert classify(-32054, "Selected time start is not available").kind is Kind.REJECTED
    assert classify(-32600, "Access denied").kind is Kind.AUTH
    # The server failed in the midst: it may have booked.
    assert classify(-32603, "Internal error").kind is Kind.UNKNOWN
    assert classify(-32020, "no permissions").kind is Kind.AUTH


def test_a_code_that_is_not_documented_proves_nothing() -> None:
    assert classify(-12345, "who knows").kind is Kind.UNKNOWN
    assert classify(None, "").kind is Kind.UNKNOWN


def test_throttling_is_known_by_its_words_whatever_its_code() -> None:
    assert classify(-32000, "Too many requests").kind is Kind.THROTTLED
