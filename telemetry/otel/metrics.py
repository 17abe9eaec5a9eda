"""The metrics of /metrics, sent by OTLP: under the names that they have there, so that rules and dashboards hold either
way; what a process uses of its host by OpenTelemetry's conventions.

They are read off the registry every so often. Counting an event costs what it did.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    Gauge,
    Histogram,
    HistogramDataPoint,
    Metric,
    MetricExporter,
    MetricsData,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
    Sum,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.samples import Sample

_SCOPE: Final = InstrumentationScope("bellhop")
_OF_THE_HOST: Final[Mapping[str, tuple[str, str]]] = {
    "process_cpu_seconds": ("process.cpu.time", "s"),
    "process_resident_memory_bytes": ("process.memory.usage", "By"),
    "process_virtual_memory_bytes": ("process.memory.virtual", "By"),
    "process_open_fds": ("process.unix.file_descriptor.count", "{file_descriptor}"),
}
_UNITS: Final = {"seconds": "s", "bytes": "By"}


class MetricsPump:
    """Sends the families every so many seconds, from a thread of its own, until `close`, and once more then."""

    def __init__(
        self, exporter: MetricExporter, families: Callable[[], Iterable[Family]], resource: Resource, every: float
    ) -> None:
        self._exporter = exporter
        self._families = families
        self._resource = resource
        self._every = every
        self._began = time.time_ns()
        self._stop = threading.Event()

    def start(self) -> None:
        threading.Thread(target=self._run, name="otel-metrics", daemon=True).start()

    def close(self) -> None:
        self._stop.set()
        self._send()
        self._exporter.shutdown()

    def _run(self) -> None:
        while not self._stop.wait(self._every):
            self._send()

    def _send(self) -> None:
        metrics = list(metrics_of(self._families(), self._began, time.time_ns()))
        scope = ScopeMetrics(_SCOPE, metrics, "")
        self._exporter.export(MetricsData([ResourceMetrics(self._resource, [scope], "")]))


def metrics_of(families: Iterable[Family], began: int, now: int) -> Iterator[Metric]:
    """began, now: Unix time in nanoseconds."""
    for family in families:
        name, unit = _OF_THE_HOST.get(family.name, (family.name, _UNITS.get(family.name.rpartition("_")[2], "1")))
        data: Sum | Gauge | Histogram
        if family.type == "counter":
            name = name if "." in name else f"{name}_total"
            points = [_number(sample, began, now) for sample in family.samples if sample.name.endswith("_total")]
            data = Sum(points, AggregationTemporality.CUMULATIVE, is_monotonic=True)
        elif family.type == "histogram":
            data = Histogram(list(_histograms(family.samples, began, now)), AggregationTemporality.CUMULATIVE)
        else:
            data = Gauge([_number(sample, began, now) for sample in family.samples])
        if data.data_points:
            yield Metric(name, family.documentation, unit, data)


def _number(sample: Sample, began: int, now: int) -> NumberDataPoint:
    return NumberDataPoint(dict(sample.labels), began, now, sample.value)


def _histograms(samples: Iterable[Sample], began: int, now: int) -> Iterator[HistogramDataPoint]:
    """One for each set of labels. Prometheus' buckets hold all that is below; OpenTelemetry's what is between."""
    by_labels: dict[tuple[tuple[str, str], ...], list[Sample]] = {}
    for sample in samples:
        labels = tuple((name, value) for name, value in sample.labels.items() if name != "le")
        by_labels.setdefault(labels, []).append(sample)
    for labels, found in by_labels.items():
        buckets = [(float(one.labels["le"]), int(one.value)) for one in found if one.name.endswith("_bucket")]
        below = [count for _, count in sorted(buckets)]
        between = [after - before for before, after in itertools.pairwise([0, *below])]
        unknown: Any = None  # OTLP lets the least and the most be absent; the SDK's type does not
        yield HistogramDataPoint(
            attributes=dict(labels),
            start_time_unix_nano=began,
            time_unix_nano=now,
            count=below[-1],
            sum=next(one.value for one in found if one.name.endswith("_sum")),
            bucket_counts=between,
            explicit_bounds=[bound for bound, _ in sorted(buckets)][:-1],
            min=unknown,
            max=unknown,
        )
