from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bellhop.sandbox.app import create_sandbox
from bellhop.sandbox.seed import Seed
from bellhop.sandbox.simplybook.hours import clock as clock_of
from bellhop.sandbox.simplybook.hours import merge_spans
from bellhop.sandbox.simplybook.seed import SimplybookSeed, Unit
from tests.support.salon import DAY, Caller, Clock, sign

NEXT = "2026-03-11"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def api(clock: Clock) -> Caller:
    return Caller(create_sandbox(now=clock).test_client())


def test_spans_that_touch_or_meet_become_one() -> None:
    assert merge_spans([(60, 90), (0, 30), (30, 45), (80, 100)]) == [(0, 45), (60, 100)]
    assert merge_spans([]) == []
    assert (clock_of(0), clock_of(545), clock_of(1440)) == ("00:00", "09:05", "24:00")


def test_work_days_are_told_with_their_break_as_in_the_document(api: Caller) -> None:
    assert api.result("getWorkDaysInfo", DAY, NEXT, "66") == {
        day: [{"from": "09:00:00", "to": "13:00:00"}, {"from": "14:00:00", "to": "19:00:00"}] for day in (DAY, NEXT)
    }


def test_a_day_that_ends_at_midnight_ends_at_24_00_00(api: Caller) -> None:
    whole = [{"from": "00:00:00", "to": "24:00:00"}]
    assert api.result("getWorkDaysInfo", DAY, DAY, "3", "1", 1) == {DAY: whole}
    assert api.result("getWorkDaysInfo", DAY, DAY, None, "1") == {DAY: whole}


@pytest.mark.parametrize("time", ["08:45:00", "12:45:00", "13:00:00", "13:45:00", "18:45:00", "19:00:00"])
def test_nothing_is_booked_before_opening_into_the_break_or_past_closing(api: Caller, time: str) -> None:
    assert api.refused("1", "66", time) == -32054
    assert time not in api.result("getStartTimeMatrix", DAY, DAY, "1", "66", 1)[DAY]
    assert api.result("calculateEndTime", f"{DAY} {time}", "1", "66") is False
    assert 66 not in api.result("getAvailableUnits", "1", f"{DAY} {time}", 1)


def test_what_ends_with_the_span_is_booked(api: Caller) -> None:
    times = api.result("getStartTimeMatrix", DAY, DAY, "1", "66", 1)[DAY]
    assert (times[0], times[-1]) == ("09:00:00", "18:30:00")
    assert "12:30:00" in times
    assert "12:45:00" not in times
    assert api.book("1", "66", "12:30:00")["bookings"]
    assert api.book("1", "66", "14:00:00")["bookings"]
    assert api.book("1", "66", "18:30:00")["bookings"]


def test_the_end_of_a_service_is_told_until_its_time_is_taken(api: Caller) -> None:
    assert api.result("calculateEndTime", f"{DAY} 13:00:00", "2", "3") == f"{DAY} 14:00:00"
    assert api.result("calculateEndTime", f"{DAY} 23:00:00", "2", "3") == f"{NEXT} 00:00:00"
    api.book("2", "3")
    assert api.result("calculateEndTime", f"{DAY} 13:00:00", "2", "3") is False
    api.switch(simplybook_calculate_end_time_null=True)
    assert api.result("calculateEndTime", f"{DAY} 13:00:00", "2", "3") is None
    assert api.code("calculateEndTime", DAY, "2", "3") == -32602
    assert api.code("calculateEndTime", f"{DAY} 13:00:00", "99", "3") == -32051


def test_available_units_are_numbers_and_those_that_are_taken_are_not_among_them(api: Caller) -> None:
    api.book("1", "3")
    available = api.result("getAvailableUnits", "1", f"{DAY} 13:00:00", 1)
    assert len(available) == 64  # of 67: one is taken, two have their break
    assert 3 not in available
    assert api.result("getAvailableUnits", "1", f"{DAY} 13:00:00", 2) == [65]
    assert api.result("filterAvailableUnits", "1", f"{DAY} 13:00:00", ["1", 3, 66], 1) == [1]
    assert api.result("filterAvailableUnits", "1", "2026-03-08 13:00:00", [1, 2], 1) == []
    assert api.code("filterAvailableUnits", "1", f"{DAY} 13:00:00", ["x"], 1) == -32602


def test_free_intervals_go_around_breaks_and_bookings(api: Caller) -> None:
    api.book("1", "66", "10:00:00")
    assert api.result("getAvailableTimeIntervals", DAY, DAY, "1", "66", 1) == {
        DAY: {"66": [["09:00:00", "10:00:00"], ["10:30:00", "13:00:00"], ["14:00:00", "19:00:00"]]}
    }
    api.book("1", "66", "09:15:00")
    found = api.result("getAvailableTimeIntervals", DAY, DAY, "1", ["66", "67"], 1)[DAY]
    assert found["66"][0] == ["10:30:00", "13:00:00"]  # quarters of an hour are too short for the service
    assert found["67"][0] == ["09:00:00", "13:00:00"]
    assert api.result("getAvailableTimeIntervals", "2026-03-08", "2026-03-08", "1", "66", 1) == {"2026-03-08": []}


def test_reserved_time_is_told_by_timeframe_and_leaves_with_the_booking(api: Caller) -> None:
    booking = api.book("1", "66", "16:00:00")["bookings"][0]
    reserved, closed = api.result("getReservedTime", DAY, DAY, "1", "66", 1)[DAY]
    assert reserved == {
        "dd": [],
        "events": [{"from": "16:00", "to": "16:15"}, {"from": "16:15", "to": "16:30"}],
        "type": "reserved_time",
    }
    assert closed["type"] == "not_worked_time"
    assert {"from": "13:00", "to": "13:15"} in closed["events"]
    assert {"from": "23:45", "to": "24:00"} in closed["events"]
    api.result("cancelBooking", booking["id"], sign(booking))
    assert api.result("getReservedTime", DAY, DAY, "1", "66", 1)[DAY][0]["events"] == []


def test_reserved_intervals_are_as_long_as_they_can_be(api: Caller) -> None:
    api.book("2", "66", "14:00:00")
    api.book("2", "66", "15:00:00")
    api.book("1", "66", "16:00:00")
    reserved, closed = api.result("getReservedTimeIntervals", DAY, DAY, "1", "66", 1)[DAY]
    assert reserved == {"reserved_time": [{"from": "14:00", "to": "16:30"}], "type": "reserved_time"}
    assert closed["not_worked_time"] == [
        {"from": "00:00", "to": "09:00"},
        {"from": "13:00", "to": "14:00"},
        {"from": "19:00", "to": "24:00"},
    ]


def test_of_several_units_only_what_all_have_taken_is_reserved(api: Caller) -> None:
    api.book("1", "66", "16:00:00")
    assert api.result("getReservedTimeIntervals", DAY, DAY, "1", ["66", "67"], 1)[DAY][0]["reserved_time"] == []
    api.book("1", "67", "16:00:00")
    taken = api.result("getReservedTimeIntervals", DAY, DAY, "1", ["66", "67"], 1)[DAY][0]["reserved_time"]
    assert taken == [{"from": "16:00", "to": "16:30"}]


def test_the_work_calendar_has_every_day_of_the_month(api: Caller) -> None:
    month = api.result("getWorkCalendar", 2028, 2, "66")
    assert (len(month), min(month), max(month)) == (29, "2028-02-01", "2028-02-29")
    assert month["2028-02-29"] == {"from": "09:00:00", "to": "19:00:00", "is_day_off": "0"}
    assert api.code("getWorkCalendar", 2028, 13, "66") == -32602
    assert api.code("getWorkCalendar", 2028, 2, "99") == -32052


def test_a_day_off_is_no_working_day(clock: Clock) -> None:
    closed_on_mondays = Unit("1", "Provider", hours=((540, 1020),), days_off=frozenset({0}))
    seed = Seed(simplybook=replace(SimplybookSeed(), units=(closed_on_mondays,)))
    api = Caller(create_sandbox(seed, clock).test_client())
    monday = "2026-03-16"
    assert api.result("getFirstWorkingDay", "1") == DAY  # today is a Monday
    assert api.result("getWorkCalendar", 2026, 3, "1")[monday]["is_day_off"] == "1"
    assert api.result("getWorkDaysInfo", monday, monday, "1") == {monday: []}
    assert api.result("getStartTimeMatrix", monday, monday, "1", "1", 1) == {monday: []}
    assert api.refused("1", "1", "13:00:00", day=monday) == -32054


def test_the_first_working_day_is_today_until_closing(api: Caller, clock: Clock) -> None:
    assert api.result("getFirstWorkingDay", "66") == "2026-03-09"
    clock.now += timedelta(hours=7, minutes=1)
    api.token = api.rpc("getToken", "sandbox", "sandbox-api-key", path="/login")["result"]
    assert api.result("getFirstWorkingDay", "66") == DAY


def test_the_turns_of_a_recurring_service_are_told_and_of_another_there_are_none(api: Caller) -> None:
    assert api.result("getRecurringDatetimes", "9", "3", DAY, "13:00:00", []) == [
        "2026-03-10 13:00:00",
        "2026-03-17 13:00:00",
        "2026-03-24 13:00:00",
        "2026-03-31 13:00:00",
    ]
    assert api.code("getRecurringDatetimes", "1", "3", DAY, "13:00:00", []) == -32015


@pytest.mark.parametrize(
    ("method", "rest"),
    [
        ("getStartTimeMatrix", ["1", "3", 1]),
        ("getAvailableTimeIntervals", ["1", "3", 1]),
        ("getReservedTime", ["1", "3", 1]),
        ("getReservedTimeIntervals", ["1", "3", 1]),
        ("getWorkDaysInfo", ["3", "1", 1]),
    ],
)
def test_dates_that_are_none_or_the_wrong_way_round_are_invalid(api: Caller, method: str, rest: list[object]) -> None:
    for start, end in (("soon", DAY), (NEXT, DAY), (DAY, "2030-01-01"), (DAY, f"{DAY}T00:00:00+01:00"), (None, DAY)):
        assert api.code(method, start, end, *rest) == -32602
