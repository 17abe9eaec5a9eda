"""OpenTelemetry's spans, records and metrics, as its own SDK has them in memory."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from bellhop.cli.tell import require_otel
from bellhop.schemas.errors import SettingsError
from bellhop.schemas.trace import Received
from bellhop.telemetry.metrics import Metrics
from bellhop.telemetry.otel.logs import LogRecords
from bellhop.telemetry.otel.metrics import metrics_of
from bellhop.telemetry.otel.spans import OtelTracer, ingress_sampler, sampler
from bellhop.telemetry.processes import PROC
from bellhop.vendors.settings import build

_ROOT = Path(__file__).parents[3]
WEBHOOK = f"00-{'1' * 32}-{'2' * 16}-01"
RETRY = f"00-{'1' * 32}-{'3' * 16}-01"


class Bench:
    def __init__(self, **sampling: Any) -> None:
        self._kept = InMemorySpanExporter()
        provider = TracerProvider(shutdown_on_exit=False, **sampling)
        provider.add_span_processor(SimpleSpanProcessor(self._kept))
        self.tracer = OtelTracer(provider.get_tracer("bellhop"), "rabbitmq")

    @property
    def spans(self) -> tuple[ReadableSpan, ...]:
        return self._kept.get_finished_spans()


def request(bench: Bench, path: str, status: str = "202 ACCEPTED", **environ: str) -> dict[str, str]:
    """What the application beneath was asked with."""
    seen: dict[str, str] = {}

    def app(environ: Any, start_response: Any) -> Iterator[bytes]:
        seen.update({key: value for key, value in environ.items() if isinstance(value, str)})
        start_response(status, [])
        return iter(())

    given = {"PATH_INFO": path, "REQUEST_METHOD": "POST", "wsgi.url_scheme": "https", **environ}
    bench.tracer.ingress(app)(given, lambda *_: None)  # type: ignore[arg-type]
    return seen


def test_a_request_is_told_by_its_route_and_never_by_what_stands_in_its_path() -> None:
    bench = Bench()
    request(bench, "/webhooks/crm/a-secret-in-the-path")
    request(bench, "/events/crm/ada@example.test")
    assert [span.name for span in bench.spans] == ["POST /webhooks/{source}/{secret}", "POST /events/{source}/{id}"]
    told = str([(dict(span.attributes or {}), span.name) for span in bench.spans])
    assert "a-secret" not in told
    assert "ada@" not in told
    assert bench.spans[0].kind is SpanKind.SERVER
    assert (bench.spans[0].attributes or {})["http.response.status_code"] == 202


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/", "/webhooks", "/webhooks/a/b/c", "/.env"])
def test_health_and_what_nobody_has_are_no_spans(path: str) -> None:
    bench = Bench()
    request(bench, path)
    assert bench.spans == ()


def test_an_answer_of_500_is_an_error_and_one_of_422_is_the_senders() -> None:
    bench = Bench()
    request(bench, "/webhooks/crm", "503 SERVICE UNAVAILABLE")
    request(bench, "/webhooks/crm", "422 UNPROCESSABLE ENTITY")
    assert [span.status.status_code for span in bench.spans] == [StatusCode.ERROR, StatusCode.UNSET]
    assert (bench.spans[0].attributes or {})["error.type"] == "503"


@pytest.mark.parametrize("header", ["HTTP_TRACEPARENT", "HTTP_SENTRY_TRACE"])
def test_a_senders_trace_goes_on_and_so_does_whoever_follows_from_there(header: str) -> None:
    bench = Bench(sampler=ingress_sampler(1.0))
    value = WEBHOOK if header == "HTTP_TRACEPARENT" else WEBHOOK[3:-3]
    seen = request(bench, "/webhooks/crm", **{header: value, "HTTP_BAGGAGE": "a=b"})
    (span,) = bench.spans
    assert span.context is not None
    assert span.parent is not None
    assert (span.context.trace_id, span.parent.span_id) == (int("1" * 32, 16), int("2" * 16, 16))
    assert seen["HTTP_TRACEPARENT"] == f"00-{'1' * 32}-{span.context.span_id:016x}-01"
    assert not {"HTTP_BAGGAGE", "HTTP_SENTRY_TRACE"} & seen.keys()


@pytest.mark.parametrize("flag", ["00", "01"])
@pytest.mark.parametrize("rate", [0.0, 1.0])
def test_whether_a_strangers_trace_is_sampled_is_ours_to_say_and_workers_follow_the_ingress(
    rate: float, flag: str
) -> None:
    headers = {"traceparent": WEBHOOK[:-2] + flag}
    ingress, worker = Bench(sampler=ingress_sampler(rate)), Bench(sampler=sampler(rate))
    request(ingress, "/webhooks/crm", HTTP_TRACEPARENT=headers["traceparent"])
    assert len(ingress.spans) == rate
    with worker.tracer.process(Received("q", "crm/e-1", 10, None, 0, headers)) as span:
        assert span.carried["traceparent"].endswith(flag)
    assert len(worker.spans) == (flag == "01")


def test_a_malformed_or_empty_trace_begins_a_new_one() -> None:
    bench = Bench()
    for wrong in ("", "garbage", f"00-{'0' * 32}-{'2' * 16}-01", f"00-{'1' * 32}-{'0' * 16}-01"):
        request(bench, "/webhooks/crm", HTTP_TRACEPARENT=wrong)
        with bench.tracer.process(Received("q", "crm/e-1", 10, None, 0, {"traceparent": wrong})):
            pass
    assert [span.parent for span in bench.spans] == [None] * 8


def test_a_retry_is_in_its_webhooks_trace_and_linked_to_it_and_a_first_try_needs_no_link() -> None:
    bench = Bench()
    for trace in (WEBHOOK, RETRY):
        with bench.tracer.process(
            Received("q", "crm/e-1", 10, 1.5, 1, {"traceparent": trace}, origin={"traceparent": WEBHOOK})
        ):
            pass
    first, retry = bench.spans
    assert first.links == ()
    assert [link.context.span_id for link in retry.links] == [int("2" * 16, 16)]
    assert retry.parent is not None
    assert retry.parent.span_id == int("3" * 16, 16)
    told = dict(retry.attributes or {})
    assert (told["messaging.operation.type"], told["messaging.system"]) == ("process", "rabbitmq")
    assert (told["bellhop.message.retry_count"], told["bellhop.message.lag_seconds"]) == (1, 1.5)


def test_a_publish_that_was_confirmed_in_the_end_is_no_error() -> None:
    bench = Bench()
    confirmed, lost = (
        bench.tracer.publish("q", f"crm/e-{n}", {"id": f"e-{n}"}, {"traceparent": WEBHOOK}) for n in "12"
    )
    confirmed.status("unavailable")
    confirmed.status("ok")
    lost.status("unavailable")
    for span in (confirmed, lost):
        span.end()
    assert [span.status.status_code for span in bench.spans] == [StatusCode.UNSET, StatusCode.ERROR]
    assert (bench.spans[1].attributes or {})["error.type"] == "unavailable"


def test_of_an_exception_only_its_name_is_told() -> None:
    bench = Bench()
    received = Received("q", "crm/e-1", 10, None, 0, {"traceparent": WEBHOOK})
    with pytest.raises(ValueError, match="Ada"), bench.tracer.process(received), bench.tracer.call("POST", "book", "h"):
        raise ValueError("Ada Lee was turned away")
    assert [span.name for span in bench.spans] == ["POST book", "process q"]
    assert [(span.events, span.status.description) for span in bench.spans] == [((), None)] * 2
    assert {str((span.attributes or {})["error.type"]) for span in bench.spans} == {"ValueError"}


def test_a_call_outside_of_any_trace_is_not_told() -> None:
    bench = Bench()
    with bench.tracer.call("POST", "login", "vendor.example"):
        pass
    assert bench.spans == ()


def test_a_line_becomes_a_record_of_its_events_trace_without_what_others_wrote() -> None:
    kept = InMemoryLogRecordExporter()  # type: ignore[no-untyped-call]
    provider = LoggerProvider(shutdown_on_exit=False)
    provider.add_log_record_processor(SimpleLogRecordProcessor(kept))
    place = f"{'a' * 32}-{'b' * 16}"
    told = {"id": "e-1", "reason": "rejected", "detail": "Ada Lee is not welcome", "seconds": 0.5, "groups": ["Ada"]}
    LogRecords(provider.get_logger("bellhop"))(
        {"ts": "…", "level": "warning", "event": "event.settled", "process": "work", "trace": place, **told}
    )
    (record,) = [one.log_record for one in kept.get_finished_logs()]
    assert (record.event_name, record.severity_text, record.trace_id) == ("event.settled", "WARNING", int("a" * 32, 16))
    assert dict(record.attributes or {}) == {"bellhop.id": "e-1", "bellhop.reason": "rejected", "bellhop.seconds": 0.5}


def test_metrics_keep_the_names_they_have_at_prometheus_and_those_of_the_process_are_opentelemetrys() -> None:
    metrics = Metrics(build({}), "work")
    for seconds in (0.03, 0.3, 100):
        metrics("vendor.called", {"account": "", "method": "book", "outcome": "ok", "seconds": seconds})
    metrics("publish.settled", {"to": "work", "outcome": "confirmed", "seconds": 0.1})
    metrics("worker.measured", {"route": "members", "in_flight": 3})
    made = {metric.name: metric for metric in metrics_of(metrics.families(), 1, 2)}
    calls = made["bellhop_vendor_call_seconds"].data.data_points[0]
    assert (calls.count, round(calls.sum, 2), sum(calls.bucket_counts)) == (3, 100.33, 3)  # type: ignore[union-attr]
    assert len(calls.bucket_counts) == len(calls.explicit_bounds) + 1  # type: ignore[union-attr]
    assert calls.bucket_counts[-1] == 1  # type: ignore[union-attr]
    assert made["bellhop_vendor_call_seconds"].unit == "s"
    assert made["bellhop_publishes_total"].data.is_monotonic  # type: ignore[union-attr]
    assert made["bellhop_worker_in_flight"].data.data_points[0].value == 3  # type: ignore[union-attr]
    assert not [name for name in made if name.endswith("_created") or name.startswith("process_cpu")]
    assert not PROC.exists() or made["process.cpu.time"].unit == "s"


def test_where_it_is_not_asked_for_nothing_of_it_is_loaded() -> None:
    loads = (
        "import sys, bellhop.cli.main, bellhop.cli.services, bellhop.cli.tell\n"
        "import bellhop.ingest.app, bellhop.workers.run, bellhop.letters.archive\n"
        "from bellhop.vendors.settings import build\n"
        "made = bellhop.cli.tell.telemetry('work', build({}))\n"
        "assert made.tracer is made.letters_tracer is bellhop.schemas.trace.UNTRACED and made.lines.export is None\n"
        "print([name for name in sys.modules if 'opentelemetry' in name])"
    )
    done = subprocess.run(
        [sys.executable, "-c", loads], capture_output=True, text=True, cwd=_ROOT, timeout=60, check=False
    )
    assert done.stdout.strip() == "[]", done.stderr


def test_asked_for_and_not_installed_is_one_line_that_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = build({"otel": {"endpoint": "http://127.0.0.1:4318"}})
    require_otel(settings)
    monkeypatch.setattr("bellhop.cli.tell._is_installed", lambda _module: False)
    with pytest.raises(SettingsError, match=r"pip install 'bellhop-bookings\[otel\]'"):
        require_otel(settings)
    require_otel(build({}))


@pytest.mark.parametrize(
    ("key", "value", "problem"),
    [
        ("endpoint", "collector:4318", "must start with http: or https:"),
        ("headers", "Bearer x", "must be headers as name=value"),
        ("signals", ["spans"], "must be among traces, metrics, logs"),
        ("traces_sample_rate", 2, "traces_sample_rate"),
    ],
)
def test_what_is_wrong_with_its_settings_is_told(key: str, value: object, problem: str) -> None:
    with pytest.raises(SettingsError, match=problem):
        build({"otel": {key: value}})


def test_the_headers_values_are_secrets() -> None:
    otel = {"endpoint": "http://collector:4318", "headers": "authorization=Bearer t0ken, x-scope=club"}
    assert "Bearer t0ken" in build({"otel": otel}).secrets
