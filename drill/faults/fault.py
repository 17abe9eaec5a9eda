"""What a fault is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from bellhop.drill.site import Site
from bellhop.drill.upstream import Sender

Does = Callable[[Site, Sender], int | None]
"""From its beginning to its end: then all is as before, but for what it has left behind. Webhooks come meanwhile. How
often it struck, such as the calls that met it; None: once."""
EVERYTHING: Final = frozenset(
    {"worker", "ingress", "archive", "broker", "ledger", "bookings", "cancels", "vendor", "people", "upstream", "logs"}
)
_TOUCHES: Final[Mapping[str, frozenset[str]]] = {
    "all": frozenset({"worker", "ingress", "archive"}),
    "clock": frozenset({"worker", "archive"}),
    "people": frozenset({"people", "broker", "ledger"}),  # they need both: without them nothing is done
}


def again(does: Does, times: int) -> Does:
    """The same, so many times."""

    def all_(site: Site, upstream: Sender) -> int:
        return sum(1 if (struck := does(site, upstream)) is None else struck for _ in range(times))

    return all_


@dataclass(frozen=True, slots=True)
class DrillFault:
    """part: what it happens to. words: what happens. needs: of `Backends.has()`, all of them. also: what it touches
    beside its part."""

    name: str
    part: str
    words: str
    does: Does
    needs: frozenset[str] = frozenset()
    also: frozenset[str] = frozenset()

    @property
    def touches(self) -> frozenset[str]:
        """Two faults may be done at once that touch nothing in common."""
        return _TOUCHES.get(self.part, frozenset({self.part})) | self.also
