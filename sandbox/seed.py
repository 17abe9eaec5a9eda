"""What the pretended vendors hold when they start."""

from __future__ import annotations

from typing import Any

from bellhop.sandbox.registry import NAMES, PRETENDED
from bellhop.sandbox.switches import Switches


class Seed:
    """vendors: each one's own seed, by its name; its usual one where it is left out."""

    def __init__(self, *, switches: Switches | None = None, **vendors: Any) -> None:
        if unknown := vendors.keys() - set(NAMES):
            raise TypeError(f"no such vendor: {', '.join(sorted(unknown))}")
        self.switches = switches or Switches()
        self.vendors = {row.name: vendors.get(row.name) or row.seed() for row in PRETENDED}
