"""Overview: what needs attention, then every route, account and reason."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from flask import Blueprint, render_template, url_for

from bellhop.console.context import Parts, parts
from bellhop.ledger.records import JobState, LetterFilter, LetterState, Order

blueprint = Blueprint("overview", __name__)

_LETTERS: Final = 8
_STOPPED: Final = 8


@dataclass(frozen=True, slots=True)
class Need:
    """Something that waits for a person, beside the letters."""

    what: str
    why: str
    url: str
    since: datetime | None = None


@blueprint.get("/")
def overview() -> str:
    return render_template("overview.html", **_told(parts()))


@blueprint.get("/live")
def live() -> str:
    return render_template("_overview.html", **_told(parts()))


def _told(own: Parts) -> dict[str, Any]:
    open_ = LetterFilter(states=(LetterState.OPEN,))
    letters = own.ledger.letters
    reasons = letters.by_reason(open_)
    pauses = {pause.route: pause for pause in own.ledger.pauses.all()}
    return {
        "urgent": letters.page(open_, Order.URGENT, _LETTERS).rows,
        "needs": _needs(own),
        "reasons": sorted(reasons.items(), key=lambda pair: -pair[1]),
        "open_count": sum(reasons.values()),
        "trends": own.pulse.trends(),
        "last": own.pulse.last,
        "problem": own.redactor.text(own.pulse.problem),
        "pauses": pauses,
        "accounts": _accounts(own),
    }


def _needs(own: Parts) -> list[Need]:
    found = []
    for job in own.ledger.jobs.page(_STOPPED, state=JobState.STOPPED).rows:
        url = url_for("jobs.one", number=job.id)
        found.append(Need(f"Bulk job {job.id} stopped by itself", job.detail, url, job.updated))
    waiting = own.ledger.edits.waiting()
    if waiting:
        first = waiting[-1]
        told = f"Edits awaiting approval: {len(waiting)}"
        found.append(Need(told, first.why, url_for("edits.waiting"), first.at))
    for view in own.ledger.accounts.views():
        if view.breaker != "closed":
            found.append(Need(f"Account {view.account}: vendor down", view.error, "#accounts"))
    last = own.pulse.last
    if last is not None and last.unroutable:
        told = "messages that no queue takes: the broker's topology is incomplete"
        found.append(Need(f"{last.unroutable} unroutable messages", told, "#routes"))
    return found


def _accounts(own: Parts) -> list[dict[str, Any]]:
    known = {view.account: view for view in own.ledger.accounts.views()}
    marks, tokens = own.ledger.pulls.watermarks(), own.ledger.tokens_made()
    return [
        {
            "name": name,
            "kind": account.kind,
            "view": known.get(name),
            "limits": account.limits,
            "has_token": name in tokens,
            "token_made": tokens.get(name),
            "pulls": [mark for mark in marks if mark.account == name],
        }
        for name, account in own.settings.accounts.items()
    ]
