"""What a fault is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bellhop.drill.site import Site
from bellhop.drill.upstream import Sender

Does = Callable[[Site, Sender], None]
"""From its beginning to its end: then all is as before, but for what it has left behind. Webhooks come meanwhile."""


@dataclass(frozen=True, slots=True)
class DrillFault:
    """words: what happens. needs: of `Backends.has()`, all of them."""

    name: str
    part: str
    words: str
    does: Does
    needs: frozenset[str] = frozenset()
