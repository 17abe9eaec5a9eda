"""What a company asks of a booking: its timeframe, its clients' fields, its intake forms."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bellhop.vendors.failure import Kind, VendorFailure
from bellhop.vendors.simplybook.company_rules import (
    CompanyRules,
    fill_fields,
    missing_fields,
    off_timeframe,
    with_promo,
)

SELECT = {  # as the vendor's own test has it
    "name": "81853bf002e30056f6189432c77d98a5",
    "title": "select",
    "type": "select",
    "values": "one, two, three, four, five",
    "is_null": False,
}
DIGITS = {"name": "d" * 32, "title": "Membership", "type": "digits", "values": "", "is_null": True}
BOX = {"name": "b" * 32, "title": "Newsletter", "type": "checkbox", "values": "", "is_null": True}


def moment(hour: int, minute: int) -> datetime:
    return datetime(2027, 3, 1, hour, minute)  # noqa: DTZ001  # the company's own clock


def test_a_value_may_be_given_by_the_fields_name_or_its_title() -> None:
    for key in (SELECT["name"], SELECT["title"]):
        assert fill_fields({str(key): "two"}, [SELECT]) == ({SELECT["name"]: "two"}, [])


@pytest.mark.parametrize(
    ("given_", "field", "rule"),
    [
        ({}, SELECT, 'additional: "select" is required'),
        ({"select": ""}, SELECT, 'additional: "select" is required'),
        ({"select": "six"}, SELECT, 'additional: "select" must be one of one, two, three, four, five'),
        ({"select": {"a": 1}}, SELECT, 'additional: "select" must be a text'),
        ({"Membership": "12a"}, DIGITS, 'additional: "Membership" must be digits only'),
        ({"Newsletter": "maybe"}, BOX, 'additional: "Newsletter" must be true or false'),
    ],
)
def test_each_rule_of_an_intake_form_is_told_by_its_title(
    given_: dict[str, Any], field: dict[str, Any], rule: str
) -> None:
    assert fill_fields(given_, [field])[1] == [rule]


def test_optional_fields_may_be_left_out_and_right_values_pass() -> None:
    assert fill_fields({}, [DIGITS, BOX]) == ({}, [])
    assert fill_fields({"Membership": 123, "Newsletter": True}, [DIGITS, BOX])[1] == []


def test_what_belongs_to_no_field_is_passed_on_untouched() -> None:
    assert fill_fields({"x": [1]}, [DIGITS]) == ({"x": [1]}, [])


@given(st.dictionaries(st.text(), st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists)))
def test_whatever_is_given_nothing_is_lost_and_nothing_raises(given_: dict[str, Any]) -> None:
    values, _ = fill_fields(given_, [SELECT, DIGITS, BOX])
    titles = {str(field["title"]): str(field["name"]) for field in (SELECT, DIGITS, BOX)}
    assert set(values) == {titles.get(key, key) for key in given_}


def test_a_promo_code_travels_in_the_documents_form() -> None:
    assert with_promo({"a": "1"}, "SUMMER") == {
        "a": "1",
        "promocode": {"name": "promocode", "value": "SUMMER", "type": "text"},
    }
    assert with_promo({"a": "1"}, None) == {"a": "1"}


@pytest.mark.parametrize(
    ("told", "client", "rules"),
    [
        ("", {}, []),
        ("email", {"email": "a@b.c"}, []),
        ("email_phone", {"email": "a@b.c"}, ["client.phone is required by the company"]),
        ("phone", {"phone": ""}, ["client.phone is required by the company"]),
    ],
)
def test_the_clients_fields_that_the_company_requires_are_asked_for(
    told: str, client: dict[str, Any], rules: list[str]
) -> None:
    class Company:
        def call(self, name: str, *arguments: Any) -> Any:
            assert (name, arguments) == ("getCompanyParam", ("require_fields",))
            return told

    assert missing_fields(client, CompanyRules(Company()).required_fields()) == rules


def test_a_start_off_the_timeframe_is_told_with_its_neighbours() -> None:
    assert off_timeframe(moment(10, 15), 15) == ""
    assert "the nearest are 10:00 and 10:15" in off_timeframe(moment(10, 7), 15)


@given(st.datetimes(moment(0, 0), moment(23, 59)), st.sampled_from([5, 10, 15, 20, 30, 60]))
def test_the_two_nearest_starts_are_right_and_enclose_the_wrong_one(start: datetime, timeframe: int) -> None:
    rule = off_timeframe(start, timeframe)
    midnight = start.replace(hour=0, minute=0, second=0, microsecond=0)
    assert (rule == "") is ((start - midnight) % timedelta(minutes=timeframe) == timedelta())
    if rule:
        before, after = (int(text[:2]) * 60 + int(text[3:]) for text in (rule[-15:-10], rule[-5:]))
        assert before % timeframe == 0
        assert before <= start.hour * 60 + start.minute < before + timeframe
        assert after == (before + timeframe) % (24 * 60)


class Asked:
    def __init__(self, answer: Any = "15", failure: VendorFailure | None = None) -> None:
        self.answer, self.failure, self.calls = answer, failure, 0

    def call(self, name: str, *arguments: Any) -> Any:
        self.calls += 1
        if self.failure:
            raise self.failure
        return self.answer


def test_what_a_company_says_of_itself_is_asked_once() -> None:
    company = Asked(15)
    rules = CompanyRules(company)
    assert [rules.timeframe(), rules.timeframe(), rules.fresh().timeframe()] == [15, 15, 15]
    assert company.calls == 1


def test_what_bookings_are_held_against_is_asked_ahead() -> None:
    asked: list[tuple[Any, ...]] = []

    class Company:
        def call(self, name: str, *arguments: Any) -> Any:
            asked.append((name, *arguments))
            return [{"id": "1"}, {"id": "7"}] if name == "getEventList" else []

    rules = CompanyRules(Company())
    rules.ask_ahead()
    ahead = [
        *(("getTimeframe",), ("getCompanyParam", "require_fields"), ("getEventList", True, True)),
        *((name, service) for name in ("getAdditionalFields", "isPaymentRequired") for service in (1, 7)),
    ]
    assert sorted(asked, key=str) == sorted(ahead, key=str)
    rules.timeframe(), rules.required_fields(), rules.intake(1), rules.intake(7), rules.due_payment(7)
    assert len(asked) == len(ahead)


def test_what_is_not_known_of_a_first_booking_is_asked_side_by_side() -> None:
    together = threading.Barrier(4, timeout=10)

    class Company:
        def call(self, name: str, *arguments: Any) -> Any:
            together.wait()  # for all four, or it breaks
            return []

    CompanyRules(Company()).ask_together(7)


def test_a_question_the_account_may_not_ask_is_no_rule_and_is_not_asked_again() -> None:
    company = Asked(failure=VendorFailure(Kind.REJECTED, vendor="v", method="m", message="Invalid params"))
    rules = CompanyRules(company)
    assert (rules.timeframe(), rules.timeframe()) == (None, None)
    assert rules.required_fields() == frozenset()
    assert company.calls == 2


@pytest.mark.parametrize(("kind", "status"), [(Kind.AUTH, 200), (Kind.UNKNOWN, 200), (Kind.REJECTED, 200)])
def test_a_rule_that_cannot_be_read_does_not_keep_every_booking_from_being_made(kind: Kind, status: int) -> None:
    class Company(Asked):
        def call(self, name: str, *arguments: Any) -> Any:
            return super().call(name) if name in ("getTimeframe", "getAdditionalFields") else "email"

    failure = VendorFailure(kind, vendor="v", method="m", message="no", status=status)
    assert CompanyRules(Company(failure=failure)).timeframe() is None


def test_where_nothing_may_be_asked_nothing_is_kept_as_an_answer() -> None:
    """What has no form by such an answer would be booked without it once the credentials are right."""
    company = Asked(failure=VendorFailure(Kind.AUTH, vendor="v", method="m", message="no"))
    rules = CompanyRules(company)
    for ask in (rules.timeframe, rules.required_fields, lambda: rules.intake(1)):
        with pytest.raises(VendorFailure):
            ask()
    company.failure = None
    assert rules.timeframe() == "15"


@pytest.mark.parametrize(("kind", "status"), [(Kind.UNKNOWN, None), (Kind.UNKNOWN, 502), (Kind.THROTTLED, 429)])
def test_a_vendor_that_may_answer_later_is_asked_later(kind: Kind, status: int | None) -> None:
    failure = VendorFailure(kind, vendor="v", method="m", message="no", status=status)
    with pytest.raises(VendorFailure):
        CompanyRules(Asked(failure=failure)).timeframe()


def test_a_vendor_that_is_away_is_not_taken_for_one_without_rules() -> None:
    company = Asked(failure=VendorFailure(Kind.TRANSIENT, vendor="v", method="m", message="away"))
    for _ in range(2):
        with pytest.raises(VendorFailure):
            CompanyRules(company).timeframe()
    assert company.calls == 2


class Masseuse:
    """Her massages last an hour; what is not free has no end."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def call(self, name: str, *arguments: Any) -> Any:
        assert name == "calculateEndTime"
        self.asked.append(arguments[0])
        return None if "23:" in arguments[0] else f"{datetime.fromisoformat(arguments[0]) + timedelta(hours=1)}"


def test_how_long_a_service_lasts_is_asked_once_while_the_ends_asked_for_fit() -> None:
    company = Masseuse()
    rules = CompanyRules(company)
    for hour in range(10, 20):
        end = f"2026-03-11 {hour + 1}:00:00"
        assert rules.end_time(f"2026-03-11 {hour}:00:00", 7, 1, end) == end
    assert company.asked == ["2026-03-11 10:00:00"]
    rules.end_time("2026-03-11 10:00:00", 7, 2, "2026-03-11 11:00:00")
    assert len(company.asked) == 2


def test_an_end_that_does_not_fit_is_told_by_the_vendor_for_this_very_start() -> None:
    company = Masseuse()
    rules = CompanyRules(company)
    rules.end_time("2026-03-11 10:00:00", 7, 1, "2026-03-11 11:00:00")
    assert rules.end_time("2026-03-11 12:00:00", 7, 1, "2026-03-11 12:30:00") == "2026-03-11 13:00:00"
    assert company.asked[-1] == "2026-03-11 12:00:00"
    assert rules.end_time("2026-03-11 23:00:00", 7, 1, "2026-03-11 23:30:00") == ""
