"""Prometheus' metrics, made from what is observed. `_UPDATES` is the whole mapping; `telemetry.series` has the names.

A registry for each object, none global. In a process that forks (the ingress), prometheus_client's multi-process mode
adds the children's numbers up: `PROMETHEUS_MULTIPROC_DIR` must name an empty folder before this module is imported.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import platform
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.process_collector import ProcessCollector

from bellhop.schemas.problems import WEBHOOK_PROBLEMS
from bellhop.schemas.results import ACCOUNT
from bellhop.schemas.settings import Settings
from bellhop.schemas.version import VERSION
from bellhop.telemetry import series
from bellhop.telemetry.processes import HostUse, family
from bellhop.telemetry.series import COUNTERS, FROM_ZERO, GAUGES, HISTOGRAMS, NOBODYS, SERIES, step_of
from bellhop.telemetry.shared_numbers import SharedNumbers
from bellhop.vendors.registry import ROUTES, lanes

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
MULTIPROCESS: Final = "PROMETHEUS_MULTIPROC_DIR"
OTHER: Final = "other"
_MOST: Final = 64

_Metric = TypeVar("_Metric", Counter, Histogram)
Fields = Mapping[str, object]
Update = Callable[["Metrics", Fields], None]
Together = Callable[[Iterable[float]], float]


class Metrics:
    """Call it with what is observed. `account`, `source` and the like are labels only where the settings know them.

    part: `ingest`, `work`, `archive` or `console`. What it counts starts at 0 then: of a series that begins at 1
    Prometheus does not see the increase.
    """

    def __init__(self, settings: Settings | None = None, part: str = "", now: Callable[[], float] = time.time) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._known: dict[str, frozenset[str]] = {
            "route": frozenset(ROUTES),
            "queue": frozenset((*ROUTES, "dead", "unroutable", "retry")),
            "reason": frozenset((*series.REASONS, *WEBHOOK_PROBLEMS)),
            "outcome": frozenset(series.OUTCOMES),
            "to": frozenset(series.TO),
        }
        if settings is not None:
            self.know(settings)
        self._met: dict[str, set[str]] = {}
        self._counters = {name: self._counter(name, *rest) for name, *rest in COUNTERS}
        self._histograms = {name: self._histogram(name, *rest) for name, *rest in HISTOGRAMS}
        self._gauges = {name: self._gauge(name, *rest) for name, *rest in GAUGES}
        self._children: dict[tuple[str, tuple[str, ...]], Any] = {}
        self._present: dict[str, set[tuple[str, ...]]] = {}
        self._lanes = lanes(settings.accounts) if settings is not None else {}
        for name, given in FROM_ZERO.get(part, ()):
            self._begin(name, given)
        self._gauges["bellhop_build_info"].labels(VERSION, platform.python_version()).set(1)
        self._gauges["bellhop_start_time_seconds"].set(now())

    def __call__(self, event: str, fields: Fields) -> None:
        """Enters an event; one that has no row in the table counts nothing."""
        for update in _UPDATES.get(event, ()):
            update(self, fields)

    def know(self, settings: Settings) -> None:
        """From here on these names are labels' values."""
        self._known["source"] = frozenset(settings.sources)
        self._known["receiver"] = frozenset(settings.alerts)
        self._known["account"] = frozenset((*settings.accounts, ACCOUNT))
        self._known["step"] = frozenset(step_of(seconds) for seconds in settings.broker.ladder)

    def families(self) -> Iterable[Metric]:
        """This process' own, also in multi-process mode."""
        return self._registry.collect()

    def enter(self, event: str, fields: Fields, seconds: Sequence[float]) -> None:
        """Enters an event of `COUNTED` that happened more than once, with the same labels: how long each took."""
        counter, histogram = COUNTED[event]
        self._child(self._counters[counter], counter, SERIES[counter], fields).inc(len(seconds))
        times = self._child(self._histograms[histogram], histogram, SERIES[histogram], fields)
        for one in seconds:
            times.observe(one)

    def exposition(self) -> bytes:
        """All metrics in Prometheus' text format: of this process, or of all in multi-process mode."""
        shared = os.environ.get(MULTIPROCESS)
        if shared is None:
            return generate_latest(self._registry)
        together = CollectorRegistry()
        together.register(SharedNumbers(Path(shared)))
        together.register(HostUse(lambda: family(Path(shared))))
        return generate_latest(together)

    def labels(self, names: Sequence[str], fields: Fields) -> tuple[str, ...]:
        """The labels' values. What others choose (a path, a vendor's word) must not make series without end."""
        return tuple([self._label_value(name, str(fields.get(name, "") or "")) for name in names])

    def _label_value(self, name: str, value: str) -> str:
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
        return Gauge(name, text, labels, registry=self._registry, multiprocess_mode="max")

    def _begin(self, name: str, given: Mapping[str, Sequence[str]]) -> None:
        labels = SERIES[name]
        for values in itertools.product(*(given.get(label) or sorted(self._known.get(label, ())) for label in labels)):
            if self._may_be(dict(zip(labels, values, strict=True))):
                self._counters[name].labels(*values)

    def _may_be(self, labels: Mapping[str, str]) -> bool:
        """Whether events of this account come on this route at all: what never counts needs no series."""
        if not {"route", "account"} <= labels.keys():
            return True
        return labels["account"] in (NOBODYS, *self._lanes.get(labels["route"], (ACCOUNT,)))

    # --- the ways a row of the table updates ---------------------------------------------------------------------

    def add(self, name: str, labels: Sequence[str], fields: Fields) -> None:
        self._child(self._counters[name], name, labels, fields).inc()

    def time(self, name: str, labels: Sequence[str], fields: Fields, field: str) -> None:
        value = fields.get(field)
        if isinstance(value, int | float):
            self._child(self._histograms[name], name, labels, fields).observe(value)

    def _child(self, metric: _Metric, name: str, labels: Sequence[str], fields: Fields) -> _Metric:
        """The series of these labels. Kept, as prometheus_client takes longer to find one than to count in it."""
        values = self.labels(labels, fields)
        child = self._children.get((name, values))
        if child is None:
            child = self._children[name, values] = metric.labels(*values) if labels else metric
        return child

    def set(self, name: str, labels: Sequence[str], fields: Fields, field: str) -> None:
        """Sets the gauge, or takes it away where the value is not known: an old number would be a lie."""
        values = self.labels(labels, fields)
        value = fields.get(field)
        if isinstance(value, int | float):
            self._gauges[name].labels(*values).set(value)
        else:
            with contextlib.suppress(KeyError):
                self._gauges[name].remove(*values)

    def set_all(self, name: str, labels: Sequence[str], fields: Fields, field: str, together: Together) -> None:
        """Sets the gauge for each of the `groups`, and takes away what is in none of them any more. together: makes one
        number of those that share their labels, as those of accounts that left the settings do."""
        groups = fields.get("groups")
        numbers: dict[tuple[str, ...], list[float]] = {}
        for row in groups if isinstance(groups, list | tuple) else ():
            value = row.get(field)
            if isinstance(value, int | float):
                numbers.setdefault(self.labels(labels, row), []).append(value)
        for values, found in numbers.items():
            self._gauges[name].labels(*values).set(together(found))
        for gone in self._present.get(name, set()) - numbers.keys():
            with contextlib.suppress(KeyError):
                self._gauges[name].remove(*gone)
        self._present[name] = set(numbers)


def _count(name: str) -> Update:
    labels = SERIES[name]
    return lambda metrics, fields: metrics.add(name, labels, fields)


def _time(name: str, field: str = "seconds") -> Update:
    labels = SERIES[name]
    return lambda metrics, fields: metrics.time(name, labels, fields, field)


def _set(name: str, field: str) -> Update:
    labels = SERIES[name]
    return lambda metrics, fields: metrics.set(name, labels, fields, field)


def _set_all(name: str, field: str, together: Together = sum) -> Update:
    labels = SERIES[name]
    return lambda metrics, fields: metrics.set_all(name, labels, fields, field, together)


def _count_retry(metrics: Metrics, fields: Fields) -> None:
    seconds = fields.get("retry_seconds")
    if isinstance(seconds, int | float):
        name = "bellhop_retries_total"
        metrics.add(name, SERIES[name], {**fields, "step": step_of(seconds)})


def _count_settled(metrics: Metrics, fields: Fields) -> None:
    """What comes again is no second end: an upstream that sends everything twice would double what was done."""
    name = "bellhop_events_settled_total"
    metrics.add(name, SERIES[name], {**fields, "outcome": "known"} if fields.get("again") else fields)


COUNTED: Final[Mapping[str, tuple[str, str]]] = {
    "webhook.accepted": ("bellhop_webhooks_total", "bellhop_webhook_seconds"),
    "publish.settled": ("bellhop_publishes_total", "bellhop_publish_seconds"),
}
"""The counter and the histogram of an event that has just these, see `telemetry.tally`."""
_WEBHOOK: Final = (_count("bellhop_webhooks_total"), _time("bellhop_webhook_seconds"))
_UPDATES: Final[Mapping[str, Sequence[Update]]] = {
    "webhook.refused": (*_WEBHOOK, _count("bellhop_webhooks_refused_total")),
    "webhook.ignored": _WEBHOOK,
    "webhook.crashed": (_count("bellhop_crashes_total"),),
    "event.settled": (
        _count_settled,
        _count_retry,
        _time("bellhop_event_seconds"),
        _time("bellhop_event_lag_seconds", "lag_seconds"),
    ),
    "vendor.called": (_time("bellhop_vendor_call_seconds"),),
    "letter.archived": (_count("bellhop_dead_letters_total"),),
    "worker.stalled": (_count("bellhop_stalls_total"),),
    "ledger.unavailable": (_count("bellhop_ledger_unavailable_total"),),
    **{event: (_count(counter), _time(histogram)) for event, (counter, histogram) in COUNTED.items()},
    "worker.crashed": (_count("bellhop_crashes_total"),),
    "thread.crashed": (_count("bellhop_crashes_total"),),
    "queue.measured": (
        _set("bellhop_queue_ready", "ready"),
        _set("bellhop_queue_in_flight", "in_flight"),
        _set("bellhop_queue_oldest_seconds", "oldest_seconds"),
    ),
    "worker.measured": (
        _set("bellhop_worker_in_flight", "in_flight"),
        _set("bellhop_worker_capacity", "capacity"),
        _set("bellhop_worker_oldest_seconds", "oldest_seconds"),
        _set("bellhop_worker_connected", "connected"),
        _set("bellhop_worker_stalled", "stalled"),
    ),
    "events.unfinished": (_set_all("bellhop_events_unfinished", "count"),),
    "events.forgotten": (_set_all("bellhop_events_forgotten", "count"),),
    "event.missing": (_count("bellhop_events_missing_total"),),
    "routes.paused": (_set_all("bellhop_route_paused_seconds", "seconds"),),
    "account.held": (_count("bellhop_account_held_total"),),
    "account.measured": (
        _set("bellhop_account_breaker_open", "is_open"),
        _set("bellhop_account_refused", "is_refused"),
        _set("bellhop_account_calls_today", "used"),
        _set("bellhop_account_calls_limit", "limit"),
        _set("bellhop_account_calls_at_once", "at_once"),
    ),
    "pull.measured": (
        _set("bellhop_pull_age_seconds", "age_seconds"),
        _set("bellhop_pull_overdue_seconds", "overdue_seconds"),
    ),
    "letters.waiting": (
        _set_all("bellhop_letters_waiting", "count"),
        _set_all("bellhop_letters_oldest_seconds", "oldest_seconds", max),
        _set_all("bellhop_letters_start_seconds", "start_seconds", min),
    ),
    "parts.measured": (_set_all("bellhop_parts", "count"),),
    "silence.measured": (_set_all("bellhop_source_silent", "silent"),),
    "console.answered": (_count("bellhop_console_requests_total"),),
    "console.refused": (_count("bellhop_console_refused_total"),),
    "api.refused": (_count("bellhop_console_refused_total"),),
    "console.crashed": (_count("bellhop_crashes_total"),),
    "api.crashed": (_count("bellhop_crashes_total"),),
    "letters.counted": (_set("bellhop_letters", "count"),),
    "alert.sent": (_count("bellhop_alerts_sent_total"),),
    "alert.failed": (_count("bellhop_alerts_failed_total"),),
    "alerts.measured": (_set_all("bellhop_alerts_waiting", "count"),),
    "floods.measured": (_set_all("bellhop_floods_held", "count"),),
    "audit.measured": (_set_all("bellhop_audit_broken", "count"),),
}
