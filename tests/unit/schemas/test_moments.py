"""Times as people read them."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from bellhop.schemas.moments import local_text


@pytest.mark.parametrize(
    ("moment", "zone", "text"),
    [
        (datetime(2026, 11, 28, 10, 15, tzinfo=UTC), "Europe/London", "28 Nov 10:15 GMT"),
        (datetime(2026, 7, 28, 10, 15, tzinfo=UTC), "Europe/London", "28 Jul 11:15 BST (10:15 UTC)"),
        (datetime(2026, 11, 28, 15, 15, tzinfo=UTC), "America/New_York", "28 Nov 10:15 EST (15:15 UTC)"),
        (datetime(2026, 11, 28, 10, 15, tzinfo=UTC), "Asia/Tokyo", "28 Nov 19:15 JST (10:15 UTC)"),
        (datetime(2026, 11, 28, 20, 15, tzinfo=UTC), "Asia/Tokyo", "29 Nov 05:15 JST (28 Nov 20:15 UTC)"),
        (datetime(2026, 11, 28, 10, 15, tzinfo=UTC), None, "28 Nov 10:15 UTC"),
    ],
)
def test_a_time_is_told_by_the_clock_of_its_place_and_beside_another_clock_by_utc(
    moment: datetime, zone: str | None, text: str
) -> None:
    assert local_text(moment, ZoneInfo(zone) if zone else None) == text
