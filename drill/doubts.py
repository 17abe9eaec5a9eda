"""Of a drill's calls that book and whose end nobody was told: how many, and how many a person must settle."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Final

from bellhop.drill.history import SeenCall

_KNOWN: Final = ("", "slow", "error")
"""Faults after which the vendor's answer came all the same, and said what had happened."""
_BOOKS: Final = ("book", "create_service_reservation")


@dataclass(frozen=True, slots=True)
class DoubtCount:
    """Of one vendor. unknown: bookings with a call of which nobody was told the end, carried out or not; unsettled:
    those of them that wait for a person in the end. carried_out: bookings with a call that was carried out and not
    answered; person: those of them that a person settled, or is to find out. Where the ledger knows of all that was
    made, the booking waits for another call of its."""

    unknown: int
    unsettled: int
    carried_out: int
    person: int

    def plus(self, other: DoubtCount) -> DoubtCount:
        sums = (getattr(self, one.name) + getattr(other, one.name) for one in fields(self))
        return DoubtCount(*sums)

    @property
    def share(self) -> float:
        """In percent: of what was carried out and not answered, how much needs no person."""
        return 100 * (self.carried_out - self.person) / self.carried_out if self.carried_out else 100.0


def count_doubts(
    calls: Iterable[SeenCall], waiting: Collection[str], answered: Collection[str], known: Collection[str]
) -> Mapping[str, DoubtCount]:
    """By vendor. waiting: references of which a person is to say what stands; answered: of which one has said it.
    known: the vendor's ids of which the ledger tells."""
    unknown: dict[str, set[str]] = {}
    done: dict[str, set[str]] = {}
    unproven: dict[str, set[str]] = {}
    for call in calls:
        if call.method not in _BOOKS or not call.reference or call.fault in _KNOWN:
            continue
        if call.effect or call.fault != "http":  # a page of HTML for what was not carried out says as much (503, 429)
            unknown.setdefault(call.vendor, set()).add(call.reference)
        if call.effect == "booked":
            done.setdefault(call.vendor, set()).add(call.reference)
            if call.id not in known:
                unproven.setdefault(call.vendor, set()).add(call.reference)
    waits = frozenset(waiting)
    counts = {}
    for vendor, all_ in sorted(unknown.items()):
        carried = done.get(vendor, set())
        needed = (waits & unproven.get(vendor, set())) | frozenset(answered)
        counts[vendor] = DoubtCount(len(all_), len(all_ & waits), len(carried), len(carried & needed))
    return counts
