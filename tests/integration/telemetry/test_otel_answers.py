"""What is sent by OTLP and not taken is told, whatever the SDK makes of the answer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsPartialSuccess, ExportLogsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceResponse,
)

from bellhop.telemetry.otel.export import Export
from bellhop.vendors.settings import load
from tests.support.sink import Sink, serving


@pytest.fixture
def collector() -> Iterator[Sink]:
    with serving(Sink()) as server:
        yield server


def sent_to(collector: Sink, signal: str) -> list[tuple[str, dict[str, Any]]]:
    """What is told while one thing of this signal is sent."""
    endpoint = f"http://127.0.0.1:{collector.server_address[1]}"
    settings = load(None, environ={"BELLHOP_OTEL__ENDPOINT": endpoint, "BELLHOP_OTEL__SIGNALS": signal})
    told: list[tuple[str, dict[str, Any]]] = []
    export = Export("work", settings, None)
    export.tell_failures(lambda name, **facts: told.append((name, facts)))
    if signal == "traces":
        export.tracer.publish("bellhop.work.members", "m-1", {}).end()
    elif export.log:
        export.log({"ts": "2026-11-20T12:00:00Z", "level": "info", "event": "work.started", "process": "work"})
    export.close(10)
    assert [post.path for post in collector.posts] == [f"/v1/{signal}"]
    return told


SIGNALS = pytest.mark.parametrize("signal", ["traces", "logs"])


@SIGNALS
def test_what_a_collector_takes_is_not_told(collector: Sink, signal: str) -> None:
    assert sent_to(collector, signal) == []


@SIGNALS
@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_an_address_that_leads_to_another_has_taken_nothing(collector: Sink, signal: str, status: int) -> None:
    collector.statuses, collector.location = [status], "http://127.0.0.1:9/v1/traces"
    assert [name for name, _ in sent_to(collector, signal)] == ["telemetry.unexported"]


@SIGNALS
def test_a_page_in_a_collectors_place_has_taken_nothing(collector: Sink, signal: str) -> None:
    collector.body = b"<!doctype html><title>Sign in</title>"
    assert [name for name, _ in sent_to(collector, signal)] == ["telemetry.unexported"]


@SIGNALS
def test_what_a_collector_rejects_of_it_is_told(collector: Sink, signal: str) -> None:
    traces = ExportTraceServiceResponse(partial_success=ExportTracePartialSuccess(rejected_spans=1))
    logs = ExportLogsServiceResponse(partial_success=ExportLogsPartialSuccess(rejected_log_records=1))
    collector.body = (traces if signal == "traces" else logs).SerializeToString()
    assert [name for name, _ in sent_to(collector, signal)] == ["telemetry.unexported"]


@SIGNALS
def test_a_collector_that_took_all_may_say_so(collector: Sink, signal: str) -> None:
    """An empty message says so, or a partial success without anything rejected: a warning to read, says OTLP."""
    collector.body = ExportTraceServiceResponse(
        partial_success=ExportTracePartialSuccess(error_message="a deprecated field")
    ).SerializeToString()
    assert sent_to(collector, signal) == []
