"""A worker that is told to stop in the midst of calls, as a cluster does when it scales in or drains a node."""

from __future__ import annotations

import signal

import pytest

from tests.support.facts import salon_booking, spa_booking
from tests.support.service import Service, wait_for

EACH = 6
SECONDS = 0.8
"""For each call: within the vendor's read time-out, which is a second here."""


@pytest.mark.timeout(180)
def test_a_worker_that_is_told_to_stop_in_the_midst_of_calls_leaves_nothing_in_doubt(alone: Service) -> None:
    alone.start_all()
    alone.start("work-2")
    for method in ("book", "create_service_reservation"):
        alone.sandbox("POST", "faults", method=method, kind="slow", seconds=SECONDS, times=2 * EACH)
    bookings = {f"sb-{n}": salon_booking(f"SB-{n}", n) for n in range(EACH)}
    bookings |= {f"pv-{n}": spa_booking(f"PV-{n}", n) for n in range(EACH)}
    for id_, data in bookings.items():
        assert alone.post(id_, "booking.requested", data) == 202
    wait_for(lambda: len(alone.calls("book", "create_service_reservation")) > 1, "calls are under way")
    assert alone.kill("work-1", signal.SIGTERM) == 0  # ended by itself: its calls were waited for

    for id_ in bookings:
        alone.wait_for_state(id_, "done")
    assert alone.told("dead", "list") == []
    assert '"in_doubt"' not in alone.logs()
    # Each was called for once: no call was made again because a worker had gone.
    assert len(alone.calls("book", "create_service_reservation")) == 2 * EACH
