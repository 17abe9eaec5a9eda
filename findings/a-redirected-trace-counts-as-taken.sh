#!/usr/bin/env bash
# What is shown: OpenTelemetry's OTLP exporter over HTTP takes a redirect, another server's page, and a collector's word
#   that it rejected every span, for success: SpanExportResult.SUCCESS, no line in the log, nothing kept.
# Seen with: opentelemetry-exporter-otlp-proto-http 1.45.2 (requests 2.34.2) on CPython 3.11. Since its HTTP is a package of
#   its own, redirects are not followed, and each status from 200 to 399 counts as taken. Bodies of answers are not read.
# Valid input: an endpoint with http:// where the collector's proxy answers 308 to https://; a partial success, by which the
#   protocol lets a collector say how many it rejected. Exporters in Go and Java count from 200 to 299.
# Why it matters: an endpoint with one letter too few, and every trace is lost for ever while all looks well.
# Nothing of Bellhop is used. Ends with 0 while the behaviour is as described, with 1 once it is not.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check opentelemetry-sdk==1.45.2 \
    opentelemetry-exporter-otlp-proto-http==1.45.2 requests==2.34.2
"$work/venv/bin/python" - <<'PY'
import logging, sys, threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceResponse,
)
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter

REJECTED = ExportTraceServiceResponse(
    partial_success=ExportTracePartialSuccess(rejected_spans=1, error_message="no room")
).SerializeToString()
ANSWERS = {
    "a redirect (308)": (308, b""),
    "a page of another server": (200, b"<!doctype html><title>Sign in</title>"),
    "a collector that rejected it": (200, REJECTED),
    "a server's refusal (400)": (400, b""),
}
asked, logged = [], []


class Server(BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        status, body = ANSWERS[asked[-1]]
        self.send_response(status)
        self.send_header("Location", "https://collector.example/v1/traces")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Kept(logging.Handler):
    def emit(self, record):
        logged.append(record.getMessage())


class Watched(SpanExporter):
    def export(self, spans):
        self.result = exporter.export(spans)
        return self.result


logging.getLogger("opentelemetry").addHandler(Kept())
logging.getLogger("opentelemetry").propagate = False
http = HTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=http.serve_forever, daemon=True).start()
exporter = OTLPSpanExporter(endpoint=f"http://127.0.0.1:{http.server_port}/v1/traces")
watched = Watched()
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(watched))
seen = []
for name in ANSWERS:
    asked.append(name)
    logged.clear()
    provider.get_tracer("shown").start_span("one").end()
    seen.append((watched.result.name, len(logged)))
    print(f"{name}: {watched.result.name}, {len(logged)} lines logged")
sys.exit(seen != [("SUCCESS", 0)] * 3 + [("FAILURE", 1)])
PY
