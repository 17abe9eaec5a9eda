"""What of a source is too much at once: the keys `flood_…` of a source."""

from __future__ import annotations

from typing import Final

from bellhop.schemas.settings.fields import Duration, number, whole_number
from bellhop.schemas.settings.keys import Section, key, settings_section

LEAST_OF_A_SHARE: Final = 10


@settings_section
class FloodLimits(Section):
    """How many of its bookings a source may cancel or change in a time before the rest is held for a person."""

    cancels: int = key(
        whole_number(0, 1_000_000),
        """The flood guard: more cancels than so many within flood_within, or more changes, or more of both than a share
        of the bookings to come at their venue (from 10 on), are held before the vendor is called, with all that the
        source cancels or changes then. One alert says so, and `bellhop floods release` or `discard` ends it.
        0 is no limit; what a person replays does not count.""",
        default=25,
    )
    changes: int = key(whole_number(0, 1_000_000), "Likewise.", default=100)
    share: float = key(number(0, 1), "Likewise: 0.5 is half of them.", default=0.5)
    within_seconds: float = key(
        Duration(minimum=10), "The time that these limits are for.", name="within", default=600.0
    )
