"""Traces, metrics and logs by OpenTelemetry, taken by a collector from real processes; and one that is away."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.collector import Collector, Seen
from tests.support.facts import spa_booking
from tests.support.service import Service, free_port, wait_for
from tests.support.sink import Sink, serving

PRIVATE = (
    "sandbox-password",
    "sandbox-api-key",
    "sandbox-secret-key",
    "Ada",
    "Lee",
    "example.test",
    "whsec_",
    "welcome",
)
TOKEN = "otlp-token-canary"
_AT = "2026-11-20T11:59:58Z"
SENDER = f"00-{'c' * 32}-{'d' * 16}-00"


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    with serving(Collector()) as server:
        monkeypatch.setenv("BELLHOP_OTEL__ENDPOINT", server.endpoint)
        monkeypatch.setenv("BELLHOP_OTEL__HEADERS", f"authorization=Bearer {TOKEN}")
        monkeypatch.setenv("BELLHOP_OTEL__METRICS_EVERY", "1s")
        monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "200")
        monkeypatch.setenv("OTEL_BLRP_SCHEDULE_DELAY", "200")
        yield server


def log(service: Service, part: str) -> str:
    return (service.folder / f"{part}.log").read_text(errors="replace")


def only(spans: list[Seen], name: str, **told: object) -> Seen:
    (found,) = [
        span for span in spans if span.name == name and told.items() <= {**span.attributes, "at": span.service}.items()
    ]
    return found


def count(spans: list[Seen], name: str) -> int:
    return sum(span.name == name for span in spans)


@pytest.mark.timeout(180)
def test_one_trace_leads_from_the_webhook_through_retry_letter_and_replay_to_the_vendor(
    service: Service, collector: Collector
) -> None:
    """Over each broker; the replay is worked by another process than the tries before it."""
    queue = "bellhop.work.members"
    service.start_all()
    service.sandbox("POST", "faults", method="sync_member", kind="http", status=503, times=1)
    words = "Ada Lee of ada@example.test is not welcome"
    service.sandbox("POST", "faults", method="sync_member", kind="error", message=words, times=1)
    body = json.dumps({"type": "member.updated", "timestamp": _AT, "data": {"member_id": 3125141}})
    status, _ = service.post_to("crm", body, **service.signed("m-1", body), traceparent=SENDER)
    assert status == 202
    service.wait_for_state("m-1", "dead")
    wait_for(lambda: bool(service.told("dead", "list")), "the letter is archived")
    number = str(service.told("dead", "list")[0]["id"])
    assert service.kill("work-1", signal.SIGTERM) == 0
    service.start("work-2")
    assert service.run("dead", "replay", number, "--yes", "--why", "they are welcome now").returncode == 0
    service.wait_for_state("m-1", "done")
    assert service.post("spa-1", "booking.requested", spa_booking("PV-1", 1)) == 202
    service.wait_for_state("spa-1", "done")
    wait_for(lambda: count(collector.of_event("m-1"), f"process {queue}") == 3, "all tries are traced")
    wait_for(lambda: bool([s for s in collector.spans if s.name == "process bellhop.dead"]), "so is the letter")
    wait_for(lambda: bool(collector.of_event("spa-1")), "and the booking")
    wait_for(lambda: ("bellhop-archive", "bellhop_queue_ready") in collector.metrics, "metrics came")
    calls = service.calls("create_service_reservation", "sync_member")
    assert calls
    assert service.kill("work-2", signal.SIGTERM) == 0
    assert service.kill("ingest", signal.SIGTERM) == 0

    posted = only(collector.of_event("m-1"), "POST /webhooks/{source}")
    assert (posted.kind, posted.service, posted.trace, posted.parent) == (
        "SERVER",
        "bellhop-ingest",
        "c" * 32,
        "d" * 16,
    )
    assert posted.attributes["http.response.status_code"] == 202
    sent = only(collector.children(posted), f"send {queue}")
    system = "rabbitmq" if "amqp://" in service.settings.read_text() else "bellhop"
    assert (sent.kind, sent.attributes["messaging.system"]) == ("PRODUCER", system)
    assert sent.attributes["messaging.message.id"] == "crm/m-1"

    first, second, replayed = (span for span in collector.of_event("m-1") if span.name == f"process {queue}")
    assert [one.attributes["bellhop.message.retry_count"] for one in (first, second)] == [0, 1]
    assert (first.parent, first.links) == (sent.id, ())
    webhook = (sent.trace, sent.id)
    retry = next(span for span in collector.children(first) if span.name.startswith("send bellhop.retry"))
    assert (second.parent, second.links) == (retry.id, (webhook,))
    assert [one.failed for one in (first, second, replayed)] == [True, True, False]
    assert first.instance != replayed.instance
    letter = only(collector.spans, "process bellhop.dead")
    assert letter.links == (webhook,)
    assert (letter.service, letter.attributes["bellhop.reason"]) == ("bellhop-archive", "rejected")
    assert {span.trace for span in collector.of_event("m-1")} == {posted.trace}  # the replay's too

    called = only(
        collector.children(only(collector.of_event("spa-1"), "process bellhop.work.bookings.peoplevine")),
        "POST peoplevine create_service_reservation",
    )
    assert (called.kind, called.attributes["http.response.status_code"]) == ("CLIENT", 200)
    assert called.attributes["server.address"] == "127.0.0.1"

    settled = [
        record
        for _, record, more in collector.logs
        if record.event_name == "event.settled" and more["bellhop.id"] == "spa-1"
    ]
    assert settled[0].trace_id.hex() == only(collector.of_event("spa-1"), "POST /webhooks/{source}").trace
    accepted = collector.metrics["bellhop-ingest", "bellhop_webhooks_total"].sum
    assert accepted.is_monotonic
    assert sum(point.as_double for point in accepted.data_points) >= 2
    seconds = collector.metrics["bellhop-work", "bellhop_vendor_call_seconds"]
    assert (seconds.unit, sum(seconds.histogram.data_points[0].bucket_counts)) == (
        "s",
        seconds.histogram.data_points[0].count,
    )
    assert ("bellhop-work", "process.memory.usage") in collector.metrics
    assert collector.resources["bellhop-ingest"]["deployment.environment.name"] == "production"

    assert {post.headers["authorization"] for post in collector.posts} == {f"Bearer {TOKEN}"}
    assert [private for private in (*PRIVATE, TOKEN) if private.encode() in collector.raw] == []
    assert "traceparent" not in json.dumps(calls)  # vendors are told nothing of our traces


@pytest.mark.timeout(180)
@pytest.mark.parametrize("away", ["refuses", "hangs"])
def test_a_collector_that_is_away_keeps_nothing_from_being_worked_and_floods_no_log(
    tmp_path: Path, away: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "100")
    monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "16")  # so that it is full at once
    monkeypatch.setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "8")
    monkeypatch.setenv("OTEL_BLRP_SCHEDULE_DELAY", "100")
    monkeypatch.setenv("BELLHOP_OTEL__METRICS_EVERY", "1s")
    with serving(Sink()) as hanging, Service(tmp_path) as service:
        hanging.open.clear()
        port = free_port() if away == "refuses" else hanging.server_address[1]
        monkeypatch.setenv("BELLHOP_OTEL__ENDPOINT", f"http://127.0.0.1:{port}")
        service.start_all()
        for number in range(40):
            assert service.post(f"m-{number}", "member.updated", {"member_id": 3125141}) == 202
        for number in range(40):
            service.wait_for_state(f"m-{number}", "done")
        if away == "refuses":
            wait_for(lambda: "telemetry.unexported" in log(service, "work-1"), "it is told")
        assert service.kill("work-1", signal.SIGTERM) == 0
        assert service.kill("ingest", signal.SIGTERM) == 0
        for part in ("work-1", "ingest"):
            lines = [json.loads(line) for line in log(service, part).splitlines() if line.startswith("{")]
            assert sum(line["event"] == "telemetry.unexported" for line in lines) <= 1
            assert [line for line in lines if "opentelemetry" in str(line.get("logger"))] == []
        hanging.open.set()
