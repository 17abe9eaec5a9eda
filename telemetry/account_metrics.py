"""The accounts' state as measurements: breakers, the day's calls, how far they are pulled."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final, Protocol

from cronsim import CronSim

from bellhop.ledger.pulls import Watermark
from bellhop.ledger.records.accounts import AccountView
from bellhop.schemas.errors import LedgerError
from bellhop.schemas.observe import Observe
from bellhop.schemas.settings import Account

_MEASURED: Final = ("is_open", "is_refused", "used", "limit", "at_once")


class Views(Protocol):
    def views(self) -> Sequence[AccountView]: ...


class Watermarks(Protocol):
    def watermarks(self) -> Sequence[Watermark]: ...


def measure_accounts(
    views: Views,
    watermarks: Watermarks,
    accounts: Mapping[str, Account],
    observe: Observe,
    now: Callable[[], datetime],
    since: datetime | None = None,
) -> None:
    """Tells `account.measured` of each account (is_open, is_refused, used, limit, at_once) and `pull.measured` of each
    pull with a schedule (age_seconds since the last that succeeded, overdue_seconds since the first tick after it).
    None for what is not known: an old number would be a lie. since: from when on a pull that never succeeded counts as
    due."""
    try:
        known = {view.account: view for view in views.views()}
        marks = {(mark.account, mark.what): mark for mark in watermarks.watermarks()}
    except LedgerError as error:
        observe("ledger.unavailable", where="accounts", error=str(error))
        for name in accounts:
            observe("account.measured", account=name, **dict.fromkeys(_MEASURED))
            for what in accounts[name].pulls:
                observe("pull.measured", account=name, what=what, age_seconds=None, overdue_seconds=None)
        return
    for name, account in accounts.items():
        view = known.get(name)
        observe(
            "account.measured",
            account=name,
            is_open=int(view is not None and view.breaker != "closed"),
            is_refused=int(view is not None and view.breaker != "closed" and view.refused),
            used=view.used if view else 0,
            limit=account.limits.per_day or None,
            at_once=view.at_once if view else 0,
        )
        for what, cron in account.pulls.items():
            mark = marks.get((name, what))
            age = None if mark is None else max(0.0, (now() - mark.pulled).total_seconds())
            last = mark.pulled if mark is not None else since
            overdue = None if last is None else _overdue(cron, last, now())
            observe("pull.measured", account=name, what=what, age_seconds=age, overdue_seconds=overdue)


def _overdue(cron: str, last: datetime, now: datetime) -> float:
    """Seconds since the first tick after `last`; 0 where that is still to come."""
    return max(0.0, (now - next(CronSim(cron, last.astimezone(UTC)))).total_seconds())
