"""How the ledger's records are told as JSON: the same by the API and by the command line, here or far away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from bellhop.broker.port import Broker, QueueStats
from bellhop.ledger.records import (
    ApiToken,
    AuditRow,
    CauseRow,
    EventView,
    ItemState,
    Job,
    JobItem,
    Letter,
    LetterFilter,
    LetterState,
    Note,
    Pause,
    State,
    User,
)
from bellhop.letters.masking import exchange, iso
from bellhop.schemas.settings import Account, Settings
from bellhop.vendors.registry import ROUTES

if TYPE_CHECKING:
    from datetime import datetime

    from bellhop.ledger.accounts import AccountView
    from bellhop.ledger.pulls import Watermark
    from bellhop.ledger.store import Ledger

Seen = dict[str, Any]

WAITING: Final = (LetterState.OPEN, LetterState.REPLAYING)


# --- events -----------------------------------------------------------------------------------------------------


def event_line(view: EventView) -> Seen:
    """An event as lists have it."""
    return {
        "source": view.source,
        "id": view.id,
        "type": view.type,
        "subject": view.subject,
        "route": view.route,
        "account": view.account,
        "state": view.state.value,
        "detail": view.detail,
        "reason": view.reason,
        "generation": view.generation,
        "time": iso(view.time),
        "received": iso(view.received),
        "updated": iso(view.updated),
        "next_at": iso(view.next_at),
        "attempt_count": view.attempt_count,
    }


def event_seen(view: EventView, letters: Sequence[Letter], *, reveal: bool = False) -> Seen:
    """An event's whole way. reveal: without masking what is a guest's own in requests and answers."""
    return event_line(view) | {
        "attempts": [
            {
                "method": attempt.method,
                "started": iso(attempt.started),
                "seconds": attempt.seconds,
                "outcome": attempt.outcome,
                "error": attempt.error,
                "request": None,
                "answer": None,
            }
            | exchange(attempt, reveal=reveal)
            for attempt in view.attempts
        ],
        "vendor_ids": list(view.vendor_ids),
        "letters": [
            {
                "id": letter.id,
                "state": letter.state.value,
                "reason": letter.new.reason,
                "generation": letter.new.generation,
                "died": iso(letter.new.died),
            }
            for letter in letters
        ],
    }


# --- queues, routes, accounts -----------------------------------------------------------------------------------


def queues_seen(broker: Broker, ledger: Ledger) -> Seen:
    """What waits, and where. Raises BrokerUnavailable, LedgerUnavailable."""
    stats, unfinished = broker.stats(), ledger.unfinished()
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
                **counts,
                "dead": ledger.letters.count(LetterFilter(route=route, states=WAITING)),
            }
        )
    others = {name: _messages(stats.get(name)) for name in ("retry", "unroutable")}
    letters = ledger.letters.count(LetterFilter(states=WAITING))
    return {"routes": routes, **others, "dead": {"queue": _messages(stats.get("dead")), "letters": letters}}


def _messages(queue: QueueStats | None) -> int:
    return queue.ready + (queue.in_flight or 0) if queue else 0


def routes_seen(ledger: Ledger) -> list[Seen]:
    """Every route, and who holds it."""
    held = {pause.route: pause for pause in ledger.pauses.all()}
    return [{"route": route, "pause": pause_seen(held.get(route))} for route in ROUTES]


def pause_seen(pause: Pause | None) -> Seen | None:
    if pause is None:
        return None
    return {"who": pause.who, "why": pause.why, "since": iso(pause.since), "until": iso(pause.until)}


def accounts_seen(settings: Settings, ledger: Ledger, now: datetime) -> list[Seen]:
    """Every account of the settings, with what all workers know of it, and how far it has been pulled."""
    known = {view.account: view for view in ledger.accounts.views()}
    marks, tokens = list(ledger.pulls.watermarks()), ledger.tokens_made()
    return [
        _account_seen(account, known.get(name))
        | _token_seen(account, tokens)
        | {"pulls": _pulls_seen(account, [mark for mark in marks if mark.account == name], now)}
        for name, account in settings.accounts.items()
    ]


def _token_seen(account: Account, made: Mapping[str, datetime | None]) -> Seen:
    """token: whether workers share one; None where the vendor has none."""
    has = account.name in made if account.shares_token else None
    return {"token": has, "token_made": iso(made.get(account.name))}


def _account_seen(account: Account, view: AccountView | None) -> Seen:
    """A limit of 0 is none."""
    limits = account.limits
    return {
        "account": account.name,
        "kind": account.kind,
        "system": account.system,
        "breaker": view.breaker if view else "closed",
        "open_until": iso(view.open_until) if view else None,
        "failures": view.failures if view else 0,
        "error": view.error if view else "",
        "day": view.day if view else "",
        "used": view.used if view else 0,
        "on_their_way": view.at_once if view else 0,
        "limits": {"per_second": limits.per_second, "at_once": limits.at_once, "per_day": limits.per_day},
    }


def _pulls_seen(account: Account, marks: Sequence[Watermark], now: datetime) -> list[Seen]:
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


# --- people and their acts --------------------------------------------------------------------------------------


def cause_seen(row: CauseRow) -> Seen:
    return {
        "cause": row.cause,
        "reason": row.reason,
        "route": row.route,
        "account": row.account,
        "error": row.error,
        "count": row.count,
        "first": iso(row.first),
        "last": iso(row.last),
        "example": row.example,
        "next_start": iso(row.next_start),
    }


def job_seen(job: Job) -> Seen:
    return {
        "id": job.id,
        "kind": job.kind,
        "state": job.state.value,
        "who": job.who,
        "why": job.why,
        "created": iso(job.created),
        "updated": iso(job.updated),
        "rate": job.rate,
        "wave": job.wave,
        "total": job.total,
        "counts": {state.value: job.counts.get(state, 0) for state in ItemState},
        "detail": job.detail,
    }


def item_seen(item: JobItem) -> Seen:
    return {
        "letter": item.letter,
        "place": item.place,
        "verdict": item.verdict.value,
        "state": item.state.value,
        "detail": item.detail,
    }


def audit_seen(row: AuditRow) -> Seen:
    return {
        "at": iso(row.at),
        "who": row.who,
        "act": row.act,
        "letter": row.letter,
        "why": row.why,
        "what": row.what,
    }


def note_seen(note: Note) -> Seen:
    return {"at": iso(note.at), "who": note.who, "text": note.text}


def user_seen(user: User) -> Seen:
    return {
        "name": user.name,
        "role": user.role.value,
        "created": iso(user.created),
        "disabled": user.disabled,
        "has_password": bool(user.password_hash),
    }


def token_seen(token: ApiToken) -> Seen:
    return {
        "id": token.id,
        "name": token.name,
        "role": token.role.value,
        "who": token.who,
        "created": iso(token.created),
        "last_used": iso(token.last_used),
        "expires": iso(token.expires),
        "revoked": token.revoked,
    }


def counts_seen(counts: Mapping[str, int]) -> Seen:
    """The largest first."""
    return dict(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))
