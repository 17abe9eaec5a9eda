"""The metrics' names, labels and buckets, as data. `telemetry.metrics` says what updates them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from bellhop.ledger.records import State
from bellhop.schemas.problems import WEBHOOK_PROBLEMS
from bellhop.schemas.reasons import Reason
from bellhop.telemetry.measured_broker import ENDS

_ANSWERS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
"""Seconds of what is ours: an answer to a webhook, the broker's confirm."""
_CALLS: Final = (0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 1, 1.5, 2.5, 5, 10, 20, 30, 60)
"""Of vendors' calls: most take tenths of a second, and the read time-out is 30 s."""
_EVENTS: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)
"""Of a delivery, which may make several calls and wait for its account's turn."""
_WAITS: Final = (0.1, 0.5, 1, 5, 15, 60, 300, 1800, 7200, 21600, 86400)

OUTCOMES: Final = (
    *(state.value for state in State),
    *("known", "retry", "busy", "ok", "rejected", "transient", "throttled", "auth", "unknown"),
    *ENDS,
)
REASONS: Final = tuple(reason.value for reason in Reason)
"""Of dead letters."""
NOBODYS: Final = ""
"""The account of what could not be decoded."""
TO: Final = ("work", "retry", "dead")
COUNTERS: Final[Sequence[tuple[Any, ...]]] = (
    ("bellhop_webhooks_total", "Webhooks answered", ("source", "status")),
    ("bellhop_webhooks_refused_total", "Webhooks not taken, by what was wrong with them", ("source", "reason")),
    (
        "bellhop_events_settled_total",
        "Deliveries settled by workers; known: ended before",
        ("route", "account", "outcome"),
    ),
    ("bellhop_retries_total", "Deliveries sent to the retry ladder", ("route", "step", "outcome")),
    ("bellhop_dead_letters_total", "Dead letters archived", ("route", "account", "reason")),
    ("bellhop_stalls_total", "Times a worker stood still", ("route",)),
    ("bellhop_ledger_unavailable_total", "Times the ledger could not be reached", ()),
    ("bellhop_publishes_total", "Publishes by how they ended; all but confirmed are failures", ("to", "outcome")),
    ("bellhop_crashes_total", "Unexpected errors", ()),
    ("bellhop_events_missing_total", "Accepted events that no queue and no ledger has", ("route",)),
    ("bellhop_console_requests_total", "Requests of the console and its API answered", ("status",)),
    ("bellhop_console_refused_total", "Whom the console or its API did not let in, by how they came", ("how",)),
    ("bellhop_alerts_sent_total", "Messages that alert receivers took", ("receiver",)),
    ("bellhop_alerts_failed_total", "Messages that alert receivers did not take, each try", ("receiver",)),
    ("bellhop_account_held_total", "Times work waited for an account's limits or breaker", ("account",)),
)
HISTOGRAMS: Final[Sequence[tuple[Any, ...]]] = (
    ("bellhop_webhook_seconds", "From a webhook's arrival to its answer", ("source",), _ANSWERS),
    ("bellhop_publish_seconds", "From a publish to the broker's confirm", ("to",), _ANSWERS),
    ("bellhop_event_seconds", "From a delivery to its end", ("route",), _EVENTS),
    ("bellhop_event_lag_seconds", "From the queue to the end of the delivery", ("route",), _WAITS),
    ("bellhop_vendor_call_seconds", "Calls to vendors", ("account", "method", "outcome"), _CALLS),
)
GAUGES: Final[Sequence[tuple[Any, ...]]] = (
    ("bellhop_queue_ready", "Messages waiting", ("queue",)),
    ("bellhop_queue_in_flight", "Messages taken by consumers, not yet acked", ("queue",)),
    ("bellhop_queue_oldest_seconds", "Age of the first waiting message", ("queue",)),
    ("bellhop_worker_in_flight", "Deliveries a worker holds", ("route",)),
    ("bellhop_worker_capacity", "Deliveries a worker may hold", ("route",)),
    ("bellhop_worker_oldest_seconds", "Age of the oldest delivery a worker holds", ("route",)),
    ("bellhop_worker_connected", "1 while the broker counts the worker as a consumer", ("route",)),
    ("bellhop_worker_stalled", "1 while the worker stands still", ("route",)),
    (
        "bellhop_events_unfinished",
        "Events working, retrying or in doubt, as the ledger has it",
        ("route", "state"),
    ),
    ("bellhop_events_forgotten", "Events that no message brings on and no dead letter shows", ("route",)),
    ("bellhop_source_silent", "1 while a source is silent beyond its habit", ("source",)),
    ("bellhop_parts", "Processes that run, by what they do: a route, ingest, archive, console", ("part",)),
    ("bellhop_build_info", "1; the version of Bellhop, and of the Python that runs it", ("version", "python")),
    ("bellhop_start_time_seconds", "When the process started, in Unix time; the youngest of several", ()),
    ("bellhop_account_breaker_open", "1 while the account's breaker is not closed", ("account",)),
    ("bellhop_account_refused", "1 while the account is held because its credentials are refused", ("account",)),
    ("bellhop_account_calls_today", "Calls made this day (UTC), of accounts with limits", ("account",)),
    ("bellhop_account_calls_limit", "Calls the vendor allows a day", ("account",)),
    ("bellhop_account_calls_at_once", "Calls on their way, of accounts with limits", ("account",)),
    ("bellhop_route_paused_seconds", "Seconds since the route was paused; 0: not paused", ("route",)),
    ("bellhop_pull_age_seconds", "Since the last pull that succeeded began", ("account", "what")),
    (
        "bellhop_pull_overdue_seconds",
        "Since the first scheduled pull not yet made; 0: none",
        ("account", "what"),
    ),
    ("bellhop_letters_waiting", "Dead letters that wait for a person, by cause", ("route", "account", "reason")),
    ("bellhop_letters_oldest_seconds", "Since the oldest dead letter that waits died", ("route", "account", "reason")),
    (
        "bellhop_letters_start_seconds",
        "Until the soonest start of a dead letter that waits",
        ("route", "account", "reason"),
    ),
    ("bellhop_alerts_waiting", "Messages that an alert receiver did not take yet", ("receiver",)),
    ("bellhop_floods_held", "Cancels and changes that a flood holds until a person releases them", ("source",)),
    ("bellhop_audit_broken", "1 where a row of the audit was changed, is missing or was inserted", ("what",)),
    # With a label, so that a process that does not count them shows nothing rather than 0.
    ("bellhop_letters", "Dead letters that wait for a person", ("state",)),
)

SERIES: Final[Mapping[str, Sequence[str]]] = {row[0]: row[2] for row in (*COUNTERS, *HISTOGRAMS, *GAUGES)}
"""Every metric's labels."""
FROM_ZERO: Final[Mapping[str, Sequence[tuple[str, Mapping[str, Sequence[str]]]]]] = {
    "ingest": (
        ("bellhop_webhooks_total", {"status": ("202", "400", "401", "422", "503")}),
        ("bellhop_webhooks_refused_total", {"reason": WEBHOOK_PROBLEMS}),
        ("bellhop_publishes_total", {"to": ("work",), "outcome": ENDS}),
        ("bellhop_events_missing_total", {}),
    ),
    "work": (("bellhop_publishes_total", {"outcome": ENDS}),),
    "console": (
        ("bellhop_console_requests_total", {"status": ("200", "500", "503")}),
        ("bellhop_console_refused_total", {"how": ("password", "link", "oidc", "token")}),
    ),
    "archive": (
        ("bellhop_dead_letters_total", {"reason": REASONS}),
        ("bellhop_alerts_sent_total", {}),
        ("bellhop_alerts_failed_total", {}),
        ("bellhop_dead_letters_total", {"account": (NOBODYS,), "reason": (Reason.POISON.value,)}),
        ("bellhop_publishes_total", {"to": ("work",), "outcome": ENDS}),
    ),
}


def step_of(seconds: float) -> str:
    """A step of the ladder in words: 200ms, 5s, 2m, 6h."""
    for unit, size in (("h", 3600), ("m", 60), ("s", 1)):
        if seconds >= size and seconds % size == 0:
            return f"{seconds / size:g}{unit}"
    return f"{seconds * 1000:g}ms"
