from __future__ import annotations

from datetime import datetime

from bellhop.sandbox.diary import Diary


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-03-{text}")


def test_times_that_touch_do_not_meet() -> None:
    diary = Diary()
    diary.occupy("7", at("02T10:00"), at("02T10:30"), "a")
    assert diary.fits("7", at("02T10:30"), at("02T11:00"))
    assert diary.fits("7", at("02T09:30"), at("02T10:00"))
    assert not diary.fits("7", at("02T10:15"), at("02T10:45"))
    assert not diary.fits("7", at("02T09:00"), at("02T12:00"))
    assert diary.fits("8", at("02T10:00"), at("02T10:30"))


def test_a_time_over_midnight_is_met_from_both_days_and_leaves_both_when_released() -> None:
    diary = Diary()
    diary.occupy("7", at("02T23:30"), at("03T00:30"), "a")
    assert not diary.fits("7", at("03T00:00"), at("03T00:15"))
    assert not diary.fits("7", at("02T23:00"), at("02T23:45"))
    assert not diary.fits("7", at("02T23:00"), at("03T02:00"), holds=1)
    assert diary.fits("7", at("02T23:00"), at("03T02:00"), holds=2)
    diary.release("7", at("02T23:30"), at("03T00:30"), "a")
    assert diary.fits("7", at("02T23:00"), at("03T02:00"))


def test_what_holds_several_is_full_only_where_that_many_meet_at_one_moment() -> None:
    diary = Diary()
    diary.occupy("65", at("02T10:00"), at("02T10:30"), "a")
    diary.occupy("65", at("02T10:30"), at("02T11:00"), "b")
    assert diary.fits("65", at("02T10:00"), at("02T11:00"), holds=2)
    assert not diary.fits("65", at("02T10:00"), at("02T11:00"), holds=2, seats=2)
    diary.occupy("65", at("02T10:15"), at("02T10:45"), "c")
    assert not diary.fits("65", at("02T10:00"), at("02T11:00"), holds=2)
    assert diary.fits("65", at("02T10:45"), at("02T11:00"), holds=2)


def test_a_time_of_thousands_of_years_is_met_by_all_in_it_and_meets_them() -> None:
    diary = Diary()
    diary.occupy("7", at("02T10:00"), at("02T10:30"), "a")
    first, last = datetime.fromisoformat("0001-01-01T00:00"), datetime.fromisoformat("9999-12-31T23:59")
    assert not diary.fits("7", first, last)
    assert diary.fits("7", first, last, holds=2)
    diary.occupy("7", first, last, "b")
    assert not diary.fits("7", first, first.replace(minute=1))
    assert not diary.fits("7", at("02T10:00"), at("02T10:30"), holds=2)
    assert diary.fits("7", at("02T10:30"), at("02T11:00"), holds=2)
    diary.release("7", first, last, "b")
    assert diary.fits("7", at("02T10:30"), last)
