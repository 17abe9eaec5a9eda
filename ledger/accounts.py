"""What all workers on all hosts must know of an account together: its limits' state and its breaker.

Calls of an account with a rate are spaced: each takes the next free moment, so that in no second there are more than
the rate. A breaker opens after FAILURES calls in a row that found the vendor away, or refusing the account's
credentials, lets one call try after a while, and closes when that succeeds.
"""

from __future__ import annotations

import uuid
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa

from bellhop.ledger import batch
from bellhop.ledger.breaker import breaker_denial, budget_denial, is_ill, state_after, utc_day
from bellhop.ledger.engine import Database
from bellhop.ledger.gone import calls_on_their_way, end_permits
from bellhop.ledger.records.accounts import AccountView, Denied, Ended, LeaveAsked, Permit
from bellhop.ledger.tables import accounts, permits
from bellhop.schemas.clock import CLOCKS_DIFFER
from bellhop.schemas.process import own_name
from bellhop.schemas.settings import Limits

MOMENT_SECONDS: Final = 0.02
"""What a call may wait for its turn while it is marked already: no longer than its commit took."""

_INSERT_PERMITS: Final = batch.insert(permits, ("id", "account", "until"))
_STATE: Final = batch.select(accounts, [column.name for column in accounts.c], ["account"])
_USE: Final = batch.update(accounts, ("day", "used", "next_at", "updated"), by="account")
_MOMENTS: Final = ("next_at", "not_before", "open_until", "probe_until", "pull_until")


class AccountStates:
    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now
        self._spent: deque[str] = deque()

    def acquire(
        self, account: str, limits: Limits, *, last: bool, lease_seconds: float, patience_seconds: float
    ) -> Permit | Denied:
        """Leave to call, or why not. last: of the kind that waits when the day's budget runs short.

        lease_seconds: how long the call may take, from when it starts: after that it no longer counts as on its way.
        A wait longer than `patience_seconds` is denied.
        """
        with self.take_spent() as spent, self._database.write([account_key(account)]) as connection:
            now = self._now()
            end_permits(connection, spent)
            row = self._row(connection, account, now)
            used = row.used if row.day == utc_day(now) else 0
            denied = breaker_denial(row, now) or budget_denial(limits, used, last, now)
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
            changed: dict[str, Any] = {"day": utc_day(now), "used": used + 1, "updated": now}
            if limits.per_second:
                changed["next_at"] = start + timedelta(seconds=1 / limits.per_second)
            if probe:
                changed["probe_until"] = until
            connection.execute(sa.update(accounts).where(accounts.c.account == account).values(changed))
            id_ = permit_id() if limits.at_once else ""
            if id_:
                connection.execute(sa.insert(permits), {"id": id_, "account": account, "until": until})
            return Permit(account, id_, wait, probe)

    def grant(self, connection: sa.Connection, asked: Sequence[LeaveAsked], now: datetime) -> list[float | None]:
        """In how many seconds, MOMENT_SECONDS at most, each has leave to call; None where it must be waited for, or
        tried: that is `acquire`'s. In a transaction that has named their accounts' `account_key`."""
        granted: list[float | None] = [None] * len(asked)
        for account in sorted({one.permit.account for one in asked}):
            row = self._row(connection, account, now)
            used, next_at = row.used if row.day == utc_day(now) else 0, row.next_at
            busy = calls_on_their_way(connection, account, now)
            fresh = []
            for place, one in enumerate(asked):
                limits = one.limits
                if one.permit.account != account or row.opened or breaker_denial(row, now):
                    continue
                start = max(now, next_at or now) if limits.per_second else now
                wait = (start - now).total_seconds()
                is_crowded = limits.at_once and busy >= limits.at_once
                if is_crowded or wait > MOMENT_SECONDS or budget_denial(limits, used, one.last, now):
                    continue
                granted[place], used, busy = wait, used + 1, busy + 1
                if limits.per_second:
                    next_at = start + timedelta(seconds=1 / limits.per_second)
                fresh.append((one.permit.id, account, start + timedelta(seconds=one.lease_seconds)))
            if fresh:
                _USE.run(connection, [(utc_day(now), used, next_at, now, account)])
                _INSERT_PERMITS.run(connection, [permit for permit in fresh if permit[0]])
        return granted

    def spend(self, permit: Permit) -> None:
        """A call with leave went well, on an account that is well: its permit is given back with what this process
        commits next of events. Dying before, it ends with its lease."""
        if permit.id:
            self._spent.append(permit.id)

    def count(self, account: str) -> None:
        """A call without leave of its own: the question before a breaker's try, beside the call that it lets try."""
        with self._database.write([account_key(account)]) as connection:
            now = self._now()
            row = self._row(connection, account, now)
            used = row.used if row.day == utc_day(now) else 0
            values = {"day": utc_day(now), "used": used + 1, "updated": now}
            connection.execute(sa.update(accounts).where(accounts.c.account == account).values(values))

    @contextmanager
    def take_spent(self) -> Iterator[Sequence[str]]:
        """Around a transaction that is to give back what was spent: their numbers, for `end_permits`."""
        ids = [self._spent.popleft() for _ in range(len(self._spent))]
        try:
            yield ids
        except BaseException:
            self._spent.extend(ids)
            raise

    def release(self, permit: Permit, ended: Ended, *, error: str = "", retry_after: float | None = None) -> float:
        """Gives leave back and enters how the call ended: for how many seconds the breaker is open now, 0 where it is
        not. error: for people, without secrets."""
        account = permit.account
        with self._database.write([account_key(account)]) as connection:
            now = self._now()
            row = self._row(connection, account, now)
            if permit.id:
                connection.execute(sa.delete(permits).where(permits.c.id == permit.id))
            changed = state_after(row, permit, ended, now, error, retry_after)
            if changed:
                values = {**changed, "updated": now}
                connection.execute(sa.update(accounts).where(accounts.c.account == account).values(values))
            until = changed.get("open_until", row.open_until)
            return max(0.0, (until - now).total_seconds()) if until is not None else 0.0

    def try_now(self, account: str) -> None:
        """Has the next call of an account whose credentials were refused try at once whether they are taken now."""
        with self._database.write([account_key(account)]) as connection:
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
        rows = _STATE.run(connection, [account])
        if not rows:
            connection.execute(self._database.insert(accounts).on_conflict_do_nothing(), blank(account, now))
            rows = _STATE.run(connection, [account])
        (row,) = rows
        if row.updated <= now + CLOCKS_DIFFER:
            return row
        # Written by a clock ahead of this one: what it forbids would last as much longer.
        ahead = row.updated - now
        moved = {name: getattr(row, name) - ahead for name in _MOMENTS if getattr(row, name) is not None}
        mended = sa.update(accounts).where(accounts.c.account == account).values({**moved, "updated": now})
        connection.execute(mended)
        (row,) = _STATE.run(connection, [account])
        return row


def permit_id() -> str:
    """Of a new permit: it names the process, whose permits are nobody's once it has ended."""
    return f"{own_name()}/{uuid.uuid4().hex}"


def account_key(account: str) -> str:
    """What a transaction names to be alone with an account's state, see `Database.write`."""
    return f"account:{account}"


def blank(account: str, now: datetime) -> dict[str, Any]:
    """The row of an account of which nothing is known."""
    nothing = dict.fromkeys(("next_at", "not_before", "open_until", "probe_until", "pull_until"))
    zero = dict.fromkeys(("used", "failures", "opened"), 0)
    texts = dict.fromkeys(("day", "error", "pull_by"), "")
    return {"account": account, **nothing, **zero, **texts, "refused": False, "updated": now}


def _view(row: Any, at_once: int, now: datetime) -> AccountView:
    is_open = row.opened > 0
    waiting = is_open and row.open_until is not None and row.open_until > now
    breaker = "open" if waiting else "probing" if is_open else "closed"
    used = row.used if row.day == utc_day(now) else 0
    return AccountView(
        account=row.account,
        breaker=breaker,
        failures=row.failures,
        open_until=row.open_until if is_open else None,
        error=row.error,
        day=utc_day(now),
        used=used,
        at_once=at_once,
        ill=is_ill(row) or (row.not_before is not None and row.not_before > now),
        refused=bool(row.refused),
        held_until=max(_holds(row, now), default=None),
    )


def _holds(row: Any, now: datetime) -> list[datetime]:
    """Until when what `breaker_denial` looks at denies; as `_row` mends it where a clock ahead of this one wrote."""
    ahead = row.updated - now if row.updated > now + CLOCKS_DIFFER else timedelta(0)
    moments = [row.not_before, *((row.open_until, row.probe_until) if row.opened else ())]
    return [moment - ahead for moment in moments if moment is not None and moment - ahead > now]
