"""What an account's state denies, and what a call's end changes of it: the breaker and the day's budget. No SQL.

A breaker opens after FAILURES calls in a row that found the vendor away, or refusing the account's credentials, lets
one call try after a while, and closes when that succeeds.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from bellhop.ledger.records.accounts import Denied, Ended, Permit
from bellhop.schemas.settings import Limits

FAILURES: Final = 5
FIRST_OPEN_SECONDS: Final = 5.0
TRIES_AT_FIRST: Final = 720
"""Of a vendor that is away: for an hour each is FIRST_OPEN_SECONDS after the one before, as what waits goes on as soon
as one succeeds."""
LONGEST_OPEN_SECONDS: Final = 30.0
"""Of a vendor that is away for longer than that, and of one that is ill, where each try may leave one more booking in
doubt: at the same pace some hundred an hour would come to a person."""
LONGEST_REFUSED_SECONDS: Final = 60.0
"""Credentials are put right at the vendor by people, who wait to see it; whether they are costs a question."""
RESERVED_SHARE: Final = 0.2
"""The last fifth of a day's calls is kept for bookings."""

_THROTTLED_SECONDS: Final = 1.0
_DOUBLED: Final = 10
"""Times at most: a vendor that is away for days makes the power too large for a float."""


def utc_day(now: datetime) -> str:
    return now.astimezone(UTC).date().isoformat()


def breaker_denial(row: Any, now: datetime) -> Denied | None:
    """What the vendor's state denies."""
    if row.opened and row.open_until is not None and row.open_until > now:
        left = (row.open_until - now).total_seconds()
        why = "refusing its credentials" if row.refused else "being away"
        return Denied(f"its breaker is open, the vendor {why}; last: {row.error}", left)
    if row.opened and row.probe_until is not None and row.probe_until > now:
        return Denied("its breaker is open; one call is trying whether the vendor is back", 5.0)
    if row.not_before is not None and row.not_before > now:
        return Denied("the vendor asked for a pause", (row.not_before - now).total_seconds())
    return None


def budget_denial(limits: Limits, used: int, last: bool, now: datetime) -> Denied | None:
    """What the day's budget denies."""
    if not limits.per_day:
        return None
    midnight = datetime.combine(now.astimezone(UTC).date() + timedelta(days=1), datetime.min.time(), UTC)
    left = (midnight - now).total_seconds()
    if used >= limits.per_day:
        return Denied(f"all {limits.per_day} calls of the day are used", left)
    if last and used >= limits.per_day * (1 - RESERVED_SHARE):
        return Denied(f"what is left of the day's {limits.per_day} calls is kept for bookings", left)
    return None


def state_after(
    row: Any, permit: Permit, ended: Ended, now: datetime, error: str, retry_after: float | None
) -> dict[str, Any]:
    """What the end of a call changes. A call that began before the breaker opened neither closes it nor opens it
    further: it tells of the time before."""
    late = row.opened > 0 and not permit.probe
    if ended is Ended.THROTTLED:
        pause = now + timedelta(seconds=retry_after if retry_after is not None else _THROTTLED_SECONDS)
        return {"not_before": pause, "probe_until": None}
    if ended in (Ended.UNUSED, Ended.LOGGED_IN):
        return {"probe_until": None} if permit.probe else {}
    if late:
        return {}
    if ended is Ended.ANSWERED:
        well = {"failures": 0, "opened": 0, "open_until": None, "probe_until": None, "error": "", "refused": False}
        return well if is_ill(row) else {}
    failures = row.failures + 1
    changed: dict[str, Any] = {
        "failures": failures,
        "error": error,
        "probe_until": None,
        "refused": ended is Ended.REFUSED,
    }
    if permit.probe or failures >= FAILURES:
        seconds = open_seconds(row.opened, ended)
        changed |= {"opened": row.opened + 1, "open_until": now + timedelta(seconds=seconds)}
    if permit.probe and ended is Ended.AWAY and row.day == utc_day(now):
        changed["used"] = max(0, row.used - 1)  # or tries alone would use up the day's calls
    return changed


def open_seconds(opened: int, ended: Ended) -> float:
    """How long a breaker is open that was opened so many times before."""
    longest = LONGEST_REFUSED_SECONDS if ended is Ended.REFUSED else LONGEST_OPEN_SECONDS
    doubled = min(max(0, opened - TRIES_AT_FIRST) if ended is Ended.AWAY else opened, _DOUBLED)
    return min(FIRST_OPEN_SECONDS * 2.0**doubled, longest)


def is_ill(row: Any) -> bool:
    return bool(row.failures or row.opened)
