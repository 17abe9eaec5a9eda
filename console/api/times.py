"""Times in requests."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from bellhop.schemas.asked_times import CLOCK, SPAN, read_time
from bellhop.schemas.clock import utc_now
from bellhop.schemas.contract import Moment


class Instant(Moment):
    """As `Moment`; UTC where no zone is given."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> datetime:
        moment = super()._deserialize(value, attr, data, **kwargs)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


class AskedTime(Instant):
    """A time that is over, as people ask for it: also `02:10`, the last time it was, and `2h`, so long ago."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> datetime:
        if isinstance(value, str) and re.search(f"{CLOCK}|{SPAN}", value):
            return read_time(value, utc_now())
        return super()._deserialize(value, attr, data, **kwargs)


def asked_time(description: str) -> AskedTime:
    forms = [{"type": "string", "format": "date-time"}, *({"type": "string", "pattern": one} for one in (CLOCK, SPAN))]
    rules = "ISO 8601; a time of day, 02:10 or 02:10+01:00, the last one; or 30m, 2h, 3d ago. UTC with no zone."
    return AskedTime(metadata={"description": f"{description} {rules}", "anyOf": forms})
