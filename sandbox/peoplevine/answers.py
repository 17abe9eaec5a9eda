"""How Peoplevine, pretended, reads what it is given and words its answers."""

from __future__ import annotations

from datetime import datetime
from typing import Any


class CallRefused(Exception):
    """The call is answered with `success: false` and this reason."""


def answer_body(
    *,
    success: bool,
    reason: str | None = None,
    message: str | None = None,
    success_count: int = 0,
    error_count: int = 0,
    counts: bool = True,
) -> dict[str, Any]:
    """The members that every answer has. counts: whether it has the two counts as well."""
    made: dict[str, Any] = {"success": success, "reason": reason, "message": message}
    return {**made, "success_count": success_count, "error_count": error_count} if counts else made


def id_of(value: Any) -> str:
    """An id written as text or number, as text; "" for anything else."""
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""


def wall_clock(value: Any) -> datetime | None:
    """A venue-local time; None for what is none, or has an offset."""
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return moment if moment.tzinfo is None else None
