"""The overview as JSON: what needs attention, every route's numbers and series."""

from __future__ import annotations

from collections.abc import Iterator

from bellhop.console.api import state_responses
from bellhop.console.api.letters import line
from bellhop.console.api.routes import Call, Parts, Route, Section
from bellhop.console.trends import BEAT_SECONDS, RouteTrend
from bellhop.ledger.records import JobState, LetterFilter, LetterState, Order
from bellhop.letters.masking import iso
from bellhop.letters.serializers import Seen, counts_seen

_LETTERS = 8
_JOBS = 50


def section(parts: Parts) -> Section:
    api = Overview(parts)
    routes = (
        Route("GET", "/overview", api.overview, "Show what needs attention, and every route's numbers",
              state_responses.Overview),
        Route("GET", "/series", api.series, "Series of the last ten minutes of every route, for charts",
              state_responses.Series),
    )  # fmt: skip
    return Section("overview", "Everything at a glance.", routes)


class Overview:
    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._ledger = parts.ledger

    def overview(self, call: Call) -> Seen:
        pulse, letters = self._parts.pulse, self._ledger.letters
        open_ = LetterFilter(states=(LetterState.OPEN,))
        reasons = letters.by_reason(open_)
        last = pulse.last
        told: Seen = {
            "measured": iso(last.at) if last else None,
            "problem": pulse.problem,
            "open": sum(reasons.values()),
            "reasons": counts_seen(reasons),
            "urgent": [line(letter) for letter in letters.page(open_, Order.URGENT, _LETTERS).rows],
            "needs": list(self._needs()),
            "routes": [_trend(trend) for trend in pulse.trends()],
            "retry": last.retry if last else None,
            "unroutable": last.unroutable if last else None,
        }
        redacted: Seen = self._parts.redactor.value(told)
        return redacted

    def series(self, call: Call) -> Seen:
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

    def _needs(self) -> Iterator[Seen]:
        """What waits for a person, beside the letters."""
        for job in self._ledger.jobs.page(_JOBS).rows:
            if job.state is JobState.STOPPED:
                yield {"what": "job", "name": str(job.id), "why": job.detail, "since": iso(job.updated)}
        for edit in self._ledger.edits.waiting():
            yield {"what": "edit", "name": str(edit.id), "why": edit.why, "since": iso(edit.at)}
        for view in self._ledger.accounts.views():
            if view.breaker != "closed":
                yield {"what": "account", "name": view.account, "why": view.error, "since": None}
        for pause in self._ledger.pauses.all():
            yield {"what": "route", "name": pause.route, "why": pause.why, "since": iso(pause.since)}


def _trend(trend: RouteTrend) -> Seen:
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
