"""Vendors that fail, answer wrongly, late or never, and carry out what they did not answer."""

from __future__ import annotations

from typing import Any, Final

from bellhop.drill.faults.fault import Does
from bellhop.drill.faults.processes import WORKER
from bellhop.drill.site import LATE_SECONDS, LATER_SECONDS, Site
from bellhop.drill.upstream import Sender

BOOKING_CALLS: Final = ("book", "create_service_reservation")
"""The vendors' methods that must not happen twice."""
_HITS: Final = 8
"""Calls of each method that a fault is ordered for; those that met it are counted."""
_ALL_SECONDS: Final = 5.0
"""So long it waits until all of them have come."""
_ANY_SECONDS: Final = 12.0
"""And so long until any has: the worker may be away."""
_HOLD_SECONDS: Final = 1.6
"""Longer than the read time-out."""


def bookings_meet(kind: str, **fault: Any) -> Does:
    """The next calls that book meet this fault; see `sandbox.faults`."""
    return _meet(BOOKING_CALLS, kind, fault)


def cancels_meet(kind: str, **fault: Any) -> Does:
    return _meet(("cancelBooking", "cancelBatch"), kind, fault)


def everything_meets(kind: str, **fault: Any) -> Does:
    return _meet(("*",), kind, fault)


def _meet(methods: tuple[str, ...], kind: str, fault: dict[str, Any]) -> Does:
    is_held = kind.startswith("timeout") or kind == "slow"
    ordered = {"kind": kind, "times": _HITS, **({"seconds": _HOLD_SECONDS} if is_held else {}), **fault}

    def does(site: Site, _upstream: Sender) -> int:
        orders = [site.sandbox("POST", "faults", method=method, **ordered)["id"] for method in methods]
        site.hold_until(lambda: all(_hits(site, orders, _HITS)), _ALL_SECONDS)
        site.hold_until(lambda: any(_hits(site, orders, 1)), _ANY_SECONDS - _ALL_SECONDS)
        return sum(one["hit"] for order in orders for one in site.sandbox("DELETE", f"faults/{order}")["faults"])

    return does


def _hits(site: Site, orders: list[int], least: int) -> list[bool]:
    """Of each order, whether so many calls have met it."""
    return [one["hit"] >= least for one in site.sandbox("GET", "faults")["faults"] if one["id"] in orders]


bookings_come_late = bookings_meet("timeout_late", late=LATE_SECONDS)
bookings_come_later = bookings_meet("timeout_late", late=LATER_SECONDS)
cancels_come_late = cancels_meet("timeout_late", late=LATE_SECONDS)
resets_come_late = bookings_meet("reset", when="late", late=LATE_SECONDS)


def kill_amid_calls(site: Site, _upstream: Sender) -> None:
    """The worker dies while the vendor holds its calls, and carries them out."""
    for method in BOOKING_CALLS:
        site.sandbox("POST", "faults", method=method, kind="slow", seconds=0.8, times=6)
    site.hold(1.0)
    site.processes.kill(WORKER)
    site.start(WORKER)


def freeze_vendors(site: Site, _upstream: Sender) -> None:
    site.freeze("sandbox")
    site.hold(2.0)
    site.thaw("sandbox")
    site.hold(0.5)
