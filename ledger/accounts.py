"""What all workers on all hosts must know of an account together: its limits' state and its breaker.

Calls of an account with a rate are spaced: each takes the next free moment, so that in no second there are more than
the rate. A breaker opens after FAILURES calls in a row that found the vendor away, or refusing the account's
credentials, lets one call try after a while, and closes when that succeeds.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Final

import sqlalchemy as sa

from bellhop.ledger.engine import Database
from bellhop.ledger.gone import calls_on_their_way
from bellhop.ledger.tables import accounts, permits
from bellhop.schemas.clock import CLOCKS_DIFFER
from bellhop.schemas.process import own_name
from bellhop.schemas.settings import Limits

FAILURES: Final = 5
FIRST_OPEN_SECONDS: Final = 5.0
TRIES_AT_FIRST: Final = 720
"""Of a vendor that is away: for an hour each is FIRST_OPEN_SECONDS after the one before, as what waits goes on as soon
as one succeeds."""
LONGEST_OPEN_SECONDS: Final = 30.0
"""Of a vendor that is away for longer than that."""
LONGEST_REFUSED_SECONDS: Final = 60.0
"""Credentials are put right at the vendor by people, who wait to see it; whether they are costs a question."""
RESERVED_SHARE: Final = 0.2
"""The last fifth of a day's calls is kept for bookings."""

_THROTTLED_SECONDS: Final = 1.0
_DOUBLED: Final = 10
"""Times at most: a vendor that is away for days makes the power too large for a float."""
_MOMENTS: Final = ("next_at", "not_before", "open_until", "probe_until", "pull_until")


class Ended(StrEnum):
    """How a call ended, as far as the account is concerned."""

    ANSWERED = "answered"
    """The vendor is there, whatever it said."""
    AWAY = "away"
    """It could not be reached, did not answer in time, or failed."""
    REFUSED = "refused"
    """It refused the account's credentials."""
    THROTTLED = "throttled"
    UNUSED = "unused"
    """Nothing was sent after all."""
    LOGGED_IN = "logged in"
    """It gave a token, or refused one that may have run out: whether the credentials are taken, only a call with a new
    token tells."""


@dataclass(frozen=True, slots=True)
class Permit:
    """Leave to call once, `wait` seconds from now. probe: the breaker is open, and this call tries whether it is over.
    id is "" where nothing limits how many there are at once."""

    account: str
    id: str
    wait: float
    probe: bool


@dataclass(frozen=True, slots=True)
class Denied:
    """after: in how many seconds it may be otherwise. crowded: only because as many calls as allowed are on their
    way, which may end any moment."""

    why: str
    after: float
    crowded: bool = False


@dataclass(frozen=True, slots=True)
class AccountView:
    """An account's state for people. breaker: "closed", "open" or "probing". used and day: calls of that UTC day, for
    accounts with limits; at_once: calls on their way. ill: its calls must ask first, for the last ones found the
    vendor away, or it asked for a pause. refused: the last ones found it refusing the account's credentials.
    held_until: no call has leave before then, for its breaker or the pause that the vendor asked for."""

    account: str
    breaker: str
    failures: int
    open_until: datetime | None
    error: str
    day: str
    used: int
    at_once: int
    ill: bool
    refused: bool = False
    held_until: datetime | None = None


class AccountStates:
    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now

    def acquire(
        self, account: str, limits: Limits, *, last: bool, lease_seconds: float, patience_seconds: float
    ) -> Permit | Denied:
        """Leave to call, or why not. last: of the kind that waits when the day's budget runs short.

        lease_seconds: how long the call may take, from when it starts: after that it no longer counts as on its way.
        A wait longer than `patience_seconds` is denied.
        """
        with self._database.write([f"account:{account}"]) as connection:
            now = self._now()
            row = self._row(connection, account, now)
            used = row.used if row.day == _day(now) else 0
            denied = _breaker_denial(row, now) or budget_denial(limits, used, last, now)
            if denied is not None:
                return denied
            if limits.at_once and calls_on_their_way(connection, account, now) >= limits.at_once:
                return Denied(f"{limits.at_once} calls are on their way, as many as it may have at once", 1.0, True)
            start = max(now, row.next_at or now) if limits.per_second else now
            wait = (start - now).total_seconds()
            if wait > patience_seconds:
                return Denied("its rate is used up for the moment", wait)
            until = start + timedelta(seconds=lease_seconds)
            probe = row.opened > 0
            changed: dict[str, Any] = {"day": _day(now), "used": used + 1, "updated": now}
            if limits.per_second:
                changed["next_at"] = start + timedelta(seconds=1 / limits.per_second)
            if probe:
                changed["probe_until"] = until
            connection.execute(sa.update(accounts).where(accounts.c.account == account).values(changed))
            id_ = f"{own_name()}/{uuid.uuid4().hex}" if limits.at_once else ""
            if id_:
                connection.execute(sa.insert(permits), {"id": id_, "account": account, "until": until})
            return Permit(account, id_, wait, probe)

    def release(self, permit: Permit, ended: Ended, *, error: str = "", retry_after: float | None = None) -> float:
        """Gives leave back and enters how the call ended: for how many seconds the breaker is open now, 0 where it is
        not. error: for people, without secrets."""
        account = permit.account
        with self._database.write([f"account:{account}"]) as connection:
            now = self._now()
            row = self._row(connection, account, now)
            if permit.id:
                connection.execute(sa.delete(permits).where(permits.c.id == permit.id))
            changed = _after(row, permit, ended, now, error, retry_after)
            if changed:
                values = {**changed, "updated": now}
                connection.execute(sa.update(accounts).where(accounts.c.account == account).values(values))
            until = changed.get("open_until", row.open_until)
            return max(0.0, (until - now).total_seconds()) if until is not None else 0.0

    def try_now(self, account: str) -> None:
        """Has the next call of an account whose credentials were refused try at once whether they are taken now."""
        with self._database.write([f"account:{account}"]) as connection:
            now = self._now()
            held = (accounts.c.account == account, accounts.c.refused, accounts.c.opened > 0)
            values = {"open_until": now, "probe_until": None, "updated": now}
            connection.execute(sa.update(accounts).where(*held).values(values))

    def views(self) -> list[AccountView]:
        """Every account that has a state, by name."""
        with self._database.read() as connection:
            now = self._now()
            busy = sa.select(permits.c.account, sa.func.count()).where(permits.c.until > now)
            on_their_way = {name: count for name, count in connection.execute(busy.group_by(permits.c.account))}
            rows = connection.execute(sa.select(accounts).order_by(accounts.c.account)).all()
        return [_view(row, on_their_way.get(row.account, 0), now) for row in rows]

    def _row(self, connection: sa.Connection, account: str, now: datetime) -> Any:
        query = sa.select(accounts).where(accounts.c.account == account)
        row = connection.execute(query).one_or_none()
        if row is None:
            connection.execute(self._database.insert(accounts).on_conflict_do_nothing(), blank(account, now))
            row = connection.execute(query).one()
        if row.updated <= now + CLOCKS_DIFFER:
            return row
        # Written by a clock ahead of this one: what it forbids would last as much longer.
        ahead = row.updated - now
        moved = {name: getattr(row, name) - ahead for name in _MOMENTS if getattr(row, name) is not None}
        mended = sa.update(accounts).where(accounts.c.account == account).values({**moved, "updated": now})
        connection.execute(mended)
        return connection.execute(query).one()


def blank(account: str, now: datetime) -> dict[str, Any]:
    """The row of an account of which nothing is known."""
    nothing = dict.fromkeys(("next_at", "not_before", "open_until", "probe_until", "pull_until"))
    zero = dict.fromkeys(("used", "failures", "opened"), 0)
    texts = dict.fromkeys(("day", "error", "pull_by"), "")
    return {"account": account, **nothing, **zero, **texts, "refused": False, "updated": now}


def _day(now: datetime) -> str:
    return now.astimezone(UTC).date().isoformat()


def _breaker_denial(row: Any, now: datetime) -> Denied | None:
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


def _after(
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
        return well if _ill(row) else {}
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
    if permit.probe and ended is Ended.AWAY and row.day == _day(now):
        changed["used"] = max(0, row.used - 1)  # or tries alone would use up the day's calls
    return changed


def open_seconds(opened: int, ended: Ended) -> float:
    """How long a breaker is open that was opened so many times before."""
    is_refused = ended is Ended.REFUSED
    longest = LONGEST_REFUSED_SECONDS if is_refused else LONGEST_OPEN_SECONDS
    doubled = min(opened if is_refused else max(0, opened - TRIES_AT_FIRST), _DOUBLED)
    return min(FIRST_OPEN_SECONDS * 2.0**doubled, longest)


def _ill(row: Any) -> bool:
    return bool(row.failures or row.opened)


def _view(row: Any, at_once: int, now: datetime) -> AccountView:
    is_open = row.opened > 0
    waiting = is_open and row.open_until is not None and row.open_until > now
    breaker = "open" if waiting else "probing" if is_open else "closed"
    used = row.used if row.day == _day(now) else 0
    return AccountView(
        account=row.account,
        breaker=breaker,
        failures=row.failures,
        open_until=row.open_until if is_open else None,
        error=row.error,
        day=_day(now),
        used=used,
        at_once=at_once,
        ill=_ill(row) or (row.not_before is not None and row.not_before > now),
        refused=bool(row.refused),
        held_until=max(_holds(row, now), default=None),
    )


def _holds(row: Any, now: datetime) -> list[datetime]:
    """Until when what `_breaker_denial` looks at denies; as `_row` mends it where a clock ahead of this one wrote."""
    ahead = row.updated - now if row.updated > now + CLOCKS_DIFFER else timedelta(0)
    moments = [row.not_before, *((row.open_until, row.probe_until) if row.opened else ())]
    return [moment - ahead for moment in moments if moment is not None and moment - ahead > now]
