"""How things go: what waits in queues, which routes are paused, how accounts fare."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final

from bellhop.broker.port import QueueStats
from bellhop.ledger.records import Pause, State
from bellhop.letters.serializers import JsonObject
from bellhop.schemas.clock import iso
from bellhop.schemas.settings import Account, Settings
from bellhop.vendors.registry import ROUTES

if TYPE_CHECKING:
    from bellhop.ledger.pulls import Watermark
    from bellhop.ledger.records.accounts import AccountView
    from bellhop.ledger.store import Ledger

_LANES_SHOWN: Final = 100


def queue_summary(stats: Mapping[str, QueueStats], ledger: Ledger) -> JsonObject:
    """What waits, and where. stats: the broker's. Raises LedgerUnavailable."""
    unfinished, waiting = ledger.count_unfinished(), ledger.letters.waiting()
    routes = []
    for route in ROUTES:
        queue = stats.get(route)
        counts = {state.value: unfinished.get((route, state), 0) for state in State if state.unfinished}
        routes.append(
            {
                "route": route,
                "ready": queue.ready if queue else 0,
                "oldest_seconds": queue.oldest_seconds if queue else None,
                "in_flight": queue.in_flight if queue else None,
                "lanes": [{"accounts": whose, "ready": count} for whose, count in _lanes(queue)],
                **counts,
                "dead": sum(group.count for group in waiting if group.route == route),
            }
        )
    others = {name: count_messages(stats.get(name)) for name in ("retry", "unroutable")}
    letters = sum(group.count for group in waiting)
    return {"routes": routes, **others, "dead": {"queue": count_messages(stats.get("dead")), "letters": letters}}


def _lanes(queue: QueueStats | None) -> list[tuple[str, int]]:
    """Whose it is that waits, the longest line first."""
    lanes = queue.lanes.items() if queue else ()
    return sorted(lanes, key=lambda lane: (-lane[1], lane[0]))[:_LANES_SHOWN]


def count_messages(queue: QueueStats | None) -> int:
    return queue.ready + (queue.in_flight or 0) if queue else 0


def route_rows(ledger: Ledger) -> list[JsonObject]:
    """Every route, and who has paused it."""
    paused = {pause.route: pause for pause in ledger.pauses.all()}
    return [{"route": route, "pause": pause_row(paused.get(route))} for route in ROUTES]


def pause_row(pause: Pause | None) -> JsonObject | None:
    if pause is None:
        return None
    return {"who": pause.who, "why": pause.why, "since": iso(pause.since), "until": iso(pause.until)}


def account_rows(settings: Settings, ledger: Ledger, now: datetime) -> list[JsonObject]:
    """Every account of the settings, with what all workers know of it, and how far it has been pulled."""
    known = {view.account: view for view in ledger.accounts.views()}
    marks, tokens = list(ledger.pulls.watermarks()), ledger.token_times()
    return [
        _account_row(account, known.get(name))
        | _token_columns(account, tokens)
        | {"pulls": _pull_rows(account, [mark for mark in marks if mark.account == name], now)}
        for name, account in settings.accounts.items()
    ]


def _token_columns(account: Account, made: Mapping[str, datetime | None]) -> JsonObject:
    """token: whether workers share one; None where the vendor has none."""
    has = account.name in made if account.shares_token else None
    return {"token": has, "token_made": iso(made.get(account.name))}


def _account_row(account: Account, view: AccountView | None) -> JsonObject:
    """A limit of 0 is none. Calls are counted where there is any limit, and those on their way where these have one:
    elsewhere their number is None, and not 0."""
    limits = account.limits
    is_counted = any((limits.per_second, limits.at_once, limits.per_day))
    return {
        "account": account.name,
        "kind": account.kind,
        "system": account.system,
        "breaker": view.breaker if view else "closed",
        "refused": bool(view and view.refused),
        "open_until": iso(view.open_until) if view else None,
        "failures": view.failures if view else 0,
        "error": view.error if view else "",
        "day": view.day if view else "",
        "used": (view.used if view else 0) if is_counted else None,
        "on_their_way": (view.at_once if view else 0) if limits.at_once else None,
        "limits": {"per_second": limits.per_second, "at_once": limits.at_once, "per_day": limits.per_day},
    }


def _pull_rows(account: Account, marks: Sequence[Watermark], now: datetime) -> list[JsonObject]:
    """Those with a schedule, and those made by hand."""
    crons = account.pulls
    made = {mark.what: mark for mark in marks}
    return [
        {
            "what": what,
            "schedule": crons.get(what),
            "reached": iso(made[what].reached) if what in made else None,
            "pulled": iso(made[what].pulled) if what in made else None,
            "age_seconds": round((now - made[what].pulled).total_seconds()) if what in made else None,
        }
        for what in dict.fromkeys((*crons, *made))
    ]
