"""What the ingress counts with every webhook, added up here and entered in the metrics four times a second.

Several processes share their counts through mapped files, so that a count costs a hundred times what an addition
costs: entered one by one they were a twentieth of what accepting a webhook takes. What if the process dies here? A
quarter of a second of counts is lost; no event is.
"""

from __future__ import annotations

import atexit
import threading
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Final

from prometheus_client.metrics_core import Metric

from bellhop.telemetry.metrics import COUNTED, Fields, Metrics
from bellhop.telemetry.series import SERIES

_PAUSE_SECONDS: Final = 0.25
_LABELS: Final[Mapping[str, Sequence[str]]] = {event: SERIES[counter] for event, (counter, _) in COUNTED.items()}
"""What is added up, and by what: a counter has the labels of the histogram beside it, too. Everything else is entered
at once: an alert may wait for it."""


class Tally:
    """Call it with what is observed, from any thread."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._waiting: deque[tuple[str, Fields]] = deque()
        self._entering = threading.Lock()

    def start(self) -> None:
        """Enters what waits from now on, and at the process' end."""
        threading.Thread(target=self._run, name="tally", daemon=True).start()
        atexit.register(self.enter)

    def __call__(self, event: str, fields: Fields) -> None:
        if event in _LABELS:
            self._waiting.append((event, fields))
        else:
            self._metrics(event, fields)

    def families(self) -> Iterable[Metric]:
        """As `Metrics.families`, with all that this process has counted."""
        self.enter()
        return self._metrics.families()

    def exposition(self) -> bytes:
        """All metrics in Prometheus' text format, with all that this process has counted."""
        self.enter()
        return self._metrics.exposition()

    def enter(self) -> None:
        """Enters what waits."""
        with self._entering:  # whoever asks for the metrics next sees what another thread has just taken from here
            seconds: dict[tuple[str, tuple[object, ...]], list[float]] = {}
            for _ in range(len(self._waiting)):
                event, fields = self._waiting.popleft()
                values = tuple([fields[label] for label in _LABELS[event]])
                seconds.setdefault((event, values), []).append(float(str(fields["seconds"])))
            for (event, values), measured in seconds.items():
                self._metrics.enter(event, dict(zip(_LABELS[event], values, strict=True)), measured)

    def _run(self) -> None:
        pause = threading.Event()
        while not pause.wait(_PAUSE_SECONDS):
            with suppress(Exception):  # a full disk behind the files, say: this thread must go on, or what waits grows
                self.enter()
