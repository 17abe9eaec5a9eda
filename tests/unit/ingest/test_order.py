"""When an event counts: by its own stamp, unless that cannot be right or does not tell."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bellhop.ingest.formats.parts import Receipt, counts_at
from bellhop.ingest.intake import Intake
from bellhop.schemas.envelope import Envelope
from bellhop.vendors.settings import build
from tests.support.ingress import DOCUMENT, NOW, TOKEN

SITE = {"venue": "salon", "service_id": "1", "provider_id": "3", "duration": "90m"}
SOURCES: dict[str, dict[str, Any]] = {
    "own": {},
    "minutes": {"stamps": "minutes"},
    "calendar": {
        "format": "mapped",
        "map": {
            "type": {"value": "booking.changed"},
            "timestamp": "at",
            "data.booking_id": "uid",
            "data.replaces": "was",
            "data.venue": {"value": "salon"},
            "data.client.name": {"value": "Ada"},
            "data.services.0.service_id": {"value": "1"},
            "data.services.0.provider_id": {"value": "3"},
            "data.services.0.start": "start",
        },
    },
}
SETTINGS = build(
    DOCUMENT | {"sources": {name: {"verifier": "bearer", "secrets": [TOKEN]} | more for name, more in SOURCES.items()}}
)
LONDON = ZoneInfo("Europe/London")


def read(source: str, body: object, at: datetime = NOW) -> Envelope:
    (made,) = Intake(SETTINGS, SETTINGS.sources[source]).read(body, Receipt(at, "u1", "d" * 64))
    assert isinstance(made, Envelope)
    return made


def cancel(stamp: datetime) -> dict[str, Any]:
    return {
        "type": "booking.cancelled",
        "timestamp": stamp.isoformat(),
        "data": {"booking_id": "R-1", "venue": "salon"},
    }


def test_a_stamp_far_in_the_future_is_warned_of_and_the_receipt_counts() -> None:
    made = read("own", cancel(NOW + timedelta(days=1)))
    assert made.time == NOW
    (warning,) = made.warnings
    assert "lies 1440 minutes in the future" in warning


def test_sent_again_a_stamp_of_the_future_has_the_same_content() -> None:
    first = read("own", cancel(NOW + timedelta(hours=1)))
    again = read("own", cancel(NOW + timedelta(hours=1)), NOW + timedelta(hours=2))
    assert again.content_hash == first.content_hash
    assert again.time > first.time


@pytest.mark.parametrize("ahead", [timedelta(minutes=-90), timedelta(0), timedelta(minutes=5)])
def test_a_stamp_within_the_tolerance_counts_itself(ahead: timedelta) -> None:
    made = read("own", cancel(NOW + ahead))
    assert (made.time, made.warnings) == (NOW + ahead, ())


def test_a_source_says_that_its_stamps_are_cut_short() -> None:
    assert read("minutes", cancel(NOW)).coarse
    assert not read("own", cancel(NOW)).coarse


def test_in_the_hour_that_a_clock_goes_through_twice_the_arrival_counts_within_it() -> None:
    first = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)  # 01:30 in London, and again an hour later
    for arrival, counted in ((1, 1), (40, 40), (90, 60), (600, 60), (-5, 0)):
        at = counts_at(first, LONDON, first + timedelta(minutes=arrival))
        assert at == first + timedelta(minutes=counted)
    assert counts_at(first - timedelta(hours=1), LONDON, first) is None
    assert counts_at(None, LONDON, first) is None


def test_a_map_names_the_reference_that_an_event_replaces() -> None:
    body = {"uid": "B", "was": "A", "at": NOW.isoformat(), "start": "2027-03-01T10:00:00Z"}
    assert read("calendar", body).data["replaces"] == "A"
    assert "replaces" not in read("calendar", {**body, "was": None}).data
