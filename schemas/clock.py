"""The clock, and how its times are written."""

from __future__ import annotations

from datetime import UTC, datetime


def utc_now() -> datetime:
    """Now, aware UTC."""
    return datetime.now(UTC)


def iso(moment: datetime | None) -> str | None:
    """A time as JSON has it: ISO 8601, in UTC."""
    return None if moment is None else moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
