from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bellhop.schemas.durations import read_duration
from bellhop.schemas.moments import iso_of, read_epoch


@pytest.mark.parametrize(
    ("value", "minutes"),
    [
        *((90, 90), (90.5, 90.5), ("90", 90), ("90 min", 90), ("90min.", 90), ("45 Minutes", 45), ("30m", 30)),
        *(("PT1H30M", 90), ("PT90M", 90), ("P1DT2H", 26 * 60), ("pt45m", 45), ("PT5400S", 90)),
        *(("01:30", 90), ("1:30", 90), ("01:30:00", 90), ("00:45", 45)),
        *(("1h 30m", 90), ("1h30m", 90), ("1h30", 90), ("1 hr 30", 90), ("1 hour and 30 minutes", 90)),
        *(("1.5 h", 90), ("1,5h", 90), ("2 hours", 120), ("2 days", 2880), ("5400 s", 90), (" 90 mins ", 90)),
    ],
)
def test_a_duration_is_read_however_it_is_written(value: object, minutes: float) -> None:
    assert read_duration(value) == timedelta(minutes=minutes)


@pytest.mark.parametrize(
    "value",
    ["", "P", "PT", "soon", "25:00", "1:75", 0, "0", -5, True, None, [90], float("nan"), 10**400, "8 days", 1e9],
)
def test_what_is_no_duration_is_none(value: object) -> None:
    assert read_duration(value) is None


@pytest.mark.parametrize(
    "value", [1795818000, "1795818000", 1795818000000, "1795818000000", 1795818000000000, 1795818000.0]
)
def test_seconds_milliseconds_and_microseconds_since_1970_are_one_moment(value: object) -> None:
    assert read_epoch(value) == datetime(2026, 11, 27, 22, 20, tzinfo=UTC)


@pytest.mark.parametrize(
    "value", [0, 7, True, None, "20261127", "20261127103000", 20261127, "soon", 1e30, [1795818000]]
)
def test_what_may_be_another_number_or_a_date_does_not_count_from_1970(value: object) -> None:
    assert read_epoch(value) is None


@pytest.mark.parametrize(
    ("value", "iso"),
    [
        (1795818000, "2026-11-27T22:20:00+00:00"),
        ("2026-11-27 10:00:00 UTC", "2026-11-27 10:00:00Z"),
        ("2026-11-27 10:00:00 +0100", "2026-11-27 10:00:00+0100"),
        (" 2026-11-27T10:00:00Z ", "2026-11-27T10:00:00Z"),
        ("soon", "soon"),
        (None, None),
    ],
)
def test_times_become_iso_8601_where_they_can_be_read(value: object, iso: object) -> None:
    assert iso_of(value) == iso
