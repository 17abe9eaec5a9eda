"""What stands at the pretended vendors, as a drill records it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from bellhop.drill.history import StandingBooking
from bellhop.drill.plan import slot_name

_MAIL: Final = "@example.test"
_NOTE: Final = "for "


def find_standings(state: Mapping[str, Any]) -> list[StandingBooking]:
    """state: the sandbox's. Whose a booking is is seen by what was sent with it."""
    return [*_salon(state["bookings"]), *_spa(state["reservations"])]


def reference_of(call: Mapping[str, Any]) -> str:
    """Whose booking a call to a vendor is for; "" where it names none."""
    body, params = call.get("body"), call.get("params")
    if isinstance(body, Mapping) and "notes" in body:
        return str(body["notes"]).removeprefix(_NOTE)
    guests = (one for one in params if isinstance(one, Mapping) and "email" in one) if isinstance(params, list) else ()
    return next((str(one["email"]).removesuffix(_MAIL) for one in guests), "")


def _salon(bookings: list[Mapping[str, Any]]) -> Iterator[StandingBooking]:
    for one in bookings:
        if not one["cancelled"]:
            slot = slot_name("salon", one["event_id"], one["unit_id"], one["start"])
            yield StandingBooking("salon", one["id"], one["client"]["email"].removesuffix(_MAIL), slot)


def _spa(reservations: list[Mapping[str, Any]]) -> Iterator[StandingBooking]:
    for one in reservations:
        for offer in one["offers"]:
            slot = slot_name("spa", offer["service_id"], offer["technician_id"], offer["start"])
            yield StandingBooking("spa", one["id"], str(one["notes"]).removeprefix(_NOTE), slot)
