"""What the pretended vendors hold when they start."""

from __future__ import annotations

from dataclasses import dataclass, field

from bellhop.sandbox.peoplevine.seed import BOOK4TIME, SEVENROOMS, TRIPLESEAT, PeoplevineSeed
from bellhop.sandbox.simplybook.seed import SimplybookSeed
from bellhop.sandbox.switches import Switches


@dataclass(frozen=True, slots=True)
class Seed:
    """peoplevine: the account that is meant where none is named. behind: the accounts with a system behind them."""

    peoplevine: PeoplevineSeed = field(default_factory=PeoplevineSeed)
    behind: tuple[PeoplevineSeed, ...] = (BOOK4TIME, SEVENROOMS, TRIPLESEAT)
    simplybook: SimplybookSeed = field(default_factory=SimplybookSeed)
    switches: Switches = field(default_factory=Switches)
