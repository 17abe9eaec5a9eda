"""Times as people ask for them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bellhop.schemas.asked_times import read_time

NOW = datetime(2026, 11, 28, 4, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("02:10", "2026-11-28T02:10"),
        ("2:10", "2026-11-28T02:10"),
        ("02:10:30", "2026-11-28T02:10:30"),
        ("05:10", "2026-11-27T05:10"),  # today it is still to come
        ("04:30", "2026-11-28T04:30"),
        ("02:10Z", "2026-11-28T02:10"),
        ("02:10 UTC", "2026-11-28T02:10"),
        ("02:10+01:00", "2026-11-28T01:10"),
        ("02:10 -0500", "2026-11-27T07:10"),
        ("02:10 Europe/Paris", "2026-11-28T01:10"),
        ("23:00 America/New_York", "2026-11-28T04:00"),
        ("01:00 Pacific/Auckland", "2026-11-27T12:00"),
        ("00:15 Asia/Kathmandu", "2026-11-27T18:30"),
        ("2026-11-27 02:10", "2026-11-27T02:10"),
        ("2026-11-27T02:10 Europe/London", "2026-11-27T02:10"),
        ("2026-07-01T02:10 Europe/London", "2026-07-01T01:10"),
        ("2026-11-27T02:10:00Z", "2026-11-27T02:10"),
        ("2026-11-27T02:10:00.5+02:00", "2026-11-27T00:10:00.500000"),
        ("2026-11-27", "2026-11-27T00:00"),
        ("30m", "2026-11-28T04:00"),
        ("1.5h", "2026-11-28T03:00"),
        ("3d", "2026-11-25T04:30"),
    ],
)
def test_a_time_is_utcs_unless_a_zone_stands_behind_it(text: str, moment: str) -> None:
    assert read_time(text, NOW) == datetime.fromisoformat(moment).replace(tzinfo=UTC)


def test_an_hour_that_clocks_show_twice_is_taken_the_first_time() -> None:
    later = datetime(2026, 10, 25, 9, tzinfo=UTC)
    assert read_time("01:30 Europe/London", later) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def test_a_time_to_come_is_the_next_one() -> None:
    assert read_time("02:10", NOW, ahead=True) == datetime(2026, 11, 29, 2, 10, tzinfo=UTC)
    assert read_time("05:10", NOW, ahead=True) == datetime(2026, 11, 28, 5, 10, tzinfo=UTC)
    assert read_time("30m", NOW, ahead=True) == datetime(2026, 11, 28, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    ["", "yesterday", "24:10", "02:60", "2026-02-30", "02:10 Europe/Nowhere", "02:10 ../etc/passwd", "02:10+25:00",
     "10", "w", "0001-01-01T00:00+23:00", "999999d x", "02:10 Europe"],
)  # fmt: skip
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # whoever asks says what it should be
        read_time(text, NOW)
