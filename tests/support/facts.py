"""Events as an upstream would announce them, each on a slot of its own."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from bellhop.schemas.events import VenueFacts
from bellhop.vendors.registry import BY_KIND

FIRST_DAY = datetime(2027, 3, 1)  # noqa: DTZ001  # venue-local, as upstreams send it


def slot(number: int) -> str:
    """The start of the number-th quarter of an hour from a fixed day on, venue-local. Stays clear of clock changes."""
    return (FIRST_DAY + timedelta(minutes=15 * number)).isoformat()


def venue_facts(name: str, account: str, kind: str, zone: ZoneInfo) -> VenueFacts:
    """With the rules of its vendor."""
    return VenueFacts(name, account, kind, zone, BY_KIND[kind].account.check_booking)


def salon_booking(reference: str, number: int, *, unit: str = "1") -> dict[str, Any]:
    """A booking at SimplyBook.me; service 7 lasts a quarter of an hour."""
    return {
        "booking_id": reference,
        "venue": "salon",
        "client": {"name": "Ada Lee", "email": f"{reference}@example.test", "phone": "+442071234567"},
        "services": [{"service_id": "7", "provider_id": unit, "start": slot(number)}],
    }


def spa_booking(reference: str, number: int, *, technician: str = "100", member: int = 3125141) -> dict[str, Any]:
    """A booking at Peoplevine."""
    start = FIRST_DAY + timedelta(minutes=15 * number)
    return {
        "booking_id": reference,
        "venue": "spa",
        "member_id": member,
        "notes": f"for {reference}",
        "services": [
            {
                "service_id": "7",
                "provider_id": technician,
                "facility_id": "24422054",
                "start": start.isoformat(),
                "end": (start + timedelta(minutes=15)).isoformat(),
                "price": 100.0,
            }
        ],
    }


def cancel(booking: dict[str, Any]) -> dict[str, Any]:
    return {"booking_id": booking["booking_id"], "venue": booking["venue"]}
