"""What the processes of the ingress have counted, added up: prometheus_client's multi-process mode."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector


class SharedNumbers(Collector):
    """The numbers of a folder's files. One that is empty holds none, and is passed over, as prometheus_client would
    fail to read it: its process was killed as it made it, or has not come further yet."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def collect(self) -> Iterable[Metric]:
        files = [str(file) for file in sorted(self._folder.glob("*.db")) if file.stat().st_size]
        told: Iterable[Metric] = MultiProcessCollector.merge(files)  # type: ignore[no-untyped-call]
        return told
