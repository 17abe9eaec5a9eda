"""The overview as JSON: what needs attention, every route's numbers and series."""

from __future__ import annotations

from bellhop.console.api import state_responses
from bellhop.console.api.routes import ApiCall, ApiParts, ApiSection, Route
from bellhop.console.trends import BEAT_SECONDS, RouteTrend
from bellhop.ledger.records import LetterFilter, LetterState, Order
from bellhop.letters.attention import attention
from bellhop.letters.needs import LETTERS, attention_row
from bellhop.letters.serializers import JsonObject
from bellhop.letters.serializers.letters import letter_row, sort_counts
from bellhop.schemas.clock import iso

_LETTERS = 8


def section(parts: ApiParts) -> ApiSection:
    api = OverviewRoutes(parts)
    routes = (
        Route("GET", "/overview", api.overview, "Show what needs attention, and every route's numbers",
              state_responses.Overview),
        Route("GET", "/attention", api.attention, "List what needs attention, the gravest first",
              state_responses.AttentionList),
        Route("GET", "/series", api.series, "Series of the last ten minutes of every route, for charts",
              state_responses.Series),
    )  # fmt: skip
    return ApiSection("overview", "Everything at a glance.", routes)


class OverviewRoutes:
    def __init__(self, parts: ApiParts) -> None:
        self._parts = parts
        self._ledger = parts.ledger

    def overview(self, call: ApiCall) -> JsonObject:
        pulse, letters = self._parts.pulse, self._ledger.letters
        open_ = LetterFilter(states=(LetterState.OPEN,))
        reasons = letters.by_reason(open_)
        last = pulse.last
        told: JsonObject = {
            "measured": iso(last.at) if last else None,
            "problem": pulse.problem,
            "open": sum(reasons.values()),
            "reasons": sort_counts(reasons),
            "urgent": [
                letter_row(letter, self._parts.settings.venues)
                for letter in letters.page(open_, Order.URGENT, _LETTERS).rows
            ],
            "needs": [row | {"what": row["kind"]} for row in self._attention() if row["kind"] not in LETTERS],
            "routes": [_trend(trend) for trend in pulse.trends()],
            "retry": last.retry if last else None,
            "unroutable": last.unroutable if last else None,
        }
        redacted: JsonObject = self._parts.redactor.value(told)
        return redacted

    def series(self, call: ApiCall) -> JsonObject:
        last = self._parts.pulse.last
        rows = [
            {
                "route": trend.route,
                "waiting": list(trend.depth),
                "oldest_seconds": list(trend.oldest),
                "came_per_second": list(trend.came),
                "ended_per_second": list(trend.ended),
                "success": list(trend.shares),
                "p95_seconds": list(trend.latency),
            }
            for trend in self._parts.pulse.trends()
        ]
        return {"measured": iso(last.at) if last else None, "beat_seconds": BEAT_SECONDS, "rows": rows}

    def attention(self, call: ApiCall) -> JsonObject:
        return {"rows": self._attention()}

    def _attention(self) -> list[JsonObject]:
        parts = self._parts
        items = attention(self._ledger, parts.pulse.broker, parts.now(), parts.settings.venues)
        rows: list[JsonObject] = parts.redactor.value([attention_row(item) for item in items])
        return rows


def _trend(trend: RouteTrend) -> JsonObject:
    return {
        "route": trend.route,
        "waiting": trend.now.ready,
        "oldest_seconds": trend.now.oldest,
        "unfinished": trend.now.unfinished,
        "in_per_second": trend.in_rate,
        "out_per_second": trend.out_rate,
        "success": trend.success,
        "p95_seconds": trend.p95,
    }
