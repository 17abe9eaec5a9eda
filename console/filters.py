"""The templates' filters: how pages show times, numbers and states."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, tzinfo
from typing import Any, Final
from zoneinfo import ZoneInfo

from flask import Flask
from markupsafe import Markup, escape

from bellhop.ledger.records import ItemState, JobState, LetterState, State, Verdict
from bellhop.letters.needs import BROKER_HINT
from bellhop.letters.preflight import WORDS
from bellhop.schemas.moments import local_text

REASONS: Final = {
    "rejected": "The vendor refused it",
    "auth": "The vendor refused our credentials",
    "exhausted": "All retries failed",
    "too_late": "The booking's start passed before it could be made",
    "in_doubt": "It may have been booked: check at the vendor first",
    "unpaid": "Booked, but the vendor cancels it if it is not paid in time",
    "conflict": "The same id arrived with different content",
    "poison": "The message cannot be read",
    "unsupported": "The vendor has no API call for it",
    "misconfigured": "Its account or venue is missing from the settings",
    "delivery_limit": "It crashed its workers repeatedly",
}
TONES: Final = {
    **dict.fromkeys((State.DONE.value, State.RECORDED.value, LetterState.REPLAYED.value, "closed", "ok"), "good"),
    **dict.fromkeys((State.SUPERSEDED.value, State.DUPLICATE.value, State.DISCARDED.value, "skipped"), "quiet"),
    **dict.fromkeys((State.WORKING.value, LetterState.REPLAYING.value, JobState.RUNNING.value, "sent"), "busy"),
    **dict.fromkeys(
        (State.RETRYING.value, State.HELD.value, JobState.PAUSED.value, "probing", "transient", "throttled"), "wait"
    ),
    **dict.fromkeys(
        (State.IN_DOUBT.value, "unknown", "proposed", Verdict.BREAKER_OPEN.value, Verdict.AT_WORK.value), "wait"
    ),
    **dict.fromkeys((State.DEAD.value, LetterState.OPEN.value, JobState.STOPPED.value, ItemState.FAILED.value), "bad"),
    **dict.fromkeys(("rejected", "auth", "refused"), "bad"),
    **{"new": "bad", "reopened": "bad", "acknowledged": "busy", "snoozed": "wait", "resolved": "good"},
    **{Verdict.WOULD_APPLY.value: "good", "approved": "good", "cancelled": "quiet", "waiting": "quiet"},
}
AWAY_BROKER: Final = BROKER_HINT
AWAY_LEDGER: Final = "Check the database at ledger.url. Webhooks are still accepted and wait."
NOTHING: Final = "\N{EN DASH}"

_UNITS: Final = (("d", 86400), ("h", 3600), ("min", 60))
_CHART: Final = (120.0, 26.0)


def lasting(seconds: float | None) -> str:
    """4 s, 12 min, 3 h 5 min, 2 d 4 h; a dash where it is not known."""
    if seconds is None:
        return NOTHING
    left = max(0, int(seconds))
    for index, (unit, size) in enumerate(_UNITS):
        if left >= size:
            whole, rest = divmod(left, size)
            smaller = _UNITS[index + 1] if index + 1 < len(_UNITS) and whole < 10 else None
            more = rest // smaller[1] if smaller else 0
            return f"{whole} {unit}" + (f" {more} {smaller[0]}" if smaller and more else "")
    return f"{left} s"


def parse_time(given: datetime | str | None) -> datetime | None:
    """A time as the serializers write it. Raises ValueError."""
    return datetime.fromisoformat(given) if isinstance(given, str) else given


def exact(moment: datetime | None) -> str:
    return "" if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def there(given: datetime | str | None, zone: tzinfo | str | None = None) -> str:
    """See `local_text`. zone: also by its name, as rows have it."""
    moment = parse_time(given)
    zone = ZoneInfo(zone) if isinstance(zone, str) else zone
    return NOTHING if moment is None else local_text(moment, zone)


def rate(value: float) -> str:
    """A rate or a short time: three places at most."""
    if value == 0:
        return "0"
    return f"{value:.2f}" if value < 1 else f"{value:.1f}" if value < 100 else f"{value:,.0f}"


def share(value: float | None) -> str:
    if value is None:
        return NOTHING
    return "100 %" if value == 1 else f"{min(value * 100, 99.9):.1f} %"


def pretty(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False, default=str)


def spark(values: Sequence[float], label: str, most: float = 0.0) -> Markup:
    """A line of the values, the oldest first, as an inline SVG. label: what they are, for who does not see it. most:
    what the chart is as high as, if no value is higher."""
    width, height = _CHART
    top = max([*values, most, 1e-9])
    step = width / max(1, len(values) - 1)
    points = " ".join(f"{i * step:.1f},{height - 1 - value / top * (height - 3):.1f}" for i, value in enumerate(values))
    now = rate(values[-1]) if values else "0"
    told = f"{label}: now {now}, highest {rate(max(values, default=0))} in the last ten minutes"
    shape = Markup('<polygon points="0,{h} {p} {w},{h}"/><polyline points="{p}"/>').format(h=height, w=width, p=points)
    svg = Markup(
        '<svg class="spark" viewBox="0 0 {} {}" preserveAspectRatio="none" role="img" aria-label="{}">{}</svg>'
    )
    return svg.format(width, height, told, shape if len(values) > 1 else "")


def bars(values: Sequence[int], label: str) -> Markup:
    """A bar for each value, the oldest first, as an inline SVG; nothing where all are 0."""
    if not any(values):
        return Markup("")
    width, height = _CHART
    top, step = max(values), width / len(values)
    shape = Markup("").join(
        Markup('<rect x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"/>').format(
            place * step, height * (1 - value / top), step - 2, height * value / top
        )
        for place, value in enumerate(values)
    )
    told = f"{label}: {', '.join(map(str, values))}"
    svg = Markup(
        '<svg class="trend-bars" viewBox="0 0 {} {}" preserveAspectRatio="none" role="img" aria-label="{}">{}</svg>'
    )
    return svg.format(width, height, told, shape)


def install_filters(app: Flask, now: Callable[[], datetime]) -> None:
    """Puts the filters into the application's templates."""

    def ago(given: datetime | str | None) -> Markup:
        """How long ago, with the exact time behind it."""
        moment = parse_time(given)
        if moment is None:
            return escape(NOTHING)
        seconds = (now() - moment).total_seconds()
        told = f"{lasting(seconds)} ago" if seconds >= 0 else f"in {lasting(-seconds)}"
        return _time(moment, told)

    def time_left(given: datetime | str | None) -> Markup:
        """How long until a booking starts."""
        moment = parse_time(given)
        if moment is None:
            return Markup('<span class="quiet">no start</span>')
        seconds = (moment - now()).total_seconds()
        urgency = "passed" if seconds < 0 else "now" if seconds < 7200 else "soon" if seconds < 86400 else "later"
        told = f"in {lasting(seconds)}" if seconds >= 0 else f"started {lasting(-seconds)} ago"
        return Markup('<span class="left {}">{}</span>').format(urgency, _time(moment, told))

    def clock(given: datetime | str | None) -> Markup:
        moment = parse_time(given)
        if moment is None:
            return escape(NOTHING)
        return _time(moment, moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S"))

    def stamp(given: Any) -> Markup:
        """A time as evidence has it, which may be any text."""
        try:
            return clock(str(given)) + " UTC"
        except ValueError:
            return escape(given)

    app.jinja_env.filters.update(
        commands=commands,
        stamp=stamp,
        ago=ago,
        left=time_left,
        clock=clock,
        lasting=lasting,
        rate=rate,
        share=share,
        pretty=pretty,
        spark=spark,
        bars=bars,
        pill=pill,
        there=there,
    )
    app.jinja_env.globals.update(
        reason_words=REASONS, verdict_words={verdict.value: text for verdict, text in WORDS.items()}
    )


def commands(text: str) -> Markup:
    """The runbook's words, with what stands in backticks as code."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text)).replace("**", "")))  # noqa: S704  # escaped


def pill(state: Any) -> Markup:
    """A state's word with its colour."""
    word = str(getattr(state, "value", state))
    return Markup('<span class="pill {}">{}</span>').format(TONES.get(word, "quiet"), word.replace("_", " "))


def _time(moment: datetime, told: str) -> Markup:
    iso = moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return Markup('<time datetime="{}" title="{}">{}</time>').format(iso, exact(moment), told)
