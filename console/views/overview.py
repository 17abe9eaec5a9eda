"""Overview: what needs attention, then every route, account and reason."""

from __future__ import annotations

from typing import Any, Final

from flask import Blueprint, render_template

from bellhop.console.context import ConsoleParts, parts
from bellhop.ledger.records import LetterFilter, LetterState, Order
from bellhop.letters.attention import attention
from bellhop.letters.needs import attention_row
from bellhop.letters.parts import count_running, part_rows
from bellhop.letters.serializers.flow import account_rows
from bellhop.letters.serializers.letters import cause_row, letter_row, sort_causes, sort_counts

blueprint = Blueprint("overview", __name__)

_LETTERS: Final = 4
"""By their start; the others are reached by their cause, or in the list."""
_CAUSES: Final = 6


@blueprint.get("/")
def overview() -> str:
    return render_template("overview.html", **_context(parts()))


@blueprint.get("/live")
def live() -> str:
    return render_template("_overview.html", **_context(parts()))


def _context(own: ConsoleParts) -> dict[str, Any]:
    open_ = LetterFilter(states=(LetterState.OPEN,))
    letters, pulse, now = own.ledger.letters, own.pulse, own.now()
    reasons = letters.by_reason(open_)
    broker, venues = pulse.broker, own.settings.venues
    causes = sort_causes(own.ledger.causes.find(open_))
    return {
        "causes": [cause_row(cause, venues) for cause in causes[:_CAUSES]],
        "more_causes": max(0, len(causes) - _CAUSES),
        "urgent": [letter_row(letter) for letter in letters.page(open_, Order.URGENT, _LETTERS).rows],
        "needs": own.clean([attention_row(item) for item in attention(own.ledger, broker, now, venues)]),
        "reasons": sort_counts(reasons),
        "open_count": sum(reasons.values()),
        "trends": pulse.trends(),
        "last": pulse.last,
        "problem": "" if broker.problem else own.redactor.text(pulse.problem),  # a broker's stands among the needs
        "paused": {pause.route for pause in own.ledger.pauses.all()},
        "parts": part_rows(own.ledger.parts, now),
        "running": count_running(own.ledger.parts.all(), now),
        "accounts": account_rows(own.settings, own.ledger, now),
    }
