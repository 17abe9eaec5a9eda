"""Times in requests."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from bellhop.schemas.asked_times import CLOCK, SPAN, read_time
from bellhop.schemas.clock import utc_now
from bellhop.schemas.contract import Moment
from bellhop.schemas.patterns import MOMENT


class Instant(Moment):
    """As `Moment`; UTC where no zone is given. Its pattern takes more than RFC 3339, so its `format` is not told."""

    def __init__(self, **kwargs: Any) -> None:
        form = {"pattern": MOMENT}
        super().__init__(**kwargs | {"metadata": form | kwargs.get("metadata", {})})

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> datetime:
        moment = super()._deserialize(value, attr, data, **kwargs)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


class AskedTime(Instant):
    """A time that is over, as people ask for it: also `02:10`, the last time it was, and `2h`, so long ago."""

    def __init__(self, description: str) -> None:
        rules = "ISO 8601; a time of day, 02:10 or 02:10+01:00, the last one; or 30m, 2h, 3d ago. UTC with no zone."
        forms = [{"type": "string", "pattern": MOMENT}]
        forms += [{"type": "string", "pattern": pattern} for pattern in (CLOCK, SPAN)]
        super(Moment, self).__init__(metadata={"description": f"{description} {rules}", "anyOf": forms})

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> datetime:
        if isinstance(value, str) and re.search(f"{CLOCK}|{SPAN}", value):
            return read_time(value, utc_now())
        return super()._deserialize(value, attr, data, **kwargs)
