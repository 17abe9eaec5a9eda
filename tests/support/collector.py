"""An OpenTelemetry collector: takes OTLP over HTTP and keeps what was sent, read by OpenTelemetry's own protobuf."""

from __future__ import annotations

import gzip
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from tests.support.sink import Post, Sink


@dataclass(frozen=True)
class Seen:
    """A span. service, instance: who sent it. links: (trace, span) of each."""

    service: str
    name: str
    kind: str
    trace: str
    id: str
    parent: str
    links: tuple[tuple[str, str], ...]
    attributes: dict[str, Any]
    failed: bool
    instance: str


class Collector(Sink):
    """raw: every byte that came, unpacked. Metrics are kept by service and name, the last of each."""

    def __init__(self, port: int = 0) -> None:
        self.spans: list[Seen] = []
        self.logs: list[tuple[str, Any, dict[str, Any]]] = []
        self.metrics: dict[tuple[str, str], Any] = {}
        self.resources: dict[str, dict[str, Any]] = {}
        self.raw = b""
        super().__init__(port)

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def take(self, post: Post) -> int:
        body = gzip.decompress(post.body) if post.headers.get("content-encoding") == "gzip" else post.body
        self.posts.append(post)
        self.raw += body
        match post.path:
            case "/v1/traces":
                self._take_spans(ExportTraceServiceRequest.FromString(body))
            case "/v1/logs":
                self._take_logs(ExportLogsServiceRequest.FromString(body))
            case "/v1/metrics":
                self._take_metrics(ExportMetricsServiceRequest.FromString(body))
            case _:
                return 404
        return 200

    def of_event(self, id_: str) -> list[Seen]:
        return [span for span in self.spans if span.attributes.get("bellhop.event.id") == id_]

    def children(self, of: Seen) -> list[Seen]:
        return [span for span in self.spans if span.parent == of.id]

    def _take_spans(self, sent: ExportTraceServiceRequest) -> None:
        for group in sent.resource_spans:
            service = self._service(group.resource.attributes)
            instance = str(values(group.resource.attributes)["service.instance.id"])
            self.spans += [_seen(service, instance, span) for scope in group.scope_spans for span in scope.spans]

    def _take_logs(self, sent: ExportLogsServiceRequest) -> None:
        for group in sent.resource_logs:
            service = self._service(group.resource.attributes)
            records = [record for scope in group.scope_logs for record in scope.log_records]
            self.logs += [(service, record, values(record.attributes)) for record in records]

    def _take_metrics(self, sent: ExportMetricsServiceRequest) -> None:
        for group in sent.resource_metrics:
            service = self._service(group.resource.attributes)
            for scope in group.scope_metrics:
                self.metrics |= {(service, metric.name): metric for metric in scope.metrics}

    def _service(self, attributes: Iterable[KeyValue]) -> str:
        told = values(attributes)
        name = str(told["service.name"])
        self.resources[name] = told
        return name


def values(attributes: Iterable[KeyValue]) -> dict[str, Any]:
    return {one.key: _value(one.value) for one in attributes}


def _value(told: AnyValue) -> Any:
    kind = told.WhichOneof("value")
    return getattr(told, kind) if kind else None


def _seen(service: str, instance: str, span: Span) -> Seen:
    links = tuple((link.trace_id.hex(), link.span_id.hex()) for link in span.links)
    kind = Span.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_")
    where = (span.trace_id.hex(), span.span_id.hex(), span.parent_span_id.hex())
    is_failed = span.status.code == Status.STATUS_CODE_ERROR
    return Seen(service, span.name, kind, *where, links, values(span.attributes), is_failed, instance)
