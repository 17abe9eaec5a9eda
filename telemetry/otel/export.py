"""What leaves a process by OTLP: begun after its last fork, ended within seconds.

Nothing here waits on a collector but threads of the SDK's own. Their queues are bounded (OTEL_BSP_MAX_QUEUE_SIZE and
OTEL_BLRP_MAX_QUEUE_SIZE, 2048 unless set): while the collector is away the oldest goes.
"""

from __future__ import annotations

import logging
import platform
import socket
import threading
import time
import uuid
from collections.abc import Callable
from typing import Any, Final

from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from bellhop.schemas.observe import Observe
from bellhop.schemas.settings import Settings
from bellhop.schemas.trace import UNTRACED, Tracer
from bellhop.schemas.version import VERSION
from bellhop.telemetry.log_names import Told
from bellhop.telemetry.metrics import Metrics
from bellhop.telemetry.otel.logs import LogRecords
from bellhop.telemetry.otel.metrics import MetricsPump
from bellhop.telemetry.otel.session import exporter_session
from bellhop.telemetry.otel.spans import OtelTracer, ingress_sampler, sampler
from bellhop.telemetry.tally import Tally

SCOPE: Final = "bellhop"
_EXPORT_SECONDS: Final = 5.0
"""For one try. A collector that does not answer within it is away."""
_TELL_EVERY_SECONDS: Final = 600.0


class Export:
    """The exporters of one process. Make it after any fork: their threads do not live in a child."""

    def __init__(self, process: str, settings: Settings, metrics: Metrics | Tally | None) -> None:
        otel = settings.otel
        self._resource = _resource(process, otel.environment)
        self._ends: list[Callable[[], object]] = []
        self.tracer: Tracer = UNTRACED
        self.log: Callable[[Told], None] | None = None
        if "traces" in otel.signals and otel.traces_sample_rate:
            self.tracer = self._start_traces(process, settings)
        if "logs" in otel.signals:
            self.log = self._start_logs(settings)
        if "metrics" in otel.signals and metrics is not None:
            exporter = OTLPMetricExporter(**_target(settings, "metrics"))
            pump = MetricsPump(exporter, metrics.families, self._resource, otel.metrics_every_seconds)
            pump.start()
            self._ends.append(pump.close)

    def tell_failures(self, observe: Observe) -> None:
        """The SDK's own log lines become ours: one `telemetry.unexported` in ten minutes, however often it tries."""
        logger = logging.getLogger("opentelemetry")
        logger.handlers[:] = [_Failures(observe)]
        logger.propagate = False
        logger.setLevel(logging.WARNING)

    def close(self, seconds: float = 2.0) -> None:
        """Sends what is left, for at most so long: a collector that is away must not keep a process from ending."""
        thread = threading.Thread(target=self._end, name="otel-close", daemon=True)
        thread.start()
        thread.join(seconds)

    def _end(self) -> None:
        for end in self._ends:
            end()

    def _start_traces(self, process: str, settings: Settings) -> Tracer:
        rate = settings.otel.traces_sample_rate
        chosen = ingress_sampler(rate) if process == "ingest" else sampler(rate)
        provider = TracerProvider(chosen, self._resource, shutdown_on_exit=False)
        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(**_target(settings, "traces"))))
        self._ends.append(provider.shutdown)
        broker = "bellhop" if settings.broker.embedded else "rabbitmq"
        return OtelTracer(provider.get_tracer(SCOPE, VERSION), broker)

    def _start_logs(self, settings: Settings) -> Callable[[Told], None]:
        provider = LoggerProvider(self._resource, shutdown_on_exit=False)
        provider.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter(**_target(settings, "logs"))))
        self._ends.append(provider.shutdown)
        return LogRecords(provider.get_logger(SCOPE, VERSION))


class _Failures(logging.Handler):
    def __init__(self, observe: Observe) -> None:
        super().__init__(logging.WARNING)
        self._observe = observe
        self._quiet_until = 0.0
        self._kept = 0

    def emit(self, record: logging.LogRecord) -> None:
        now = time.monotonic()
        if now < self._quiet_until:
            self._kept += 1
            return
        kept, self._kept, self._quiet_until = self._kept, 0, now + _TELL_EVERY_SECONDS
        # Never the record's own words: they name the address, and may quote what could not be sent.
        self._observe("telemetry.unexported", where=record.name.rpartition(".")[2], since_the_last=kept)


def _resource(process: str, environment: str) -> Resource:
    """Also of OTEL_RESOURCE_ATTRIBUTES, as the SDK does."""
    return Resource.create(
        {
            "service.name": f"bellhop-{process}",
            "service.namespace": "bellhop",
            "service.version": VERSION,
            "service.instance.id": str(uuid.uuid4()),
            "deployment.environment.name": environment,
            "host.name": socket.gethostname(),
            "process.runtime.name": platform.python_implementation().lower(),
            "process.runtime.version": platform.python_version(),
        }
    )


def _target(settings: Settings, signal: str) -> dict[str, Any]:
    otel = settings.otel
    pairs = [header.partition("=") for header in otel.headers]
    return {
        "endpoint": f"{otel.endpoint.rstrip('/')}/v1/{signal}",
        "headers": {name.strip(): value.strip() for name, _, value in pairs},
        "timeout": _EXPORT_SECONDS,
        "compression": Compression.Gzip,
        "session": exporter_session(signal),
    }
