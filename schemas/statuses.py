"""What a booking event means: its type, refined by SevenRooms' status where it has one.

Source: `sevenrooms-setup` lists 13 statuses; live systems also send ARRIVED, SEATED, PAID, COMPLETE and statuses
that venues define (`CUSTOM_STATUS_27`). The set is open: an unknown one is recorded and shown, never guessed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum, auto
from typing import Final


class Meaning(Enum):
    BOOK = auto()
    """See to it that it stands at the vendor as the event says."""
    CANCEL = auto()
    RECORD = auto()
    """Nothing to call."""


WAITING: Final = frozenset({"HOLD", "NOT_RECONCILED"})
CANCELLED: Final = frozenset({"CANCELED", "CANCELLED"})
ENDED: Final = frozenset({"NO_SHOW", "NO_ENTRY"})
STANDING: Final = frozenset(
    {
        *("BOOKED", "LEFT_MESSAGE", "NO_ANSWER", "WRONG_NUMBER", "CONFIRMED", "PRE_ARRIVED"),
        *("PREPARTIALLYARRIVED", "PRE_PARTIALLY_ARRIVED", "LATE", "ARRIVED", "SEATED", "PAID", "COMPLETE"),
    }
)


def meaning(type_: str, status: str | None, services: Sequence[object]) -> tuple[Meaning, str]:
    """What to do, and the words for the record."""
    meant, words = _meaning(type_, status)
    if meant is Meaning.BOOK and not services:
        # Taken for "none of its slots is wanted any more", it would cancel what stands.
        return Meaning.RECORD, "names no services: recorded, nothing is guessed"
    return meant, words


def cancels(type_: object, status: object) -> bool:
    """Whether an event of this type and status ends a booking, whatever else it says."""
    if type_ not in ("booking.requested", "booking.changed", "booking.cancelled"):
        return False
    return _meaning(str(type_), status if isinstance(status, str) else None)[0] is Meaning.CANCEL


def is_cancel(body: object) -> bool:
    """Whether a body in our own words ends a booking."""
    data = body.get("data") if isinstance(body, Mapping) else None
    return isinstance(body, Mapping) and cancels(
        body.get("type"), data.get("status") if isinstance(data, Mapping) else None
    )


def _meaning(type_: str, status: str | None) -> tuple[Meaning, str]:
    if type_ == "booking.cancelled":
        return Meaning.CANCEL, "cancelled"
    if status is None:
        return Meaning.BOOK, "booked"
    # As it is where it is not ASCII, of which more than its own letter may be the capital: ß is SS.
    name = status.strip()
    name = name.upper() if name.isascii() else name
    if name in CANCELLED:
        return Meaning.CANCEL, f"cancelled (status {name})"
    if name in STANDING:
        return Meaning.BOOK, f"booked (status {name})"
    if name in WAITING:
        return Meaning.RECORD, f"status {name}: waits until it is booked"
    if name in ENDED:
        return Meaning.RECORD, f"status {name}: recorded, nothing to call"
    return Meaning.RECORD, "unknown status: recorded, nothing is guessed"
