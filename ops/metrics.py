"""Prometheus' metrics, made from what is observed. `_UPDATES` is the whole mapping.

A registry for each object, none global. In a process that forks (the ingress), prometheus_client's multi-process mode
adds the children's numbers up: `PROMETHEUS_MULTIPROC_DIR` must name an empty folder before this module is imported.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from ledger.records import State
from schemas.reasons import Reason
from schemas.results import ACCOUNT
from schemas.settings import ROUTES, Settings

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
MULTIPROCESS: Final = "PROMETHEUS_MULTIPROC_DIR"
OTHER: Final = "other"
_MOST: Final = 64
_WAITS: Final = (0.1, 0.5, 1, 5, 15, 60, 300, 1800, 7200, 21600, 86400)
_CALLS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)

Fields = Mapping[str, object]
Update = Callable[["Metrics", Fields], None]


class Metrics:
    """Call it with what is observed. `account`, `source` and the like are labels only where the settings know them."""

    def __init__(self, settings: Settings | None = None) -> None:
        self._registry = CollectorRegistry()
        self._known: dict[str, frozenset[str]] = {
            "route": frozenset(ROUTES),
            "queue": frozenset((*ROUTES, "dead", "unroutable", "retry")),
            "reason": frozenset(reason.value for reason in Reason),
            "outcome": frozenset(_OUTCOMES),
        }
        if settings is not None:
            self._known["source"] = frozenset(settings.sources)
            self._known["account"] = frozenset((*settings.accounts, ACCOUNT))
        self._met: dict[str, set[str]] = {}
        self._counters = {name: self._counter(name, *rest) for name, *rest in _COUNTERS}
        self._histograms = {name: self._histogram(name, *rest) for name, *rest in _HISTOGRAMS}
        self._gauges = {name: self._gauge(name, *rest) for name, *rest in _GAUGES}

    def __call__(self, event: str, fields: Fields) -> None:
        """Enters an event; one that has no row in the table counts nothing."""
        for update in _UPDATES.get(event, ()):
            update(self, fields)

    def exposition(self) -> bytes:
        """All metrics in Prometheus' text format: of this process, or of all in multi-process mode."""
        if MULTIPROCESS not in os.environ:
            return generate_latest(self._registry)
        together = CollectorRegistry()
        MultiProcessCollector(together)  # type: ignore[no-untyped-call]
        return generate_latest(together)

    def labels(self, names: Sequence[str], fields: Fields) -> dict[str, str]:
        """The labels' values. What others choose (a path, a vendor's word) must not make series without end."""
        return {name: self._bounded(name, str(fields.get(name, "") or "")) for name in names}

    def _bounded(self, name: str, value: str) -> str:
        known = self._known.get(name)
        if known is not None:
            return value if value in known or not value else OTHER
        met = self._met.setdefault(name, set())
        if value not in met and len(met) >= _MOST:
            return OTHER
        met.add(value)
        return value

    def _counter(self, name: str, text: str, labels: Sequence[str]) -> Counter:
        return Counter(name, text, labels, registry=self._registry)

    def _histogram(self, name: str, text: str, labels: Sequence[str], buckets: Sequence[float]) -> Histogram:
        return Histogram(name, text, labels, buckets=buckets, registry=self._registry)

    def _gauge(self, name: str, text: str, labels: Sequence[str]) -> Gauge:
        return Gauge(name, text, labels, registry=self._registry)

    # --- the three ways a row of the table updates ---------------------------------------------------------------

    def add(self, name: str, labels: Sequence[str], fields: Fields) -> None:
        counter = self._counters[name]
        (counter.labels(**self.labels(labels, fields)) if labels else counter).inc()

    def time(self, name: str, labels: Sequence[str], fields: Fields, field: str) -> None:
        value = fields.get(field)
        if isinstance(value, int | float):
            self._histograms[name].labels(**self.labels(labels, fields)).observe(value)

    def set(self, name: str, labels: Sequence[str], fields: Fields, field: str) -> None:
        """Sets the gauge, or takes it away where the value is not known: an old number would be a lie."""
        values = self.labels(labels, fields)
        value = fields.get(field)
        if isinstance(value, int | float):
            self._gauges[name].labels(**values).set(value)
        else:
            with contextlib.suppress(KeyError):
                self._gauges[name].remove(*values.values())


_OUTCOMES: Final = (
    *(state.value for state in State),
    *("retry", "busy", "ok", "rejected", "transient", "throttled", "auth", "unknown"),
)
_COUNTERS: Final[Sequence[tuple[Any, ...]]] = (
    ("bellhop_webhooks_total", "Webhooks answered", ("source", "status")),
    ("bellhop_events_settled_total", "Deliveries settled by workers", ("route", "account", "outcome")),
    ("bellhop_dead_letters_total", "Dead letters archived", ("route", "reason")),
    ("bellhop_stalls_total", "Times a worker stood still", ("route",)),
    ("bellhop_ledger_unavailable_total", "Times the ledger could not be reached", ()),
    ("bellhop_publish_failures_total", "Publishes that the broker did not confirm", ()),
    ("bellhop_crashes_total", "Unexpected errors", ()),
    ("bellhop_account_held_total", "Times work waited for an account's limits or breaker", ("account",)),
)
_HISTOGRAMS: Final[Sequence[tuple[Any, ...]]] = (
    ("bellhop_webhook_seconds", "From a webhook's arrival to its answer", ("source",), _CALLS),
    ("bellhop_event_seconds", "From a delivery to its end", ("route",), _CALLS),
    ("bellhop_event_lag_seconds", "From the queue to the end of the delivery", ("route",), _WAITS),
    ("bellhop_vendor_call_seconds", "Calls to vendors", ("account", "method", "outcome"), _CALLS),
)
_GAUGES: Final[Sequence[tuple[Any, ...]]] = (
    ("bellhop_queue_ready", "Messages waiting", ("queue",)),
    ("bellhop_queue_in_flight", "Messages held by consumers", ("queue",)),
    ("bellhop_queue_oldest_seconds", "Age of the first waiting message", ("queue",)),
    ("bellhop_account_breaker_open", "1 while the account's vendor counts as away", ("account",)),
    ("bellhop_account_calls_today", "Calls made this day (UTC), of accounts with limits", ("account",)),
    ("bellhop_account_calls_limit", "Calls the vendor allows a day", ("account",)),
    ("bellhop_account_calls_at_once", "Calls on their way, of accounts with limits", ("account",)),
    ("bellhop_pull_age_seconds", "Since the last pull that succeeded began", ("account", "what")),
    # With a label, so that a process that does not count them shows nothing rather than 0.
    ("bellhop_letters", "Dead letters that wait for a person", ("state",)),
)


def _count(name: str) -> Update:
    labels = next(row[2] for row in _COUNTERS if row[0] == name)
    return lambda metrics, fields: metrics.add(name, labels, fields)


def _time(name: str, field: str = "seconds") -> Update:
    labels = next(row[2] for row in _HISTOGRAMS if row[0] == name)
    return lambda metrics, fields: metrics.time(name, labels, fields, field)


def _set(name: str, field: str) -> Update:
    labels = next(row[2] for row in _GAUGES if row[0] == name)
    return lambda metrics, fields: metrics.set(name, labels, fields, field)


_WEBHOOK: Final = (_count("bellhop_webhooks_total"), _time("bellhop_webhook_seconds"))
_UPDATES: Final[Mapping[str, Sequence[Update]]] = {
    "webhook.accepted": _WEBHOOK,
    "webhook.refused": _WEBHOOK,
    "webhook.ignored": _WEBHOOK,
    "webhook.crashed": (_count("bellhop_crashes_total"),),
    "event.settled": (
        _count("bellhop_events_settled_total"),
        _time("bellhop_event_seconds"),
        _time("bellhop_event_lag_seconds", "lag_seconds"),
    ),
    "vendor.called": (_time("bellhop_vendor_call_seconds"),),
    "letter.archived": (_count("bellhop_dead_letters_total"),),
    "worker.stalled": (_count("bellhop_stalls_total"),),
    "ledger.unavailable": (_count("bellhop_ledger_unavailable_total"),),
    "publish.failed": (_count("bellhop_publish_failures_total"),),
    "worker.crashed": (_count("bellhop_crashes_total"),),
    "thread.crashed": (_count("bellhop_crashes_total"),),
    "queue.measured": (
        _set("bellhop_queue_ready", "ready"),
        _set("bellhop_queue_in_flight", "in_flight"),
        _set("bellhop_queue_oldest_seconds", "oldest_seconds"),
    ),
    "account.held": (_count("bellhop_account_held_total"),),
    "account.measured": (
        _set("bellhop_account_breaker_open", "is_open"),
        _set("bellhop_account_calls_today", "used"),
        _set("bellhop_account_calls_limit", "limit"),
        _set("bellhop_account_calls_at_once", "at_once"),
    ),
    "pull.measured": (_set("bellhop_pull_age_seconds", "age_seconds"),),
    "letters.counted": (_set("bellhop_letters", "count"),),
}
