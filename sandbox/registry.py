"""The pretended vendors: one row each."""

from __future__ import annotations

from typing import Final

from bellhop.sandbox.peoplevine.vendor import PEOPLEVINE
from bellhop.sandbox.pretended import Pretended
from bellhop.sandbox.simplybook.vendor import SIMPLYBOOK

PRETENDED: Final[tuple[Pretended, ...]] = (PEOPLEVINE, SIMPLYBOOK)
NAMES: Final = tuple(row.name for row in PRETENDED)
