"""What a pretended vendor gives back for one call, and what becomes of ids."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from typing import Any, Final

_EPOCH: Final = 1_700_000_000


@dataclass(frozen=True, slots=True)
class Reply:
    """body: what JSON is made of; bytes are sent as they are. effect: what the call changed ("booked", "cancelled",
    "confirmed", "synced", "pulled"), "" for nothing.

    id: of what. refusal: the vendor's reason where it said no.
    """

    body: Any
    status: int = 200
    effect: str = ""
    id: str = ""
    refusal: str = ""
    mimetype: str = "application/json"


def ids(start: datetime, above: int = 0) -> Iterator[str]:
    """Ids that rise from a number taken from the clock, ten a second. above: what they all are above; each vendor has a
    range of its own, so that nobody takes a booking of one for the other's.

    A vendor never gives an id twice. Counting from 1 after every start, this one would, and a ledger that has outlived
    the sandbox would take a new booking for an old one.
    """
    return map(str, count(above + max(1, int((start.timestamp() - _EPOCH) * 10))))
