"""Changes whose workers are killed between their steps, with real processes on each broker: what was told is so."""

from __future__ import annotations

import signal
from typing import Any

from tests.support.facts import salon_booking, slot
from tests.support.service import Service, wait_for

ROUTE = "bookings.simplybook"


def massage(start: str) -> dict[str, Any]:
    """Of an hour: half an hour later, it stands in its own way."""
    service = {"service_id": "2", "provider_id": "9", "start": start}
    return {**salon_booking("OWN", 0), "services": [service]}


def group(number: int, count: int) -> dict[str, Any]:
    """At the provider who takes five at once."""
    booking = salon_booking("GROUP", number, unit="65")
    return {**booking, "services": [{**booking["services"][0], "count": count}]}


def standing(service: Service) -> list[tuple[str, str]]:
    """Start and provider of all that stands at the vendor."""
    return sorted((one["start"], one["unit_id"]) for one in service.bookings() if not one["cancelled"])


def test_changes_killed_between_their_steps_come_to_the_end_that_is_told(service: Service) -> None:
    before = {
        "moved": salon_booking("MOVED", 0),
        "old": salon_booking("OLD", 4, unit="2"),
        "own": massage("2027-03-03T14:00:00"),
        "group": group(8, 3),
    }
    after = {
        "moved": salon_booking("MOVED", 1),
        "old": {**salon_booking("NEW", 5, unit="2"), "replaces": "OLD"},
        "own": massage("2027-03-03T14:30:00"),
        "group": group(9, 4),
    }
    service.start_all(ROUTE)
    for name, booking in before.items():
        assert service.post(f"{name}-1", "booking.requested", booking) == 202
    ids = {name: set(service.wait_for_state(f"{name}-1", "done")["vendor_ids"]) for name in before}

    # The vendor does not carry out one cancel: of three changes the new stands by then, of the one in its own way the
    # old still does.
    service.sandbox("POST", "faults", method="cancelBooking", kind="timeout_before", seconds=5, times=5)
    for name, booking in after.items():
        type_ = "booking.requested" if "replaces" in booking else "booking.changed"
        assert service.post(f"{name}-2", type_, booking) == 202

    def asked() -> set[str]:
        return {str(call["params"][0]) for call in service.calls("cancelBooking")}

    wait_for(lambda: all(asked() & of_one for of_one in ids.values()), "each cancels what was before")
    service.kill("work-1", signal.SIGKILL)
    assert len(standing(service)) >= len([id_ for some in ids.values() for id_ in some])

    # Now the one in its own way has given way, and its new slot is asked for: nobody knows whether it was booked.
    booked = len(service.calls("book"))
    service.sandbox("POST", "faults", method="book", kind="timeout_before", seconds=5, times=1)
    service.start("work-2", ROUTE)
    wait_for(lambda: len(service.calls("book")) > booked, "the new slot is asked for", 60)
    service.kill("work-2", signal.SIGKILL)
    service.start("work-3", ROUTE)
    for name in after:
        service.wait_for_state(f"{name}-2", "done", 90)
    wanted = [(slot(1), "1"), (slot(5), "2"), *[(slot(9), "65")] * 4, ("2027-03-03T14:30:00", "9")]
    assert standing(service) == sorted(wanted)
    service.assert_told_is_true()
