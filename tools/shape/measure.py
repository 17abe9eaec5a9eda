"""What a measure finds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Measure:
    """number: the less, the better; None where it cannot be taken here, and `places` says why.

    goal: what is always good enough.
    """

    name: str
    says: str
    number: float | None
    places: Sequence[str] = ()
    goal: float = 0


def count(name: str, says: str, places: Sequence[str]) -> Measure:
    """A measure that is the number of the places where something stands."""
    return Measure(name, says, len(places), places)
